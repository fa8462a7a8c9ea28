"""The front: the candidates that no other dominates and that meet every constraint, and the volume they dominate.

Losses are figures with their sign turned such that smaller is better. Hypervolume is in units of the original network:
an objective that is minimised counts from the original's figure (1) down to 0, accuracy counts from 0 up to 1. So it
lies in [0, 1], the original itself has none as soon as a cost is an objective, and nobody can move the reference point.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from paretrim.errors import InvalidInput
from paretrim.problem import METRICS, Candidate, Constraint, Measurement, Objective

Losses = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


def is_on_front(losses: Losses) -> Flags:
    """Which points no other point dominates.

    losses: (n, m), smaller is better. Returns (n,) bool. Of equal points, all are kept.
    """
    a, b = losses[:, None, :], losses[None, :, :]  # (n, 1, m), (1, n, m)
    dominates = (a <= b).all(axis=2) & (a < b).any(axis=2)  # (n, n): row beats column
    on_front: Flags = ~np.any(dominates, axis=0)
    return on_front


def hypervolume(losses: Losses, reference: Losses) -> float:
    """Volume of what the points dominate, up to the reference point. Exact, for 1 to 4 objectives.

    losses: (n, m), smaller is better; reference: (m,). Points that do not beat the reference in every objective add
    nothing. 1 and 2 objectives in O(n log n); 3 and 4 by slices along the last objective.
    """
    points = losses[(losses < reference).all(axis=1)]
    if len(points) == 0:
        return 0.0
    if points.shape[1] == 1:
        return float(reference[0] - points[:, 0].min())
    points = np.unique(points[is_on_front(points)], axis=0)
    return _area(points, reference) if points.shape[1] == 2 else _slices(points, reference)


def exclusive_volume(point: Losses, others: Losses, reference: Losses) -> float:
    """What a point adds to the hypervolume of others (While et al., 2012, eq. 3: limit the others to the point's box).

    point: (m,), others: (n, m), reference: (m,).
    """
    if not (point < reference).all():
        return 0.0
    box = float(np.prod(reference - point))
    return max(0.0, box - hypervolume(np.maximum(others, point), reference)) if len(others) else box


def _area(points: Losses, reference: Losses) -> float:
    """Of mutually non-dominated points (n, 2)."""
    ordered = points[np.argsort(points[:, 0])]  # so the second column falls
    right = np.append(ordered[1:, 0], reference[0])
    return float(((right - ordered[:, 0]) * (reference[1] - ordered[:, 1])).sum())


def _slices(points: Losses, reference: Losses) -> float:
    """Cut along the last objective: between two neighbouring values the cross-section is that of the points below."""
    ordered = points[np.argsort(points[:, -1], kind="stable")]
    ends = np.append(ordered[1:, -1], reference[-1])
    thickness = ends - ordered[:, -1]
    return float(
        sum(
            depth * hypervolume(ordered[: count + 1, :-1], reference[:-1])
            for count, depth in enumerate(thickness)
            if depth > 0
        )
    )


class Front:
    """Grows candidate by candidate; knows its members by their number `n` within the job."""

    def __init__(
        self, objectives: Sequence[Objective], constraints: Sequence[Constraint], original: Measurement
    ) -> None:
        """original: of the uncompressed network; must hold every metric that is an objective or constrained.

        Raises InvalidInput if it lacks one.
        """
        self.objectives = tuple(objectives)
        self.constraints = tuple(constraints)
        self.original = original
        self._scale = np.array([_scale(objective, original) for objective in self.objectives])
        self._reference = np.array([_reference(objective) for objective in self.objectives])
        self._members: dict[int, Measurement] = {}
        self._losses: Losses = np.empty((0, len(self.objectives)))  # (members, objectives), same order as _members
        self._best: dict[str, float] = {}
        self._volume = 0.0

    def losses(self, measurement: Measurement) -> Losses:
        """A measurement in the units of the original, smaller is better. Returns (objectives,)."""
        losses: Losses = np.array([objective.loss(measurement) for objective in self.objectives]) / self._scale
        return losses

    def feasible(self, measurement: Measurement) -> bool:
        """Whether every constraint holds."""
        return all(constraint.holds(measurement, self.original) for constraint in self.constraints)

    def add(self, n: int, measurement: Measurement) -> bool:
        """Take candidate `n` in if it meets the constraints and nobody dominates it. True if the front changed.

        Of candidates with equal figures the first stays alone.
        """
        if n in self._members or not self.feasible(measurement):
            return False
        point = self.losses(measurement)
        self._note_best(measurement)
        if (self._losses <= point).all(axis=1).any():
            return False
        self._volume += exclusive_volume(point, self._losses, self._reference)
        beaten: Flags = np.all(point <= self._losses, axis=1)
        survivors = [item for item, lost in zip(self._members.items(), beaten, strict=True) if not lost]
        self._members = dict(survivors) | {n: measurement}
        self._losses = np.vstack([self._losses[~beaten], point])
        return True

    def extend(self, candidates: Iterable[tuple[int, Candidate]]) -> bool:
        """Add measured candidates by number; failures are passed over. True if the front changed."""
        changed = [self.add(n, c.measurement) for n, c in candidates if c.measurement is not None]
        return any(changed)

    def best_within(self, costs: Measurement) -> float | None:
        """The best accuracy among members that are no worse in every other objective, None if there is none."""
        others = [place for place, objective in enumerate(self.objectives) if objective.metric != "accuracy"]
        known = {place: self.objectives[place].loss(costs) / self._scale[place] for place in others}
        inside = [
            measurement.value("accuracy")
            for measurement, losses in zip(self._members.values(), self._losses, strict=True)
            if all(losses[place] <= loss for place, loss in known.items())
        ]
        return max(inside, default=None)

    @property
    def numbers(self) -> tuple[int, ...]:
        """The members, in order of the first objective, best first; then by number."""
        return tuple(sorted(self._members, key=lambda n: (self.objectives[0].loss(self._members[n]), n)))

    @property
    def members(self) -> Mapping[int, Measurement]:
        """Measurements by number, in the order of `numbers`."""
        return {n: self._members[n] for n in self.numbers}

    @property
    def hypervolume(self) -> float:
        """Of the members, in [0, 1]; see the top of this file."""
        return self._volume

    @property
    def best(self) -> Mapping[str, float]:
        """For each objective the best figure among candidates that meet the constraints; {} if none does."""
        return dict(self._best)

    def __len__(self) -> int:
        return len(self._members)

    def _note_best(self, measurement: Measurement) -> None:
        for objective in self.objectives:
            value = measurement.value(objective.metric)
            best = self._best.get(objective.metric)
            better = max if METRICS[objective.metric] == "maximize" else min
            self._best[objective.metric] = value if best is None else better(best, value)


def _scale(objective: Objective, original: Measurement) -> float:
    if METRICS[objective.metric] == "maximize":
        return 1.0
    value = original.value(objective.metric)
    if not value > 0:
        raise InvalidInput(
            f"the original network's {objective.metric} is {value}, so it cannot be an objective", field="objectives"
        )
    return value


def _reference(objective: Objective) -> float:
    return 0.0 if METRICS[objective.metric] == "maximize" else 1.0
