"""Pages about the candidates of a job."""

from __future__ import annotations

import asyncio
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from service.dashboard.job_pages import job_values
from service.dashboard.visitor import PageRoute, VisitorDep

router = APIRouter(include_in_schema=False, route_class=PageRoute)

FILTERS = ("search", "on_front", "feasible", "failed", "where", "order_by")


@router.get("/jobs/{job_id}/candidates")
async def candidates(visitor: VisitorDep, request: Request, job_id: str) -> Response:
    """A job's candidates, filtered and ordered as the address says."""
    filters = {name: request.query_params.get(name) for name in FILTERS}
    values, page = await asyncio.gather(
        job_values(visitor, job_id),
        visitor.api.get(f"/jobs/{job_id}/candidates", limit=100, cursor=request.query_params.get("cursor"), **filters),
    )
    given = {name: value for name, value in filters.items() if value}
    return visitor.page(
        "job_candidates.html", candidates=page, filter_query=f"?{urlencode(given)}" if given else "", **values
    )


@router.get("/jobs/{job_id}/candidates/{n}")
async def candidate(visitor: VisitorDep, job_id: str, n: int) -> Response:
    """One candidate: what is left of each layer, what was predicted, what was measured, its files."""
    job, shown, layers = await asyncio.gather(
        visitor.api.get(f"/jobs/{job_id}"),
        visitor.api.get(f"/jobs/{job_id}/candidates/{n}"),
        visitor.api.get_or_none(f"/jobs/{job_id}/candidates/{n}/layers"),
    )
    return visitor.page("candidate.html", job=job, candidate=shown, layers=(layers or {}).get("layers", []))
