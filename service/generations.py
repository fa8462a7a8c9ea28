"""How good the proposals of each search were as it went on: its learning curve, whatever the algorithm."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from sqlalchemy import select
from sqlalchemy.orm import Session

from paretrim.wire_overview import Generations, SearchGenerations
from service.tables import Candidate, Job, Search

MOST_FIGURES = 4000  #: read of one search; of a longer one, every k-th


def generations(session: Session, job: Job, metric: str, columns: int) -> Generations:
    """Mean and spread of a metric over at most `columns` runs of consecutive candidates of each search."""
    searches = session.scalars(select(Search).where(Search.job_id == job.id).order_by(Search.position)).all()
    window = int(job.request["window"])
    figures = _figures(session, job, searches, metric)
    return Generations(metric=metric, searches=[_of(row, figures[row.id], window, columns) for row in searches])


def _figures(session: Session, job: Job, searches: Sequence[Search], metric: str) -> dict[str, npt.NDArray[np.float64]]:
    """(n, 2) index and figure of the candidates of each search, in order; of long ones, every k-th."""
    stride = max([1, *(-(-search.evaluated // MOST_FIGURES) for search in searches)])
    column = getattr(Candidate, metric)
    known = (Candidate.job_id == job.id, column.is_not(None), Candidate.index % stride == 0)
    rows: dict[str | None, list[tuple[int, float]]] = {search.id: [] for search in searches} | {None: []}
    for search_id, index, figure in session.execute(
        select(Candidate.search_id, Candidate.index, column).where(*known).order_by(Candidate.n)
    ):
        rows[search_id].append((index, figure))
    return {search.id: np.array(rows[search.id], dtype=np.float64).reshape(-1, 2) for search in searches}


def _of(search: Search, found: npt.NDArray[np.float64], window: int, columns: int) -> SearchGenerations:
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
