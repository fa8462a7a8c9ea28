"""Independent random policies: the baseline that every agent has to beat.

Distiller found it within 0.3 points of DDPG on ResNet-20; so it gets every advantage that the others have: legal
values, projection onto the budget, and no policy twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from paretrim.algorithms import RandomOptions
from paretrim.problem import Candidate, Policy
from search.aim import Aim
from search.algorithm import Task
from search.novelty import Seen, load_rng_state, rng_state, something_new


class RandomSearch:
    """Every coordinate uniform in [0, 1]."""

    def __init__(self, task: Task, options: RandomOptions, seed: int) -> None:
        self._space = task.space.restricted(options.genome)
        self._aim = Aim(task, self._space)
        self._rng = np.random.default_rng(seed)
        self._seen = Seen()

    def ask(self) -> Policy:
        """A random policy, brought onto the budget or onto a random one below it."""
        limits = self._aim.draw(self._rng)
        return something_new(lambda: self._draw(limits), self._space, self._seen, self._rng, limits)

    def tell(self, candidate: Candidate) -> None:
        """Take note that the policy is known."""
        self._seen.add(candidate.policy)
        self._aim.tell(candidate)

    def learn(self, candidates: Sequence[Candidate]) -> None:
        """The same."""
        for candidate in candidates:
            self.tell(candidate)

    def state(self) -> tuple[dict[str, Any], bytes]:
        """Random state, known policies, aim."""
        return {"rng": rng_state(self._rng), "seen": self._seen.state(), "aim": self._aim.state()}, b""

    def load_state(self, state: Mapping[str, Any], arrays: bytes) -> None:  # noqa: ARG002 - there are none
        """The inverse of `state`."""
        load_rng_state(self._rng, state["rng"])
        self._seen.load_state(state["seen"])
        self._aim.load_state(state["aim"])

    def _draw(self, limits: Mapping[str, float]) -> Policy:
        return self._space.project(self._space.decode(self._rng.random(self._space.size)), limits)
