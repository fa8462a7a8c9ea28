"""How far predictions are from the truth, and what choosing by them costs."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: networks that one choice is made among, and how many choices are drawn
_AMONG, _CHOICES = 10, 400
#: budgets that violations are counted at, as quantiles of the true latencies
_BUDGETS = (0.2, 0.35, 0.5, 0.65, 0.8)


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Predictions of some networks against their truth. Shares are of 1, not percent."""

    networks: int
    mape: float  #: mean of |predicted / true - 1|
    rmspe: float  #: root mean square of the same
    within_5: float  #: share of networks within 5 % of the truth
    within_10: float
    within_15: float
    bias: float  #: mean of predicted / true - 1
    worst: float  #: largest |predicted / true - 1|
    kendall_tau: float  #: of the ranks (tau-b)
    violations: float  #: of the networks that by prediction meet a budget, the share that does not
    violations_beyond_5: float  #: ... by more than 5 % of the budget
    regret: float  #: how much slower than the fastest of ten is the one that prediction says is fastest

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {name: value if name == "networks" else round(value, 5) for name, value in asdict(self).items()}


def accuracy(predicted: Floats, truth: Floats, *, seed: int = 0) -> Accuracy:
    """predicted, truth: (n,) in the same unit, above zero."""
    relative = predicted / truth - 1
    off = np.abs(relative)
    violations, beyond = _violations(predicted, truth)
    return Accuracy(
        networks=len(truth),
        mape=float(off.mean()),
        rmspe=float(np.sqrt((relative**2).mean())),
        within_5=float((off <= 0.05).mean()),
        within_10=float((off <= 0.10).mean()),
        within_15=float((off <= 0.15).mean()),
        bias=float(relative.mean()),
        worst=float(off.max()),
        kendall_tau=kendall_tau(predicted, truth),
        violations=violations,
        violations_beyond_5=beyond,
        regret=_regret(predicted, truth, seed),
    )


def kendall_tau(first: Floats, second: Floats) -> float:
    """Kendall's tau-b of two sequences of n values: 1 for the same order, -1 for the reverse, 0 if one is constant."""
    signs = [np.sign(values[:, None] - values[None, :]) for values in (first, second)]
    pairs = [float((sign != 0).sum()) for sign in signs]
    if not all(pairs):
        return 0.0
    return float((signs[0] * signs[1]).sum() / np.sqrt(pairs[0] * pairs[1]))


def ratio_error(predicted: Floats, truth: Floats) -> dict[str, float]:
    """Errors of predicted speed-ups. (pairs, 2) each: dense, pruned."""
    wanted, found = truth[:, 1] / truth[:, 0], predicted[:, 1] / predicted[:, 0]
    off = np.abs(found / wanted - 1)
    return {
        "pairs": len(off),
        "mape": round(float(off.mean()), 5),
        "within_5": round(float((off <= 0.05).mean()), 5),
        "worst": round(float(off.max()), 5),
    }


def _violations(predicted: Floats, truth: Floats) -> tuple[float, float]:
    accepted = broken = beyond = 0
    for budget in np.quantile(truth, _BUDGETS):
        meets = predicted <= budget
        accepted += int(meets.sum())
        broken += int((truth[meets] > budget).sum())
        beyond += int((truth[meets] > 1.05 * budget).sum())
    return (broken / accepted, beyond / accepted) if accepted else (0.0, 0.0)


def _regret(predicted: Floats, truth: Floats, seed: int) -> float:
    random = np.random.default_rng(seed)
    among = min(_AMONG, len(truth))
    lost = []
    for _ in range(_CHOICES):
        group = random.choice(len(truth), among, replace=False)
        chosen = group[int(np.argmin(predicted[group]))]
        lost.append(truth[chosen] / truth[group].min() - 1)
    return float(np.mean(lost))
