"""Algorithms that go through a fixed list of policies: hand rules. Nothing is random, nothing is learned."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from paretrim.algorithms import Genome
from paretrim.errors import SearchExhausted
from paretrim.problem import Candidate, Policy
from search.algorithm import Task
from search.novelty import Seen


class Sweep(ABC):
    """Proposes each policy of the list that is not known yet."""

    def __init__(self, task: Task, genome: Genome) -> None:
        """Raises Infeasible, InvalidInput if there is nothing of this genome to search."""
        self._space = task.space.restricted(genome)
        self._seen = Seen()
        self._looked_at = 0
        self._left = self._policies()

    @abstractmethod
    def _policies(self) -> Iterator[Policy]:
        """All of them, within the constraints, most telling first; the same each time."""

    def ask(self) -> Policy:
        """The next that is new."""
        for policy in self._left:
            self._looked_at += 1
            if policy not in self._seen:
                self._seen.add(policy)
                return policy
        raise SearchExhausted(f"the rule has no further policies; {self._looked_at} were looked at")

    def tell(self, candidate: Candidate) -> None:
        """Note that the policy is known."""
        self._seen.add(candidate.policy)

    def learn(self, candidates: Sequence[Candidate]) -> None:
        """The same."""
        for candidate in candidates:
            self.tell(candidate)

    def state(self) -> tuple[dict[str, Any], bytes]:
        """How far it is, and the known policies."""
        return {"looked_at": self._looked_at, "seen": self._seen.state()}, b""

    def load_state(self, state: Mapping[str, Any], arrays: bytes) -> None:  # noqa: ARG002 - there are none
        """The inverse of `state`."""
        self._looked_at = int(state["looked_at"])
        self._seen.load_state(state["seen"])
        self._left = self._policies()
        for _ in range(self._looked_at):
            next(self._left)


def by_halves(finest: float) -> Iterator[float]:
    """1, 1/2, 1/4, 3/4, 1/8, 3/8, ...: van der Corput's sequence, so that the interval is covered at any time."""
    yield 1.0
    step = 0.5
    while step >= finest:
        start = step
        while start < 1.0:
            yield start
            start += 2 * step
        step /= 2
