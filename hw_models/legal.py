"""Which values of a policy are legal on a device: one rule for the search, and for what can be said at submission."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from paretrim.errors import InvalidInput, InvalidPolicy
from paretrim.network import Axis, Group, Network, Operation
from paretrim.problem import Bits, Policy

#: metrics that a device's channel steps have a part in
STEPPED = frozenset({"latency_ms", "energy_mj"})

#: a group can shrink in at least so many ways, whatever step the device asks for
FEWEST_REDUCTIONS = 3


class BitsDevice(Protocol):
    """What of a device decides which values are legal."""

    def legal_bits(self, operation: Operation) -> tuple[Bits, ...]:
        """The bit-widths the device can run, or store, this layer at."""
        ...

    def channel_step(self, operation: Operation, bits: Bits) -> int:
        """Channels by which this layer's time changes."""
        ...


def legal_units(
    network: Network, device: BitsDevice, group: Group, *, min_keep: float, stepped: bool
) -> tuple[int, ...]:
    """The legal numbers of units of a group: at least `min_keep` of all, never none; multiples of the device's step, if
    `stepped`. Rising; the last is all of them.

    A step so wide that it would leave fewer than four values is halved until it does not; the cost model knows what
    that costs.
    """
    step = unit_step(network, device, group) if stepped else 1
    floor = max(1, math.ceil(group.units * min_keep))
    while step > 1 and len(range(step, group.units, step)) < FEWEST_REDUCTIONS:
        step //= 2
    return (*(count for count in range(step, group.units, step) if count >= floor), group.units)


def unit_step(network: Network, device: BitsDevice, group: Group) -> int:
    """The widest step, in units of the group, that any layer at its ends asks for at any bits it may have."""
    steps = [1]
    for names, side in ((group.producers, "out_axis"), (group.consumers, "in_axis")):
        for name in names:
            layer = network.by_name[name]
            channels = _channels_per_unit(getattr(layer, side), group.name)
            if channels and layer.is_layer:
                wanted = max((device.channel_step(layer, bits) for bits in device.legal_bits(layer)), default=1)
                steps.append(math.ceil(wanted / channels))
    return max(steps)


def _channels_per_unit(axis: Axis, group: str) -> int:
    return sum(segment.channels_per_unit for segment in axis if segment.group == group)


def check_bits(network: Network, device: BitsDevice, policy: Policy) -> None:
    """Raise InvalidPolicy naming the first layer whose bits the device does not have."""
    for name, bits in policy.bits.items():
        legal = device.legal_bits(network.by_name[name])
        if bits not in legal:
            pairs = ", ".join(f"{b.weight}/{b.activation}" for b in legal)
            raise InvalidPolicy(
                f"layer {name!r} cannot have {bits.weight}/{bits.activation} bits on"
                f" {getattr(device, 'name', 'this device')}; it has {pairs}",
                field=f"bits.{name}",
            )


def given_policies(network: Network, device: BitsDevice, values: Iterable[Mapping[str, Any]]) -> list[Policy]:
    """The policies of the user's own that the algorithm `given` was handed. Raises InvalidInput naming the first that
    the network or the device cannot have."""
    policies = []
    for place, value in enumerate(values):
        try:
            policy = Policy.from_json(value)
            network.check(policy)
            check_bits(network, device, policy)
        except InvalidPolicy as error:
            where = f"algorithms.given.options.policies.{place}"
            raise InvalidInput(f"policy {place}: {error}", field=where) from error
        policies.append(policy)
    return policies
