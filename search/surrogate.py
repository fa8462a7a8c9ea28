"""Accuracy guessed from a job's own candidates: every knob does its own damage, and damages add up.

    accuracy = original x exp(-damage),   damage = sum over knobs of  coefficients . basis(level),   coefficients >= 0

Damage that adds in the exponent is what makes the model separable without letting it promise a negative accuracy; that
no coefficient is negative makes it monotone: keeping more never hurts. It is fitted by non-negative least squares,
drawn towards what was foreseen of each knob, or where nothing was towards the assumption that all matter alike, so that
a dozen candidates give a usable guess.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from scipy.optimize import nnls

from paretrim.problem import Candidate
from search.knobs import BlockKnob, KeepKnob, Knob, RankKnob
from search.opening import loss_curve
from search.projection import Levels
from search.space import Space

Array = npt.NDArray[np.float64]

#: added to accuracies before the logarithm is taken: below it, differences are noise
FLOOR = 0.02

#: how strongly coefficients are drawn to what is assumed of them beforehand, against one candidate
PULL = 0.1


class Additive:
    """The fitted model of one space."""

    def __init__(self, space: Space, original: float, damages: Mapping[str, Sequence[float]] | None = None) -> None:
        """original: the uncompressed network's accuracy; damages: what is foreseen, see `search.algorithm.Task`."""
        self._space, self._original = space, original
        self._free = tuple(space.free_places)
        self._bases = [_basis(space.knobs[i]) for i in self._free]  # each (levels, functions)
        widths = [basis.shape[1] for basis in self._bases]
        ends = np.cumsum(widths)
        self._columns = [slice(end - width, end) for end, width in zip(ends, widths, strict=True)]
        self._assumed = self._assumptions(damages or {})  # (functions, assumptions)
        self.coefficients = self._assumed.sum(axis=1) if damages else np.zeros(int(ends[-1]))

    def fit(self, candidates: Sequence[Candidate], weights: Array | None = None) -> None:
        """Fit to measured candidates; weights: of each, 1 if None. Failures are passed over."""
        kept = [i for i, c in enumerate(candidates) if c.measurement is not None]
        if not kept:
            return
        rows = self.features([self._space.levels(candidates[i].policy) for i in kept])
        damage = np.array([self._damage(candidates[i]) for i in kept])
        # what is guessed is accuracy, and a little less of it is a lot of damage where there is not much left
        scale = np.exp(-damage) * np.sqrt(np.ones(len(kept)) if weights is None else weights[kept])
        shares, _ = nnls(rows @ self._assumed * scale[:, None], damage * scale)
        pull = np.sqrt(PULL) * np.eye(rows.shape[1])
        matrix = np.vstack([rows * scale[:, None], pull])
        wanted = np.concatenate([damage * scale, np.sqrt(PULL) * (self._assumed @ shares)])
        self.coefficients, _ = nnls(matrix, wanted)

    def features(self, levels: Sequence[Levels]) -> Array:
        """(policies, functions)"""
        columns = [basis[[one[i] for one in levels]] for i, basis in zip(self._free, self._bases, strict=True)]
        return np.hstack(columns)

    def damages(self) -> list[Array]:
        """For every free knob the damage at each of its levels."""
        return [basis @ self.coefficients[c] for basis, c in zip(self._bases, self._columns, strict=True)]

    def accuracy(self, levels: Sequence[Levels]) -> Array:
        """Guessed accuracies. (policies,)"""
        guessed: Array = (self._original + FLOOR) * np.exp(-self.features(levels) @ self.coefficients) - FLOOR
        return guessed

    def _assumptions(self, damages: Mapping[str, Sequence[float]]) -> Array:
        """Coefficients up to a factor: of the knobs that something is foreseen of, and of the others, all alike."""
        foreseen, others = np.zeros(self._columns[-1].stop), np.zeros(self._columns[-1].stop)
        for i, basis, columns in zip(self._free, self._bases, self._columns, strict=True):
            curve = loss_curve(self._space.knobs[i], damages)
            if curve is None:
                others[columns] = 1.0
            else:
                foreseen[columns], _ = nnls(basis, curve)
        foreseen /= max(float(foreseen.max()), 1e-12)
        return np.stack([column for column in (foreseen, others) if column.any()], axis=1)

    def _damage(self, candidate: Candidate) -> float:
        assert candidate.measurement is not None
        accuracy = candidate.measurement.value("accuracy")
        return max(0.0, float(np.log((self._original + FLOOR) / (accuracy + FLOOR))))


def _basis(knob: Knob) -> Array:
    """Functions of a level that grow as less is kept. (levels, functions)"""
    if isinstance(knob, KeepKnob):
        lost = 1.0 - np.array(knob.counts) / knob.units
        return np.stack([lost, lost**2, lost**4], axis=1)
    if isinstance(knob, RankKnob):
        lost = 1.0 - np.array(knob.shares)
        return np.stack([lost, lost**4], axis=1)
    if isinstance(knob, BlockKnob):
        return np.array([[1.0], [0.0]])
    weight, activation = (np.array([getattr(b, name) for b in knob.choices]) for name in ("weight", "activation"))
    # rounding to b bits makes an error with a variance in proportion to 4^-b; scaled so that 4 bits count 1
    return np.stack([4.0 ** (4.0 - weight), 4.0 ** (4.0 - activation)], axis=1)
