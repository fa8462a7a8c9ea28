"""Brings what an algorithm proposes onto the budget: within every cost constraint, and not wasting it.

AMC clips from above, before rounding, and never looks again: it spends 0.30 of an allowed 0.50, or overshoots. Here a
proposal is first scaled, along a straight line towards a point known to fit (or towards the whole network), to the last
legal point that fits; then single steps are added until none fits. What comes out was costed as it will be run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from paretrim.errors import Infeasible
from paretrim.problem import Constraint, Measurement
from search.knobs import BitsKnob, KeepKnob, Knob

Levels = tuple[int, ...]
Vector = npt.NDArray[np.float64]

#: halvings of the line between a point that fits and one that does not; finer than any group's steps
HALVINGS = 12


@dataclass(frozen=True)
class Walls:
    """The cost constraints, and limits set for one proposal beside them."""

    constraints: tuple[Constraint, ...]
    original: Measurement
    limits: Mapping[str, float]  #: by metric, in its unit

    def __bool__(self) -> bool:
        return bool(self.constraints or self.limits)

    def fit(self, measurement: Measurement) -> bool:
        """Whether all hold."""
        return all(constraint.holds(measurement, self.original) for constraint in self.constraints) and all(
            measurement.value(metric) <= limit for metric, limit in self.limits.items()
        )

    def excess(self, measurement: Measurement) -> float:
        """The worst figure as a share of its limit: at most 1 if all hold (but for the last digit)."""
        shares = [
            _share(measurement.value(constraint.base_metric), constraint.limit(self.original))
            for constraint in self.constraints
        ] + [_share(measurement.value(metric), limit) for metric, limit in self.limits.items()]
        return max(shares, default=0.0)


class Projection:
    """Works on levels: for every knob of a network the index of its value. Only free knobs move."""

    def __init__(
        self, knobs: Sequence[Knob], free: Sequence[int], measure: Callable[[Levels], Measurement], walls: Walls
    ) -> None:
        """free: positions of the knobs that may move; measure: what levels cost, cached by whoever gives it."""
        self.knobs, self.free, self.walls = tuple(knobs), tuple(free), walls
        self._measure = measure
        self._dimensions = [self.knobs[i].dimensions for i in self.free]

    def fits(self, levels: Levels) -> bool:
        """Whether the levels are within all walls."""
        return self.walls.fit(self._measure(levels))

    def onto(self, levels: Levels, anchor: Levels, *, fill: bool) -> Levels:
        """The levels brought within the walls and, if `fill`, up to them.

        anchor: levels that fit, or the nearest to it there is; it is what comes out if nothing between fits.
        After filling, no free knob can be turned up a single step without leaving the walls, as far as costs rise with
        levels. Without, levels that fit stay, and levels that do not are brought just within.
        """
        if not self.fits(levels):
            within = self._last_that_fits(anchor, levels)
            within = self._filled(within, wanted=levels, most=levels)
            return self._filled(within, wanted=levels, most=self.top(levels)) if fill else within
        if not fill or not self.walls:
            return levels
        within = self._last_that_fits(levels, self._wider(levels))
        return self._filled(within, wanted=levels, most=self.top(levels))

    def top(self, levels: Levels) -> Levels:
        """The levels with every free knob at its most."""
        return self._replaced(levels, {i: self.knobs[i].levels - 1 for i in self.free})

    def bottom(self, levels: Levels) -> Levels:
        """The levels with every free knob at its least."""
        return self._replaced(levels, dict.fromkeys(self.free, 0))

    def vector(self, levels: Levels) -> Vector:
        """Coordinates of the free knobs, in [0, 1]. (dimensions,)"""
        return np.array([c for i in self.free for c in self.knobs[i].encode(levels[i])], dtype=np.float64)

    def levels(self, vector: Vector, rest: Levels) -> Levels:
        """The inverse of `vector`; knobs that are not free are as in `rest`."""
        chosen, at = {}, 0
        for i, dimensions in zip(self.free, self._dimensions, strict=True):
            chosen[i] = self.knobs[i].decode(vector[at : at + dimensions].tolist())
            at += dimensions
        return self._replaced(rest, chosen)

    def smallest(self, levels: Levels) -> tuple[Levels, float]:
        """The free levels with the least excess found, and that excess.

        Costs mostly rise with levels, so the bottom is the first guess; but a device may be slower at a bit-width it
        has no kernel for, so all-alike bits and single changes are tried too until the walls hold or nothing helps.
        """
        bottom = self.bottom(levels)
        best, excess = bottom, self.walls.excess(self._measure(bottom))
        for start in self._alike(bottom):
            if self.fits(best):
                return best, excess
            best, excess = self._better(best, excess, start)
        improved = True
        while improved and not self.fits(best):
            improved = False
            for i in self.free:
                for level in range(self.knobs[i].levels):
                    before = excess
                    best, excess = self._better(best, excess, self._replaced(best, {i: level}))
                    improved |= excess < before
        return best, excess

    def _better(self, best: Levels, excess: float, other: Levels) -> tuple[Levels, float]:
        value = self.walls.excess(self._measure(other))
        return (other, value) if value < excess else (best, excess)

    def _alike(self, levels: Levels) -> list[Levels]:
        """The levels with the same bits everywhere, for each pair that some layer knows."""
        layers = [(i, knob) for i in self.free if isinstance(knob := self.knobs[i], BitsKnob)]
        pairs = dict.fromkeys(bits for _, knob in layers for bits in knob.choices)
        return [self._replaced(levels, {i: knob.nearest(pair) for i, knob in layers}) for pair in pairs]

    def _last_that_fits(self, inside: Levels, outside: Levels) -> Levels:
        """The furthest point found on the line from levels that fit to levels that need not."""
        if self.fits(outside):
            return outside
        a, b = self.vector(inside), self.vector(outside)
        low, high, best = 0.0, 1.0, inside
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            levels = self.levels(a + middle * (b - a), inside)
            if levels == best or self.fits(levels):
                low, best = middle, levels
            else:
                high = middle
        return best

    def _filled(self, levels: Levels, *, wanted: Levels, most: Levels) -> Levels:
        """Single steps up to `most` while any fits: widths before bits, and first those that most lack of `wanted`."""
        order = sorted(self.free, key=lambda i: self._urgency(i, levels, wanted))
        refused: set[tuple[int, int]] = set()
        grew = True
        while grew:
            grew = False
            for i in order:
                for level in self.knobs[i].up(levels[i]):
                    if (i, level) in refused or not self.knobs[i].within(level, most[i]):
                        continue
                    stepped = self._replaced(levels, {i: level})
                    if self.fits(stepped):
                        levels, grew = stepped, True
                        break
                    refused.add((i, level))
        return levels

    def _urgency(self, i: int, levels: Levels, wanted: Levels) -> tuple[bool, float, int]:
        knob = self.knobs[i]
        return not isinstance(knob, KeepKnob), (levels[i] - wanted[i]) / knob.levels, i

    def _wider(self, levels: Levels) -> Levels:
        """The levels with every free width at its most; bits too, if there are no widths or all are there already."""
        widths = {i: knob.levels - 1 for i in self.free if isinstance(knob := self.knobs[i], KeepKnob)}
        wider = self._replaced(levels, widths)
        return wider if wider != levels else self.top(levels)

    @staticmethod
    def _replaced(levels: Levels, changes: Mapping[int, int]) -> Levels:
        return tuple(changes.get(i, level) for i, level in enumerate(levels))


def infeasible(constraints: Sequence[Constraint], original: Measurement, reachable: Mapping[str, float]) -> Infeasible:
    """What to say when no policy meets the constraints; reachable: by metric, in its unit."""
    parts, values = [], {}
    for constraint in constraints:
        metric = constraint.base_metric
        value = reachable[metric] / original.value(metric) if constraint.metric != metric else reachable[metric]
        values[constraint.metric] = value
        state = "can be met alone" if value <= constraint.bound else f"the smallest reachable is {value:.4g}"
        parts.append(f"{constraint}: {state}")
    message = f"no policy meets the constraints ({'; '.join(parts)}); raise the bound or choose another device"
    return Infeasible(message, reachable=values)


def _share(value: float, limit: float) -> float:
    return value / limit if limit > 0 else (0.0 if value <= 0 else float("inf"))
