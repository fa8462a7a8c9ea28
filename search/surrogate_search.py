"""Search that fits the additive model to its own candidates and asks it for the next: what `ilp` and `greedy` share.

First policies around the openings, so that every knob has been seen at several levels; then answers to the model. Each
answer is to a model fitted with random weights on the candidates (a Bayesian bootstrap, Rubin 1981), so that answers
differ as far as the data leave open: Thompson's rule, which explores where it is unsure and nowhere else.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

import numpy as np

from paretrim.algorithms import SurrogateOptions
from paretrim.problem import Candidate, Measurement, Policy
from search.algorithm import Task
from search.proposer import Proposer
from search.surrogate import Additive, Array

#: deviation, in coordinates, of the first policies from an opening
SPREAD = 0.3


class SurrogateSearch(Proposer):
    """Policies that a separable model of accuracy takes for best."""

    _draws = 2
    informed = True

    def __init__(self, task: Task, options: SurrogateOptions, seed: int) -> None:
        super().__init__(task, options.genome, seed)
        planned = max(4, min(2 * self._space.size, task.budget.candidates // 4))
        self._probes = planned if options.probes is None else options.probes
        self._model = Additive(self._space, task.original.value("accuracy"), task.damages)
        self._told: list[Candidate] = []
        self._proposed = 0

    @abstractmethod
    def _answer(self, damages: list[Array], start: Policy, limits: Mapping[str, float]) -> Policy:
        """The policy within the constraints and limits that does the least damage."""

    def _propose(self, limits: Mapping[str, float]) -> Policy:
        self._proposed += 1
        if self._proposed <= self._probes or not self._told:
            drifted = self._space.encode(self._beginning(limits)) + self._rng.normal(0.0, SPREAD, self._space.size)
            return self._space.project(self._space.decode(np.clip(drifted, 0.0, 1.0)), limits)
        self._model.fit(self._told, self._rng.exponential(size=len(self._told)))
        return self._answer(self._model.damages(), self._start(limits), limits)

    def _start(self, limits: Mapping[str, float]) -> Policy:
        """The candidate that the model takes for best within the limits, or an opening."""
        within = [c for c in self._told if self._space.excess(self._space.levels(c.policy), limits) <= 1.0]
        if not within:
            return self._opening[0]
        guessed = self._model.accuracy([self._space.levels(candidate.policy) for candidate in within])
        return within[int(guessed.argmax())].policy

    def _take_in(self, candidate: Candidate) -> None:
        if candidate.measurement is not None:
            self._told.append(candidate)

    def _own_state(self) -> dict[str, Any]:
        told = [[c.policy.to_json(), c.measurement.value("accuracy")] for c in self._told if c.measurement is not None]
        return {"told": told, "proposed": self._proposed}

    def _load_own_state(self, state: Mapping[str, Any]) -> None:
        self._told = [
            Candidate(i, Policy.from_json(policy), Measurement(accuracy=accuracy))
            for i, (policy, accuracy) in enumerate(state["told"])
        ]
        self._proposed = int(state["proposed"])
