"""What a candidate is worth to an algorithm that maximises one figure.

Three ways, by what the job asks for:

- a budget (accuracy is an objective): accuracy. Costs are kept by projection, onto the constraints or onto limits drawn
  for each proposal, so that a front is found as the best accuracy at every cost.
- a guarantee (accuracy is constrained, and not an objective): below the guarantee the share of it that was reached, in
  [0, 1); above it 1 + the share of the cost that was saved. AMC's -error x log(MACs) trades one against the other; this
  does not.
- a soft budget, if the algorithm is given one: accuracy x (cost / target)^w, with w < 0 (MnasNet, Tan et al. 2019, eq.
  2).
"""

from __future__ import annotations

from paretrim.problem import Candidate, Constraint, Measurement
from search.algorithm import Task

#: of a candidate that failed: nothing that was measured is worth less
FAILED = 0.0


def weighed(soft: str | None) -> tuple[str, ...]:
    """The costs that a soft budget is about."""
    return () if soft is None else (Constraint.parse(soft).base_metric,)


class Worth:
    """A figure that is not negative; more is better."""

    def __init__(self, task: Task, soft: str | None = None, exponent: float = -0.07) -> None:
        """soft: a cost constraint that may be missed at a price, e.g. `latency_ratio <= 0.5`. Raises InvalidInput."""
        self._task = task
        self._soft = None if soft is None else Constraint.parse(soft)
        self._exponent = exponent
        self._guarantees = tuple(c for c in task.constraints if c.base_metric == "accuracy")
        self._guaranteed = bool(self._guarantees) and all(o.metric != "accuracy" for o in task.objectives)

    def __call__(self, candidate: Candidate) -> float:
        """Of a measured candidate, or of a failed one."""
        measurement = candidate.measurement
        if measurement is None:
            return FAILED
        if self._soft is not None:
            ratio = self._soft.value(measurement, self._task.original) / self._soft.bound
            return float(measurement.value("accuracy") * ratio**self._exponent)
        return self._with_guarantee(measurement) if self._guaranteed else measurement.value("accuracy")

    def _with_guarantee(self, measurement: Measurement) -> float:
        original = self._task.original
        accuracy = measurement.value("accuracy")
        if not all(constraint.holds(measurement, original) for constraint in self._guarantees):
            return min(accuracy / max(c.limit(original), 1e-9) for c in self._guarantees)
        saved = [1 - measurement.value(o.metric) / original.value(o.metric) for o in self._task.objectives]
        return 1.0 + sum(saved) / len(saved)
