"""Gradient-boosted regression trees as plain numbers: fitted with scikit-learn, kept as JSON, evaluated with NumPy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hw_models import document as checks
from paretrim.errors import InvalidTable

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
_MOST_NODES = 200_000


@dataclass(frozen=True)
class Trees:
    """A sum of regression trees. All trees' nodes in one array; a leaf points to itself."""

    roots: Whole  #: (trees,) index of each tree's first node
    feature: Whole  #: (nodes,)
    threshold: Floats  #: (nodes,) go left if feature <= threshold
    left: Whole  #: (nodes,)
    right: Whole  #: (nodes,)
    value: Floats  #: (nodes,)
    base: float
    depth: int

    def predict(self, inputs: Floats) -> Floats:
        """inputs: (n, features). Returns (n,)."""
        at = np.broadcast_to(self.roots, (len(inputs), len(self.roots)))  # (n, trees)
        rows = np.arange(len(inputs))[:, None]
        for _ in range(self.depth):
            goes_left = inputs[rows, self.feature[at]] <= self.threshold[at]
            at = np.where(goes_left, self.left[at], self.right[at])
        return self.base + np.asarray(self.value[at].sum(axis=1), dtype=np.float64)

    def to_json(self) -> dict[str, Any]:
        """Plain values for the table."""
        return {
            "roots": self.roots.tolist(),
            "feature": self.feature.tolist(),
            "threshold": [float(f"{t:.7g}") for t in self.threshold],
            "left": self.left.tolist(),
            "right": self.right.tolist(),
            "value": [float(f"{v:.6g}") for v in self.value],
            "base": self.base,
            "depth": self.depth,
        }

    @classmethod
    def from_json(cls, value: Any, where: str) -> Trees:
        """The inverse of `to_json`. Raises InvalidTable; no index can lead outside."""
        part = checks.mapping(value, where)
        numbers = {
            name: np.array(checks.listed(part.get(name), f"{where}.{name}", most=_MOST_NODES), dtype=np.float64)
            for name in ("roots", "feature", "threshold", "left", "right", "value")
        }
        count = len(numbers["value"])
        sizes = {len(numbers[name]) for name in ("feature", "threshold", "left", "right")}
        if sizes != {count} or not all(np.isfinite(array).all() for array in numbers.values()):
            raise InvalidTable(f"{where} is not a set of trees", field=where)
        whole = {name: numbers[name].astype(np.int64) for name in ("roots", "feature", "left", "right")}
        inside = all(((whole[name] >= 0) & (whole[name] < count)).all() for name in ("roots", "left", "right"))
        if not inside or not ((whole["feature"] >= 0) & (whole["feature"] < 256)).all():
            raise InvalidTable(f"{where} has an index that leads nowhere", field=where)
        return cls(
            **whole,
            threshold=numbers["threshold"],
            value=numbers["value"],
            base=checks.number(part.get("base"), f"{where}.base", least=-100, most=100),
            depth=checks.whole(part.get("depth"), f"{where}.depth", least=0, most=64),
        )


def fit_trees(inputs: Floats, targets: Floats, *, seed: int = 0, trees: int = 80) -> Trees | None:
    """Fit to (n, features) and (n,). None where scikit-learn is not installed."""
    try:
        from sklearn.ensemble import HistGradientBoostingRegressor
        from threadpoolctl import threadpool_limits
    except ImportError:
        return None
    regressor = HistGradientBoostingRegressor(
        max_iter=trees,
        learning_rate=0.1,
        max_leaf_nodes=12,
        min_samples_leaf=max(3, min(10, len(inputs) // 40)),
        l2_regularization=1.0,
        random_state=seed,
        early_stopping=False,
    )
    with threadpool_limits(1):  # so little data is slower on several threads
        return _exported(regressor.fit(inputs, targets))


def _exported(model: Any) -> Trees:
    parts: dict[str, list[Any]] = {name: [] for name in ("feature", "threshold", "left", "right", "value")}
    roots, start, depth = [], 0, 0
    for (predictor,) in model._predictors:
        nodes = predictor.nodes
        here = np.arange(len(nodes)) + start
        leaf = nodes["is_leaf"].astype(bool)
        roots.append(start)
        parts["feature"].append(np.where(leaf, 0, nodes["feature_idx"]))
        parts["threshold"].append(np.where(leaf, 0.0, nodes["num_threshold"]))
        parts["left"].append(np.where(leaf, here, nodes["left"] + start))
        parts["right"].append(np.where(leaf, here, nodes["right"] + start))
        parts["value"].append(np.where(leaf, nodes["value"], 0.0))
        depth = max(depth, int(nodes["depth"].max()))
        start += len(nodes)
    joined = {name: np.concatenate(arrays) for name, arrays in parts.items()}
    return Trees(
        roots=np.array(roots, dtype=np.int64),
        feature=joined["feature"].astype(np.int64),
        threshold=joined["threshold"].astype(np.float64),
        left=joined["left"].astype(np.int64),
        right=joined["right"].astype(np.int64),
        value=joined["value"].astype(np.float64),
        base=float(np.ravel(model._baseline_prediction)[0]),
        depth=depth,
    )
