"""What algorithms without an agent and without Optuna have in common: a space, chance, memory, an aim, and a worth.

An algorithm of this kind says only how its next policy comes about (`_propose`), what it makes of a candidate
(`_take_in`), and what of its own is to be kept (`_own_state`, `_load_own_state`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from paretrim.algorithms import Genome
from paretrim.problem import Candidate, Policy
from search.aim import Aim
from search.algorithm import Task
from search.novelty import DRAWS, Seen, load_rng_state, rng_state, something_new
from search.opening import foreseen, openings
from search.worth import Worth, weighed


class Proposer(ABC):
    """Begins with the openings, then proposes; never the same policy twice."""

    #: proposals drawn before a known one is varied; fewer where they are dear
    _draws = DRAWS

    #: whether it begins with what is foreseen of the widths, which then has to be measured beforehand
    informed = False

    def __init__(
        self,
        task: Task,
        genome: Genome,
        seed: int,
        *,
        soft: str | None = None,
        exponent: float = -0.07,
        opens: bool = True,
    ) -> None:
        """opens: begin with the uniform policies. Raises Infeasible, InvalidInput if there is nothing to search."""
        self._task = task
        self._space = task.space.weighing(weighed(soft)).restricted(genome)
        self._aim = Aim(task, self._space, soft=soft is not None)
        self._worth = Worth(task, soft, exponent)
        self._rng = np.random.default_rng([seed, 4])
        self._seen = Seen()
        self._opening = openings(self._space) if opens else []
        self._foreseen: list[Policy] = []
        if self.informed:
            self._foreseen = foreseen(self._space, task.damages, {})
            self._opening = list(dict.fromkeys([*self._foreseen, *self._opening]))
        self._opened = 0

    @abstractmethod
    def _propose(self, limits: Mapping[str, float]) -> Policy:
        """A policy brought onto the budget and these limits, perhaps one that is known. Raises SearchExhausted."""

    @abstractmethod
    def _take_in(self, candidate: Candidate) -> None:
        """Learn from a candidate."""

    @abstractmethod
    def _own_state(self) -> dict[str, Any]:
        """JSON values, and nothing that follows from the arguments."""

    @abstractmethod
    def _load_own_state(self, state: Mapping[str, Any]) -> None:
        """The inverse of `_own_state`."""

    def ask(self) -> Policy:
        """An opening, or what is proposed; a variation of it if it is known."""
        limits = self._aim.draw(self._rng)
        return something_new(lambda: self._next(limits), self._space, self._seen, self._rng, limits, self._draws)

    def tell(self, candidate: Candidate) -> None:
        """Note that the policy is known, and learn from it."""
        self._seen.add(candidate.policy)
        self._aim.tell(candidate)
        self._take_in(candidate)

    def learn(self, candidates: Sequence[Candidate]) -> None:
        """Candidates of others are learned from as the own are."""
        for candidate in candidates:
            self.tell(candidate)

    def state(self) -> tuple[dict[str, Any], bytes]:
        """Random state, known policies, aim, and what the algorithm adds."""
        kept = {"rng": rng_state(self._rng), "seen": self._seen.state(), "aim": self._aim.state()}
        return kept | {"opened": self._opened, "own": self._own_state()}, b""

    def load_state(self, state: Mapping[str, Any], arrays: bytes) -> None:  # noqa: ARG002 - there are none
        """The inverse of `state`."""
        load_rng_state(self._rng, state["rng"])
        self._seen.load_state(state["seen"])
        self._aim.load_state(state["aim"])
        self._opened = int(state["opened"])
        self._load_own_state(state["own"])

    def _beginning(self, limits: Mapping[str, float]) -> Policy:
        """One of the openings, by chance; with limits, of those that are foreseen the one within them."""
        place = int(self._rng.integers(len(self._opening)))
        if limits and place < len(self._foreseen):
            within = foreseen(self._space, self._task.damages, limits)
            return within[place % len(within)]
        return self._opening[place]

    def _next(self, limits: Mapping[str, float]) -> Policy:
        if self._opened < len(self._opening):
            self._opened += 1
            return self._opening[self._opened - 1]
        return self._propose(limits)
