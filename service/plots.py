"""What charts are drawn from: few points that show what many would."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from paretrim import wire
from paretrim.errors import InvalidInput
from paretrim.problem import Constraint, Measurement
from service.tables import Candidate, CurvePoint, Job, Search

T = TypeVar("T")


def curves(session: Session, job: Job, search_id: str | None, max_points: int) -> wire.Curves:
    """Best so far of each search of a job."""
    statement = select(Search).where(Search.job_id == job.id).order_by(Search.position)
    if search_id is not None:
        statement = statement.where(Search.id == search_id)
    return wire.Curves(
        objective=job.request["objectives"][0],
        original=job.original,
        searches=[
            wire.SearchCurve(
                id=search.id,
                algorithm=search.algorithm,
                baseline=search.baseline,
                points=_curve(session, search.id, max_points),
            )
            for search in session.scalars(statement).all()
        ],
    )


def _curve(session: Session, search_id: str, max_points: int) -> list[wire.CurvePoint]:
    figures = (CurvePoint.best, CurvePoint.hypervolume)
    own = CurvePoint.search_id == search_id
    kept = thinned(_steps(session, own, figures), max_points)
    wanted = select(CurvePoint.index, *figures, CurvePoint.seconds).where(own, CurvePoint.index.in_(kept))
    rows = session.execute(wanted.order_by(CurvePoint.index))
    return [wire.CurvePoint(index=i, best=best, hypervolume=volume, seconds=s) for i, best, volume, s in rows]


def _steps(session: Session, own: ColumnElement[bool], figures: Sequence[Any]) -> list[int]:
    """The points at which either figure changes, with the one before each, and the ends: the rest is drawn anyway.

    Both only ever get better, so that points with the same two figures are neighbours.
    """
    first, last = func.min(CurvePoint.index), func.max(CurvePoint.index)
    runs = session.execute(select(first, last).where(own).group_by(*figures))
    return sorted({int(index) for run in runs for index in run})


def thinned(rows: Sequence[T], most: int) -> list[T]:
    """At most `most` of the rows, evenly spread, with the first and the last."""
    if len(rows) <= most:
        return list(rows)
    step = (len(rows) - 1) / (most - 1)
    return [rows[round(place * step)] for place in range(most)]


def points(session: Session, job: Job, x: str, y: str, max_points: int) -> wire.Points:
    """The measured candidates of a job as points of two metrics."""
    searches = session.scalars(select(Search).where(Search.job_id == job.id).order_by(Search.position)).all()
    place = {search.id: position for position, search in enumerate(searches)}
    total, rows = _measured(session, job.id, x, y, max_points, len(searches))
    return wire.Points(
        total=total,
        n=[row.n for row in rows],
        x=[row[1] for row in rows],
        y=[row[2] for row in rows],
        search=[place.get(row.search_id, -1) for row in rows],
        feasible=[row.feasible for row in rows],
        front=[row.on_front for row in rows],
        searches=[wire.PointSearch(id=s.id, algorithm=s.algorithm, baseline=s.baseline) for s in searches],
        constraints=[_line(text, job.original) for text in job.request["constraints"]],
        original=job.original,
    )


def every(count: int, most: int, searches: int) -> int:
    """k such that every k-th of `count` candidates by number are at most `most`, taken from all searches alike.

    Searches take turns in the numbers of a job, so a k that shares a divisor with their number would pass some over.
    """
    k = max(1, -(-count // max(1, most)))
    while math.gcd(k, max(1, searches)) > 1:
        k += 1
    return k


def _measured(session: Session, job_id: str, x: str, y: str, max_points: int, searches: int) -> tuple[int, list[Any]]:
    """The front and as many of the others as there is room for: every k-th by number, so that points do not jump."""
    columns = (getattr(Candidate, x), getattr(Candidate, y))
    known = (Candidate.job_id == job_id, columns[0].is_not(None), columns[1].is_not(None))
    wanted = select(Candidate.n, *columns, Candidate.search_id, Candidate.feasible, Candidate.on_front).where(*known)
    count = func.count()
    total, front = session.execute(select(count, count.filter(Candidate.on_front.is_(True))).where(*known)).one()
    stride = every(total - front, max_points - front, searches)
    rest = wanted.where(Candidate.on_front.is_(False))
    if stride > 1:
        rest = rest.where(Candidate.n % stride == 0)
    rows = [*session.execute(wanted.where(Candidate.on_front.is_(True))), *session.execute(rest)]
    return total, sorted(rows, key=lambda row: int(row.n))


def _line(text: str, original: dict[str, Any] | None) -> wire.ConstraintLine:
    constraint = Constraint.parse(text)
    limit = None
    if original is not None:
        try:
            limit = constraint.limit(Measurement.from_json(original))
        except InvalidInput:
            limit = None  # the original has no such figure
    return wire.ConstraintLine(text=text, metric=constraint.base_metric, relation=constraint.relation, limit=limit)
