"""What can be turned on a network: how many units a group keeps, which bits a layer has; and by which steps.

A level is an index into the values that are legal on the device, from least to most. Two levels are one step apart if
no legal value lies between them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from paretrim.network import Axis, Group, Network, Operation
from paretrim.problem import FULL_PRECISION, Bits

#: fewest bits of a network's first and last layers (HAQ pins them to 8)
END_BITS = 8

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


@dataclass(frozen=True)
class KeepKnob:
    """How many units of a group are kept."""

    name: str  #: the group's
    units: int
    counts: tuple[int, ...]  #: legal numbers of units, rising; the last is all

    dimensions = 1

    @property
    def levels(self) -> int:
        """How many values there are."""
        return len(self.counts)

    def decode(self, coordinates: Sequence[float]) -> int:
        """The level at a point of [0, 1]: levels share the interval equally."""
        return _bin(coordinates[0], len(self.counts))

    def encode(self, level: int) -> tuple[float, ...]:
        """The middle of a level's interval."""
        return ((level + 0.5) / len(self.counts),)

    def nearest(self, count: int) -> int:
        """The level of the legal number of units nearest to a count; of two, the larger."""
        return min(range(len(self.counts)), key=lambda level: (abs(self.counts[level] - count), -level))

    def up(self, level: int) -> tuple[int, ...]:
        """The levels one step above."""
        return (level + 1,) if level + 1 < len(self.counts) else ()

    def within(self, level: int, most: int) -> bool:
        """Whether a level is not above another."""
        return level <= most


@dataclass(frozen=True)
class BitsKnob:
    """The bits of a layer."""

    name: str  #: the layer's
    choices: tuple[Bits, ...]  #: legal pairs, rising by weight x activation bits, then by weight bits

    @property
    def levels(self) -> int:
        """How many values there are."""
        return len(self.choices)

    @cached_property
    def _by_weight(self) -> tuple[tuple[int, ...], ...]:
        """Levels by weight bits, each by activation bits."""
        widths = sorted({bits.weight for bits in self.choices})
        rows = [[i for i, bits in enumerate(self.choices) if bits.weight == width] for width in widths]
        return tuple(tuple(sorted(row, key=lambda i: self.choices[i].activation)) for row in rows)

    @property
    def dimensions(self) -> int:
        """Coordinates: weight bits, and activation bits where these leave a choice."""
        return 2 if max(len(row) for row in self._by_weight) > 1 else 1

    def decode(self, coordinates: Sequence[float]) -> int:
        """The level at a point of [0, 1]^dimensions."""
        row = self._by_weight[_bin(coordinates[0], len(self._by_weight))]
        return row[_bin(coordinates[1], len(row))] if self.dimensions == 2 else row[0]

    def encode(self, level: int) -> tuple[float, ...]:
        """The middle of a level's cell."""
        number = next(i for i, row in enumerate(self._by_weight) if level in row)
        row = self._by_weight[number]
        first = (number + 0.5) / len(self._by_weight)
        return (first, (row.index(level) + 0.5) / len(row)) if self.dimensions == 2 else (first,)

    def nearest(self, wanted: Bits) -> int:
        """The level nearest to a pair, in octaves; of two, the wider."""

        def distance(level: int) -> tuple[float, int]:
            bits = self.choices[level]
            octaves = math.log2(bits.weight / wanted.weight), math.log2(bits.activation / wanted.activation)
            return abs(octaves[0]) + abs(octaves[1]), -level

        return min(range(len(self.choices)), key=distance)

    def up(self, level: int) -> tuple[int, ...]:
        """The levels one step above: wider in weights or activations, narrower in neither, nothing in between."""
        return self._above[level]

    def within(self, level: int, most: int) -> bool:
        """Whether a level is not above another: no wider in weights nor in activations."""
        return level == most or _wider(self.choices[most], self.choices[level])

    @cached_property
    def _above(self) -> tuple[tuple[int, ...], ...]:
        wider = [[j for j, other in enumerate(self.choices) if _wider(other, bits)] for bits in self.choices]
        return tuple(
            tuple(j for j in row if not any(_wider(self.choices[j], self.choices[k]) for k in row)) for row in wider
        )


Knob = KeepKnob | BitsKnob


def keep_knob(network: Network, device: BitsDevice, group: Group, *, min_keep: float, stepped: bool) -> KeepKnob:
    """The legal numbers of units of a group: at least `min_keep` of all, never none; multiples of the device's step, if
    `stepped`.

    A step so wide that it would leave fewer than four values is halved until it does not; the cost model knows what
    that costs.
    """
    step = _unit_step(network, device, group) if stepped else 1
    floor = max(1, math.ceil(group.units * min_keep))
    while step > 1 and len(range(step, group.units, step)) < FEWEST_REDUCTIONS:
        step //= 2
    counts = [count for count in range(step, group.units, step) if count >= floor]
    return KeepKnob(group.name, group.units, (*counts, group.units))


def bits_knob(layer: Operation, device: BitsDevice, *, is_end: bool) -> BitsKnob:
    """The legal bits of a layer. First and last layers (`is_end`) have at least 8, or the most the device knows."""
    legal = sorted(set(device.legal_bits(layer)), key=lambda bits: (bits.weight * bits.activation, bits.weight))
    if is_end and legal:
        wide = [bits for bits in legal if min(bits.weight, bits.activation) >= END_BITS]
        legal = wide or legal[-1:]
    return BitsKnob(layer.name, tuple(legal) or (FULL_PRECISION,))


def free_groups(network: Network) -> tuple[Group, ...]:
    """The groups a search may shrink: not frozen, not the network's input, not its output."""
    ends = {segment.group for segment in network.by_name[network.output].out_axis}
    for operation in network.operations:
        if "input" in operation.inputs:
            ends |= {segment.group for segment in operation.in_axis}
    return tuple(group for group in network.prunable_groups if group.name not in ends)


def end_layers(network: Network) -> frozenset[str]:
    """The layers no other layer comes before, and those none comes after."""
    before: dict[str, frozenset[str]] = {"input": frozenset()}  # layers nearest above each operation's result
    first, followed = set(), set()
    for operation in network.operations:
        above = frozenset[str]().union(*(before.get(name, frozenset()) for name in operation.inputs))
        if operation.is_layer:
            followed |= above
            if not above:
                first.add(operation.name)
        before[operation.name] = frozenset({operation.name}) if operation.is_layer else above
    return frozenset(first | ({layer.name for layer in network.layers} - followed))


def _unit_step(network: Network, device: BitsDevice, group: Group) -> int:
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


def _bin(coordinate: float, bins: int) -> int:
    return min(bins - 1, max(0, math.floor(coordinate * bins)))


def _wider(a: Bits, b: Bits) -> bool:
    return a != b and a.weight >= b.weight and a.activation >= b.activation
