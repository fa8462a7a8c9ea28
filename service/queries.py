"""The best under constraints that a job did not have: of its candidates, and as they let predict."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from paretrim import wire
from paretrim.errors import Infeasible
from paretrim.problem import METRICS, Constraint, Measurement, Objective
from service.inspections import jailed_environment
from service.problems import Problem, conflict, unprocessable
from service.settings import Settings
from service.tables import Candidate, Job

log = logging.getLogger(__name__)

#: measured candidates that a prediction is made from, at most: the last ones and as many of the most accurate
LEARNED_FROM = 300

#: candidates below which nothing is predicted, as in `search.query`
FEWEST = 8

#: predictions made at once by one web process; each is a process of some 400 MB for a few seconds
_places = threading.BoundedSemaphore(2)


def evaluated(session: Session, job: Job, constraints: Sequence[Constraint], metric: str) -> wire.Answer | None:
    """The best candidate within the constraints, the original among them; of equals the first."""
    if job.original is None:
        raise conflict("not-prepared", f"job {job.id} has measured nothing yet; ask again when it is searching")
    original, objective = Measurement.from_json(job.original), Objective(metric)
    columns = [getattr(Candidate, name) for name in METRICS]
    rows = select(Candidate.n, *columns).where(Candidate.job_id == job.id, getattr(Candidate, metric).is_not(None))
    best: tuple[float, int] | None = None
    for n, *figures in session.execute(rows.order_by(Candidate.n), execution_options={"yield_per": 2000}):
        measurement = Measurement(**dict(zip(METRICS, figures, strict=True)))
        if all(_holds(constraint, measurement, original) for constraint in constraints):
            found = (objective.loss(measurement), n)
            best = found if best is None else min(best, found)
    if best is None:
        return None
    row = session.get_one(Candidate, (job.id, best[1]))
    return wire.Answer(source="evaluated", n=row.n, policy=row.policy, measurement=row.measurement or {})


def question(session: Session, job: Job, constraints: Sequence[Constraint]) -> dict[str, Any] | None:
    """All that a prediction is made from; None if there are too few candidates to learn from."""
    measured = select(Candidate.n, Candidate.policy, Candidate.measurement).where(
        Candidate.job_id == job.id, Candidate.accuracy.is_not(None), Candidate.n > 0
    )
    chosen: dict[int, dict[str, Any]] = {}
    for order in (Candidate.n.desc(), Candidate.accuracy.desc()):
        for n, policy, measurement in session.execute(measured.order_by(order, Candidate.n).limit(LEARNED_FROM)):
            chosen[n] = {"n": n, "policy": policy, "measurement": measurement}
    if len(chosen) < FEWEST or job.preparation is None:
        return None
    return {
        "network": job.preparation["network"],
        "device": job.preparation["device"],
        "packed_sizes": job.preparation.get("packed_sizes"),
        "original": job.original,
        "compression": job.request.get("compression", {}),
        "seed": job.request.get("seed", 0),
        "constraints": [str(constraint) for constraint in constraints],
        "candidates": [chosen[n] for n in sorted(chosen)],
    }


def predict(settings: Settings, asked: Mapping[str, Any]) -> wire.Answer | None:
    """What the job's candidates speak for. 422 if the constraints cannot be met, 503 if too many ask at once."""
    if not _places.acquire(timeout=settings.inspection_seconds):
        raise Problem(503, "busy", "too many predictions are being made; ask again", headers={"Retry-After": "5"})
    try:
        found = _run(settings, asked)
    finally:
        _places.release()
    if "infeasible" in found:
        raise Infeasible(found["infeasible"], reachable=found["reachable"])
    if "invalid" in found:
        raise unprocessable(found["field"] or "constraint", found["invalid"])
    told = found["predicted"]
    if told is None:
        return None
    figures = {name: value for name, value in told.items() if name in (*METRICS, "obtained")}
    return wire.Answer(source="predicted", policy=told["policy"], measurement=figures, deviation=told["deviation"])


def _run(settings: Settings, asked: Mapping[str, Any]) -> dict[str, Any]:
    command = [sys.executable, "-I", "-m", "service.predictor", str(settings.inspection_memory_bytes)]
    command.append(str(int(settings.inspection_seconds)))
    try:
        done = subprocess.run(
            command,
            input=json.dumps(asked).encode(),
            capture_output=True,
            timeout=settings.inspection_seconds,
            env=jailed_environment(),
            cwd="/",
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Problem(503, "too-slow", "the prediction took too long; ask when the machine is less busy") from None
    if done.returncode != 0:
        log.error("the predictor ended with %s: %s", done.returncode, done.stderr[-2000:].decode(errors="replace"))
        raise Problem(500, "prediction-failed", "no prediction could be made; the service's log says why")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _holds(constraint: Constraint, measurement: Measurement, original: Measurement) -> bool:
    """A figure that was not measured meets no constraint."""
    return getattr(measurement, constraint.base_metric) is not None and constraint.holds(measurement, original)
