"""The form for a new job, empty or filled in from another job's request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import APIRouter, Request, Response

from paretrim.algorithms import BASELINES
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
    own = [device for device in devices["data"] if device["kind"] == "table" and device.get("created_at")]
    filled = (
        _defaults()
        | {"device": own[0]["name"] if own else ""}
        | cloned
        | {name: given[name] for name in ("model", "dataset") if given[name]}
    )
    return visitor.page(
        "job_new.html",
        given=given,
        asked=filled,
        models=[file for file in models["data"] if file["state"] == "ready"],
        datasets=[file for file in datasets["data"] if file["state"] == "ready"],
        devices=devices["data"],
        families=families([resolved(algorithm) for algorithm in algorithms["data"]]),
        chosen=chosen(filled["algorithms"]),
        constraint_choices=constraint_choices(),
    )


#: what a bound is given in
UNITS = {
    "latency_ms": " (ms)",
    "energy_mj": " (mJ)",
    "size_bytes": " (bytes)",
    "peak_memory_bytes": " (bytes)",
    "accuracy": " (0 to 1)",
}

#: what people look for algorithms under
FAMILIES = (
    ("If in doubt", ("portfolio",)),
    ("Agents that learn by reinforcement", ("amc", "haq", "joint", "td3", "sac")),
    ("Genetic and evolutionary", ("nsga2", "nsga3", "tec", "cma")),
    ("Models of accuracy", ("gp", "tpe", "greedy", "ilp")),
    ("Rules and local search", ("annealing", "netadapt", "sensitivity", "triangle")),
    ("Baselines, which every job runs anyway", BASELINES),
)


def families(algorithms: Sequence[dict[str, Any]]) -> list[tuple[str, list[dict[str, Any]]]]:
    """The algorithms by family; one that is in none is among the others."""
    known = {name for _, names in FAMILIES for name in names}
    by_name = {algorithm["name"]: algorithm for algorithm in algorithms}
    found = [(title, [by_name[name] for name in names if name in by_name]) for title, names in FAMILIES]
    others = [algorithm for algorithm in algorithms if algorithm["name"] not in known]
    return [(title, members) for title, members in [*found, ("Others", others)] if members]


def _defaults() -> dict[str, Any]:
    """What the wire takes for what is not said, and a start for what must be."""
    request = JobRequest.model_validate(
        {
            "model": "",
            "dataset": "",
            "device": "",
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
    return [*relative, *((metric, f"{LABELS[metric]}{UNITS.get(metric, '')}") for metric in METRICS)]


def _relative(name: str, metric: str) -> str:
    return "Drop of accuracy" if name == "accuracy_drop" else f"{LABELS[metric]}, as a share of the original's"


def resolved(algorithm: Mapping[str, Any]) -> dict[str, Any]:
    """An algorithm whose options name their choices directly: JSON Schema wraps those that may be absent."""
    options = algorithm["options"]
    properties = {}
    for name, schema in options.get("properties", {}).items():
        choices: list[dict[str, Any]] = schema.get("anyOf", [])
        inner: dict[str, Any] = next((part for part in choices if part.get("type") != "null"), {})
        properties[name] = {**inner, **{key: value for key, value in schema.items() if key != "anyOf"}}
    return {**algorithm, "options": {**options, "properties": properties}}
