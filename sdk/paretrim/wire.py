"""What crosses HTTP: request and response bodies of `/api/v1`.

Requests refuse unknown fields; responses tolerate them, so that an older client can talk to a newer server.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from paretrim.compression import Compression
from paretrim.errors import InvalidInput
from paretrim.problem import METRICS, Constraint
from paretrim.recovery import Data, Recovery

T = TypeVar("T")

State = Literal["queued", "running", "pausing", "paused", "cancelling", "succeeded", "failed", "cancelled"]
TERMINAL_STATES: frozenset[str] = frozenset({"succeeded", "failed", "cancelled"})
FileState = Literal["inspecting", "ready", "rejected"]
Kind = Literal["model", "dataset"]


class Request(BaseModel):
    """A body that a client sends."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Response(BaseModel):
    """A body that the server sends."""

    model_config = ConfigDict(extra="allow", frozen=True, protected_namespaces=())


class Page(Response, Generic[T]):
    """A part of a collection. No `next_cursor`: this was the end."""

    data: list[T]
    next_cursor: str | None = None
    has_more: bool = False


class FieldError(Response):
    """One thing wrong with a request."""

    pointer: str  #: the field, e.g. `budget.candidates`
    message: str  #: what is wrong and what to do


class ProblemDetails(Response):
    """RFC 9457."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    instance: str | None = None
    code: str
    request_id: str | None = None
    errors: list[FieldError] = []


class UploadRequest(Request):
    """Opens an upload. The bytes follow in parts."""

    kind: Kind
    filename: Annotated[str, Field(min_length=1, max_length=255)]
    size_bytes: Annotated[int, Field(ge=1)]
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]  #: of the whole file
    name: Annotated[str | None, Field(max_length=255)] = None  #: shown to people; the file's name if absent
    architecture: Annotated[str | None, Field(max_length=64)] = None  #: for safetensors: one of the registered ones


class Upload(Response):
    """An upload under way. `resource_id` is the model or dataset it became."""

    id: str
    kind: Kind
    filename: str
    size_bytes: int
    part_size_bytes: int
    parts_received: list[int] = []
    state: Literal["open", "completed"] = "open"
    resource_id: str | None = None
    expires_at: datetime


class Model(Response):
    """An uploaded neural network."""

    id: str
    name: str
    state: FileState
    sha256: str
    size_bytes: int
    created_at: datetime
    reason: str | None = None  #: why it was rejected
    inspection: dict[str, Any] | None = None  #: input, output, layers, groups, parameters, macs, warnings


class Dataset(Response):
    """An uploaded dataset."""

    id: str
    name: str
    state: FileState
    sha256: str
    size_bytes: int
    created_at: datetime
    reason: str | None = None
    inspection: dict[str, Any] | None = None  #: shapes and types of the splits, classes, warnings


class Device(Response):
    """A latency table or an analytic model, with its provenance."""

    name: str
    kind: Literal["table", "analytic"]
    summary: str
    weight_bits: list[int]
    activation_bits: list[int]
    provenance: dict[str, Any] = {}
    rows: int = 0  #: measured operations
    sha256: str | None = None
    created_at: datetime | None = None


class Algorithm(Response):
    """A search algorithm and its options, as JSON Schema."""

    name: str
    summary: str
    options: dict[str, Any] = {}


class AlgorithmChoice(Request):
    """An algorithm with options of its own."""

    name: Annotated[str, Field(min_length=1, max_length=64)]
    options: dict[str, Any] = {}


class BudgetRequest(Request):
    """What each search of the job may spend."""

    candidates: Annotated[int, Field(ge=1, le=1_000_000)]
    seconds: Annotated[float | None, Field(gt=0)] = None


#: as the only objective: those that the device and the model suggest
AUTO = "auto"


def _recovery(options: dict[str, Any], data: Data) -> Recovery:
    """`data` may be said at either place, but not two things."""
    said = options.get("data", data)
    if data != "full" and said != data:
        raise InvalidInput(f"the job declares data: {data}, its recovery {said}; say it once", field="recovery.data")
    return Recovery.from_json(options | {"data": said})


class JobRequest(Request):
    """A model, a dataset and a device; what is wanted; and what may be spent on it."""

    model: str
    dataset: str
    device: str
    algorithms: Annotated[list[str | AlgorithmChoice], Field(min_length=1, max_length=16)]
    objectives: Annotated[list[str], Field(min_length=1, max_length=4)] = ["accuracy", "latency_ms"]
    constraints: Annotated[list[str], Field(max_length=16)] = []
    budget: BudgetRequest
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    window: Annotated[int, Field(ge=1, le=256)] = 8  #: policies asked for at once, by each search
    finetune_epochs: Annotated[float, Field(ge=0, le=1000)] = 1.0
    deliver: Annotated[int, Field(ge=0, le=64)] = 8  #: at most so many front members are fine-tuned and exported
    validation_samples: Annotated[int | None, Field(ge=1)] = None  #: images a candidate is scored on; all, if absent
    finalists: Annotated[int, Field(ge=0, le=256)] = 0  #: tuned briefly, to choose from them what is delivered
    racing: Annotated[float, Field(ge=0, lt=1)] = 0.99  #: so sure, candidates off the front are dropped early; 0: never
    metric: Annotated[str, Field(max_length=32)] = "top1"
    compression: dict[str, Any] = {}  #: how policies are carried out, see `paretrim.compression.Compression`
    data: Data = "full"  #: what networks may learn from: nothing, inputs without labels, a few rows, all of train
    recovery: dict[str, Any] = {}  #: how networks are fine-tuned, see `paretrim.recovery.Recovery`
    batch: Annotated[int, Field(ge=1, le=1024)] = 1  #: delivered networks are timed with so many inputs too
    learn_from: Annotated[str | None, Field(max_length=64)] = None  #: an earlier job whose candidates or agents help
    name: Annotated[str | None, Field(max_length=255)] = None
    tags: Annotated[list[str], Field(max_length=32)] = []
    priority: Annotated[int, Field(ge=-100, le=100)] = 0

    advised: Annotated[str | None, Field(max_length=2000)] = None  #: why `auto` became these objectives; the server's

    @field_validator("objectives", mode="before")
    @classmethod
    def _one_word(cls, objectives: object) -> object:
        return [objectives] if objectives == AUTO else objectives

    @field_validator("objectives")
    @classmethod
    def _known_objectives(cls, objectives: list[str]) -> list[str]:
        if objectives == [AUTO]:
            return objectives
        for metric in objectives:
            if metric not in METRICS:
                raise ValueError(f"{metric!r} is not an objective; choose from {', '.join(METRICS)}")
        if len(set(objectives)) != len(objectives):
            raise ValueError("an objective is named twice")
        return objectives

    @field_validator("compression")
    @classmethod
    def _known_compression(cls, options: dict[str, Any]) -> dict[str, Any]:
        return Compression.from_json(options).to_json()

    @field_validator("recovery")
    @classmethod
    def _known_recovery(cls, options: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        return _recovery(options, info.data.get("data", "full")).to_json()

    @field_validator("constraints")
    @classmethod
    def _readable_constraints(cls, constraints: list[str]) -> list[str]:
        return [str(Constraint.parse(text)) for text in constraints]

    def recovered(self) -> Recovery:
        """`recovery` with `data` in it."""
        return _recovery(self.recovery, self.data)

    def choices(self) -> list[AlgorithmChoice]:
        """The algorithms with their options."""
        return [c if isinstance(c, AlgorithmChoice) else AlgorithmChoice(name=c) for c in self.algorithms]


class JobChange(Request):
    """What may be changed of a job: what is shown to people, its urgency, and its budget upwards."""

    name: Annotated[str | None, Field(max_length=255)] = None
    tags: Annotated[list[str] | None, Field(max_length=32)] = None
    priority: Annotated[int | None, Field(ge=-100, le=100)] = None
    candidates: Annotated[int | None, Field(ge=1, le=1_000_000)] = None  #: of each search, raised


class Progress(Response):
    """How far a job is."""

    phase: str  #: `queued`, `preparing`, `searching`, `delivering`, `done`
    completed: int = 0
    total: int = 0
    detail: str = ""  #: what it is at, for people: which candidate is being fine-tuned, and how far that is
    eta_seconds: float | None = None


class JobError(Response):
    """Why a job failed."""

    code: str
    message: str
    retryable: bool = False


class Job(Response):
    """A job as it stands."""

    id: str
    name: str | None = None
    state: State
    request: JobRequest
    progress: Progress
    best: dict[str, float] = {}  #: of the candidates that meet the constraints, the best figure for each objective
    front_size: int = 0
    hypervolume: float | None = None
    original: dict[str, Any] | None = None  #: measurement of the uncompressed model
    error: JobError | None = None
    warnings: list[str] = []
    attempt: int = 0
    cost: dict[str, float] = {}  #: cpu_seconds, wall_seconds, evaluations
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    urls: dict[str, str] = {}


class Search(Response):
    """One algorithm at work for a job."""

    id: str
    algorithm: str
    baseline: bool = False  #: added by the service, for comparison
    seed: int
    state: State
    evaluated: int = 0
    failed: int = 0
    total: int = 0
    hypervolume: float | None = None
    best: dict[str, float] = {}
    message: str | None = None


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


class Event(Response):
    """Something that happened to a job. `seq` counts from 1 within the job."""

    seq: int
    type: str  #: `state`, `progress`, `candidates`, `front`, `log`, `end`
    data: dict[str, Any]
    created_at: datetime


WebhookType = Literal["job.running", "job.paused", "job.succeeded", "job.failed", "job.cancelled"]


class WebhookRequest(Request):
    """Asks to be told what happens to jobs, at an address of one's own."""

    url: Annotated[str, Field(min_length=8, max_length=2000)]
    types: Annotated[list[WebhookType], Field(min_length=1, max_length=16)] = [
        "job.succeeded",
        "job.failed",
        "job.cancelled",
    ]


class Webhook(Response):
    """An address that is told what happens to jobs. `secret` is there once, in the answer that made it."""

    id: str
    url: str
    types: list[str]
    created_at: datetime
    disabled_reason: str | None = None
    secret: str | None = None


class WebhookMessage(Response):
    """What a webhook was, or is to be, told."""

    id: str
    type: str
    state: Literal["pending", "delivered", "failed"]
    attempts: int
    last_status: int | None = None
    last_error: str | None = None
    created_at: datetime


class AuditEntry(Response):
    """Who did what."""

    id: str
    key: str | None = None
    action: str
    subject: str
    address: str | None = None
    request_id: str | None = None
    created_at: datetime


class Export(Response):
    """A candidate on its way to being delivered. When it is, the candidate has its `delivery`."""

    job: str
    n: int
    state: Literal["queued", "running", "done", "failed"]
    message: str | None = None


class ApiKeyRequest(Request):
    """Asks for a new API key."""

    name: Annotated[str, Field(min_length=1, max_length=255)]
    scopes: list[str] = ["read", "write"]
    expires_in_seconds: Annotated[int | None, Field(ge=60)] = None


class ApiKey(Response):
    """An API key. `secret` is there once, in the answer that made it."""

    id: str
    name: str
    prefix: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime | None = None
    last_used_at: datetime | None = None
    secret: str | None = None
