"""What can be turned on a network: how many units a group keeps, which bits a layer has; and by which steps.

A level is an index into the values that are legal on the device, from least to most. Two levels are one step apart if
no legal value lies between them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from hw_models.legal import BitsDevice, legal_units
from paretrim.network import Group, Network, Operation
from paretrim.problem import Bits


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
    """The legal numbers of units of a group; on the device's steps, if `stepped`."""
    counts = legal_units(network, device, group, min_keep=min_keep, stepped=stepped)
    return KeepKnob(group.name, group.units, counts)


def bits_knob(network: Network, layer: Operation, device: BitsDevice) -> BitsKnob:
    """The legal bits of a layer."""
    return BitsKnob(layer.name, network.searched_bits(layer.name, device.legal_bits(layer)))


def _bin(coordinate: float, bins: int) -> int:
    return min(bins - 1, max(0, math.floor(coordinate * bins)))


def _wider(a: Bits, b: Bits) -> bool:
    return a != b and a.weight >= b.weight and a.activation >= b.activation
