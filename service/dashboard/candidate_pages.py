"""Pages about the candidates of a job."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from paretrim.network import Network
from service.dashboard.drawing import Drawing, draw
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
    own = f"/jobs/{job_id}"
    job, shown, found, sensitivity = await asyncio.gather(
        visitor.api.get(own),
        visitor.api.get(f"{own}/candidates/{n}"),
        visitor.api.get_or_none(f"{own}/candidates/{n}/layers"),
        visitor.api.get(f"{own}/sensitivity"),
    )
    model = await visitor.api.get_or_none(f"/models/{job['request']['model']}")
    layers = (found or {}).get("layers", [])
    return visitor.page(
        "candidate.html",
        job=job,
        candidate=shown,
        layers=with_shares(layers, sensitivity),
        sensitivity=sensitivity,
        drawing=drawing_of(model, layers),
    )


def drawing_of(model: Mapping[str, Any] | None, layers: Sequence[Mapping[str, Any]]) -> Drawing | None:
    """The network as its layers, if what it was inspected as is still there."""
    network = ((model or {}).get("inspection") or {}).get("network")
    return draw(Network.from_json(network), layers) if network and layers else None


def with_shares(layers: Sequence[Mapping[str, Any]], sensitivity: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Layers with their share of the network's latency, before and after, and with what accuracy hangs on them."""
    before = sum(layer["original"]["latency_ms"] or 0.0 for layer in layers)
    after = sum(layer["latency_ms"] or 0.0 for layer in layers)
    channels = {name: entry for entry in sensitivity["channels"] for name in entry["layers"]}
    bits = {entry["name"]: entry for entry in sensitivity["bits"]}
    return [
        {
            **layer,
            "share_before": layer["original"]["latency_ms"] / before
            if before and layer["original"]["latency_ms"]
            else None,
            "share_after": layer["latency_ms"] / after if after and layer["latency_ms"] else None,
            "channels_matter": channels.get(layer["name"]),
            "bits_matter": bits.get(layer["name"]),
        }
        for layer in layers
    ]
