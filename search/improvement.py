"""How much a policy is expected to add to the front, when its costs are known and its accuracy is a guess.

Only accuracy has to be guessed: so at every point of the space of costs it is known what the front has there, the best
accuracy of its members that cost no more, and what a guess is expected to add to that is a formula (expected
improvement, Jones et al., 1998). Its mean over points of the box of costs is the expected growth of the hypervolume
(Emmerich et al., 2006). With no cost among the objectives there is one point, and it is the expected improvement
itself; where accuracy is only guaranteed, what counts is the chance that the guarantee holds where no member is as
cheap.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr
from scipy.stats import qmc

from paretrim.problem import Measurement
from search.algorithm import Task

Array = npt.NDArray[np.float64]

#: points of the box, as a power of two
POINTS = 10

#: deviations below it are taken for it: an accuracy is a share of a few hundred inputs
LEAST_DEVIATION = 1e-3


class Improvement:
    """Knows the front by the best accuracy at points of the box of costs."""

    def __init__(self, task: Task) -> None:
        original = task.original
        self.metrics = tuple(o.metric for o in task.objectives if o.metric != "accuracy")
        self._scale = np.array([original.value(metric) for metric in self.metrics])
        guarantees = [c.limit(original) for c in task.constraints if c.base_metric == "accuracy"]
        self._guarantee = max(guarantees, default=0.0)
        self._graded = any(o.metric == "accuracy" for o in task.objectives)
        self._points, self._weights = _box(len(self.metrics))
        self._best = np.zeros(len(self._points))

    def add(self, accuracy: float, costs: Measurement) -> None:
        """A policy that is evaluated, or taken to be."""
        if accuracy >= self._guarantee:
            within = (self._shares([costs]) <= self._points).all(axis=1)
            self._best[within] = np.maximum(self._best[within], accuracy if self._graded else 1.0)

    def expected(self, mean: Array, deviation: Array, costs: Sequence[Measurement]) -> Array:
        """Of each policy, in units of hypervolume. mean, deviation: of its accuracy, (policies,). (policies,)"""
        spread = np.maximum(deviation, LEAST_DEVIATION)
        gains = np.zeros(len(mean))
        for place, shares in enumerate(self._shares(costs)):
            within = (shares <= self._points).all(axis=1)
            gain = self._gain(float(mean[place]), float(spread[place]), self._best[within])
            gains[place] = gain @ self._weights[within]
        return gains

    def _gain(self, mean: float, deviation: float, best: Array) -> Array:
        """Expected gain at points where the front has `best`. (points,)"""
        if not self._graded:
            chance = float(ndtr((mean - self._guarantee) / deviation))
            return np.where(best > 0, 0.0, chance)
        z = (mean - np.maximum(best, self._guarantee)) / deviation
        density = np.exp(-0.5 * np.minimum(z * z, 100.0)) / np.sqrt(2 * np.pi)
        gain: Array = deviation * density + (mean - best) * ndtr(z)
        return np.maximum(gain, 0.0)

    def _shares(self, costs: Sequence[Measurement]) -> Array:
        """In units of the original. (policies, costs)"""
        values = [[one.value(metric) for metric in self.metrics] for one in costs]
        shares: Array = np.array(values, dtype=np.float64).reshape(len(costs), len(self.metrics)) / self._scale
        return shares


def _box(dimensions: int) -> tuple[Array, Array]:
    """Points of [0, 1]^dimensions, denser where costs are small, and what share of the box each stands for."""
    if not dimensions:
        return np.zeros((1, 0)), np.ones(1)
    drawn = qmc.Sobol(dimensions, scramble=False).random_base2(POINTS) + 0.5 / 2**POINTS
    weights = (2.0 * drawn).prod(axis=1)  # of x = u^2
    return drawn**2, weights / weights.sum()
