"""Pages about the service itself: keys, workers, the queue."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from service.dashboard.ask import Refused
from service.dashboard.visitor import PageRoute, Visitor, VisitorDep

router = APIRouter(include_in_schema=False, route_class=PageRoute)


@router.get("/keys")
async def keys(visitor: VisitorDep, request: Request) -> Response:
    """The workspace's API keys. Needs a session of a key that may administer."""
    page = await visitor.api.get("/keys", cursor=request.query_params.get("cursor"))
    return visitor.page("keys.html", keys=page)


@router.get("/workers")
async def workers(visitor: VisitorDep) -> Response:
    """Who works on what, what waits, and whether the service has all it needs."""
    queue = await visitor.api.get("/queue")
    return visitor.page("workers.html", queue=queue, ready=await _readiness(visitor))


async def _readiness(visitor: Visitor) -> dict[str, object]:
    """What is ready; an answer that something is not is an answer too."""
    try:
        ready: dict[str, object] = await visitor.api.get("/readyz")
    except Refused as refusal:
        if "checks" not in refusal.problem:
            raise
        ready = refusal.problem
    return ready
