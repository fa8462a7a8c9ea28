"""What a proposal may cost, for algorithms that have one figure to maximise and yet are to find a whole front.

With accuracy as the only objective the constraints say it all. If costs are objectives too, every proposal is given
limits of its own, drawn over what can be reached, and is brought onto them: so a search for the best accuracy at one
cost becomes a search for the best accuracy at every cost. If a constraint guarantees accuracy, the limits close in on
the smallest cost at which it held.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from paretrim.problem import Candidate
from search.algorithm import Task
from search.space import Space

#: how far below the smallest cost at which the guarantee held the next proposals go, as a share of what is left to win
CLOSING_IN = 0.3


class Aim:
    """Draws limits, and learns from candidates where they should lie."""

    def __init__(self, task: Task, space: Space, *, soft: bool = False) -> None:
        """space: what is searched of the task's. soft: there is a soft budget, which needs no limits."""
        self._task, self._space = task, space
        self.metrics = () if soft else tuple(o.metric for o in task.objectives if o.metric != "accuracy")
        self._guarantees = tuple(c for c in task.constraints if c.base_metric == "accuracy")
        self._wants_accuracy = any(objective.metric == "accuracy" for objective in task.objectives)
        self._least = {metric: space.smallest(metric) for metric in self.metrics}
        self._most = {metric: self._ceiling(metric) for metric in self.metrics}
        self._held: dict[str, float] = {}  # smallest cost at which the guarantees held

    def draw(self, rng: np.random.Generator) -> dict[str, float]:
        """Limits for one proposal, by metric; {} if the constraints are all."""
        return {metric: self._limit(metric, float(rng.random())) for metric in self.metrics}

    def limits(self, share: float) -> dict[str, float]:
        """Those at which every cost lies so far between the least that can be reached (0) and the most allowed (1)."""
        return {
            metric: self._least[metric] + share * (self._most[metric] - self._least[metric]) for metric in self.metrics
        }

    def share(self, limits: Mapping[str, float]) -> list[float]:
        """Where limits lie between the least that can be reached (0) and the most that is allowed (1)."""
        return [
            (limits[metric] - self._least[metric]) / max(self._most[metric] - self._least[metric], 1e-12)
            for metric in self.metrics
        ]

    def of(self, candidate: Candidate) -> dict[str, float]:
        """The limits that a candidate spends to the full."""
        costs = self._space.measure(candidate.policy)
        return {metric: costs.value(metric) for metric in self.metrics}

    def tell(self, candidate: Candidate) -> None:
        """Take note of what a candidate cost, if it keeps the guarantees."""
        measurement = candidate.measurement
        if measurement is None or not self._guarantees:
            return
        if all(c.holds(measurement, self._task.original) for c in self._guarantees):
            for metric in self.metrics:
                value = measurement.value(metric)
                self._held[metric] = min(value, self._held.get(metric, value))

    def state(self) -> dict[str, Any]:
        """As JSON."""
        return dict(self._held)

    def load_state(self, state: Mapping[str, Any]) -> None:
        """The inverse of `state`."""
        self._held = {metric: float(value) for metric, value in state.items()}

    def _limit(self, metric: str, share: float) -> float:
        least, most = self._least[metric], self._most[metric]
        if self._guarantees:
            held = self._held.get(metric, most)
            least = held - CLOSING_IN * (held - least)
            most = most if self._wants_accuracy else held
        return least + share * (most - least)

    def _ceiling(self, metric: str) -> float:
        """The most a proposal may cost: what the constraints allow, or what the whole network costs."""
        limits = [c.limit(self._space.original) for c in self._task.constraints if c.base_metric == metric]
        return min([*limits, self._space.measure(self._space.most).value(metric)])
