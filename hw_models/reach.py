"""The least that any policy can cost, so that a constraint nobody can meet is refused when a job is submitted."""

from __future__ import annotations

from collections.abc import Mapping

from hw_models.cost import Costs
from hw_models.device import Device
from paretrim.network import Network, Operation
from paretrim.problem import METRICS, Bits, Policy

#: a ratio that leaves one unit of any group: what a search falls back on if it cannot meet the constraints otherwise
LEAST_KEEP = 1e-9


def smallest(
    network: Network,
    device: Device,
    *,
    keep: float = LEAST_KEEP,
    bits: Mapping[str, tuple[Bits, ...]] | None = None,
    groups: frozenset[str] | None = None,
) -> dict[str, float]:
    """The smallest reachable value of every metric that is minimised and that the device knows.

    keep: smallest keep ratio; bits: the choices by layer (those a search has, if None; a layer not named stays as it
    is); groups: those that may shrink (those a search may, if None). Fewer channels are not always faster, so the
    narrowest network is tried at every bit-width, and also with its widths on the device's steps.
    """
    choices = bits if bits is not None else _searched(network, device)
    costs = Costs(network, device)
    measurements = [costs.original]
    for narrow in _narrow(network, device, keep, groups):
        measurements += [costs.measure(Policy(keep=narrow, bits=chosen)) for chosen in _uniform(choices)]
    reach: dict[str, float] = {}
    for metric, direction in METRICS.items():
        values = [getattr(measurement, metric) for measurement in measurements]
        if direction == "minimize" and None not in values:
            reach[metric] = float(min(values))
    return reach


def _searched(network: Network, device: Device) -> dict[str, tuple[Bits, ...]]:
    return {layer.name: network.searched_bits(layer.name, device.legal_bits(layer)) for layer in network.layers}


def _narrow(
    network: Network, device: Device, keep: float, groups: frozenset[str] | None
) -> list[dict[str, float | tuple[int, ...]]]:
    """Keep ratios of the narrowest network, as it is and with every width on the step above."""
    barest: dict[str, float | tuple[int, ...]] = {}
    stepped: dict[str, float | tuple[int, ...]] = {}
    for group in network.free_groups if groups is None else network.prunable_groups:
        if groups is not None and group.name not in groups:
            continue
        barest[group.name] = keep
        step = max((_step(network.by_name[name], device) for name in group.producers), default=1)
        units = min(group.units, -(-max(1, round(keep * group.units)) // step) * step)
        stepped[group.name] = units / group.units
    return [barest, stepped] if stepped != barest else [barest]


def _step(layer: Operation, device: Device) -> int:
    return max(device.channel_step(layer, bits) for bits in device.legal_bits(layer))


def _uniform(choices: Mapping[str, tuple[Bits, ...]]) -> list[dict[str, Bits]]:
    """Every layer as close as it may come to the same bits, for all bits that occur."""
    occurring = {bits for options in choices.values() for bits in options}
    return [
        {name: min(options, key=lambda bits: _distance(bits, want)) for name, options in choices.items() if options}
        for want in sorted(occurring, key=lambda bits: (bits.weight, bits.activation))
    ]


def _distance(bits: Bits, wanted: Bits) -> tuple[int, int]:
    return abs(bits.weight - wanted.weight), abs(bits.activation - wanted.activation)
