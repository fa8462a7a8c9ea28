"""Pages about what jobs are made of: models, datasets, devices."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Request, Response

from service.dashboard.visitor import PageRoute, VisitorDep

router = APIRouter(include_in_schema=False, route_class=PageRoute)


@router.get("/models")
async def models(visitor: VisitorDep, request: Request) -> Response:
    """The uploaded networks."""
    page = await visitor.api.get("/models", cursor=request.query_params.get("cursor"))
    return visitor.page("files.html", kind="model", files=page)


@router.get("/datasets")
async def datasets(visitor: VisitorDep, request: Request) -> Response:
    """The uploaded datasets."""
    page = await visitor.api.get("/datasets", cursor=request.query_params.get("cursor"))
    return visitor.page("files.html", kind="dataset", files=page)


@router.get("/models/{model_id}")
async def model(visitor: VisitorDep, model_id: str) -> Response:
    """A network and what its inspection found."""
    return visitor.page("model.html", model=await visitor.api.get(f"/models/{model_id}"))


@router.get("/datasets/{dataset_id}")
async def dataset(visitor: VisitorDep, dataset_id: str) -> Response:
    """A dataset and what its inspection found."""
    return visitor.page("dataset.html", dataset=await visitor.api.get(f"/datasets/{dataset_id}"))


@router.get("/devices")
async def devices(visitor: VisitorDep) -> Response:
    """The devices a job may name."""
    return visitor.page("devices.html", devices=await visitor.api.get("/devices"))


@router.get("/devices/{name}")
async def device(visitor: VisitorDep, name: str) -> Response:
    """A device: where its figures come from, and the figures themselves."""
    shown, document = await asyncio.gather(
        visitor.api.get(f"/devices/{name}"), visitor.api.get(f"/devices/{name}/content")
    )
    return visitor.page("device.html", device=shown, document=document)
