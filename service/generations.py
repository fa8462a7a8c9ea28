"""How good the proposals of each search were as it went on: its learning curve, whatever the algorithm."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from sqlalchemy import select
from sqlalchemy.orm import Session

from paretrim.wire_overview import Generations, SearchGenerations
from service.tables import Candidate, Job, Search


def generations(session: Session, job: Job, metric: str, columns: int) -> Generations:
    """Mean and spread of a metric over at most `columns` runs of consecutive candidates of each search."""
    searches = session.scalars(select(Search).where(Search.job_id == job.id).order_by(Search.position)).all()
    window = int(job.request["window"])
    return Generations(metric=metric, searches=[_of(session, row, metric, window, columns) for row in searches])


def _of(session: Session, search: Search, metric: str, window: int, columns: int) -> SearchGenerations:
    column = getattr(Candidate, metric)
    statement = select(Candidate.index, column).where(Candidate.search_id == search.id, column.is_not(None))
    found = np.array(session.execute(statement.order_by(Candidate.index)).all(), dtype=np.float64).reshape(-1, 2)
    spans, figures = runs(found, max(window, -(-search.evaluated // columns)))
    return SearchGenerations(
        id=search.id,
        algorithm=search.algorithm,
        baseline=search.baseline,
        spans=spans,
        mean=[_short(float(run.mean())) for run in figures],
        low=[_short(float(np.quantile(run, 0.1))) for run in figures],
        high=[_short(float(np.quantile(run, 0.9))) for run in figures],
    )


def runs(found: npt.NDArray[np.float64], window: int) -> tuple[list[tuple[int, int]], list[npt.NDArray[np.float64]]]:
    """Split (n, 2) rows of index and figure into runs of `window` indices; runs without a figure are left out."""
    if not len(found):
        return [], []
    run_of = found[:, 0].astype(np.int64) // window
    last = int(found[-1, 0])
    present = np.unique(run_of)
    spans = [(int(run) * window, min(last, (int(run) + 1) * window - 1)) for run in present]
    return spans, [found[run_of == run, 1] for run in present]


def _short(value: float) -> float:
    return float(f"{value:.6g}")
