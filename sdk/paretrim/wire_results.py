"""Bodies about what jobs found: candidates, fronts, curves, layers."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from paretrim.wire_base import Response


class Delivery(Response):
    """A front member made real: fine-tuned, exported, measured again."""

    measurement: dict[str, Any]  #: on the test split, and in the runtime it is for
    original: dict[str, Any]  #: the uncompressed model, measured the same way
    artifact: str  #: id of the ONNX file
    artifacts: dict[str, str] = {}  #: further files by name: `report.md`, `policy.json`, ...
    precision: str = "fp32"
    report: dict[str, Any] = {}


class CandidateView(Response):
    """A policy that was proposed and what came of it."""

    n: int  #: its number within the job; 0 is the original model
    search: str | None = None
    algorithm: str | None = None
    index: int  #: its number within its search
    policy: dict[str, Any]
    measurement: dict[str, Any] | None = None
    failure: str | None = None
    feasible: bool = False  #: meets every constraint
    on_front: bool = False
    delivery: Delivery | None = None
    created_at: datetime | None = None


class Front(Response):
    """The candidates that no other dominates and that meet every constraint."""

    job: str
    objectives: list[str]
    constraints: list[str]
    members: list[CandidateView]
    original: dict[str, Any] | None = None
    hypervolume: float | None = None


class Answer(Response):
    """A policy within constraints that a job did not have, and how its accuracy is known."""

    source: Literal["evaluated", "predicted"]
    n: int | None = None  #: the candidate's number, if it was evaluated
    policy: dict[str, Any]
    measurement: dict[str, Any]
    deviation: float | None = None  #: of a predicted accuracy


class Answers(Response):
    """The best under constraints: the candidate that was evaluated, and the policy that is predicted."""

    job: str
    metric: str
    constraints: list[str]
    answers: list[Answer]  #: evaluated before predicted; either may be missing
    note: str | None = None  #: why nothing is predicted


class CurvePoint(Response):
    """Best so far after so many evaluations of a search."""

    index: int
    best: float | None
    hypervolume: float | None
    seconds: float


class SearchCurve(Response):
    """The curve of one search, thinned out."""

    id: str
    algorithm: str
    baseline: bool = False
    points: list[CurvePoint]


class Curves(Response):
    """How the searches of a job have done so far. `objective` is what `best` is about."""

    objective: str
    original: dict[str, Any] | None = None
    searches: list[SearchCurve]


class PointSearch(Response):
    """A search that points refer to by its position in the list."""

    id: str
    algorithm: str
    baseline: bool = False


class ConstraintLine(Response):
    """A constraint, and its bound in the metric's own unit where that is known."""

    text: str
    metric: str
    relation: Literal["<=", ">="]
    limit: float | None = None


class Points(Response):
    """Measured candidates as points of two metrics, in columns of equal length. -1 as a search: the original."""

    total: int  #: so many there are; fewer may be shown
    n: list[int]
    x: list[float]
    y: list[float]
    search: list[int]
    feasible: list[bool]
    front: list[bool]
    searches: list[PointSearch]
    constraints: list[ConstraintLine]
    original: dict[str, Any] | None = None


class LayerFigures(Response):
    """What a layer holds and costs."""

    in_channels: int
    out_channels: int
    weight_bits: int
    activation_bits: int
    macs: int
    size_bytes: int
    latency_ms: float | None = None


class LayerView(LayerFigures):
    """A layer under a policy, beside what it was."""

    name: str
    kind: str
    removed: bool = False  #: with its block
    original: LayerFigures


class LayerTable(Response):
    """The layers of a candidate in execution order."""

    layers: list[LayerView]


class Export(Response):
    """A candidate on its way to being delivered. When it is, the candidate has its `delivery`."""

    job: str
    n: int
    state: Literal["queued", "running", "done", "failed"]
    message: str | None = None
