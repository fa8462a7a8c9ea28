"""What crosses HTTP: request and response bodies of `/api/v1`.

Requests refuse unknown fields; responses tolerate them, so that an older client can talk to a newer server. Jobs are
here, the others in `wire_*` by subject; all can be had from here.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationInfo, field_validator

from paretrim.compression import Compression
from paretrim.errors import InvalidInput
from paretrim.problem import METRICS, Constraint
from paretrim.recovery import Data, Recovery
from paretrim.wire_accounts import (
    ApiKey,
    ApiKeyRequest,
    AuditEntry,
    Webhook,
    WebhookMessage,
    WebhookRequest,
    WebhookType,
)
from paretrim.wire_base import (
    FieldError,
    Page,
    ProblemDetails,
    Request,
    Response,
)
from paretrim.wire_files import (
    Algorithm,
    Dataset,
    Device,
    FileState,
    Kind,
    Model,
    Upload,
    UploadRequest,
)
from paretrim.wire_results import (
    Answer,
    Answers,
    CandidateView,
    ConstraintLine,
    CurvePoint,
    Curves,
    Delivery,
    Export,
    Front,
    LayerFigures,
    LayerTable,
    LayerView,
    Points,
    PointSearch,
    SearchCurve,
)

__all__ = [
    "AUTO",
    "TERMINAL_STATES",
    "Algorithm",
    "AlgorithmChoice",
    "Answer",
    "Answers",
    "ApiKey",
    "ApiKeyRequest",
    "AuditEntry",
    "BudgetRequest",
    "CandidateView",
    "ConstraintLine",
    "CurvePoint",
    "Curves",
    "Dataset",
    "Delivery",
    "Device",
    "Event",
    "Export",
    "FieldError",
    "FileState",
    "Front",
    "Job",
    "JobChange",
    "JobError",
    "JobRequest",
    "Kind",
    "LayerFigures",
    "LayerTable",
    "LayerView",
    "Model",
    "Page",
    "PointSearch",
    "Points",
    "ProblemDetails",
    "Progress",
    "Request",
    "Response",
    "Search",
    "SearchCurve",
    "State",
    "Upload",
    "UploadRequest",
    "Webhook",
    "WebhookMessage",
    "WebhookRequest",
    "WebhookType",
]

State = Literal["queued", "running", "pausing", "paused", "cancelling", "succeeded", "failed", "cancelled"]
TERMINAL_STATES: frozenset[str] = frozenset({"succeeded", "failed", "cancelled"})


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


#: for those who have no opinion
DEFAULT_ALGORITHM = "portfolio"


class JobRequest(Request):
    """A model, a dataset and a device; what is wanted; and what may be spent on it."""

    model: str
    dataset: str
    device: str
    algorithms: Annotated[list[str | AlgorithmChoice], Field(min_length=1, max_length=16)] = [DEFAULT_ALGORITHM]
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


class Event(Response):
    """Something that happened to a job. `seq` counts from 1 within the job."""

    seq: int
    type: str  #: `state`, `progress`, `candidates`, `front`, `log`, `end`
    data: dict[str, Any]
    created_at: datetime
