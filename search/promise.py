"""What policies promise: how much each is expected to add to the front, by the accuracy predictor.

What was asked for and has not been told yet counts as if it had come out as guessed, so that a window of proposals does
not crowd where one is enough (the "believer" of Ginsbourg et al., 2010).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from paretrim.problem import Candidate, Measurement, Policy
from search.algorithm import Task
from search.improvement import Array, Improvement
from search.predictor import Predictor
from search.space import Space


class Promise:
    """Told all candidates, and all policies that are asked for."""

    def __init__(self, task: Task, space: Space, seed: int) -> None:
        """space: what is searched of the task's."""
        self._task, self._space, self._seed = task, space, seed
        self._predictor = Predictor(space, task.original.value("accuracy"), task.damages)
        self.told: list[Candidate] = []  #: those that were measured
        self._waiting: list[Policy] = []  # asked for, not told
        self._fitted = -1
        self._improvement: Improvement | None = None

    def ask(self, policy: Policy) -> None:
        """It will be evaluated."""
        self._waiting.append(policy)
        self._improvement = None

    def tell(self, candidate: Candidate) -> None:
        """It was, or failed."""
        if candidate.policy in self._waiting:
            self._waiting.remove(candidate.policy)
        if candidate.measurement is not None:
            self.told.append(candidate)
        self._improvement = None

    def of(self, policies: Sequence[Policy]) -> Array:
        """In units of hypervolume, or of accuracy if no cost is an objective. (policies,)"""
        if not policies:
            return np.empty(0)
        improvement = self._improvement or self._ready()
        mean, deviation = self._predictor.guess(policies)
        return improvement.expected(mean, deviation, [self._space.measure(policy) for policy in policies])

    def state(self) -> dict[str, Any]:
        """As JSON."""
        told = [[c.policy.to_json(), c.measurement.to_json()] for c in self.told if c.measurement is not None]
        return {"told": told, "waiting": [policy.to_json() for policy in self._waiting], "seed": self._seed}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """The inverse of `state`."""
        self.told = [
            Candidate(i, Policy.from_json(policy), Measurement.from_json(measurement))
            for i, (policy, measurement) in enumerate(state["told"])
        ]
        self._waiting = [Policy.from_json(policy) for policy in state["waiting"]]
        self._seed = int(state["seed"])

    def _ready(self) -> Improvement:
        """All of it follows from what was told and what is waited for: resumed, it is the same."""
        if self._fitted < len(self.told):
            self._predictor.fit(self.told, np.random.default_rng([self._seed, len(self.told)]))
            self._fitted = len(self.told)
        made = Improvement(self._task)
        for candidate in self.told:
            assert candidate.measurement is not None
            if self._space.fits(candidate.policy):
                made.add(candidate.measurement.value("accuracy"), candidate.measurement)
        self._predictor.believe(self._waiting)
        if self._waiting:
            mean, _ = self._predictor.guess(self._waiting)
            for policy, accuracy in zip(self._waiting, mean.tolist(), strict=True):
                made.add(accuracy, self._space.measure(policy))
        self._improvement = made
        return made
