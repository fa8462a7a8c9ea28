"""What a candidate costs beside its evaluation: asking, projecting, telling, recording, on either database and none.

    python benchmarks/overhead.py --candidates 240 --algorithms random,nsga2,amc

A whole job runs through `run_job` with evaluations that answer at once. The baseline keeps its records in memory, so the
difference is what the database costs. CPU time is this process's; PostgreSQL's own is not in it, its wall time is.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent.parent), str(Path(__file__).parent.parent / "sdk")]

from paretrim.problem import Policy
from search.evaluate import Evaluator, Outcome
from search.plan import JobPlan, Recorder
from search.run import run_job
from service import jobs, schema, tables
from service.app import create_app
from service.context import Service
from service.recorder import SqlRecorder
from service.worker import plan_of
from tests.postgres import Cluster
from tests.search import tiny
from tests.search.records import MemoryRecorder
from tests.service import worlds


def answer_at_once(_evaluator: Evaluator, policy: Policy, _needed: int = 0) -> Outcome:
    """An accuracy that depends on the policy alone."""
    return Outcome(accuracy=0.5 + (int.from_bytes(policy.key.encode()[-4:], "big") % 1000) / 4000)


def timed(plan: JobPlan, recorder: Recorder, folder: Path) -> tuple[float, float]:
    """Wall and CPU milliseconds a candidate."""
    wall, cpu = time.perf_counter(), time.process_time()
    run_job(plan, tiny.inputs(folder), recorder)
    count = plan.budget.candidates * len(plan.searches)
    return 1000 * (time.perf_counter() - wall) / count, 1000 * (time.process_time() - cpu) / count


@contextmanager
def sql(
    url: str,
    algorithm: str,
    candidates: int,
    folder: Path,
    *,
    window: int = 8,
    device: str = "mcu-m4",
    limit: str | None = "latency_ratio <= 0.6",
    objectives: Sequence[str] = ("accuracy", "latency_ms"),
) -> Iterator[tuple[JobPlan, SqlRecorder]]:
    """A job in a database, and its recorder."""
    schema.upgrade(url)
    app = create_app(worlds.settings(url, folder / "data"))
    service: Service = app.state.service
    client = worlds.client_of(app, service, "first")
    job = worlds.create_job(
        client,
        worlds.real_files(service),
        device=device,
        algorithms=algorithm.split(","),
        objectives=list(objectives),
        constraints=[] if limit is None else [limit],
        budget={"candidates": candidates},
        deliver=0,
        window=window,
        validation_samples=50,
        racing=0,
    )
    with service.database.write() as session:
        fence = jobs.claim(session, "w", lease_seconds=3600.0, running_per_workspace=9)
    assert fence is not None
    with service.database.read() as session:
        row = session.get_one(tables.Job, job["id"])
        searches = session.query(tables.Search).filter_by(job_id=row.id).order_by(tables.Search.position).all()
    plan = plan_of(row, searches)
    yield plan, SqlRecorder(service.database, service.artifacts, plan, fence)
    service.database.close()


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--candidates", type=int, default=240)
    parser.add_argument("--algorithms", default="random,nsga2,amc")
    arguments = parser.parse_args()
    Evaluator.evaluate = answer_at_once  # type: ignore[method-assign, assignment]
    cluster = Cluster(durable=True)
    print(f"{'algorithm':10} {'records':12} {'wall ms':>8} {'CPU ms':>8} {'CPU / memory':>13}")
    try:
        for algorithm in arguments.algorithms.split(","):
            baseline = None
            for name in ("memory", "sqlite", "postgresql"):
                with tempfile.TemporaryDirectory() as made:
                    folder = Path(made)
                    url = cluster.create(f"o_{algorithm}") if name == "postgresql" else f"sqlite:///{folder}/p.db"
                    with sql(url, algorithm, arguments.candidates, folder) as (plan, recorder):
                        wall, cpu = timed(plan, MemoryRecorder() if name == "memory" else recorder, folder)
                baseline = baseline or cpu
                print(f"{algorithm:10} {name:12} {wall:8.2f} {cpu:8.2f} {cpu / baseline:13.2f}", flush=True)
    finally:
        cluster.remove()


if __name__ == "__main__":
    main()
