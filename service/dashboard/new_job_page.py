"""The form for a new job, empty or filled in from another job's request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request, Response

from paretrim.problem import METRICS, RELATIVE
from paretrim.wire import JobRequest
from service.dashboard.render import LABELS
from service.dashboard.visitor import PageRoute, VisitorDep

router = APIRouter(include_in_schema=False, route_class=PageRoute)


@router.get("/jobs/new")
async def new_job(visitor: VisitorDep, request: Request) -> Response:
    """The form. `clone` names a job whose request fills it in; `model` and `dataset` choose a file."""
    models, datasets, devices, algorithms = await visitor.api.together(
        "/models?limit=200", "/datasets?limit=200", "/devices", "/algorithms"
    )
    given = {name: request.query_params.get(name) for name in ("clone", "model", "dataset")}
    cloned = (await visitor.api.get(f"/jobs/{given['clone']}"))["request"] if given["clone"] else {}
    filled = _defaults() | cloned | {name: given[name] for name in ("model", "dataset") if given[name]}
    return visitor.page(
        "job_new.html",
        given=given,
        asked=filled,
        models=[file for file in models["data"] if file["state"] == "ready"],
        datasets=[file for file in datasets["data"] if file["state"] == "ready"],
        devices=devices["data"],
        algorithms=[resolved(algorithm) for algorithm in algorithms["data"]],
        chosen=chosen(filled["algorithms"]),
        constraint_choices=constraint_choices(),
    )


def _defaults() -> dict[str, Any]:
    """What the wire takes for what is not said, and a start for what must be."""
    request = JobRequest.model_validate(
        {
            "model": "",
            "dataset": "",
            "device": "",
            "algorithms": ["amc", "nsga2"],
            "constraints": ["latency_ratio <= 0.5"],
            "budget": {"candidates": 200},
        }
    )
    return request.model_dump(mode="json")


def chosen(choices: list[Any]) -> dict[str, Mapping[str, Any]]:
    """The options set, by algorithm."""
    return {
        choice if isinstance(choice, str) else choice["name"]: {} if isinstance(choice, str) else choice["options"]
        for choice in choices
    }


def constraint_choices() -> list[tuple[str, str]]:
    """What can be constrained, and what people call it."""
    relative = [(name, _relative(name, metric)) for name, metric in RELATIVE.items()]
    return [*relative, *((metric, LABELS[metric]) for metric in METRICS)]


def _relative(name: str, metric: str) -> str:
    plain = LABELS[metric].split(" (")[0]
    return "Drop of accuracy" if name == "accuracy_drop" else f"{plain}, as a share of the original's"


def resolved(algorithm: Mapping[str, Any]) -> dict[str, Any]:
    """An algorithm whose options name their choices directly: JSON Schema wraps those that may be absent."""
    options = algorithm["options"]
    properties = {}
    for name, schema in options.get("properties", {}).items():
        choices: list[dict[str, Any]] = schema.get("anyOf", [])
        inner: dict[str, Any] = next((part for part in choices if part.get("type") != "null"), {})
        properties[name] = {**inner, **{key: value for key, value in schema.items() if key != "anyOf"}}
    return {**algorithm, "options": {**options, "properties": properties}}
