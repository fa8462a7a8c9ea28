"""Keeps a job's records in SQL, for the worker that holds its lease. Implements `search.plan.Recorder`.

A window of candidates, its part of the curve and the algorithm's checkpoint are one transaction. What may come a little
late - progress, the front, log lines, CPU time - is gathered and written with the next window, or by a thread. Every
transaction begins by locking the job's row under (attempt, owner): a worker that has lost its lease writes nothing.
Every transaction can be repeated: when a connection breaks it is not known whether the commit happened.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypeVar, cast

from sqlalchemy import Table, select, update
from sqlalchemy.orm import Session

from paretrim.problem import METRICS, UNCHANGED, Candidate, Measurement, Policy
from search.plan import (
    Checkpoint,
    CurveStep,
    Delivered,
    JobPlan,
    LeaseLost,
    Recorded,
    SearchEnd,
    SearchPlan,
    Wanted,
)
from service import dialect, jobs, tables, trainings
from service.artifacts import Artifacts
from service.database import Database
from service.ids import new_id
from service.jobs import Fence, Fenced
from service.tables import Job, utc_now

T = TypeVar("T")

PATIENCE_SECONDS = 300.0  #: how long the database may be away before a worker gives up
LOOK_SECONDS = 0.25  #: how often it is asked what is wanted of the job
FLUSH_SECONDS = 0.5

_WANTED: Mapping[str, Wanted] = {"running": "run", "pausing": "pause", "cancelling": "cancel"}


class SqlRecorder:
    """The records of one job, for one attempt."""

    def __init__(self, database: Database, artifacts: Artifacts, plan: JobPlan, fence: Fence) -> None:
        self._database = database
        self._artifacts = artifacts
        self._plan = plan
        self._fence = fence
        self._lock = threading.RLock()  # the flushing thread and the job's own
        self._events: list[tuple[str, Mapping[str, Any]]] = []
        self._values: dict[str, Any] = {}
        self._front: tuple[int, ...] | None = None
        self._lost = False
        self._leaving = False
        self._state = "running"
        self._looked = -LOOK_SECONDS
        self._failed: dict[str, int] = {}  # by search: candidates that could not be measured
        with database.read() as session:
            job = session.get_one(Job, fence.job_id)
            self._workspace_id = job.workspace_id
            self._original = None if job.original is None else Measurement.from_json(job.original)
            # only the holder of the lease changes these, so absolute values can be written again
            self._cpu_seconds, self._evaluations = job.cpu_seconds, job.evaluations

    def leave(self) -> None:
        """From now on say that the job shall stop: the worker is shutting down."""
        self._leaving = True

    def lose(self) -> None:
        """The lease is known to be lost: write nothing more."""
        self._lost = True

    def wanted(self) -> Wanted:
        """What the user wants of the job now. Raises LeaseLost."""
        now = time.monotonic()
        if now - self._looked >= LOOK_SECONDS:
            self._looked = now
            self._write(lambda session: self._see(session), writes=False)
        wanted = _WANTED[self._state]
        return "pause" if self._leaving and wanted == "run" else wanted

    def _see(self, session: Session) -> None:
        state = session.scalar(select(Job.state).where(*self._fence.holds()))
        if state is None:
            raise Fenced(self._fence.job_id)
        self._state = state

    def recorded(self, search_id: str) -> Recorded:
        """What is known of a search from before."""
        with self._database.read() as session:
            search = session.get_one(tables.Search, search_id)
            rows = session.scalars(
                select(tables.Candidate).where(tables.Candidate.search_id == search_id).order_by(tables.Candidate.index)
            ).all()
            kept = session.get(tables.Checkpoint, search_id)
            self._failed[search_id] = sum(row.failure is not None for row in rows)
            end = cast(SearchEnd, search.state) if search.state in ("succeeded", "failed") else None
            return Recorded(
                candidates=tuple(candidate_of(row) for row in rows),
                checkpoint=None if kept is None else Checkpoint(kept.told, kept.state, kept.arrays),
                end=end,
                seconds=search.seconds,
            )

    def preparation(self) -> Mapping[str, Any] | None:
        """What `prepared` was given on an earlier attempt."""
        with self._database.read() as session:
            return session.scalar(select(Job.preparation).where(Job.id == self._fence.job_id))

    def prepared(self, original: Measurement, preparation: Mapping[str, Any], warnings: Sequence[str]) -> None:
        """The original model was measured: it is candidate 0."""
        self._original = original
        row = self._row(0, None, Candidate(0, UNCHANGED, original))

        def write(session: Session) -> None:
            self._hold(session, original=original.to_json(), preparation=dict(preparation), warnings=list(warnings))
            dialect.insert_if_absent(session, _table(tables.Candidate), row)

        for warning in warnings:
            self.log("warning", warning)
        self._write(write)

    def record(
        self, search: SearchPlan, candidates: Sequence[Candidate], curve: Sequence[CurveStep], checkpoint: Checkpoint
    ) -> None:
        """A window of candidates was told."""
        rows = [self._row(self._plan.number(search.position, c.index), search.id, c) for c in candidates]
        steps = [
            {"search_id": search.id, "index": s.index, "best": s.best, "hypervolume": s.hypervolume}
            | {"seconds": s.seconds}
            for s in curve
        ]
        kept = {"search_id": search.id, "told": checkpoint.told, "state": dict(checkpoint.state)}
        kept |= {"arrays": checkpoint.arrays}
        evaluations = self._evaluations + len(candidates)
        failed = self._failed.get(search.id, 0) + sum(c.failure is not None for c in candidates)
        values: dict[str, Any] = {"evaluated": checkpoint.told, "failed": failed}
        if curve:
            values |= {"hypervolume": curve[-1].hypervolume, "best": curve[-1].best, "seconds": curve[-1].seconds}
        told = ("candidates", _told(search, candidates, [row["n"] for row in rows], checkpoint))

        def write(session: Session) -> None:
            done = session.scalar(select(tables.Checkpoint.told).where(tables.Checkpoint.search_id == search.id))
            repeated = done is not None and done >= checkpoint.told
            # a job that gets on is not given up, however often its worker is lost
            self._hold(session, *([] if repeated else [told]), evaluations=evaluations, losses=0)
            dialect.upsert(session, _table(tables.Candidate), rows, ("job_id", "n"))
            dialect.upsert(session, _table(tables.CurvePoint), steps, ("search_id", "index"))
            dialect.upsert(session, _table(tables.Checkpoint), [kept], ("search_id",))
            session.execute(update(tables.Search).where(tables.Search.id == search.id).values(**values))

        self._write(write)
        self._evaluations, self._failed[search.id] = evaluations, values["failed"]

    def front(self, numbers: Sequence[int], hypervolume: float, best: Mapping[str, float]) -> None:
        """The job's front changed."""
        with self._lock:
            self._front = tuple(numbers)
            self._values |= {"front_size": len(numbers), "hypervolume": hypervolume, "best": dict(best)}
            self._events = [event for event in self._events if event[0] != "front"]
            self._events.append(("front", {"size": len(numbers), "hypervolume": hypervolume, "best": dict(best)}))

    def search_ended(self, search: SearchPlan, end: SearchEnd, message: str | None) -> None:
        """A search has spent its budget, has nothing left to propose, or failed."""
        level = "error" if end == "failed" else "info"
        data = {"level": level, "message": f"{search.algorithm} {end}" + (f": {message}" if message else "")}
        data |= {"search": search.id, "state": end}

        def write(session: Session) -> None:
            self._hold(session, ("log", data))
            session.execute(
                update(tables.Search).where(tables.Search.id == search.id).values(state=end, message=message)
            )

        self._write(write)

    def delivered_numbers(self) -> frozenset[int]:
        """The candidates that `delivered` was told of before."""
        with self._database.read() as session:
            rows = session.scalars(select(tables.Delivery.n).where(tables.Delivery.job_id == self._fence.job_id))
            return frozenset(rows)

    def delivered(self, delivered: Delivered) -> None:
        """A front member was made real. Its files are on disk before the row that tells of them."""
        files = {name: (self._artifacts.put_bytes(content), len(content)) for name, content in delivered.files.items()}

        def write(session: Session) -> None:
            self._hold(session, ("front", {"delivered": delivered.n}))
            trainings.forget(session, self._fence.job_id, delivered.n)
            if session.get(tables.Delivery, (self._fence.job_id, delivered.n)) is None:
                self._add_delivery(session, delivered, files)

        self._write(write)

    def _add_delivery(self, session: Session, delivered: Delivered, files: Mapping[str, tuple[str, int]]) -> None:
        ids = {}
        for name, (sha256, size_bytes) in files.items():
            ids[name] = new_id("artifact")
            session.add(
                tables.Artifact(
                    id=ids[name],
                    workspace_id=self._workspace_id,
                    sha256=sha256,
                    size_bytes=size_bytes,
                    filename=f"candidate-{delivered.n}{'.onnx' if name == 'model.onnx' else '-' + name}",
                )
            )
        session.flush()
        session.add(
            tables.Delivery(
                job_id=self._fence.job_id,
                n=delivered.n,
                measurement=delivered.measurement.to_json(),
                original=delivered.original.to_json(),
                artifact_id=ids["model.onnx"],
                files=ids,
                precision=delivered.precision,
                report=dict(delivered.report),
            )
        )

    def training(self, n: int, part: str) -> bytes | None:
        """Where a candidate's training was when it was interrupted."""
        with self._database.read() as session:
            row = session.get(tables.Training, (self._fence.job_id, n, part))
            sha256 = None if row is None else session.get_one(tables.Artifact, row.artifact_id).sha256
        return None if sha256 is None else self._artifacts.read(sha256)

    def trained(self, n: int, part: str, state: bytes) -> None:
        """An epoch of a candidate's training is over. The state is on disk before the row that tells of it."""
        sha256 = self._artifacts.put_bytes(state)

        def write(session: Session) -> None:
            self._hold(session, losses=0)  # a job that gets on is not given up
            trainings.keep(session, self._fence.job_id, self._workspace_id, n, part, sha256, len(state))

        self._write(write)

    def progress(
        self, phase: str, completed: int, total: int, *, detail: str = "", eta_seconds: float | None = None
    ) -> None:
        """How far the job is."""
        eta_seconds = None if eta_seconds is None else round(eta_seconds, 1)
        values = {"phase": phase, "completed": completed, "total": total}
        more = {"detail": detail, "eta_seconds": eta_seconds}
        told = values | {name: value for name, value in more.items() if value}
        with self._lock:
            self._values |= values | more
            self._events = [event for event in self._events if event[0] != "progress"]
            self._events.append(("progress", told))

    def log(self, level: Literal["info", "warning", "error"], message: str) -> None:
        """Something a person may want to read."""
        with self._lock:
            self._events.append(("log", {"level": level, "message": message[:4000]}))

    def spent(self, cpu_seconds: float) -> None:
        """CPU time was used on evaluations."""
        with self._lock:
            self._cpu_seconds += cpu_seconds
            self._values["cpu_seconds"] = self._cpu_seconds

    def flush(self) -> None:
        """Write what was gathered. Raises LeaseLost."""
        with self._lock:
            if self._events or self._values or self._front is not None:
                self._write(self._hold)

    def settle_front(self, numbers: Sequence[int], hypervolume: float, best: Mapping[str, float]) -> None:
        """Before the job ends: the front of all that was recorded, should a crash have come before it was written."""
        self.front(numbers, hypervolume, best)
        self.flush()

    def _hold(self, session: Session, *events: tuple[str, Mapping[str, Any]], **values: Any) -> None:
        """Begin a transaction: lock the job, write what was gathered."""
        self._state = jobs.hold(session, self._fence, (*self._events, *events), **{**self._values, **values})
        if self._front is not None:
            mark_front(session, self._fence.job_id, self._front)

    def _write(self, work: Callable[[Session], T], *, writes: bool = True) -> T:
        """Do it in a transaction, again while the database is away. Raises LeaseLost."""
        with self._lock:
            if self._lost:
                raise LeaseLost(self._fence.job_id)
            try:
                result = self._database.insist(work, patience_seconds=PATIENCE_SECONDS, writes=writes)
            except Fenced as error:
                self._lost = True
                raise LeaseLost(str(error)) from None
            if writes:
                self._events, self._values, self._front = [], {}, None
            return result

    def _row(self, n: int, search_id: str | None, candidate: Candidate) -> dict[str, Any]:
        measurement = candidate.measurement
        figures = {metric: None if measurement is None else getattr(measurement, metric) for metric in METRICS}
        return figures | {
            "job_id": self._fence.job_id,
            "n": n,
            "search_id": search_id,
            "index": candidate.index,
            "policy": candidate.policy.to_json(),
            "measurement": None if measurement is None else measurement.to_json(),
            "failure": candidate.failure,
            "feasible": measurement is not None and self._is_feasible(measurement),
            "on_front": False,
            "created_at": utc_now(),
        }

    def _is_feasible(self, measurement: Measurement) -> bool:
        original = self._original
        assert original is not None, "candidates come after the original was measured"
        return all(constraint.holds(measurement, original) for constraint in self._plan.constraints)


def candidate_of(row: tables.Candidate) -> Candidate:
    """A row as the word it stands for, exactly as it was recorded."""
    measurement = None if row.measurement is None else Measurement.from_json(row.measurement)
    return Candidate(row.index, Policy.from_json(row.policy), measurement, row.failure)


def mark_front(session: Session, job_id: str, numbers: Sequence[int]) -> None:
    """Make exactly these candidates of a job members of its front."""
    candidate = tables.Candidate
    members = set(numbers)
    before = set(session.scalars(select(candidate.n).where(candidate.job_id == job_id, candidate.on_front.is_(True))))
    for joined, changed in ((True, members - before), (False, before - members)):
        for some in _batches(sorted(changed)):
            session.execute(
                update(candidate).where(candidate.job_id == job_id, candidate.n.in_(some)).values(on_front=joined)
            )


def _batches(numbers: Sequence[int], size: int = 500) -> list[Sequence[int]]:
    return [numbers[start : start + size] for start in range(0, len(numbers), size)]


def _told(
    search: SearchPlan, candidates: Sequence[Candidate], numbers: Sequence[int], checkpoint: Checkpoint
) -> dict[str, Any]:
    return {
        "search": search.id,
        "algorithm": search.algorithm,
        "numbers": list(numbers),
        "failed": sum(candidate.failure is not None for candidate in candidates),
        "told": checkpoint.told,
        "gauges": dict(checkpoint.gauges),
    }


def _table(row: type[tables.Row]) -> Table:
    return cast(Table, row.__table__)
