"""Jobs: submitted, listed, steered, deleted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Query, Request, Response
from pydantic import Field, ValidationError
from sqlalchemy import Text, cast, func, or_
from sqlalchemy.orm import Session

from paretrim import wire
from paretrim.errors import InvalidInput
from service import audit, deletion, dialect, idempotency, job_list, jobs, problems, submission, views
from service.accounts import Principal
from service.context import IdempotencyHeader, Reader, ReadSession, ServiceDep, Writer, owned_job
from service.cursors import Cursors
from service.ids import new_id
from service.job_list import JOBS
from service.pages import DEFAULT_LIMIT, CursorQuery, Key, LimitQuery, rows_after
from service.tables import Job

router = APIRouter(tags=["jobs"])

JobOrder = Literal["created_at", "-created_at", "name", "-name", "priority", "-priority"]
_ORDER: dict[str, list[Key]] = {
    "created_at": [Key(JOBS.id)],
    "name": [Key(JOBS.name, nullable=True), Key(JOBS.id)],
    "priority": [Key(JOBS.priority), Key(JOBS.id)],
}


@router.post("/jobs", status_code=201)
def create_job(
    request: wire.JobRequest,
    response: Response,
    service: ServiceDep,
    principal: Writer,
    idempotency_key: IdempotencyHeader = None,
) -> wire.Job:
    """Submit a job. It is checked at once, as far as that can be done without running anything, and queued."""
    return _create(request, response, service, principal, idempotency_key)


def _create(
    request: wire.JobRequest,
    response: Response,
    service: ServiceDep,
    principal: Principal,
    idempotency_key: str | None,
    cloned_from: str | None = None,
) -> wire.Job:
    job_id = new_id("job")
    sha256 = idempotency.digest(f"POST /jobs {cloned_from}", request.model_dump(mode="json"))
    examined = None
    with service.database.read() as session:
        if not idempotency.is_known(session, principal.workspace_id, idempotency_key):
            examined = submission.examine(session, service.artifacts, principal, request)
    with service.database.write() as session:
        made = idempotency.reserve(session, principal.workspace_id, idempotency_key, sha256, job_id)
        if made is not None:
            response.headers["Idempotency-Replayed"] = "true"
            row = owned_job(session, principal, made)
        else:
            if examined is None:  # the key was forgotten in this very moment
                examined = submission.examine(session, service.artifacts, principal, request)
            row = submission.submit(
                session, service.settings, principal, examined, job_id=job_id, cloned_from=cloned_from
            )
        response.headers["Location"] = f"{views.API}/jobs/{row.id}"
        return views.job(row)


@router.get("/jobs", response_model=wire.Page[wire.Job])
async def list_jobs(
    service: ServiceDep,
    principal: Reader,
    state: Annotated[list[wire.State] | None, Query(description="Any of these states.")] = None,
    tag: Annotated[str | None, Query(max_length=255)] = None,
    device: Annotated[str | None, Query(max_length=64)] = None,
    q: Annotated[str | None, Query(max_length=255, description="Part of the name or id.")] = None,
    order_by: JobOrder = "-created_at",
    limit: LimitQuery = DEFAULT_LIMIT,
    cursor: CursorQuery = None,
) -> Response:
    """The workspace's jobs."""
    statement = job_list.LISTED.where(JOBS.workspace_id == principal.workspace_id)
    if state:
        statement = statement.where(JOBS.state.in_(state))
    if tag is not None:
        statement = statement.where(dialect.json_array_holds(service.database.engine, JOBS.tags, tag))
    if device is not None:
        statement = statement.where(JOBS.device_name == device)
    if q is not None:
        wanted = q.lower()
        found = [func.lower(cast(column, Text)).contains(wanted, autoescape=True) for column in (JOBS.name, JOBS.id)]
        statement = statement.where(or_(*found))
    descending = order_by.startswith("-")
    name = order_by.removeprefix("-")
    keys = [Key(key.column, descending, key.nullable) for key in _ORDER[name]]
    query = {"of": "jobs", "state": state, "tag": tag, "device": device, "q": q, "order_by": order_by}
    query |= {"workspace": principal.workspace_id}

    def answer() -> Response:
        with service.database.glance() as connection:
            rows = rows_after(connection, service.cursors, statement, keys, limit=limit, cursor=cursor, query=query)
        return _page(rows, service.cursors, name, limit, query)

    return await service.in_turn(answer)


def _page(rows: Sequence[Any], cursors: Cursors, order: str, limit: int, query: Mapping[str, Any]) -> Response:
    next_cursor = None
    if len(rows) > limit:
        last = rows[limit - 1]
        next_cursor = cursors.write([last.id] if order == "created_at" else [getattr(last, order), last.id], query)
    data = ",".join(job_list.as_json(row) for row in rows[:limit])
    ending = wire.Page[wire.Job](data=[], next_cursor=next_cursor, has_more=len(rows) > limit)
    return Response(ending.model_dump_json().replace("[]", f"[{data}]", 1), media_type="application/json")


@router.get("/jobs/{job_id}")
def get_job(job_id: str, session: ReadSession, principal: Reader) -> wire.Job:
    """A job as it stands."""
    return views.job(owned_job(session, principal, job_id))


@router.patch("/jobs/{job_id}")
def update_job(job_id: str, change: wire.JobChange, service: ServiceDep, principal: Writer) -> wire.Job:
    """Rename, tag or re-prioritise a job, or raise its budget: a job that succeeded then goes on."""
    with service.database.write() as session:
        row = owned_job(session, principal, job_id)
        given = change.model_dump(exclude_unset=True)
        for field in ("name", "tags", "priority"):
            if field in given:
                if given[field] is None and field != "name":
                    raise problems.unprocessable(field, "leave it out, or give a value")
                setattr(row, field, given[field])
        if change.candidates is not None:
            _raise_budget(session, row, change.candidates)
        session.flush()
        session.refresh(row)
        return views.job(row)


def _raise_budget(session: Session, row: Job, candidates: int) -> None:
    now = int(row.request["budget"]["candidates"])
    if candidates < now:
        raise problems.unprocessable("candidates", f"the budget is {now} and can only be raised")
    row.request = row.request | {"budget": row.request["budget"] | {"candidates": candidates}}
    session.flush()
    if candidates > now and not jobs.extend(session, row.id, candidates):
        raise problems.conflict(
            "invalid-state", f"the budget of a job that is {row.state} cannot be raised; pause it first"
        )


def _steer(
    service: ServiceDep,
    principal: Principal,
    job_id: str,
    change: Callable[[Session, str], bool],
    wanted: tuple[str, ...],
    verb: str,
) -> wire.Job:
    """Make a change, or say why it cannot be made. Wanting what already is succeeds."""
    with service.database.write() as session:
        owned_job(session, principal, job_id)
        changed = change(session, job_id)
        session.expire_all()
        row = owned_job(session, principal, job_id)
        if not changed and row.state not in wanted:
            raise problems.conflict("invalid-state", f"a job that is {row.state} cannot be {verb}")
        return views.job(row)


@router.post("/jobs/{job_id}/cancel", status_code=202)
def cancel_job(job_id: str, request: Request, service: ServiceDep, principal: Writer) -> wire.Job:
    """Stop a job for good. What it found so far stays."""

    def cancel(session: Session, job_id: str) -> bool:
        changed = jobs.request_cancel(session, job_id)
        if changed:
            audit.note(session, request, principal, "job.cancel", job_id)
        return changed

    return _steer(service, principal, job_id, cancel, ("cancelling", "cancelled"), "cancelled")


@router.post("/jobs/{job_id}/pause", status_code=202)
def pause_job(job_id: str, service: ServiceDep, principal: Writer) -> wire.Job:
    """Stop a job so that it can go on later, where it was."""
    return _steer(service, principal, job_id, jobs.request_pause, ("pausing", "paused"), "paused")


@router.post("/jobs/{job_id}/resume", status_code=202)
def resume_job(job_id: str, service: ServiceDep, principal: Writer) -> wire.Job:
    """Let a paused job go on."""
    return _steer(service, principal, job_id, jobs.resume, ("queued", "running"), "resumed")


@router.post("/jobs/{job_id}/clone", status_code=201)
def clone_job(
    job_id: str,
    response: Response,
    service: ServiceDep,
    principal: Writer,
    changes: Annotated[
        dict[Annotated[str, Field(max_length=64)], Any] | None,
        Body(description="Fields of the job's request that shall be different."),
    ] = None,
    idempotency_key: IdempotencyHeader = None,
) -> wire.Job:
    """Submit a job's request again, with changes."""
    with service.database.read() as session:
        request = owned_job(session, principal, job_id).request
    try:
        changed = wire.JobRequest.model_validate(request | (changes or {}))
    except ValidationError as error:
        first = error.errors()[0]
        raise InvalidInput(first["msg"], field=".".join(map(str, first["loc"])) or "body") from None
    return _create(changed, response, service, principal, idempotency_key, cloned_from=job_id)


@router.delete("/jobs/{job_id}", status_code=204)
def delete_job(job_id: str, request: Request, service: ServiceDep, principal: Writer) -> None:
    """Delete a job that has ended, with its candidates, events and files."""
    with service.database.write() as session:
        row = owned_job(session, principal, job_id)
        if not deletion.delete_job(session, row):
            raise problems.conflict("invalid-state", f"a job that is {row.state} cannot be deleted; cancel it first")
        audit.note(session, request, principal, "job.delete", job_id)
