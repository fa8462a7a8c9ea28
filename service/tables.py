"""The schema: every table of the service. State changes of jobs are in `jobs.py`; nothing else writes `jobs.state`.

Every row belongs to a workspace, directly or through its job. Times that leases are compared with are seconds on the
database's own clock; all others are UTC timestamps.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, ClassVar

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    DateTime,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from paretrim.problem import METRICS

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


def utc_now() -> datetime:
    """The present moment. For display and ordering; leases use the database's clock."""
    return datetime.now(UTC)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware timestamp in UTC. SQLite keeps no zone, so it is taken off there and put on again."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """To the database."""
        if value is None:
            return None
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """From the database."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


Id = String(40)
Name = String(255)


class Row(DeclarativeBase):
    """A row of some table."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: UtcDateTime,
        dict[str, Any]: JSON(none_as_null=True),
        list[Any]: JSON,
        list[str]: JSON,
        bytes: LargeBinary,
        str: Text,
        float: Double,
    }


class Workspace(Row):
    """A tenant. Nothing of one workspace is ever shown to another."""

    __tablename__ = "workspaces"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(Name, unique=True)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class ApiKey(Row):
    """A key that opens one workspace. The secret itself is not kept, only its SHA-256."""

    __tablename__ = "api_keys"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    workspace_id: Mapped[str] = mapped_column(Id, ForeignKey("workspaces.id"), index=True)
    name: Mapped[str] = mapped_column(Name)
    prefix: Mapped[str] = mapped_column(String(16), unique=True)  #: public part, by which the row is found
    secret_sha256: Mapped[str] = mapped_column(String(64))
    scopes: Mapped[list[str]]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]


class Upload(Row):
    """A file on its way in. Its parts lie in `data_dir/uploads/<id>` until it is complete."""

    __tablename__ = "uploads"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    workspace_id: Mapped[str] = mapped_column(Id, ForeignKey("workspaces.id"), index=True)
    kind: Mapped[str] = mapped_column(String(16))
    filename: Mapped[str] = mapped_column(Name)  #: data only: never part of a path
    name: Mapped[str] = mapped_column(Name)
    architecture: Mapped[str | None] = mapped_column(String(64))
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64))
    part_size_bytes: Mapped[int] = mapped_column(Integer)
    state: Mapped[str] = mapped_column(String(16), default="open")
    resource_id: Mapped[str | None] = mapped_column(Id)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    expires_at: Mapped[datetime]


class UploadPart(Row):
    """A part that has arrived whole."""

    __tablename__ = "upload_parts"

    upload_id: Mapped[str] = mapped_column(Id, ForeignKey("uploads.id", ondelete="CASCADE"), primary_key=True)
    n: Mapped[int] = mapped_column(Integer, primary_key=True)
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64))


class Artifact(Row):
    """Bytes that belong to a workspace. The file is addressed by its SHA-256 and may serve several rows."""

    __tablename__ = "artifacts"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    workspace_id: Mapped[str] = mapped_column(Id, ForeignKey("workspaces.id"), index=True)
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    filename: Mapped[str] = mapped_column(Name)
    media_type: Mapped[str] = mapped_column(String(64), default="application/octet-stream")
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class InspectedFile:
    """What models and datasets have alike: a file that is looked at in a jailed process before it may be used."""

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    workspace_id: Mapped[str] = mapped_column(Id, ForeignKey("workspaces.id"))
    artifact_id: Mapped[str | None] = mapped_column(Id, ForeignKey("artifacts.id"))  #: None: rejected, bytes deleted
    name: Mapped[str] = mapped_column(Name)
    state: Mapped[str] = mapped_column(String(16), default="inspecting")
    sha256: Mapped[str] = mapped_column(String(64))
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    reason: Mapped[str | None]
    inspection: Mapped[dict[str, Any] | None]
    owner: Mapped[str | None] = mapped_column(String(64))  #: who is inspecting it now
    lease_expires_at: Mapped[float | None]
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class Model(InspectedFile, Row):
    """An uploaded neural network."""

    __tablename__ = "models"
    __table_args__ = (
        CheckConstraint("state IN ('inspecting', 'ready', 'rejected')", name="state"),
        Index("ix_models_workspace_id_id", "workspace_id", "id"),
    )

    architecture: Mapped[str | None] = mapped_column(String(64))


class Dataset(InspectedFile, Row):
    """An uploaded dataset."""

    __tablename__ = "datasets"
    __table_args__ = (
        CheckConstraint("state IN ('inspecting', 'ready', 'rejected')", name="state"),
        Index("ix_datasets_workspace_id_id", "workspace_id", "id"),
    )


class Device(Row):
    """A device document that was uploaded. The analytic devices that ship with paretrim have no row."""

    __tablename__ = "devices"
    __table_args__ = (UniqueConstraint("workspace_id", "name"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    workspace_id: Mapped[str] = mapped_column(Id, ForeignKey("workspaces.id"))
    name: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(16))
    summary: Mapped[str]
    weight_bits: Mapped[list[Any]]
    activation_bits: Mapped[list[Any]]
    provenance: Mapped[dict[str, Any]]
    rows: Mapped[int] = mapped_column(Integer)
    artifact_id: Mapped[str] = mapped_column(Id, ForeignKey("artifacts.id"))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


JOB_STATES = ("queued", "running", "pausing", "paused", "cancelling", "succeeded", "failed", "cancelled")
_STATES_SQL = "state IN (" + ", ".join(f"'{state}'" for state in JOB_STATES) + ")"


class Job(Row):
    """What a user submitted, and how it stands."""

    __tablename__ = "jobs"
    __table_args__ = (
        CheckConstraint(_STATES_SQL, name="state"),
        # this prevents a job that nobody works on from looking as if somebody did, and the reverse
        CheckConstraint(
            "(state IN ('running', 'pausing', 'cancelling')) = (owner IS NOT NULL AND lease_expires_at IS NOT NULL)",
            name="worker",
        ),
        Index("ix_jobs_workspace_id_id", "workspace_id", "id"),
        Index("ix_jobs_state_priority_id", "state", "priority", "id"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    workspace_id: Mapped[str] = mapped_column(Id, ForeignKey("workspaces.id"))
    key_id: Mapped[str | None] = mapped_column(Id, ForeignKey("api_keys.id"))  #: with which it was submitted
    name: Mapped[str | None] = mapped_column(Name)
    state: Mapped[str] = mapped_column(String(16), default="queued")
    request: Mapped[dict[str, Any]]
    tags: Mapped[list[str]]
    priority: Mapped[int] = mapped_column(Integer, default=0)
    model_id: Mapped[str] = mapped_column(Id, ForeignKey("models.id"), index=True)
    dataset_id: Mapped[str] = mapped_column(Id, ForeignKey("datasets.id"), index=True)
    device_name: Mapped[str] = mapped_column(String(64))
    #: the document as it was when the job was submitted: the device may be replaced meanwhile
    device_artifact_id: Mapped[str] = mapped_column(Id, ForeignKey("artifacts.id"))
    cloned_from: Mapped[str | None] = mapped_column(Id)
    # how far it is
    phase: Mapped[str] = mapped_column(String(16), default="queued")
    completed: Mapped[int] = mapped_column(Integer, default=0)
    total: Mapped[int] = mapped_column(Integer, default=0)
    detail: Mapped[str] = mapped_column(default="", server_default="")  #: what it is at, for people
    eta_seconds: Mapped[float | None]  #: of the phase, as last reckoned by the worker
    best: Mapped[dict[str, Any]] = mapped_column(default=dict)
    front_size: Mapped[int] = mapped_column(Integer, default=0)
    hypervolume: Mapped[float | None]
    original: Mapped[dict[str, Any] | None]
    preparation: Mapped[dict[str, Any] | None] = mapped_column(deferred=True)  #: large: the table used, the network
    warnings: Mapped[list[str]] = mapped_column(default=list)
    error_code: Mapped[str | None] = mapped_column(String(64))
    error_message: Mapped[str | None]
    error_retryable: Mapped[bool] = mapped_column(Boolean, default=False)
    # who works on it: (attempt, owner) fences every write of a worker
    attempt: Mapped[int] = mapped_column(Integer, default=0)  #: rises with every claim
    losses: Mapped[int] = mapped_column(Integer, default=0)  #: how often a worker was lost
    owner: Mapped[str | None] = mapped_column(String(64))
    lease_expires_at: Mapped[float | None]
    claimed_at: Mapped[float | None]  #: on the database's clock
    last_seq: Mapped[int] = mapped_column(Integer, default=0)  #: of its events; raised under the row's lock
    # what it cost
    cpu_seconds: Mapped[float] = mapped_column(default=0.0)
    wall_seconds: Mapped[float] = mapped_column(default=0.0)
    evaluations: Mapped[int] = mapped_column(Integer, default=0)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class Search(Row):
    """One algorithm at work for a job."""

    __tablename__ = "searches"
    __table_args__ = (CheckConstraint(_STATES_SQL, name="state"), UniqueConstraint("job_id", "position"))

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    job_id: Mapped[str] = mapped_column(Id, ForeignKey("jobs.id", ondelete="CASCADE"))
    position: Mapped[int] = mapped_column(Integer)
    algorithm: Mapped[str] = mapped_column(String(64))
    options: Mapped[dict[str, Any]]
    seed: Mapped[int] = mapped_column(BigInteger)
    baseline: Mapped[bool] = mapped_column(Boolean)
    state: Mapped[str] = mapped_column(String(16), default="queued")
    evaluated: Mapped[int] = mapped_column(Integer, default=0)
    failed: Mapped[int] = mapped_column(Integer, default=0)
    total: Mapped[int] = mapped_column(Integer)
    hypervolume: Mapped[float | None]
    best: Mapped[float | None]  #: of the job's first objective
    seconds: Mapped[float] = mapped_column(default=0.0)
    message: Mapped[str | None]


class Candidate(Row):
    """A policy that was proposed and what came of it. Once by (search, index), and once by number within the job."""

    __tablename__ = "candidates"
    __table_args__ = (
        UniqueConstraint("search_id", "index"),
        Index("ix_candidates_job_id_on_front", "job_id", "on_front"),
        # all that charts, filters and orders look at: of 100,000 candidates none is read but those that are shown
        Index("ix_candidates_figures", "job_id", "n", "search_id", "index", "feasible", "on_front", *METRICS),
        CheckConstraint("(measurement IS NULL) <> (failure IS NULL)", name="outcome"),
    )

    job_id: Mapped[str] = mapped_column(Id, ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    n: Mapped[int] = mapped_column(Integer, primary_key=True)
    search_id: Mapped[str | None] = mapped_column(Id, ForeignKey("searches.id", ondelete="CASCADE"))
    index: Mapped[int] = mapped_column(Integer)
    policy: Mapped[dict[str, Any]]
    measurement: Mapped[dict[str, Any] | None]
    failure: Mapped[str | None]
    feasible: Mapped[bool] = mapped_column(Boolean)
    on_front: Mapped[bool] = mapped_column(Boolean, default=False)
    # the figures again, to order by
    accuracy: Mapped[float | None]
    latency_ms: Mapped[float | None]
    size_bytes: Mapped[float | None]
    macs: Mapped[float | None]
    bops: Mapped[float | None]
    peak_memory_bytes: Mapped[float | None]
    energy_mj: Mapped[float | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class Checkpoint(Row):
    """The latest state of a search's algorithm. Written in the transaction that records what it was told."""

    __tablename__ = "checkpoints"

    search_id: Mapped[str] = mapped_column(Id, ForeignKey("searches.id", ondelete="CASCADE"), primary_key=True)
    told: Mapped[int] = mapped_column(Integer)
    state: Mapped[dict[str, Any]]
    arrays: Mapped[bytes]  #: safetensors


class CurvePoint(Row):
    """Best so far after a candidate was told."""

    __tablename__ = "curve"

    search_id: Mapped[str] = mapped_column(Id, ForeignKey("searches.id", ondelete="CASCADE"), primary_key=True)
    index: Mapped[int] = mapped_column(Integer, primary_key=True)
    best: Mapped[float | None]
    hypervolume: Mapped[float]
    seconds: Mapped[float]


class Event(Row):
    """Something that happened to a job. `seq` is given out under the job row's lock, so no reader skips one."""

    __tablename__ = "events"

    job_id: Mapped[str] = mapped_column(Id, ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    seq: Mapped[int] = mapped_column(Integer, primary_key=True)
    type: Mapped[str] = mapped_column(String(16))
    data: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class Delivery(Row):
    """A candidate made real: fine-tuned, exported, measured again."""

    __tablename__ = "deliveries"

    job_id: Mapped[str] = mapped_column(Id, ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    n: Mapped[int] = mapped_column(Integer, primary_key=True)
    measurement: Mapped[dict[str, Any]]
    original: Mapped[dict[str, Any]]
    artifact_id: Mapped[str] = mapped_column(Id, ForeignKey("artifacts.id"))  #: of the network
    files: Mapped[dict[str, Any]]  #: ids of artifacts, by file name
    precision: Mapped[str] = mapped_column(String(16))
    report: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class Training(Row):
    """Where the training of a candidate is that is being delivered. Gone once it is."""

    __tablename__ = "trainings"

    job_id: Mapped[str] = mapped_column(Id, ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    n: Mapped[int] = mapped_column(Integer, primary_key=True)
    part: Mapped[str] = mapped_column(String(32), primary_key=True)  #: `fine-tuning`, `scratch control`
    artifact_id: Mapped[str] = mapped_column(Id, ForeignKey("artifacts.id"))  #: of the state, safetensors
    updated_at: Mapped[datetime] = mapped_column(default=utc_now)


class Spent(Row):
    """What a job that was deleted had taken: it counts against quotas as long as the job would have."""

    __tablename__ = "spent"
    __table_args__ = (Index("ix_spent_workspace_id_created_at", "workspace_id", "created_at"),)

    job_id: Mapped[str] = mapped_column(Id, primary_key=True)  #: no reference: the job is gone
    workspace_id: Mapped[str] = mapped_column(Id, ForeignKey("workspaces.id"))
    key_id: Mapped[str | None] = mapped_column(Id)  #: as the job's, and no reference either
    cpu_seconds: Mapped[float]
    created_at: Mapped[datetime]  #: of the job


class IdempotencyKey(Row):
    """A create that was done. Made in the transaction that made the resource, so both are there or neither."""

    __tablename__ = "idempotency_keys"

    workspace_id: Mapped[str] = mapped_column(Id, ForeignKey("workspaces.id"), primary_key=True)
    key: Mapped[str] = mapped_column(Name, primary_key=True)
    request_sha256: Mapped[str] = mapped_column(String(64))
    resource_id: Mapped[str] = mapped_column(Id)
    created_at: Mapped[datetime] = mapped_column(default=utc_now, index=True)


class Export(Row):
    """A candidate that somebody wants delivered although it was not chosen. Done when its delivery is there."""

    __tablename__ = "exports"
    __table_args__ = (CheckConstraint("state IN ('queued', 'running', 'done', 'failed')", name="state"),)

    job_id: Mapped[str] = mapped_column(Id, ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    n: Mapped[int] = mapped_column(Integer, primary_key=True)
    state: Mapped[str] = mapped_column(String(16), default="queued")
    message: Mapped[str | None]
    attempt: Mapped[int] = mapped_column(Integer, default=0)
    owner: Mapped[str | None] = mapped_column(String(64))
    lease_expires_at: Mapped[float | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class Webhook(Row):
    """An address that is told what happens to jobs."""

    __tablename__ = "webhooks"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    workspace_id: Mapped[str] = mapped_column(Id, ForeignKey("workspaces.id"), index=True)
    url: Mapped[str]
    types: Mapped[list[str]]
    secret: Mapped[str]  #: signs what is sent, so it has to be kept as it is
    old_secret: Mapped[str | None]  #: signs too, until the next rotation, so that receivers can change over
    disabled_reason: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class Message(Row):
    """Something a webhook is to be told. Made in the transaction that changed the job's state."""

    __tablename__ = "messages"
    __table_args__ = (
        CheckConstraint("state IN ('pending', 'delivered', 'failed')", name="state"),
        Index("ix_messages_state_due_at", "state", "due_at"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    webhook_id: Mapped[str] = mapped_column(Id, ForeignKey("webhooks.id", ondelete="CASCADE"), index=True)
    type: Mapped[str] = mapped_column(String(32))
    payload: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(String(16), default="pending")
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    due_at: Mapped[float]  #: on the database's clock; whoever sends it moves it on first
    last_status: Mapped[int | None] = mapped_column(Integer)
    last_error: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class AuditEntry(Row):
    """Who did what that cannot be undone, or that opens or closes a door."""

    __tablename__ = "audit"
    __table_args__ = (Index("ix_audit_workspace_id_id", "workspace_id", "id"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    workspace_id: Mapped[str] = mapped_column(Id, ForeignKey("workspaces.id"))
    key_id: Mapped[str | None] = mapped_column(Id)  #: no reference: the entry outlives the key
    action: Mapped[str] = mapped_column(String(64))
    subject: Mapped[str] = mapped_column(String(128))
    address: Mapped[str | None] = mapped_column(String(64))
    request_id: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
