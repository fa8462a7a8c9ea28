"""What is left of a tensor's axes when units are removed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor


class Kept:
    """Which units stay, over all groups; turns the units of an axis into the positions that stay."""

    def __init__(self, offsets: Mapping[str, tuple[int, int]], kept: Mapping[str, Tensor | Sequence[int]]) -> None:
        """offsets: by group, its first unit in the numbering of all units, and how many units it has."""
        total = sum(units for _, units in offsets.values())
        self._stays = torch.ones(total + 1, dtype=torch.bool)  # the last one is for what is nobody's channel
        for group, chosen in kept.items():
            first, units = offsets[group]
            self._stays[first : first + units] = False
            self._stays[first + torch.as_tensor(chosen, dtype=torch.long)] = True
        self._positions: dict[int, Tensor | None] = {}

    def positions(self, units: Tensor) -> Tensor | None:
        """Positions of an axis that stay, given each position's unit (-1: nobody's). None: all of them."""
        key = id(units)
        if key not in self._positions:
            stays = self._stays[units]
            self._positions[key] = None if bool(stays.all()) else stays.nonzero().flatten()
        return self._positions[key]


@dataclass(frozen=True, eq=False)
class Outline:
    """A tensor of the network: extents (batch as 1), the batch's axis, and the unit of each position by axis."""

    extents: tuple[int, ...]
    batch_axis: int | None
    units: Mapping[int, Tensor] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Piece:
    """A tensor as it is cut."""

    outline: Outline
    kept: Kept

    def positions(self, axis: int) -> Tensor | None:
        """Positions along an axis that stay; None: all of them."""
        units = self.outline.units.get(axis % len(self.outline.extents))
        return None if units is None else self.kept.positions(units)

    def extent(self, axis: int) -> int:
        """How many positions stay along an axis."""
        left = self.positions(axis)
        return self.outline.extents[axis] if left is None else left.numel()

    @property
    def extents(self) -> tuple[int, ...]:
        """Extents after the cut, the batch as 1."""
        return tuple(self.extent(axis) for axis in range(len(self.outline.extents)))


@dataclass(frozen=True, eq=False)
class Cut:
    """An operation's tensors as they are cut."""

    inputs: tuple[Piece, ...]
    output: Piece
