"""Accuracy guessed from a job's own candidates, and how unsure the guess is.

An ensemble of additive models, each fitted with random weights on the candidates, gives the trend and how far the data
leave it open. What the trend misses (groups that share a burden) is smooth in the vector of a policy: a Gaussian
process on the residuals gives that, and grows unsure away from what was measured.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from scipy.linalg import cho_factor, cho_solve

from paretrim.problem import Candidate, Policy
from search.knobs import KeepKnob, Knob
from search.space import Space
from search.surrogate import Additive

Array = npt.NDArray[np.float64]

MEMBERS = 5

#: lengths of the process, times the square root of the number of coordinates, and noise as a share of its variance
LENGTHS, NOISES = (0.15, 0.3, 0.6, 1.2), (0.01, 0.1, 0.5)

#: variance of what the trend misses at its ends, beside 1/4 in the middle
EDGE = 0.03

#: a share of units below which fewer are about as bad
SCARCE = 0.1

#: candidates the process is conditioned on, the last ones; its cost grows with their cube
REMEMBERED = 400


class Predictor:
    """Fit, then ask."""

    def __init__(self, space: Space, original: float, damages: Mapping[str, Sequence[float]] | None = None) -> None:
        """original: the uncompressed network's accuracy; damages: what is foreseen, see `search.algorithm.Task`."""
        self._space, self._original = space, original
        self._tables = [_coordinates(knob) for knob in space.free_knobs]
        self._members = [Additive(space, original, damages) for _ in range(MEMBERS)]
        self._points = self._known = np.empty((0, space.size))  # measured; those and what is believed
        self._scale = self._length = self._noise = 1.0
        self._weights: Array = np.empty(0)
        self._factor: tuple[Array, bool] | None = None

    def fit(self, candidates: Sequence[Candidate], rng: np.random.Generator) -> None:
        """To measured candidates; failures are passed over."""
        known = [c for c in candidates if c.measurement is not None]
        for member in self._members:
            member.fit(known, rng.exponential(size=len(known)))
        self._condition(known[-REMEMBERED:])

    def guess(self, policies: Sequence[Policy]) -> tuple[Array, Array]:
        """Mean and deviation of the accuracy of each. (policies,), (policies,)"""
        trends = self._trends(policies)
        mean, variance = trends.mean(axis=0), trends.var(axis=0)
        if self._factor is None:
            return mean, np.sqrt(variance)
        vectors, reach = self._vectors(policies), self._reach(mean)
        mean = mean + reach * (self._kernel(vectors, self._points) @ self._weights)
        near = self._kernel(vectors, self._known)  # (policies, points)
        explained = np.einsum("ij,ji->i", near, cho_solve(self._factor, near.T))
        variance = variance + reach**2 * self._scale * np.maximum(0.0, 1.0 - explained)
        return mean, np.sqrt(variance)

    def believe(self, policies: Sequence[Policy]) -> None:
        """Take what is guessed of these, and of no others, for measured: less is unsure near them. Means stay."""
        if self._factor is None:
            return
        self._known = np.vstack([self._points, self._vectors(policies)]) if policies else self._points
        near = self._kernel(self._known, self._known)
        self._factor = cho_factor(near + self._noise * np.eye(len(near)), lower=True)

    def _condition(self, known: Sequence[Candidate]) -> None:
        """The process that makes the residuals likeliest, over the few lengths and noises there are."""
        self._factor = None
        if len(known) < 8:
            return
        policies = [candidate.policy for candidate in known]
        measured = np.array([c.measurement.value("accuracy") for c in known if c.measurement is not None])
        trend = self._trends(policies).mean(axis=0)
        residuals = (measured - trend) / self._reach(trend)
        self._points = self._known = self._vectors(policies)
        best = -np.inf
        for length in LENGTHS:
            self._length = length * float(np.sqrt(self._space.size))
            near = self._kernel(self._points, self._points)
            for noise in NOISES:
                factor = cho_factor(near + noise * np.eye(len(near)), lower=True)
                weights = cho_solve(factor, residuals)
                scale = float(residuals @ weights) / len(residuals) + 1e-12
                likelihood = -0.5 * len(residuals) * np.log(scale) - np.log(np.diag(factor[0])).sum()
                if likelihood > best:
                    best, chosen = likelihood, (self._length, noise, factor, weights, scale)
        self._length, self._noise, self._factor, self._weights, self._scale = chosen

    def _reach(self, trend: Array) -> Array:
        """How far accuracies miss the trend, up to a factor: least where next to nothing is lost, or left."""
        share = np.clip(trend / self._original, 0.0, 1.0)
        reach: Array = np.sqrt(share * (1.0 - share) + EDGE)
        return reach

    def _trends(self, policies: Sequence[Policy]) -> Array:
        levels = [self._space.levels(policy) for policy in policies]
        return np.stack([member.accuracy(levels) for member in self._members])

    def _vectors(self, policies: Sequence[Policy]) -> Array:
        """(policies, size)"""
        levels = [self._space.levels(policy) for policy in policies]
        columns = [
            table[[one[i] for one in levels]] for i, table in zip(self._space.free_places, self._tables, strict=True)
        ]
        return np.hstack(columns)

    def _kernel(self, a: Array, b: Array) -> Array:
        """Matern 5/2. (len(a), len(b))"""
        squares = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1)[None, :] - 2 * a @ b.T
        distance = np.sqrt(5.0 * np.maximum(squares, 0.0)) / self._length
        near: Array = (1 + distance + distance**2 / 3) * np.exp(-distance)
        return near


def _coordinates(knob: Knob) -> Array:
    """Of each level, such that accuracy is about as smooth everywhere. (levels, dimensions)

    Of units it is their logarithm: of eight the loss of four is not what it is of sixty-four.
    """
    if not isinstance(knob, KeepKnob):
        return np.array([knob.encode(level) for level in range(knob.levels)], dtype=np.float64)
    shares = np.array(knob.counts) / knob.units
    scarcity: Array = 1.0 + np.log((shares + SCARCE) / (1.0 + SCARCE))[:, None] / np.log((1.0 + SCARCE) / SCARCE)
    return scarcity
