"""Runs one job, in a process of its own: `python -m service.worker < ERRAND`.

The errand comes over standard input and not in the environment, so that nothing this process starts (Ray, above all)
inherits the database's address. The lease is renewed here: a worker that hangs or is stopped loses it.
"""

from __future__ import annotations

import ctypes
import errno
import json
import logging
import signal
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

from sqlalchemy.orm import Session

from paretrim.compression import Compression
from paretrim.errors import JobFailed
from paretrim.problem import Budget, Constraint, Measurement, Objective
from paretrim.wire import JobRequest
from search.plan import Interrupted, JobInputs, JobPlan, LeaseLost, ModelFile, SearchPlan
from service import exports, jobs, lessons, tables, teachers
from service.artifacts import Artifacts
from service.database import Database
from service.errand import BROKEN, DONE, LOST, Errand
from service.exporter import ExportRecorder, export
from service.exports import ExportFence
from service.jobs import Fence, Fenced
from service.recorder import FLUSH_SECONDS, PATIENCE_SECONDS, SqlRecorder, candidate_of

log = logging.getLogger(__name__)

_PR_SET_PDEATHSIG = 1


def plan_of(job: tables.Job, searches: list[tables.Search]) -> JobPlan:
    """All that decides a job's answer, from its rows."""
    request = JobRequest.model_validate(job.request)
    return JobPlan(
        id=job.id,
        searches=tuple(
            SearchPlan(row.id, row.position, row.algorithm, row.options, row.seed, row.baseline) for row in searches
        ),
        objectives=tuple(Objective(metric) for metric in request.objectives),
        constraints=tuple(Constraint.parse(text) for text in request.constraints),
        budget=Budget(request.budget.candidates, request.budget.seconds),
        seed=request.seed,
        window=request.window,
        finetune_epochs=request.finetune_epochs,
        deliver=request.deliver,
        validation_samples=request.validation_samples,
        finalists=request.finalists,
        racing=request.racing,
        metric=request.metric,
        compression=Compression.from_json(request.compression),
        recovery=request.recovered(),
        batch=request.batch,
    )


class Lease:
    """Renews a lease at a third of its time, and writes late records, in a thread."""

    def __init__(self, database: Database, errand: Errand, recorder: SqlRecorder) -> None:
        self._database = database
        self._errand = errand
        self._recorder = recorder
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lease", daemon=True)

    def __enter__(self) -> Lease:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join(5.0)

    def _run(self) -> None:
        every = self._errand.lease_seconds / 3
        due = time.monotonic()  # at once: this process took its time to start
        try:
            while True:
                if time.monotonic() >= due:
                    self._renew()
                    due = time.monotonic() + every
                self._recorder.flush()
                if self._stopped.wait(min(FLUSH_SECONDS, every)):
                    return
        except (Fenced, LeaseLost):
            self._recorder.lose()
        except Exception:
            log.exception("the lease cannot be renewed")
            self._recorder.lose()

    def _renew(self) -> None:
        fence, seconds = self._errand.fence, self._errand.lease_seconds
        wanted = _export_fence(self._errand)

        def renew(session: Session) -> None:
            if wanted is None:
                jobs.renew(session, fence, lease_seconds=seconds)
            else:
                exports.renew(session, wanted, lease_seconds=seconds)

        self._database.insist(renew, patience_seconds=PATIENCE_SECONDS)


def _export_fence(errand: Errand) -> ExportFence | None:
    """Of an errand to deliver a single candidate."""
    if errand.candidate is None:
        return None
    return ExportFence(errand.job_id, errand.candidate, errand.attempt, errand.owner)


def work(errand: Errand) -> int:
    """Run the job to its end, or to where it is wanted. Returns the exit status."""
    # frozen in the middle of a transaction, it must not keep its job's row locked for longer than its lease
    database = Database(errand.database_url, pool_size=3, idle_seconds=errand.lease_seconds)
    artifacts = Artifacts(Path(errand.data_dir) / "artifacts")
    try:
        plan, inputs = _load(database, artifacts, errand.job_id)
        wanted = _export_fence(errand)
        recorder: SqlRecorder
        if wanted is None:
            recorder = SqlRecorder(database, artifacts, plan, errand.fence)
        else:
            recorder = ExportRecorder(database, artifacts, plan, wanted)
        signal.signal(signal.SIGTERM, lambda _number, _frame: recorder.leave())
        with Lease(database, errand, recorder):
            if isinstance(recorder, ExportRecorder):
                export(database, recorder, plan, inputs)
                return DONE
            return _run(database, errand, plan, inputs, recorder)
    except (LeaseLost, Fenced):
        log.warning("job %s is no longer this worker's", errand.job_id)
        return LOST
    finally:
        database.close()


def _run(database: Database, errand: Errand, plan: JobPlan, inputs: JobInputs, recorder: SqlRecorder) -> int:
    from search.run import run_job  # loads torch, which takes seconds: the lease is being renewed by now

    fence = errand.fence
    try:
        with database.read() as session:
            known, agents = lessons.taken_over(session, plan.id)
        run_job(replace(plan, known=known, teachers=agents), inputs, recorder, executor=errand.executor)
    except Interrupted:
        _settle(database, plan, recorder)
        database.insist(lambda session: jobs.stop(session, fence), patience_seconds=PATIENCE_SECONDS)
    except JobFailed as error:
        _settle(database, plan, recorder)
        code, message = error.code, str(error)
        _fail(database, fence, code, message)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        _fail(database, fence, "disk-full", "the disk is full; make room and resume the job", retryable=True)
    else:
        _settle(database, plan, recorder)
        database.insist(lambda session: jobs.succeed(session, fence), patience_seconds=PATIENCE_SECONDS)
    return DONE


def _fail(database: Database, fence: Fence, code: str, message: str, *, retryable: bool = False) -> None:
    database.insist(
        lambda session: jobs.fail(session, fence, code, message, retryable=retryable),
        patience_seconds=PATIENCE_SECONDS,
    )


def _settle(database: Database, plan: JobPlan, recorder: SqlRecorder) -> None:
    """Write what is still held back, and the front of all candidates there are."""
    from search.front import Front

    with database.read() as session:
        job = session.get_one(tables.Job, plan.id)
        original = None if job.original is None else Measurement.from_json(job.original)
        rows = session.query(tables.Candidate).filter_by(job_id=plan.id).order_by(tables.Candidate.n).all()
    if original is None:
        recorder.flush()
        return
    front = Front(plan.objectives, plan.constraints, original)
    front.add(0, original)
    front.extend((row.n, candidate_of(row)) for row in rows if row.n)
    recorder.settle_front(front.numbers, front.hypervolume, front.best)


def _load(database: Database, artifacts: Artifacts, job_id: str) -> tuple[JobPlan, JobInputs]:
    with database.read() as session:
        job = session.get_one(tables.Job, job_id)
        searches = session.query(tables.Search).filter_by(job_id=job_id).order_by(tables.Search.position).all()
        model = session.get_one(tables.Model, job.model_id)
        dataset = session.get_one(tables.Dataset, job.dataset_id)
        device = session.get_one(tables.Artifact, job.device_artifact_id)
        taught_by = teachers.rows(session, plan_of(job, searches).recovery)
    inputs = JobInputs(
        model=artifacts.read(model.sha256),
        dataset=artifacts.path(dataset.sha256),
        device=json.loads(artifacts.read(device.sha256)),
        architecture=model.architecture,
        teachers=tuple(ModelFile(artifacts.read(row.sha256), row.architecture) for row in taught_by),
    )
    return plan_of(job, searches), inputs


def main() -> int:
    """Read the errand, do it."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)  # no worker outlives its dispatcher
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the dispatcher's, who tells us
    errand = Errand(**json.loads(sys.stdin.buffer.read()))
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s")
    try:
        return work(errand)
    except Exception:
        log.exception("job %s broke its worker", errand.job_id)
        return BROKEN


if __name__ == "__main__":
    sys.exit(main())
