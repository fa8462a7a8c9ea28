"""What Prometheus is told."""

from __future__ import annotations

import time

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from sqlalchemy import func, select

from service import dialect
from service.database import Database
from service.tables import JOB_STATES, Dataset, Job, Model

REGISTRY = CollectorRegistry()

REQUESTS = Counter("paretrim_requests", "Requests answered", ("method", "route", "status"), registry=REGISTRY)
SECONDS = Histogram(
    "paretrim_request_seconds",
    "Time until a response began",
    ("method", "route"),
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0),
    registry=REGISTRY,
)
JOBS = Gauge("paretrim_jobs", "Jobs by state", ("state",), registry=REGISTRY)
EVALUATIONS = Gauge("paretrim_evaluations", "Candidates evaluated by all jobs", registry=REGISTRY)
CPU_SECONDS = Gauge("paretrim_cpu_seconds", "CPU time of all evaluations", registry=REGISTRY)
EXPIRED = Gauge("paretrim_expired_leases", "Jobs whose worker is silent for longer than its lease", registry=REGISTRY)
INSPECTIONS = Gauge("paretrim_inspections_waiting", "Uploads that wait for their inspection", registry=REGISTRY)


def observe(method: str, route: str, status: int, began: float) -> None:
    """Count a request. `route` is the path's template, so that labels stay few."""
    REQUESTS.labels(method, route, str(status)).inc()
    SECONDS.labels(method, route).observe(time.perf_counter() - began)


def render(database: Database) -> tuple[bytes, str]:
    """The present figures and their media type."""
    with database.read() as session:
        by_state = {
            state: count for state, count in session.execute(select(Job.state, func.count()).group_by(Job.state))
        }
        for state in JOB_STATES:
            JOBS.labels(state).set(by_state.get(state, 0))
        spent = session.execute(select(func.sum(Job.evaluations), func.sum(Job.cpu_seconds))).one()
        EVALUATIONS.set(spent[0] or 0)
        CPU_SECONDS.set(spent[1] or 0)
        late = select(func.count()).select_from(Job).where(Job.lease_expires_at < dialect.clock(session))
        EXPIRED.set(session.scalar(late) or 0)
        INSPECTIONS.set(
            sum(
                session.scalar(select(func.count()).select_from(table).where(table.state == "inspecting")) or 0
                for table in (Model, Dataset)
            )
        )
    return generate_latest(REGISTRY), CONTENT_TYPE_LATEST
