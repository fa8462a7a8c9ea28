"""Pages about what jobs are made of: models, datasets, devices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request, Response

from paretrim.network import Network, axis_channels
from service.dashboard import render
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


#: what a table says of itself, for people: label, and how the figure reads
CARD: Mapping[str, tuple[str, str]] = {
    "mean_error": ("A whole network is predicted wrong by, on average", "percent"),
    "error": ("Nine networks in ten are predicted within", "percent"),
    "networks": ("Networks it was compared on", "plain"),
    "families": ("Their families", "plain"),
    "scale": ("Sum of operations to network, times", "plain"),
    "constant_ms": ("Time of a run beside its operations", "ms"),
    "repeat_error": ("A measurement repeats within, typically", "percent"),
    "repeat_error_p90": ("Nine measurements in ten repeat within", "percent"),
    "node_overhead_us": ("Overhead of an operation", "µs"),
    "run_overhead_us": ("Overhead of a run", "µs"),
    "mape": ("Held-out networks are predicted wrong by, on average", "percent"),
    "rmspe": ("The same, root mean square", "percent"),
    "within_5": ("Predicted within 5 %", "percent"),
    "within_10": ("Predicted within 10 %", "percent"),
    "within_15": ("Predicted within 15 %", "percent"),
    "bias": ("Mean signed error", "percent"),
    "kendall_tau": ("Order of the networks, Kendall's tau", "plain"),
    "violations": ("Chosen under a limit that they really break", "percent"),
    "regret": ("Lost by choosing with the table", "percent"),
    "truth_repeats_within": ("The measured truth repeats within, typically", "percent"),
    "unexpected_kernels": ("Operations that ran another kernel than asked for", "plain"),
    "units_without_kernel": ("Operations without a kernel", "plain"),
}


def card(part: Mapping[str, Any]) -> list[tuple[str, str]]:
    """A part of a table's report card as labels and figures; what has no label is shown by its own name."""
    return [_reads(name, value) for name, value in sorted(part.items(), key=lambda item: _place(item[0]))]


def _place(name: str) -> int:
    return list(CARD).index(name) if name in CARD else len(CARD)


def _reads(name: str, value: Any) -> tuple[str, str]:
    label, unit = CARD.get(name, (name.replace("_", " "), "plain"))
    if isinstance(value, list | tuple):
        return label, ", ".join(str(entry) for entry in value)
    if isinstance(value, Mapping):
        return label, ", ".join(f"{key} {entry}" for key, entry in value.items())
    if isinstance(value, bool) or not isinstance(value, int | float):
        return label, str(value)
    if unit == "percent":
        return label, render.percent(value)
    return label, render.significant(value) + ("" if unit == "plain" else f" {unit}")


@router.get("/devices/{name}")
async def device(visitor: VisitorDep, name: str) -> Response:
    """A device: where its figures come from, and the figures themselves."""
    own = f"/devices/{name}"
    shown, document, shapes = await visitor.api.together(own, f"{own}/content", f"{own}/shapes")
    return visitor.page("device.html", device=shown, document=document, shapes=shapes["data"], card=card)
