"""What a job found: its searches, candidates, front and curves."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Response
from fastapi.responses import StreamingResponse
from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from paretrim import wire
from paretrim.errors import InvalidInput
from paretrim.problem import METRICS, Constraint
from service import exports, idempotency, layers, plots, problems, queries, quotas, tables, views
from service.context import IdempotencyHeader, Reader, ReadSession, ServiceDep, Writer, owned_job
from service.pages import DEFAULT_LIMIT, MOST_PAGE_BYTES, CursorQuery, Key, LimitQuery, Statement, ordering, page
from service.tables import Candidate, Delivery, Job, Search

router = APIRouter(tags=["results"])

CandidateNumber = Annotated[int, Path(ge=0, le=2**31 - 1)]
CandidateOrder = Annotated[
    str,
    Query(
        pattern=rf"^-?(n|{'|'.join(METRICS)})$",
        description="A metric or `n`; `-` before it for descending. Candidates without the figure come last.",
    ),
]


@router.get("/jobs/{job_id}/searches")
def list_searches(job_id: str, session: ReadSession, principal: Reader) -> wire.Page[wire.Search]:
    """The searches of a job: the algorithms asked for, then the baselines."""
    job = owned_job(session, principal, job_id)
    rows = session.scalars(select(Search).where(Search.job_id == job.id).order_by(Search.position))
    return wire.Page[wire.Search](data=[views.search(row, job.request["objectives"][0]) for row in rows])


class CandidateFilter:
    """Which candidates are wanted."""

    def __init__(
        self,
        search: Annotated[str | None, Query(max_length=40, description="Of this search only.")] = None,
        on_front: bool | None = None,
        feasible: Annotated[bool | None, Query(description="Within all constraints, or not.")] = None,
        failed: bool | None = None,
        where: Annotated[
            str | None, Query(max_length=500, description="Such as `latency_ms <= 2, accuracy >= 0.9`.")
        ] = None,
    ) -> None:
        self.search = search
        self.on_front = on_front
        self.feasible = feasible
        self.failed = failed
        self.where = where

    def query(self) -> dict[str, Any]:
        """What a cursor is bound to."""
        return dict(vars(self))

    def apply(self, statement: Statement) -> Statement:
        """The statement with the conditions. 422 for a condition that cannot be read."""
        if self.search is not None:
            statement = statement.where(Candidate.search_id == self.search)
        if self.on_front is not None:
            statement = statement.where(Candidate.on_front.is_(self.on_front))
        if self.feasible is not None:
            statement = statement.where(Candidate.feasible.is_(self.feasible))
        if self.failed is not None:
            missing = Candidate.failure.is_not(None) if self.failed else Candidate.failure.is_(None)
            statement = statement.where(missing)
            if self.failed:  # what follows from it, and can be seen from an index
                statement = statement.where(*(getattr(Candidate, metric).is_(None) for metric in METRICS))
        for text in (self.where or "").split(","):
            if text.strip():
                statement = statement.where(_comparison(text))
        return statement


_COMPARISON = re.compile(r"^\s*([a-z_]+)\s*(<=|>=|<|>|=)\s*([0-9.eE+-]{1,32})\s*$")


def _comparison(text: str) -> ColumnElement[bool]:
    match = _COMPARISON.match(text)
    if match is None or match[1] not in (*METRICS, "n"):
        choice = ", ".join(METRICS)
        raise problems.unprocessable("where", f"{text.strip()!r} is not `metric <= number`; metrics are {choice}")
    column = getattr(Candidate, match[1])
    try:
        bound = float(match[3])
    except ValueError:
        raise problems.unprocessable("where", f"{match[3]!r} is not a number") from None
    result: ColumnElement[bool] = column.op(match[2], is_comparison=True)(bound)
    return result


Filter = Annotated[CandidateFilter, Depends()]


@router.get("/jobs/{job_id}/candidates")
def list_candidates(
    job_id: str,
    session: ReadSession,
    service: ServiceDep,
    principal: Reader,
    wanted: Filter,
    order_by: CandidateOrder = "n",
    limit: LimitQuery = DEFAULT_LIMIT,
    cursor: CursorQuery = None,
) -> wire.Page[wire.CandidateView]:
    """The candidates of a job. `n` = 0 is the original model. A page is short rather than very large."""
    job = owned_job(session, principal, job_id)
    name, descending = order_by.removeprefix("-"), order_by.startswith("-")
    keys = [Key(Candidate.n, descending)]
    if name != "n":
        keys = [Key(getattr(Candidate, name), descending, nullable=True), Key(Candidate.n)]
    return page(
        session,
        service.cursors,
        wanted.apply(_candidates(job.id)),
        keys,
        limit=limit,
        cursor=cursor,
        query=wanted.query() | {"of": job.id, "order_by": order_by},
        position=lambda row: [row[0].n] if name == "n" else [getattr(row[0], name), row[0].n],
        view=lambda row: views.candidate(*row),
        most_bytes=MOST_PAGE_BYTES,
        found_by=Candidate.n,
    )


def _candidates(job_id: str) -> Statement:
    return (
        select(Candidate, Search.algorithm, Delivery)
        .outerjoin(Search, Candidate.search_id == Search.id)
        .outerjoin(Delivery, (Delivery.job_id == Candidate.job_id) & (Delivery.n == Candidate.n))
        .where(Candidate.job_id == job_id)
    )


@router.get(
    "/jobs/{job_id}/candidates.csv",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}},
)
def export_candidates(
    job_id: str,
    session: ReadSession,
    service: ServiceDep,
    principal: Reader,
    wanted: Filter,
) -> Response:
    """All candidates as comma-separated values, without their policies."""
    job = owned_job(session, principal, job_id)
    columns = [Candidate.n, Candidate.search_id, Search.algorithm, Candidate.index]
    columns += [getattr(Candidate, metric) for metric in METRICS]
    columns += [Candidate.feasible, Candidate.on_front, Candidate.failure]
    statement = wanted.apply(
        select(*columns)
        .outerjoin(Search, Candidate.search_id == Search.id)
        .where(Candidate.job_id == job.id)
        .order_by(Candidate.n)
    )
    names = ["n", "search", "algorithm", "index", *METRICS, "feasible", "on_front", "failure"]
    headers = {"Content-Disposition": f'attachment; filename="{job.id}.csv"'}
    lines = _csv_lines(service, statement, names)
    return StreamingResponse(lines, media_type="text/csv", headers=headers)


def _csv_lines(service: ServiceDep, statement: Statement, names: list[str]) -> Iterator[str]:
    yield _csv([names])
    with service.database.read() as session:
        for rows in session.execute(statement, execution_options={"yield_per": 1000}).partitions():
            yield _csv(rows)


def _csv(rows: Any) -> str:
    """Rows as text. A cell that a spreadsheet would take for a formula is made text."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    for row in rows:
        writer.writerow(
            ["'" + cell if isinstance(cell, str) and cell[:1] in ("=", "+", "-", "@") else cell for cell in row]
        )
    return buffer.getvalue()


@router.get("/jobs/{job_id}/candidates/{n}")
def get_candidate(job_id: str, n: CandidateNumber, session: ReadSession, principal: Reader) -> wire.CandidateView:
    """One candidate: its policy, its measurement or failure, and its delivery if there was one."""
    return views.candidate(*owned_candidate(session, owned_job(session, principal, job_id), n))


def owned_candidate(session: Session, job: Job, n: int) -> Any:
    """A candidate with its algorithm and delivery. 404 if there is none."""
    row = session.execute(_candidates(job.id).where(Candidate.n == n)).first()
    if row is None:
        raise problems.not_found(f"candidate of job {job.id}", str(n))
    return row


@router.post("/jobs/{job_id}/candidates/{n}/export", status_code=202)
def export_candidate(
    job_id: str,
    n: Annotated[int, Path(ge=1, le=2**31 - 1)],
    service: ServiceDep,
    principal: Writer,
    idempotency_key: IdempotencyHeader = None,
) -> wire.Export:
    """Have a candidate fine-tuned, exported and measured although it was not chosen. Asked again, how it fares."""
    sha256 = idempotency.digest(f"POST /jobs/{job_id}/candidates/{n}/export", {})
    with service.database.write() as session:
        made = idempotency.reserve(session, principal.workspace_id, idempotency_key, sha256, str(n))
        candidate = owned_candidate(session, owned_job(session, principal, job_id), n)[0]
        if candidate.failure is not None:
            raise problems.conflict("not-measured", f"candidate {n} could not be measured: {candidate.failure}")
        if exports.takes_work(session, job_id, n, again=made is None):
            quotas.check_cpu(session, service.settings, principal)
            quotas.check_bytes(session, service.settings, principal.workspace_id, int(candidate.size_bytes or 1))
        return views.export(exports.request(session, job_id, n, again=made is None))


@router.get("/jobs/{job_id}/candidates/{n}/layers")
def get_layers(
    job_id: str, n: CandidateNumber, session: ReadSession, service: ServiceDep, principal: Reader
) -> wire.LayerTable:
    """What is left of each layer under a candidate's policy, and what it costs, beside the original's figures."""
    job = owned_job(session, principal, job_id)
    candidate = owned_candidate(session, job, n)[0]
    model = session.get_one(tables.Model, job.model_id)
    device = session.get_one(tables.Artifact, job.device_artifact_id)
    document = service.artifacts.read(device.sha256)
    return layers.table((model.inspection or {})["network"], document, job.preparation, candidate.policy)


@router.get("/jobs/{job_id}/front")
def get_front(job_id: str, session: ReadSession, principal: Reader) -> wire.Front:
    """The candidates that no other dominates and that meet every constraint, best by the first objective first."""
    job = owned_job(session, principal, job_id)
    first = job.request["objectives"][0]
    keys = [Key(getattr(Candidate, first), METRICS[first] == "maximize", nullable=True), Key(Candidate.n)]
    statement = _candidates(job.id).where(Candidate.on_front.is_(True)).order_by(*ordering(keys))
    return wire.Front(
        job=job.id,
        objectives=job.request["objectives"],
        constraints=job.request["constraints"],
        members=[views.candidate(*row) for row in session.execute(statement)],
        original=job.original,
        hypervolume=job.hypervolume,
    )


@router.get("/jobs/{job_id}/best")
def get_best(
    job_id: str,
    service: ServiceDep,
    principal: Reader,
    constraint: Annotated[
        list[str], Query(min_length=1, max_length=16, description="Such as `latency_ratio <= 0.3`; repeatable.")
    ],
    metric: Annotated[str, Query(pattern=rf"^({'|'.join(METRICS)})$")] = "accuracy",
) -> wire.Answers:
    """The best under constraints that the job did not have: of its candidates, and as they let predict."""
    with service.database.read() as session:
        job = owned_job(session, principal, job_id)
        constraints = [_constraint(text) for text in constraint]
        found = [queries.evaluated(session, job, constraints, metric)]
        asked, note = None, None
        if metric != "accuracy":
            note = "only accuracy is predicted"
        elif all(c.base_metric == "accuracy" for c in constraints):
            note = "nothing is predicted without a constraint on a cost"
        else:
            asked = queries.question(session, job, constraints)
            note = None if asked is not None else f"fewer than {queries.FEWEST} candidates to predict from"
    if asked is not None:  # takes seconds, so no connection is held
        found.append(queries.predict(service.settings, asked))
        note = None if found[-1] is not None else "no policy that was not evaluated is predicted to be within"
    answers = [one for one in found if one is not None]
    texts = [str(one) for one in constraints]
    return wire.Answers(job=job_id, metric=metric, constraints=texts, answers=answers, note=note)


def _constraint(text: str) -> Constraint:
    try:
        return Constraint.parse(text)
    except InvalidInput as error:
        raise problems.unprocessable("constraint", str(error)) from None


@router.get("/jobs/{job_id}/curve")
def get_curve(
    job_id: str,
    session: ReadSession,
    principal: Reader,
    search: Annotated[str | None, Query(max_length=40, description="Of this search only.")] = None,
    max_points: Annotated[int, Query(ge=2, le=5000, description="Of each search.")] = 500,
) -> wire.Curves:
    """Best so far and hypervolume of each search. Thinned out to `max_points`, but no step of either is lost first."""
    return plots.curves(session, owned_job(session, principal, job_id), search, max_points)


@router.get("/jobs/{job_id}/points")
def get_points(
    job_id: str,
    session: ReadSession,
    principal: Reader,
    x: Annotated[str, Query(pattern=rf"^({'|'.join(METRICS)})$")] = "latency_ms",
    y: Annotated[str, Query(pattern=rf"^({'|'.join(METRICS)})$")] = "accuracy",
    max_points: Annotated[int, Query(ge=2, le=20_000)] = 2000,
) -> wire.Points:
    """All measured candidates as points of two metrics, in columns. The front is always whole, the rest thinned out."""
    return plots.points(session, owned_job(session, principal, job_id), x, y, max_points)
