"""The same keep ratio for every group and the same bits for every layer: what a person does first; the second baseline.

With accuracy as the only objective there is one such policy for each setting of the bits: the widest that meets the
budget. With costs as objectives the ratio goes through the interval by halves.
"""

from __future__ import annotations

from collections.abc import Iterator

from paretrim.algorithms import UniformOptions
from paretrim.problem import Policy
from search.algorithm import Task
from search.opening import alike, equal_bits, has_widths
from search.sweep import Sweep, by_halves

#: keep ratios tried are multiples of this; finer than the steps of most groups
FINEST = 1 / 128


class UniformSearch(Sweep):
    """Deterministic; the seed has no part in it."""

    def __init__(self, task: Task, options: UniformOptions, seed: int) -> None:  # noqa: ARG002 - nothing is random
        super().__init__(task, options.genome)

    def _policies(self) -> Iterator[Policy]:
        space = self._space
        single = space.fills or not has_widths(space)
        for ratio in [1.0] if single else by_halves(FINEST):
            for bits in [*equal_bits(space)] or (None,):
                yield space.project(alike(space, ratio, bits))
