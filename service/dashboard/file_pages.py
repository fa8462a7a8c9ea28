"""Pages about what jobs are made of: models, datasets, devices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request, Response

from paretrim.network import Network, axis_channels
from service.dashboard.drawing import draw
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
    return visitor.page("model.html", **described(await visitor.api.get(f"/models/{model_id}")))


def described(model: Mapping[str, Any]) -> dict[str, Any]:
    """A model with its layers' channels and its groups, from the network that its inspection holds."""
    network = (model.get("inspection") or {}).get("network")
    if network is None:
        return {"model": model, "layers": [], "groups": [], "drawing": None}
    read = Network.from_json(network)
    layers = [
        {
            "name": layer.name,
            "kind": layer.kind,
            "in_channels": axis_channels(layer.in_axis),
            "out_channels": axis_channels(layer.out_axis),
            "kernel": layer.kernel,
            "out_hw": layer.out_hw,
        }
        for layer in read.layers
    ]
    drawing = draw(read, [_untouched(layer) for layer in layers])
    return {"model": model, "layers": layers, "groups": network["groups"], "drawing": drawing}


def _untouched(layer: Mapping[str, Any]) -> dict[str, Any]:
    """A layer as the drawing wants it: nothing of it is gone."""
    return {**layer, "removed": False, "weight_bits": 32, "activation_bits": 32, "original": layer}


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
    own = f"/devices/{name}"
    shown, document, shapes = await visitor.api.together(own, f"{own}/content", f"{own}/shapes")
    return visitor.page("device.html", device=shown, document=document, shapes=shapes["data"])
