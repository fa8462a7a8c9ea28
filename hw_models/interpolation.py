"""Times of units that were not measured, from those that were: a padded roofline, times what trees say it is off by.

The roofline knows that kernels work on whole blocks of channels: t = sum of coefficient x term, coefficients not
negative, terms such as multiply-adds with channels rounded up, bytes moved, and a constant. What it misses is learnt by
gradient boosted trees on the logarithm of measured / roofline. Fitting takes scikit-learn for the trees; a fitted model
is plain numbers, kept in the table and evaluated with NumPy alone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hw_models import document as checks
from hw_models.trees import Trees, fit_trees
from hw_models.units import Unit
from paretrim.errors import InvalidTable

Floats = NDArray[np.float64]

#: rows of one family that trees need at least; with fewer the roofline stands alone
LEAST_FOR_TREES = 60
#: below this, in microseconds, differences matter little; errors are shares of the time plus this
GRAIN_US = 0.5
FLOOR_US = 0.2
FOLDS = 3
#: rows that a roofline needs at least
LEAST_FOR_ROOFLINE = 4


def family_of(unit: Unit) -> str:
    """Units whose times follow the same law."""
    kind = "depthwise" if unit.kind.startswith("conv") and unit.is_depthwise else unit.kind
    return ".".join(filter(None, (kind, unit.layout, "int8" if unit.activation_bits <= 8 else "fp32")))


def roofline_terms(unit: Unit) -> Floats:
    """What the time of a unit is made up of; microseconds are a sum of these with fitted coefficients. (terms,)"""
    narrow = unit.activation_bits <= 8
    bytes_in = unit.elements_in * (1 if narrow else 4)
    bytes_out = unit.elements_out * (1 if unit.output_bits <= 8 else 4)
    if not unit.is_layer:
        parts = float(unit.inputs)
        return np.array([1.0, parts, bytes_in, bytes_out, unit.elements_out * math.prod(unit.kernel or (1,))])
    positions = unit.batch * math.prod(unit.out_hw)
    taps = math.prod(unit.kernel or (1,))
    share_in, share_out = unit.in_channels // unit.groups, unit.out_channels // unit.groups
    fine = positions * taps * unit.groups * _up(share_in, 4) * _up(share_out, 4)
    coarse = positions * taps * unit.groups * _up(share_in, 16) * _up(share_out, 16)
    ragged = positions * taps * unit.in_channels if unit.out_channels % 4 or unit.in_channels % 4 else 0.0
    weight_bytes = unit.weights * (1 if narrow else 4)
    gathered = positions * taps * unit.in_channels if taps > 1 else 0.0
    rows = positions * _up(unit.out_channels, 16)
    wide = taps > 1
    return np.array(
        [
            1.0,
            fine * wide,
            fine * (not wide),
            coarse * wide,
            coarse * (not wide),
            bytes_in,
            bytes_out,
            weight_bytes,
            gathered,
            ragged,
            rows,
            float(unit.groups if unit.groups > 1 else 0),  # kernels without blocks go through them one by one
        ]
    )


def features(unit: Unit, roofline_us: float) -> Floats:
    """What the trees look at. (features,)"""
    height = unit.out_hw[0] if unit.out_hw else 1
    taps = math.prod(unit.kernel or (1,))
    return np.array(
        [
            math.log(max(roofline_us, 1e-3)),
            math.log1p(unit.macs),
            math.log1p(unit.elements_in),
            math.log1p(unit.elements_out),
            math.log1p(unit.weights),
            unit.in_channels,
            unit.out_channels,
            _up(unit.in_channels, 4) / 4,
            _up(unit.in_channels, 16) / 16,
            _up(unit.out_channels, 4) / 4,
            _up(unit.out_channels, 16) / 16,
            unit.in_channels % 4,
            unit.in_channels % 16,
            unit.out_channels % 4,
            unit.out_channels % 16,
            height,
            math.prod(unit.out_hw),
            taps,
            unit.stride[0] if unit.stride else 1,
            unit.dilation[0] if unit.dilation else 1,
            unit.groups if not unit.is_depthwise else 0,
            len(unit.fused),
            unit.inputs,
        ],
        dtype=np.float64,
    )


@dataclass(frozen=True)
class FamilyModel:
    """The law of one family of units."""

    coefficients: Floats  #: microseconds per roofline term
    scale: Floats  #: of each term, so that coefficients are comparable
    trees: Trees | None
    error: float  #: 90 % of the units it was not fitted on are within this share
    rows: int

    def predict_us(self, unit: Unit) -> float:
        """Microseconds of a unit."""
        roofline = float(roofline_terms(unit) / self.scale @ self.coefficients)
        roofline = max(roofline, FLOOR_US)
        if self.trees is None:
            return roofline
        correction = float(self.trees.predict(features(unit, roofline)[None, :])[0])
        return roofline * math.exp(min(max(correction, -2.5), 2.5))

    def to_json(self) -> dict[str, Any]:
        """Plain values for the table."""
        plain: dict[str, Any] = {
            "coefficients": [float(f"{c:.9g}") for c in self.coefficients],
            "scale": [float(f"{s:.9g}") for s in self.scale],
            "error": round(self.error, 5),
            "rows": self.rows,
        }
        return plain | ({"trees": self.trees.to_json()} if self.trees is not None else {})

    @classmethod
    def from_json(cls, value: Any, where: str) -> FamilyModel:
        """The inverse of `to_json`. Raises InvalidTable."""
        part = checks.mapping(value, where)
        vectors = {
            name: np.array([checks.number(n, f"{where}.{name}") for n in checks.listed(part.get(name), where, most=64)])
            for name in ("coefficients", "scale")
        }
        if len(vectors["coefficients"]) != len(vectors["scale"]) or not (vectors["scale"] > 0).all():
            raise InvalidTable(f"{where}: coefficients and scale do not fit each other", field=where)
        trees = part.get("trees")
        return cls(
            **vectors,
            trees=None if trees is None else Trees.from_json(trees, f"{where}.trees"),
            error=checks.number(part.get("error", 1.0), f"{where}.error", most=100.0),
            rows=checks.whole(part.get("rows", 0), f"{where}.rows", least=0, most=checks.MOST_ROWS),
        )


def fit(measured: Mapping[Unit, float], *, seed: int = 0) -> dict[str, FamilyModel]:
    """A model for every family with enough rows. measured: microseconds by unit."""
    by_family: dict[str, list[Unit]] = {}
    for unit in measured:
        by_family.setdefault(family_of(unit), []).append(unit)
    return {
        family: _fit_family(units, np.array([measured[unit] for unit in units]), seed)
        for family, units in by_family.items()
        if len(units) >= LEAST_FOR_ROOFLINE
    }


def _fit_family(units: Sequence[Unit], times: Floats, seed: int) -> FamilyModel:
    terms = np.stack([roofline_terms(unit) for unit in units])  # (n, terms)
    scale = np.maximum(terms.mean(axis=0), 1e-9)
    rooflines = _Rooflines(terms / scale, times)
    order = np.random.default_rng(seed).permutation(len(units))
    folds = [order[start::FOLDS] for start in range(FOLDS)] if len(units) >= 10 else []
    errors = np.empty(len(units))
    for fold in folds:
        rest = np.setdiff1d(order, fold)
        coefficients = rooflines.fit(rest)
        trees = _fit_residual(units, times, rooflines, coefficients, rest, seed)
        model = FamilyModel(coefficients, scale, trees, 0.0, len(rest))
        errors[fold] = [abs(model.predict_us(units[i]) - times[i]) / (times[i] + GRAIN_US) for i in fold]
    everything = np.arange(len(units))
    coefficients = rooflines.fit(everything)
    trees = _fit_residual(units, times, rooflines, coefficients, everything, seed)
    error = float(np.quantile(errors, 0.9)) if folds else 0.5
    return FamilyModel(coefficients, scale, trees, error, len(units))


@dataclass(frozen=True)
class _Rooflines:
    terms: Floats  #: (n, terms), each of mean 1
    times: Floats  #: (n,)

    def fit(self, chosen: NDArray[np.intp]) -> Floats:
        """Coefficients that are not negative, with the least squares of relative errors."""
        weight = 1 / (self.times[chosen] + GRAIN_US)
        return non_negative_least_squares(self.terms[chosen] * weight[:, None], self.times[chosen] * weight)


def _fit_residual(
    units: Sequence[Unit],
    times: Floats,
    rooflines: _Rooflines,
    coefficients: Floats,
    chosen: NDArray[np.intp],
    seed: int,
) -> Trees | None:
    if len(chosen) < LEAST_FOR_TREES:
        return None
    base = np.maximum(rooflines.terms[chosen] @ coefficients, FLOOR_US)
    inputs = np.stack([features(units[i], float(roofline)) for i, roofline in zip(chosen, base, strict=True)])
    return fit_trees(inputs, np.log(times[chosen] / base), seed=seed)


def non_negative_least_squares(matrix: Floats, target: Floats, *, steps: int = 200) -> Floats:
    """x >= 0 that minimises |matrix x - target|: the active-set method of Lawson and Hanson, Solving Least Squares
    Problems, 1974, chapter 23. matrix: (n, m), target: (n,). Returns (m,)."""
    count = matrix.shape[1]
    ridge = 1e-9 * float(np.trace(matrix.T @ matrix)) / count
    gram, moment = matrix.T @ matrix + ridge * np.eye(count), matrix.T @ target
    solution, passive = np.zeros(count), np.zeros(count, dtype=bool)
    for _ in range(steps):
        gradient = moment - gram @ solution
        gradient[passive] = -np.inf
        entering = int(np.argmax(gradient))
        if gradient[entering] <= 1e-10 * max(1.0, float(np.abs(moment).max())):
            break
        passive[entering] = True
        while True:
            trial = np.zeros(count)
            trial[passive] = np.linalg.solve(gram[np.ix_(passive, passive)], moment[passive])
            if (trial[passive] > 0).all():
                break
            falling = passive & (trial <= 0)
            reach = float(np.min(solution[falling] / np.maximum(solution[falling] - trial[falling], 1e-300)))
            solution = solution + reach * (trial - solution)
            passive &= solution > 1e-15
            solution[~passive] = 0.0
            if not passive.any():
                break
        solution = np.maximum(trial, 0.0)
    return solution


def _up(count: int, step: int) -> int:
    return -(-count // step) * step
