"""The same keep ratio for every group and the same bits for every layer: what a person does first; the second baseline.

With accuracy as the only objective there is one such policy for each setting of the bits: the widest that meets the
budget. With costs as objectives the ratio goes through the interval by halves, so that it covers it at any time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from paretrim.algorithms import UniformOptions
from paretrim.errors import SearchExhausted
from paretrim.problem import Candidate, Policy
from search.algorithm import Task
from search.novelty import Seen
from search.opening import alike, equal_bits, has_widths

#: keep ratios tried are multiples of this; finer than the steps of most groups
FINEST = 1 / 128


class UniformSearch:
    """Deterministic; the seed has no part in it."""

    def __init__(self, task: Task, options: UniformOptions, seed: int) -> None:  # noqa: ARG002 - nothing is random
        self._space = task.space.restricted(options.genome)
        self._seen = Seen()
        self._asked = 0
        self._policies = self._sweep()

    def ask(self) -> Policy:
        """The next of the sweep."""
        for policy in self._policies:
            self._asked += 1
            if policy not in self._seen:
                self._seen.add(policy)
                return policy
        raise SearchExhausted(f"there are no further uniform policies; {self._asked} were looked at")

    def tell(self, candidate: Candidate) -> None:
        """Take note that the policy is known."""
        self._seen.add(candidate.policy)

    def learn(self, candidates: Sequence[Candidate]) -> None:
        """The same."""
        for candidate in candidates:
            self.tell(candidate)

    def state(self) -> tuple[dict[str, Any], bytes]:
        """How far the sweep is, and the known policies."""
        return {"asked": self._asked, "seen": self._seen.state()}, b""

    def load_state(self, state: Mapping[str, Any], arrays: bytes) -> None:  # noqa: ARG002 - there are none
        """The inverse of `state`."""
        self._asked = int(state["asked"])
        self._seen.load_state(state["seen"])
        self._policies = self._sweep()
        for _ in range(self._asked):
            next(self._policies)

    def _sweep(self) -> Iterator[Policy]:
        """Uniform policies, brought onto the budget."""
        ratios = [1.0] if self._space.fills or not has_widths(self._space) else list(_by_halves())
        for ratio in ratios:
            for bits in [*equal_bits(self._space)] or (None,):
                yield self._space.project(alike(self._space, ratio, bits))


def _by_halves() -> Iterator[float]:
    """1, 1/2, 1/4, 3/4, 1/8, 3/8, ...: van der Corput's sequence, down to `FINEST`."""
    yield 1.0
    step = 0.5
    while step >= FINEST:
        start = step
        while start < 1.0:
            yield start
            start += 2 * step
        step /= 2
