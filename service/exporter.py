"""Delivers one candidate of a job, in a worker's process, and records it under the export's own fence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from sqlalchemy import update
from sqlalchemy.orm import Session

from paretrim.errors import JobFailed
from search.plan import Interrupted, JobInputs, JobPlan, LeaseLost, Wanted
from service import exports, tables
from service.artifacts import Artifacts
from service.database import Database
from service.exports import ExportFence
from service.jobs import Fence, Fenced
from service.recorder import PATIENCE_SECONDS, SqlRecorder


class ExportRecorder(SqlRecorder):
    """Reads what a job has recorded; writes one delivery, and nothing of the job's own."""

    def __init__(self, database: Database, artifacts: Artifacts, plan: JobPlan, fence: ExportFence) -> None:
        super().__init__(database, artifacts, plan, Fence(fence.job_id, fence.attempt, fence.owner))
        self._export = fence

    @property
    def export_fence(self) -> ExportFence:
        """What it must hold."""
        return self._export

    def wanted(self) -> Wanted:
        """To go on, unless the worker is leaving. Raises LeaseLost: the job was deleted, or somebody else exports."""
        self._write(self._see, writes=False)
        return "pause" if self._leaving else "run"

    def _see(self, session: Session) -> None:
        if session.query(tables.Export).filter(*self._export.holds()).first() is None:
            raise Fenced(self._export.job_id)

    def prepared(self, *_: object) -> None:
        """The job recorded this when it began; a candidate would not be there otherwise."""
        raise JobFailed("the job's preparation was never recorded", code="not_prepared")

    def delivered_numbers(self) -> frozenset[int]:
        """None that matter: this candidate is wanted."""
        return frozenset()

    def progress(
        self, phase: str, completed: int, total: int, *, detail: str = "", eta_seconds: float | None = None
    ) -> None:
        """An export shows none."""

    def log(self, level: Literal["info", "warning", "error"], message: str) -> None:
        """The job's log is the job's."""

    def spent(self, cpu_seconds: float) -> None:
        """CPU time was used: it is added to what the job has cost."""
        mine = update(tables.Job).where(tables.Job.id == self._export.job_id)
        self._write(lambda session: session.execute(mine.values(cpu_seconds=tables.Job.cpu_seconds + cpu_seconds)))

    def flush(self) -> None:
        """Nothing is gathered."""

    def _hold(self, session: Session, *_events: tuple[str, Mapping[str, Any]], **_values: Any) -> None:
        exports.hold(session, self._export)


def export(database: Database, recorder: ExportRecorder, plan: JobPlan, inputs: JobInputs) -> None:
    """Make the candidate real and say what became of it. Raises Fenced, LeaseLost."""
    from search.single import deliver_single  # loads torch

    fence = recorder.export_fence

    def settle(change: Any, *arguments: Any) -> None:
        database.insist(lambda session: change(session, fence, *arguments), patience_seconds=PATIENCE_SECONDS)

    try:
        deliver_single(plan, inputs, recorder, fence.n)
    except Interrupted:
        settle(exports.release)
    except JobFailed as error:
        settle(exports.fail, str(error))
    except LeaseLost:
        raise
    except OSError as error:
        settle(exports.fail, f"the file could not be written: {error.strerror}")
    else:
        settle(exports.finish)
