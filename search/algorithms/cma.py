"""CMA-ES over the vector of a policy: a normal distribution that moves and takes the shape of its better draws.

What it learns from is what was carried out, after projection. Where costs are objectives, proposals lie at many costs
and their accuracies cannot be compared as they are: a candidate then counts by how much better it is than what was
seen at about its cost.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from paretrim.algorithms import CmaOptions
from paretrim.problem import Candidate, Policy
from search.algorithm import Task
from search.evolution_strategy import Array, EvolutionStrategy
from search.proposer import Proposer

#: costs are alike within about this, as a share of what lies between the least and the most
ALIKE = 0.1


class Cma(Proposer):
    """A generation is as many candidates as the population has, in the order they are told."""

    def __init__(self, task: Task, options: CmaOptions, seed: int) -> None:
        super().__init__(task, options.genome, seed, soft=options.soft, exponent=options.soft_exponent)
        start = self._space.encode(self._opening[0])
        self._strategy = EvolutionStrategy(start, options.step, options.population)
        self._shares: list[list[float]] = []  # where each candidate's costs lie
        self._worths: list[float] = []
        self._generation: list[Policy] = []  # told, not learned from yet: those of the last `_worths`

    def _propose(self, limits: Mapping[str, float]) -> Policy:
        vector = np.clip(self._strategy.draw(self._rng), 0.0, 1.0)
        return self._space.project(self._space.decode(vector), limits)

    def _take_in(self, candidate: Candidate) -> None:
        self._shares.append(self._aim.share(self._aim.of(candidate)))
        self._worths.append(self._worth(candidate))
        self._generation.append(candidate.policy)
        if len(self._generation) == self._strategy.population:
            points = [self._space.encode(policy) for policy in self._generation]
            self._strategy.update(points, self._above_expected(len(points)).tolist())
            self._generation = []

    def _above_expected(self, count: int) -> Array:
        """Of the last so many: worth above the mean of all that cost about as much. (count,)"""
        worths, shares = np.array(self._worths), np.array(self._shares).reshape(len(self._worths), -1)
        squares = ((shares[-count:, None] - shares[None]) ** 2).sum(axis=2)  # 0 where costs are no objective
        near = np.exp(-squares / (2 * ALIKE**2))  # (count, told)
        above: Array = worths[-count:] - near @ worths / near.sum(axis=1)
        return above

    def state(self) -> tuple[dict[str, Any], bytes]:
        """What every proposer keeps, and the distribution."""
        state, _ = super().state()
        strategy, arrays = self._strategy.state()
        return state | {"strategy": strategy}, arrays

    def load_state(self, state: Mapping[str, Any], arrays: bytes) -> None:
        """The inverse of `state`."""
        super().load_state(state, b"")
        self._strategy.load_state(state["strategy"], arrays)

    def _own_state(self) -> dict[str, Any]:
        policies: Sequence[Any] = [policy.to_json() for policy in self._generation]
        return {"shares": self._shares, "worths": self._worths, "generation": policies}

    def _load_own_state(self, state: Mapping[str, Any]) -> None:
        self._shares = [list(shares) for shares in state["shares"]]
        self._worths = list(state["worths"])
        self._generation = [Policy.from_json(policy) for policy in state["generation"]]
