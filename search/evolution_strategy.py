"""CMA-ES: a normal distribution that moves to where its better draws lie, and takes their shape (Hansen, 2016).

Written out here rather than taken from a library, for two reasons: the samplers there are keep their state as a pickle,
and they learn from the points they drew. Here points are brought onto a budget after they are drawn, and those of other
searches count too; so every point is taken as injected, its step cut to a length that the distribution could have made
(Hansen, Injecting External Solutions Into CMA-ES, 2011, eq. 4).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors.numpy import load, save

Array = npt.NDArray[np.float64]

#: the step size stays between these, in coordinates of the unit cube
LEAST_STEP, MOST_STEP = 0.01, 0.5

#: what the state holds as arrays
ARRAYS = ("mean", "covariance", "step_path", "shape_path")


class EvolutionStrategy:
    """(mu/mu_w, lambda)-CMA-ES with the default constants (Hansen, 2016, table 1)."""

    def __init__(self, mean: Array, step: float, population: int | None = None) -> None:
        """mean: (n,) where to begin; step: first deviation of each coordinate; population: None for 4 + 3 ln n."""
        n = len(mean)
        self.population = population or 4 + int(3 * math.log(n))
        parents = max(1, self.population // 2)
        weights = math.log((self.population + 1) / 2) - np.log(np.arange(1, parents + 1))
        self._weights: Array = weights / weights.sum() if weights.sum() > 0 else np.ones(parents) / parents
        effective = 1.0 / float((self._weights**2).sum())
        self._step_rate = (effective + 2) / (n + effective + 5)
        self._damping = 1 + 2 * max(0.0, math.sqrt((effective - 1) / (n + 1)) - 1) + self._step_rate
        self._path_rate = (4 + effective / n) / (n + 4 + 2 * effective / n)
        self._one_rate = 2 / ((n + 1.3) ** 2 + effective)
        self._many_rate = min(1 - self._one_rate, 2 * (effective - 2 + 1 / effective) / ((n + 2) ** 2 + effective))
        self._effective = effective
        self._length = math.sqrt(n) * (1 - 1 / (4 * n) + 1 / (21 * n * n))  # of a standard normal vector, expected
        self.mean, self.step, self._generation = mean.astype(np.float64), step, 0
        self.covariance: Array = np.eye(n)
        self.step_path: Array = np.zeros(n)
        self.shape_path: Array = np.zeros(n)
        self._decompose()

    def draw(self, rng: np.random.Generator) -> Array:
        """A point, not cut off at the cube's sides. (n,)"""
        drawn: Array = self.mean + self.step * (self._axes @ (self._lengths * rng.standard_normal(len(self.mean))))
        return drawn

    def update(self, points: Sequence[Array], worths: Sequence[float]) -> None:
        """Learn from a generation, which ever way its points came about. More worth is better; ties go by order."""
        ranked = np.argsort(-np.asarray(worths), kind="stable")[: len(self._weights)]
        steps = np.stack([self._plausible((points[i] - self.mean) / self.step) for i in ranked])  # (parents, n)
        weights = self._weights[: len(steps)] / self._weights[: len(steps)].sum()
        mean_step = weights @ steps
        self._generation += 1
        self.mean = np.clip(self.mean + self.step * mean_step, 0.0, 1.0)
        rate = self._step_rate
        self.step_path = (1 - rate) * self.step_path + math.sqrt(rate * (2 - rate) * self._effective) * self._whitened(
            mean_step
        )
        length = float(np.linalg.norm(self.step_path))
        expected = self._length * math.sqrt(1 - (1 - rate) ** (2 * self._generation))
        going = float(length / expected < 1.4 + 2 / (len(self.mean) + 1))  # else the path is too long to add to it
        rate = self._path_rate
        self.shape_path = (1 - rate) * self.shape_path + going * math.sqrt(rate * (2 - rate) * self._effective) * (
            mean_step
        )
        one, many = self._one_rate, self._many_rate
        lost = 1 - one - many + (1 - going) * one * rate * (2 - rate)
        spread = (steps * weights[:, None]).T @ steps
        self.covariance = lost * self.covariance + one * np.outer(self.shape_path, self.shape_path) + many * spread
        grown = self.step * math.exp(min(1.0, self._step_rate / self._damping * (length / self._length - 1)))
        self.step = min(max(grown, LEAST_STEP), MOST_STEP)
        self._decompose()

    def state(self) -> tuple[dict[str, Any], bytes]:
        """Numbers as JSON, arrays as safetensors."""
        arrays = {name: np.ascontiguousarray(getattr(self, name)) for name in ARRAYS}
        return {"step": self.step, "generation": self._generation}, save(arrays)

    def load_state(self, state: Mapping[str, Any], arrays: bytes) -> None:
        """The inverse of `state`."""
        self.step, self._generation = float(state["step"]), int(state["generation"])
        for name, value in load(arrays).items():
            setattr(self, name, value)
        self._decompose()

    def _decompose(self) -> None:
        self.covariance = (self.covariance + self.covariance.T) / 2
        values, self._axes = np.linalg.eigh(self.covariance)
        self._lengths: Array = np.sqrt(np.maximum(values, 1e-10))

    def _whitened(self, step: Array) -> Array:
        """C^(-1/2) step."""
        whitened: Array = self._axes @ ((self._axes.T @ step) / self._lengths)
        return whitened

    def _plausible(self, step: Array) -> Array:
        """A step cut to the length that a draw of this distribution hardly exceeds."""
        n = len(step)
        most = math.sqrt(n) + 2 * n / (n + 2)
        length = float(np.linalg.norm(self._whitened(step)))
        return step * min(1.0, most / length) if length > 0 else step
