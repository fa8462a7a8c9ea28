"""Simulated annealing over the vector of a policy (Kirkpatrick et al., 1983).

A neighbour differs in a few coordinates, by less and less; it is accepted if it is better, or by a chance that falls
with how much worse it is and with the temperature. Where costs are objectives there is one walk for every level of
cost.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from paretrim.algorithms import AnnealingOptions
from paretrim.problem import Candidate, Policy
from search.algorithm import Task
from search.niches import Niches
from search.proposer import Proposer


class Annealing(Proposer):
    """Geometric cooling over the budget."""

    def __init__(self, task: Task, options: AnnealingOptions, seed: int) -> None:
        super().__init__(task, options.genome, seed, soft=options.soft, exponent=options.soft_exponent)
        self._options = options
        self._planned = task.budget.candidates
        self._walks = Niches()
        self._told = 0

    def _propose(self, limits: Mapping[str, float]) -> Policy:
        """A neighbour of where the walk at this cost stands."""
        here = self._walks.near(self._walks.at(self._aim.share(limits)))
        vector = self._rng.random(self._space.size) if here is None else self._space.encode(here.policy)
        moved = self._rng.random(self._space.size) < self._options.changes / self._space.size
        moved[self._rng.integers(self._space.size)] = True
        step = self._options.step * max(0.1, 1 - self._progress)
        drifted = np.clip(vector + self._rng.normal(0.0, step, self._space.size), 0.0, 1.0)
        return self._space.project(self._space.decode(np.where(moved, drifted, vector)), limits)

    def _take_in(self, candidate: Candidate) -> None:
        self._told += 1
        niche = self._walks.at(self._aim.share(self._aim.of(candidate)))
        worth, here = self._worth(candidate), self._walks.get(niche)
        if here is None or worth >= here.worth or self._rng.random() < math.exp((worth - here.worth) / self._heat):
            self._walks.put(niche, candidate.policy, worth)

    def gauges(self) -> dict[str, float]:
        """The temperature: by how much a step may be worse and still be taken once in e times."""
        return {"temperature": self._heat}

    @property
    def _progress(self) -> float:
        return min(1.0, self._told / self._planned)

    @property
    def _heat(self) -> float:
        """From the first temperature down to a hundredth of it."""
        return float(self._options.heat * 0.01**self._progress)

    def _own_state(self) -> dict[str, Any]:
        return {"walks": self._walks.state(), "told": self._told}

    def _load_own_state(self, state: Mapping[str, Any]) -> None:
        self._walks.load_state(state["walks"])
        self._told = int(state["told"])
