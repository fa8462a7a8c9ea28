"""Jobs that really run: a dispatcher in a thread, and what an undisturbed run of the same job gives."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import select
from starlette.testclient import TestClient

from paretrim.problem import Measurement, Policy
from search.plan import JobInputs
from search.run import run_job
from service import jobs, tables
from service.context import Service
from service.dispatcher import WORKER, Dispatcher
from service.worker import plan_of
from tests.search import tiny
from tests.search.records import MemoryRecorder
from tests.service import worlds

DEVICE = "mcu-m4"
#: a job that is over in a few seconds and exercises learning, windows, failures and delivery
REQUEST: dict[str, Any] = {
    "device": DEVICE,
    "algorithms": ["amc"],
    "constraints": ["latency_ratio <= 0.6"],
    "budget": {"candidates": 12},
    "window": 4,
    "seed": 3,
    "finetune_epochs": 0,
    "deliver": 1,
    "validation_samples": 200,
}


def submit(client: TestClient, service: Service, **changes: Any) -> str:
    """Queue the job."""
    return str(worlds.create_job(client, worlds.real_files(service), **(REQUEST | changes))["id"])


@contextmanager
def dispatching(service: Service, worker: Sequence[str] = WORKER) -> Iterator[Dispatcher]:
    """A dispatcher at work in a thread; its workers are processes, as always."""
    dispatcher = Dispatcher(service.settings, worker=worker)
    thread = threading.Thread(target=dispatcher.run, daemon=True)
    thread.start()
    try:
        yield dispatcher
    finally:
        dispatcher.stop()
        thread.join(30.0)
        dispatcher.database.close()
        assert not thread.is_alive(), "the dispatcher does not stop"


def state_of(service: Service, job_id: str) -> str:
    """The job's state."""
    with service.database.read() as session:
        return str(session.scalar(select(tables.Job.state).where(tables.Job.id == job_id)))


def wait_until(condition: Callable[[], bool], what: str, seconds: float = 90.0) -> float:
    """How long it took until it came true."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < seconds, f"waited {seconds} s until {what}"
        time.sleep(0.02)
    return time.monotonic() - began


def wait_for_end(service: Service, job_id: str, seconds: float = 90.0) -> str:
    """The state in which the job ended."""
    wait_until(lambda: state_of(service, job_id) in jobs.ENDED, "the job ended", seconds)
    return state_of(service, job_id)


def evaluated(service: Service, job_id: str) -> int:
    """How many candidates are recorded, the original among them."""
    with service.database.read() as session:
        return len(session.scalars(select(tables.Candidate.n).where(tables.Candidate.job_id == job_id)).all())


def outcome(service: Service, job_id: str) -> dict[str, Any]:
    """All of a job's answer that does not depend on the clock, exactly as it is stored."""
    with service.database.read() as session:
        job = session.get_one(tables.Job, job_id)
        searches = session.query(tables.Search).filter_by(job_id=job_id).order_by(tables.Search.position).all()
        candidates = session.query(tables.Candidate).filter_by(job_id=job_id).order_by(tables.Candidate.n).all()
        deliveries = session.query(tables.Delivery).filter_by(job_id=job_id).order_by(tables.Delivery.n).all()
        kept = {search.position: session.get(tables.Checkpoint, search.id) for search in searches}
        hashes = {d.n: session.get_one(tables.Artifact, d.artifact_id).sha256 for d in deliveries}
        return {
            "candidates": [(c.n, c.index, c.policy, c.measurement, c.failure) for c in candidates],
            "front": [c.n for c in candidates if c.on_front],
            "hypervolume": job.hypervolume,
            "best": job.best,
            "searches": [(s.algorithm, s.state, s.evaluated, s.failed, s.best, s.hypervolume) for s in searches],
            "checkpoints": {at: (c.told, c.state, c.arrays) for at, c in kept.items() if c is not None},
            "delivered": hashes,
            "evaluations": job.evaluations,
        }


def proposed(outcome: dict[str, Any]) -> list[Any]:
    """The candidates of an `outcome` but for the original, as `undisturbed` gives them."""
    return [
        (n, index, Policy.from_json(policy), None if m is None else Measurement.from_json(m), failure)
        for n, index, policy, m, failure in outcome["candidates"][1:]
    ]


def undisturbed(service: Service, job_id: str, folder: Path) -> dict[str, Any]:
    """What the job's plan gives in one process without any database: candidates, front and delivered files."""
    with service.database.read() as session:
        job = session.get_one(tables.Job, job_id)
        searches = session.query(tables.Search).filter_by(job_id=job_id).order_by(tables.Search.position).all()
    plan = plan_of(job, searches)
    recorder = MemoryRecorder()
    run_job(plan, JobInputs(tiny.model(), tiny.dataset(folder), tiny.analytic()), recorder, executor="inline")
    candidates = [
        (plan.number(search.position, c.index), c.index, c.policy, c.measurement, c.failure)
        for search in plan.searches
        for c in recorder.recorded(search.id).candidates
    ]
    return {
        "candidates": sorted(candidates, key=lambda row: row[0]),
        "front": sorted(recorder.fronts[-1][0]),
        "models": {n: made.files["model.onnx"] for n, made in recorder.made.items()},
    }
