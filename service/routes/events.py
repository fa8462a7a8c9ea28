"""A job's events: as a list, or as they happen."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import lru_cache
from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Header, Query, Response
from fastapi.responses import JSONResponse
from fastapi.sse import EventSourceResponse, format_sse_event

from paretrim import wire
from service import views
from service.accounts import Principal
from service.context import Reader, Service, ServiceDep, owned_job
from service.feed import Happened, events_after
from service.pages import MOST_PAGE_BYTES, LimitQuery, fitting

router = APIRouter(tags=["jobs"])

RETRY_MS = 2000

_SSE = {"text/event-stream": {"itemSchema": {"$ref": "#/components/schemas/Event"}, "schema": {"type": "string"}}}


@router.get(
    "/jobs/{job_id}/events",
    response_model=wire.Page[wire.Event],
    responses={200: {"content": _SSE}},
)
async def list_events(
    job_id: str,
    service: ServiceDep,
    principal: Reader,
    after: Annotated[int, Query(ge=0, le=2**31 - 1, description="Only events with a greater `seq`.")] = 0,
    limit: LimitQuery = 200,
    last_event_id: Annotated[
        str | None, Header(max_length=40, description="Of a stream: go on after this `seq`; wins over `after`.")
    ] = None,
    accept: Annotated[str, Header(max_length=1000)] = "application/json",
) -> Response:
    """What happened to a job. With `Accept: text/event-stream`, as it happens: a stream that ends with `end`."""
    if last_event_id is not None and last_event_id.isascii() and last_event_id.isdigit():
        after = min(int(last_event_id), 2**31 - 1)
    if "text/event-stream" not in accept:
        return JSONResponse(await to_thread.run_sync(_listed, service, principal, job_id, after, limit))
    await to_thread.run_sync(_check_owner, service, principal, job_id)
    service.limits.enter_stream(principal.key_id, service.settings.event_streams_per_key)
    stream = _stream(service, principal.key_id, job_id, after)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return EventSourceResponse(stream, headers=headers)


def _check_owner(service: Service, principal: Principal, job_id: str) -> None:
    with service.database.read() as session:
        owned_job(session, principal, job_id)


def _listed(service: Service, principal: Principal, job_id: str, after: int, limit: int) -> Any:
    with service.database.read() as session:
        job = owned_job(session, principal, job_id)
        events = events_after(session, job.id, after, limit)
    data = [views.event(event.seq, event.type, event.data, event.created_at) for event in events]
    data = data[: fitting(data, MOST_PAGE_BYTES)]
    more = bool(data) and data[-1].seq < job.last_seq
    return wire.Page[wire.Event](data=data, has_more=more).model_dump(mode="json")


async def _stream(service: Service, key_id: str, job_id: str, after: int) -> AsyncIterator[bytes]:
    try:
        yield format_sse_event(comment="stream of events", retry=RETRY_MS)
        async for happened in service.feed.follow(job_id, after):
            yield format_sse_event(comment="still here") if happened is None else encode(happened)
    finally:
        service.limits.leave_stream(key_id)


@lru_cache(maxsize=1024)
def encode(happened: Happened) -> bytes:
    """An event as it goes over the stream: its number as id, its type as event, the whole of it as data.

    However many follow a job, each of its events is read once and written once: they share the object.
    """
    event = views.event(happened.seq, happened.type, happened.data, happened.created_at)
    return format_sse_event(data_str=event.model_dump_json(), event=happened.type, id=str(happened.seq))
