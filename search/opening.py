"""Where guided searches begin: uniform policies, which are never far off and cost nothing to think of.

And where it was measured beforehand what losing units does (`search.foresight`), the policies that lose least by it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from paretrim.problem import Bits, Policy
from search.allocation import greedy
from search.knobs import BitsKnob, KeepKnob, Knob
from search.space import Space

#: ratios tried where costs are objectives, so that a population begins spread along the front
SPREAD = (1.0, 0.5, 0.75, 0.25)

#: most bit settings an opening goes through, and weight bits that are tried before all others
SETTINGS, FIRST_WEIGHTS = 3, (8, 4, 6)


def openings(space: Space) -> list[Policy]:
    """Distinct uniform policies within the constraints, the most promising first; a handful."""
    ratios = (1.0,) if space.fills or not has_widths(space) else SPREAD
    policies = [space.project(alike(space, ratio, bits)) for bits in _settings(space) for ratio in ratios]
    return list(dict.fromkeys(policies))


def foreseen(space: Space, damages: Mapping[str, Sequence[float]], limits: Mapping[str, float]) -> list[Policy]:
    """Policies within the constraints and limits that keep widths by what is foreseen to be lost; [] if nothing is.

    One for each bit setting that `openings` goes through. damages: by group, see `search.algorithm.Task`.
    """
    curves = [loss_curve(knob, damages) for knob in space.free_knobs]
    if all(curve is None for curve in curves):
        return []
    # what nothing is foreseen of is left alone as long as anything else can be had
    dear = 1e3 * (1.0 + sum(float(curve.max()) for curve in curves if curve is not None))
    prices = [
        dear * np.arange(knob.levels, 0.0, -1.0) if curve is None else curve
        for knob, curve in zip(space.free_knobs, curves, strict=True)
    ]
    found = [greedy(space, prices, limits, alike(space, 1.0, bits)) for bits in _settings(space)]
    return list(dict.fromkeys(found))


def loss_curve(knob: Knob, damages: Mapping[str, Sequence[float]]) -> npt.NDArray[np.float64] | None:
    """What is foreseen to be lost at each level of a knob; None if nothing is. (levels,)"""
    losses = damages.get(knob.name) if isinstance(knob, KeepKnob) else None
    if losses is None or not isinstance(knob, KeepKnob):
        return None
    return np.array([losses[min(knob.units - count, len(losses) - 1)] for count in knob.counts], dtype=np.float64)


def has_widths(space: Space) -> bool:
    """Whether any width is free."""
    return any(isinstance(knob, KeepKnob) for knob in space.free_knobs)


def equal_bits(space: Space) -> list[Bits]:
    """One pair for each width of weights that free layers know, widest first: activations as wide as the weights, or
    the next wider there are. Where activations have 8 bits always, these go with every width of weights.
    """
    pairs = {bits for knob in space.free_knobs if isinstance(knob, BitsKnob) for bits in knob.choices}
    found = []
    for weight in sorted({bits.weight for bits in pairs}, reverse=True):
        activations = sorted(bits.activation for bits in pairs if bits.weight == weight)
        found.append(Bits(weight, next((width for width in activations if width >= weight), activations[-1])))
    return found


def alike(space: Space, ratio: float, bits: Bits | None) -> Policy:
    """The same ratio for every group, and the same bits for every layer (as pinned, or most, if None)."""
    groups = {knob.name: ratio for knob in space.knobs if isinstance(knob, KeepKnob)}
    most = space.most.bits
    layers = most if bits is None else {k.name: bits for k in space.knobs if isinstance(k, BitsKnob)}
    return Policy(keep=groups, bits=layers)


def _settings(space: Space) -> Iterator[Bits | None]:
    pairs = equal_bits(space)
    if not pairs:
        yield None
    if space.fills and not has_widths(space):
        # bits alone have to meet the budget: the widest that do, as they are, then the nearest to them
        nearest = [space.policy(space.levels(alike(space, 1.0, bits))) for bits in pairs]
        fitting = sum(not space.fits(policy) for policy in nearest)
        yield from sorted(pairs, key=lambda bits: abs(pairs.index(bits) - fitting))[:SETTINGS]
        return
    # 8 bits first, what costs the least accuracy for what it saves; then those that tight budgets need
    first = {weight: place for place, weight in enumerate(FIRST_WEIGHTS)}
    yield from sorted(pairs, key=lambda bits: (first.get(bits.weight, len(first)), -bits.weight))[:SETTINGS]
