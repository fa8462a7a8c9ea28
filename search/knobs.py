"""What can be turned on a network: how many units a group keeps, which bits a layer has; and by which steps.

A level is an index into the values that are legal on the device, from least to most. Two levels are one step apart if
no legal value lies between them.
"""

from __future__ import annotations

import bisect
import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from hw_models.counts import operation_macs
from hw_models.legal import BitsDevice, legal_units
from paretrim.network import Group, Network, Operation, can_factor, factored_parts
from paretrim.problem import FULL_PRECISION, UNCHANGED, Bits

#: shares of a layer's rank that are tried, and what one must save of its MACs to be worth trying
RANKS, LEAST_SAVING = (0.125, 0.25, 0.375, 0.5, 0.625, 0.75), 0.1


class _Ladder(ABC):
    """One value after the other, from least to most: a single coordinate."""

    dimensions = 1

    @property
    @abstractmethod
    def levels(self) -> int:
        """How many values there are."""

    def decode(self, coordinates: Sequence[float]) -> int:
        """The level at a point of [0, 1]: levels share the interval equally."""
        return _bin(coordinates[0], self.levels)

    def encode(self, level: int) -> tuple[float, ...]:
        """The middle of a level's interval."""
        return ((level + 0.5) / self.levels,)

    def up(self, level: int) -> tuple[int, ...]:
        """The levels one step above."""
        return (level + 1,) if level + 1 < self.levels else ()

    def within(self, level: int, most: int) -> bool:
        """Whether a level is not above another."""
        return level <= most


@dataclass(frozen=True)
class KeepKnob(_Ladder):
    """How many units of a group are kept."""

    name: str  #: the group's
    units: int
    counts: tuple[int, ...]  #: legal numbers of units, rising; the last is all

    @property
    def levels(self) -> int:
        """How many values there are."""
        return len(self.counts)

    def nearest(self, count: int) -> int:
        """The level of the legal number of units nearest to a count; of two, the larger."""
        above = bisect.bisect_left(self.counts, count)
        if above == len(self.counts):
            return above - 1
        return above if above == 0 or self.counts[above] - count <= count - self.counts[above - 1] else above - 1


@dataclass(frozen=True)
class RankKnob(_Ladder):
    """Which share of a layer's rank is kept. A layer of lower rank stays at full precision."""

    name: str  #: the layer's
    shares: tuple[float, ...]  #: rising; the last is 1: the layer as it is

    @property
    def levels(self) -> int:
        """How many values there are."""
        return len(self.shares)

    def nearest(self, share: float) -> int:
        """The level of the share nearest to another."""
        return min(range(len(self.shares)), key=lambda level: (abs(self.shares[level] - share), -level))


@dataclass(frozen=True)
class BlockKnob(_Ladder):
    """Whether a residual block stays (level 1) or is removed (level 0)."""

    name: str  #: the block's

    levels = 2


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

    @cached_property
    def _nearest(self) -> dict[Bits, int]:
        return {}

    @cached_property
    def dimensions(self) -> int:
        """Coordinates: weight bits, and activation bits where these leave a choice."""
        return 2 if max(len(row) for row in self._by_weight) > 1 else 1

    def decode(self, coordinates: Sequence[float]) -> int:
        """The level at a point of [0, 1]^dimensions."""
        row = self._by_weight[_bin(coordinates[0], len(self._by_weight))]
        return row[_bin(coordinates[1], len(row))] if self.dimensions == 2 else row[0]

    def encode(self, level: int) -> tuple[float, ...]:
        """The middle of a level's cell."""
        return self._cells[level]

    @cached_property
    def _cells(self) -> tuple[tuple[float, ...], ...]:
        """The middle of every level's cell."""
        rows, cells = self._by_weight, {}
        for number, row in enumerate(rows):
            for place, level in enumerate(row):
                first, second = (number + 0.5) / len(rows), (place + 0.5) / len(row)
                cells[level] = (first, second) if self.dimensions == 2 else (first,)
        return tuple(cells[level] for level in range(self.levels))

    def nearest(self, wanted: Bits) -> int:
        """The level nearest to a pair, in octaves; of two, the wider."""
        known = self._nearest.get(wanted)
        if known is None:
            known = self._nearest[wanted] = self._found_nearest(wanted)
        return known

    def _found_nearest(self, wanted: Bits) -> int:
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


Knob = KeepKnob | BitsKnob | RankKnob | BlockKnob


def keep_knob(network: Network, device: BitsDevice, group: Group, *, min_keep: float, stepped: bool) -> KeepKnob:
    """The legal numbers of units of a group; on the device's steps, if `stepped`."""
    counts = legal_units(network, device, group, min_keep=min_keep, stepped=stepped)
    return KeepKnob(group.name, group.units, counts)


def bits_knob(network: Network, layer: Operation, device: BitsDevice) -> BitsKnob:
    """The legal bits of a layer."""
    return BitsKnob(layer.name, network.searched_bits(layer.name, device.legal_bits(layer)))


def rank_knob(network: Network, layer: Operation, device: BitsDevice) -> RankKnob | None:
    """The shares of its rank at which a layer is cheaper by a tenth at least; None if there are none.

    First and last layers keep theirs, and so does a layer that the device cannot run at full precision: those of lower
    rank are not quantized.
    """
    if layer.name in network.end_layers or not can_factor(layer):
        return None
    if FULL_PRECISION not in device.legal_bits(layer):
        return None
    whole = next(op for op in network.sized(UNCHANGED) if op.name == layer.name)
    most = (1 - LEAST_SAVING) * operation_macs(whole)
    cheaper = tuple(share for share in RANKS if sum(map(operation_macs, factored_parts(whole, share))) <= most)
    return RankKnob(layer.name, (*cheaper, 1.0)) if cheaper else None


def _bin(coordinate: float, bins: int) -> int:
    return min(bins - 1, max(0, math.floor(coordinate * bins)))


def _wider(a: Bits, b: Bits) -> bool:
    return a != b and a.weight >= b.weight and a.activation >= b.activation
