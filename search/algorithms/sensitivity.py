"""One at a time: how much does accuracy suffer if one group, or one layer, is cut? The insensitive are cut most.

The scan starts from the uniform policy that meets the budget, not from the whole network: every probe can be used, and
it shows what matters where the answer will lie. What is kept then rises with sensitivity, by one power after another.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from paretrim.algorithms import SensitivityOptions
from paretrim.problem import Candidate, Policy
from search.algorithm import Task
from search.projection import Vector
from search.proposer import Proposer

#: powers of sensitivity that what is kept follows, in the order tried; beyond these they are drawn
SHARPNESS = (0.5, 1.0, 0.25, 2.0)


class Sensitivity(Proposer):
    """A probe for every coordinate, then allocations by what they showed."""

    def __init__(self, task: Task, options: SensitivityOptions, seed: int) -> None:
        super().__init__(task, options.genome, seed, soft=options.soft, exponent=options.soft_exponent)
        self._center = self._opening[0]
        self._probes = self._scan(options.cut)
        self._coordinates = {policy.key: i for i, policy in self._probes.items()}
        self._damage: dict[int, float] = {}  # worth lost, by coordinate
        self._unhurt: float | None = None  # worth of the policy that is cut
        self._proposed = 0

    def _propose(self, limits: Mapping[str, float]) -> Policy:
        place, self._proposed = self._proposed, self._proposed + 1
        if place < len(self._probes):
            return list(self._probes.values())[place]
        place -= len(self._probes)
        fixed = place < len(SHARPNESS)
        power = SHARPNESS[place] if fixed else float(self._rng.uniform(0.1, 3.0))
        kept = self._sensitivity() ** power
        noise = 0.0 if fixed else self._rng.normal(0.0, 0.05, self._space.size)
        return self._space.project(self._space.decode(np.clip(kept + noise, 0.0, 1.0)), limits)

    def _take_in(self, candidate: Candidate) -> None:
        if candidate.policy == self._center:
            self._unhurt = self._worth(candidate)
        elif (coordinate := self._coordinates.get(candidate.policy.key)) is not None:
            self._damage[coordinate] = self._worth(candidate)

    def _scan(self, cut: float) -> dict[int, Policy]:
        """For each coordinate the centre with that one cut; those that cannot be cut are left out."""
        vector, probes = self._space.encode(self._center), dict[int, Policy]()
        for i in range(self._space.size):
            lowered = vector.copy()
            lowered[i] *= 1 - cut
            policy = self._space.project(self._space.decode(lowered), fill=False)
            if policy != self._center:
                probes[i] = policy
        return probes

    def _sensitivity(self) -> Vector:
        """Worth lost by each cut, as a share of the most; the mean where nothing was measured. In (0, 1]."""
        unhurt = self._unhurt if self._unhurt is not None else max(self._damage.values(), default=0.0)
        lost = {i: max(0.0, unhurt - worth) for i, worth in self._damage.items()}
        mean = float(np.mean(list(lost.values()))) if lost else 1.0
        each = np.array([lost.get(i, mean) for i in range(self._space.size)])
        shares: Vector = (each + 1e-3) / (each.max() + 1e-3)
        return shares

    def _own_state(self) -> dict[str, Any]:
        return {
            "damage": {str(i): worth for i, worth in self._damage.items()},
            "unhurt": self._unhurt,
            "proposed": self._proposed,
        }

    def _load_own_state(self, state: Mapping[str, Any]) -> None:
        self._damage = {int(i): float(worth) for i, worth in state["damage"].items()}
        self._unhurt, self._proposed = state["unhurt"], int(state["proposed"])
