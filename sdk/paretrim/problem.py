"""The words of a search: policy, measurement, candidate, objective, constraint, budget.

Frozen, self-checking, standard library only. Units are in the names; accuracy is in [0, 1]; `macs` are multiply-adds.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from paretrim.errors import InvalidInput, InvalidPolicy
from paretrim.sparsity import Sparsity, checked

How = Literal["measured", "predicted"]
Relation = Literal["<=", ">="]

#: every metric a measurement may hold, and whether more or less of it is better
METRICS: Mapping[str, Literal["maximize", "minimize"]] = {
    "accuracy": "maximize",
    "latency_ms": "minimize",
    "size_bytes": "minimize",
    "macs": "minimize",
    "bops": "minimize",
    "peak_memory_bytes": "minimize",
    "energy_mj": "minimize",
}

#: names a constraint may use beside METRICS: candidate / original, or original - candidate
RELATIVE: Mapping[str, str] = {
    "latency_ratio": "latency_ms",
    "size_ratio": "size_bytes",
    "macs_ratio": "macs",
    "bops_ratio": "bops",
    "peak_memory_ratio": "peak_memory_bytes",
    "energy_ratio": "energy_mj",
    "accuracy_drop": "accuracy",
}


@dataclass(frozen=True, slots=True)
class Bits:
    """Bit-widths of one layer: of its weights, and of the activations it reads. 32 is floating point."""

    weight: int = 32
    activation: int = 32

    def __post_init__(self) -> None:
        for name in ("weight", "activation"):
            bits = getattr(self, name)
            if not isinstance(bits, int) or not (1 <= bits <= 8 or bits in (16, 32)):
                raise InvalidPolicy(f"{name} bits must be 1 to 8, 16 or 32, got {bits!r}", field=f"bits.{name}")


FULL_PRECISION = Bits()


@dataclass(frozen=True)
class Policy:
    """What is done to a network: for every group a keep ratio or the units kept, for every layer its bits.

    A group or layer that is not named stays as it is, so two policies that do the same are equal.
    """

    keep: Mapping[str, float | tuple[int, ...]] = field(default_factory=dict)  #: by group
    bits: Mapping[str, Bits] = field(default_factory=dict)  #: by layer
    rank: Mapping[str, float] = field(default_factory=dict)  #: by layer: share of the full rank kept, in (0, 1]
    removed: tuple[str, ...] = ()  #: names of residual blocks that are removed
    sparsity: Mapping[str, Sparsity] = field(default_factory=dict)  #: by layer: weights that become zero

    def __post_init__(self) -> None:
        keep = {name: _checked_keep(name, choice) for name, choice in sorted(self.keep.items())}
        for name, ratio in self.rank.items():
            _check_ratio(ratio, f"rank.{name}")
        object.__setattr__(self, "keep", {name: choice for name, choice in keep.items() if choice != 1.0})
        bits = {name: bits for name, bits in sorted(self.bits.items()) if bits != FULL_PRECISION}
        object.__setattr__(self, "bits", bits)
        object.__setattr__(self, "rank", {name: float(r) for name, r in sorted(self.rank.items()) if r != 1.0})
        object.__setattr__(self, "removed", tuple(sorted(set(self.removed))))
        object.__setattr__(self, "sparsity", checked(self.sparsity))

    @cached_property
    def key(self) -> str:
        """The same for two policies exactly if they are equal. 64 hexadecimal digits."""
        text = json.dumps(self.to_json(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def __hash__(self) -> int:
        return hash(self.key)

    def to_json(self) -> dict[str, Any]:
        """Plain values, for the wire and the database."""
        sparse = {name: sparsity.to_json() for name, sparsity in self.sparsity.items()}
        return {
            "keep": {n: list(c) if isinstance(c, tuple) else c for n, c in self.keep.items()},
            "bits": {name: [bits.weight, bits.activation] for name, bits in self.bits.items()},
            "rank": dict(self.rank),
            "removed": list(self.removed),
        } | ({"sparsity": sparse} if sparse else {})  # policies without it keep the keys they had

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Policy:
        """The inverse of `to_json`. Raises InvalidPolicy."""
        unknown = set(value) - {"keep", "bits", "rank", "removed", "sparsity"}
        if unknown:
            raise InvalidPolicy(
                f"a policy has no {', '.join(sorted(unknown))}; it has keep, bits, rank, removed, sparsity"
            )
        return cls(
            keep={n: tuple(c) if isinstance(c, list) else c for n, c in value.get("keep", {}).items()},
            bits={name: Bits(*pair) for name, pair in value.get("bits", {}).items()},
            rank=value.get("rank", {}),
            removed=tuple(value.get("removed", ())),
            sparsity=value.get("sparsity", {}),
        )


#: the policy that changes nothing
UNCHANGED = Policy()


def _checked_keep(name: str, choice: float | tuple[int, ...]) -> float | tuple[int, ...]:
    if isinstance(choice, tuple):
        if not choice:
            raise InvalidPolicy(f"group {name!r} would keep no unit; keep at least one", field=f"keep.{name}")
        if list(choice) != sorted(set(choice)) or choice[0] < 0:
            raise InvalidPolicy(f"group {name!r}: the units kept must rise and not repeat", field=f"keep.{name}")
        return choice
    _check_ratio(choice, f"keep.{name}")
    return float(choice)


def _check_ratio(ratio: float, where: str) -> None:
    if not isinstance(ratio, int | float) or not 0.0 < ratio <= 1.0:
        raise InvalidPolicy(f"{where} must be in (0, 1], got {ratio!r}", field=where)


@dataclass(frozen=True, slots=True)
class Provenance:
    """How a figure was obtained, and where: on which split, by which table, in which runtime."""

    how: How
    where: str


@dataclass(frozen=True, slots=True)
class Measurement:
    """What one network costs and is worth. None: not obtained."""

    accuracy: float | None = None  #: in [0, 1]; the task's metric, higher is better
    latency_ms: float | None = None
    size_bytes: int | None = None
    macs: int | None = None
    bops: int | None = None  #: MACs x weight bits x activation bits
    peak_memory_bytes: int | None = None  #: activations alive at once, at the worst moment
    energy_mj: float | None = None
    obtained: Mapping[str, Provenance] = field(default_factory=dict)  #: by metric

    def __post_init__(self) -> None:
        if self.accuracy is not None and not 0.0 <= self.accuracy <= 1.0:
            raise InvalidInput(f"accuracy must be in [0, 1], got {self.accuracy}", field="accuracy")
        for name in METRICS:
            value = getattr(self, name)
            if value is not None and (value < 0 or not math.isfinite(value)):
                raise InvalidInput(f"{name} must be finite and not negative, got {value}", field=name)

    def value(self, metric: str) -> float:
        """The figure for a metric. Raises InvalidInput if it was not obtained."""
        if metric not in METRICS:
            raise InvalidInput(f"{metric!r} is not a metric; there are {', '.join(METRICS)}", field=metric)
        figure = getattr(self, metric)
        if figure is None:
            raise InvalidInput(f"{metric} was not obtained for this candidate", field=metric)
        return float(figure)

    def to_json(self) -> dict[str, Any]:
        """Plain values, for the wire and the database."""
        obtained = {name: {"how": origin.how, "where": origin.where} for name, origin in self.obtained.items()}
        return {name: getattr(self, name) for name in METRICS} | {"obtained": obtained}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Measurement:
        """The inverse of `to_json`."""
        obtained = {name: Provenance(**origin) for name, origin in value.get("obtained", {}).items()}
        return cls(**{name: value.get(name) for name in METRICS}, obtained=obtained)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A policy that was proposed, with its measurement or its failure: exactly one of the two."""

    index: int  #: 0, 1, 2, ... within its search
    policy: Policy
    measurement: Measurement | None = None
    failure: str | None = None  #: why there is no measurement

    def __post_init__(self) -> None:
        if (self.measurement is None) == (self.failure is None):
            raise InvalidInput("a candidate has either a measurement or a failure")


@dataclass(frozen=True, slots=True)
class Objective:
    """A metric that is minimised or maximised; which of the two follows from the metric."""

    metric: str

    def __post_init__(self) -> None:
        if self.metric not in METRICS:
            raise InvalidInput(
                f"{self.metric!r} is not an objective; choose from {', '.join(METRICS)}", field="objectives"
            )

    def loss(self, measurement: Measurement) -> float:
        """The figure with its sign such that smaller is better."""
        value = measurement.value(self.metric)
        return -value if METRICS[self.metric] == "maximize" else value


_CONSTRAINT = re.compile(r"^\s*([a-z_0-9]+)\s*(<=|>=)\s*([0-9.eE+-]+)\s*$")


@dataclass(frozen=True, slots=True)
class Constraint:
    """What must hold of a candidate: `latency_ms <= 2.0`, `macs_ratio <= 0.5`, `accuracy_drop <= 0.01`.

    A ratio is candidate / original; `accuracy_drop` is original - candidate.
    """

    metric: str
    relation: Relation
    bound: float

    def __post_init__(self) -> None:
        if self.metric not in METRICS and self.metric not in RELATIVE:
            choice = ", ".join((*METRICS, *RELATIVE))
            raise InvalidInput(f"{self.metric!r} cannot be constrained; choose from {choice}", field="constraints")
        if self.relation not in ("<=", ">="):
            raise InvalidInput(f"use <= or >= in a constraint, not {self.relation!r}", field="constraints")
        if not math.isfinite(self.bound) or self.bound < 0:
            raise InvalidInput(f"the bound of a constraint must not be negative, got {self.bound}", field="constraints")
        wanted = ">=" if self.metric == "accuracy" else "<="
        if self.relation != wanted:
            raise InvalidInput(f"{self.metric} can only be constrained with {wanted}", field="constraints")

    @classmethod
    def parse(cls, text: str) -> Constraint:
        """Read `metric <= number`. Raises InvalidInput naming what is wrong with it."""
        match = _CONSTRAINT.match(text)
        if match is None:
            raise InvalidInput(f"{text!r} is not a constraint; write e.g. 'latency_ratio <= 0.5'", field="constraints")
        metric, relation, number = match.groups()
        try:
            bound = float(number)
        except ValueError:
            raise InvalidInput(f"{number!r} is not a number in {text!r}", field="constraints") from None
        return cls(metric, "<=" if relation == "<=" else ">=", bound)

    @property
    def base_metric(self) -> str:
        """The metric of a measurement that this constraint is about."""
        return RELATIVE.get(self.metric, self.metric)

    def value(self, measurement: Measurement, original: Measurement) -> float:
        """The figure that is compared with the bound."""
        own = measurement.value(self.base_metric)
        if self.metric == "accuracy_drop":
            return original.value("accuracy") - own
        if self.metric in RELATIVE:
            return own / original.value(self.base_metric)
        return own

    def holds(self, measurement: Measurement, original: Measurement) -> bool:
        """Whether the measurement is within the bound."""
        value = self.value(measurement, original)
        return value <= self.bound if self.relation == "<=" else value >= self.bound

    def limit(self, original: Measurement) -> float:
        """The bound in the base metric's own unit."""
        if self.metric == "accuracy_drop":
            return original.value("accuracy") - self.bound
        if self.metric in RELATIVE:
            return self.bound * original.value(self.base_metric)
        return self.bound

    def __str__(self) -> str:
        return f"{self.metric} {self.relation} {self.bound:.15g}"


@dataclass(frozen=True, slots=True)
class Budget:
    """What one search may spend. Each search of a job has this much, so that they can be compared."""

    candidates: int
    seconds: float | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.candidates <= 1_000_000:
            raise InvalidInput(
                f"budget.candidates must be from 1 to 1,000,000, got {self.candidates}", field="budget.candidates"
            )
        if self.seconds is not None and not self.seconds > 0:
            raise InvalidInput(f"budget.seconds must be positive, got {self.seconds}", field="budget.seconds")
