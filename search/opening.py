"""Where guided searches begin: uniform policies, which are never far off and cost nothing to think of."""

from __future__ import annotations

from collections.abc import Iterator

from paretrim.problem import Bits, Policy
from search.knobs import BitsKnob, KeepKnob
from search.space import Space

#: ratios tried where costs are objectives, so that a population begins spread along the front
SPREAD = (1.0, 0.5, 0.75, 0.25)

#: most bit settings an opening goes through
SETTINGS = 3


def openings(space: Space) -> list[Policy]:
    """Distinct uniform policies within the constraints, the most promising first; a handful."""
    ratios = (1.0,) if space.fills or not has_widths(space) else SPREAD
    policies = [space.project(alike(space, ratio, bits)) for bits in _settings(space) for ratio in ratios]
    return list(dict.fromkeys(policies))


def has_widths(space: Space) -> bool:
    """Whether any width is free."""
    return any(isinstance(knob, KeepKnob) for knob in space.free_knobs)


def equal_bits(space: Space) -> list[Bits]:
    """Pairs of equal widths that free layers know, widest first; all pairs if there are none of these."""
    pairs = {bits for knob in space.free_knobs if isinstance(knob, BitsKnob) for bits in knob.choices}
    alike_pairs = {bits for bits in pairs if bits.weight == bits.activation} or pairs
    return sorted(alike_pairs, key=lambda bits: (-bits.weight, -bits.activation))


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
    # from full precision down, 8 bits first: what costs the least accuracy for what it saves
    yield from sorted(pairs, key=lambda bits: (bits.weight != 8, -bits.weight))[:SETTINGS]
