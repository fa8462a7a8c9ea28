"""Whether the service is up, whether it can work, and what it counts. The first two need no key."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response
from sqlalchemy import text

from service import metrics, schema
from service.context import Service, ServiceDep

router = APIRouter(tags=["health"])


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@router.get("/readyz", responses={503: {"description": "Something is missing; `checks` says what"}})
def readyz(service: ServiceDep, response: Response) -> dict[str, Any]:
    """Whether the service can work: database, schema, disk."""
    checks = {"database": _database(service), "schema": _schema(service), "disk": _disk(service)}
    ready = all(result == "ok" for result in checks.values())
    response.status_code = 200 if ready else 503
    return {"status": "ready" if ready else "not ready", "checks": checks}


def _database(service: Service) -> str:
    try:
        with service.database.read() as session:
            session.execute(text("SELECT 1"))
    except Exception as error:
        return f"cannot be reached ({type(error).__name__})"
    return "ok"


def _schema(service: Service) -> str:
    try:
        current = schema.current(service.database.engine)
    except Exception as error:
        return f"cannot be read ({type(error).__name__})"
    newest = schema.newest()
    return "ok" if current == newest else f"at {current}, {newest} is needed; run `paretrim migrate`"


def _disk(service: Service) -> str:
    free = service.artifacts.free_bytes()
    floor = service.settings.free_space_floor_bytes
    return "ok" if free >= floor else f"{free} bytes left, fewer than {floor}"


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
def get_metrics(service: ServiceDep) -> Response:
    """Counters and gauges for Prometheus."""
    content, media_type = metrics.render(service.database)
    return Response(content, media_type=media_type)
