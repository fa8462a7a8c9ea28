"""Pages that put jobs, or candidates of one job, beside each other."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from paretrim.problem import METRICS
from service.dashboard.job_pages import axes, shown_metrics
from service.dashboard.visitor import PageRoute, Visitor, VisitorDep
from service.problems import Problem

router = APIRouter(include_in_schema=False, route_class=PageRoute)

MOST_JOBS = 8
MOST_CANDIDATES = 4


@router.get("/compare")
async def compare(visitor: VisitorDep, request: Request, job: Annotated[list[str], Query()] = []) -> Response:  # noqa: B006
    """Two to eight jobs."""
    wanted = list(dict.fromkeys(job))
    if not 2 <= len(wanted) <= MOST_JOBS:
        raise Problem(422, "invalid-request", f"choose from 2 to {MOST_JOBS} jobs to compare, not {len(wanted)}")
    jobs = await visitor.api.together(*(f"/jobs/{name}" for name in wanted))
    first = axes(jobs[0])
    chosen = {axis: request.query_params.get(axis, first[axis]) for axis in first}
    names = await file_names(visitor)
    differing, same = settings([_named(row["request"], names) for row in jobs])
    return visitor.page(
        "compare.html",
        jobs=jobs,
        drawn=[{"id": row["id"], "name": row["name"] or row["id"]} for row in jobs],
        metrics=list(dict.fromkeys(metric for row in jobs for metric in shown_metrics(row))),
        axes={axis: metric if metric in METRICS else first[axis] for axis, metric in chosen.items()},
        found=list(dict.fromkeys(metric for row in jobs for metric in row["request"]["objectives"])),
        differing=differing,
        same=same,
    )


Settings = list[tuple[str, Any]]


async def file_names(visitor: Visitor) -> dict[str, str]:
    """What people call the workspace's models and datasets, by id."""
    pages = await visitor.api.together("/models?limit=200", "/datasets?limit=200")
    return {file["id"]: file["name"] for page in pages for file in page["data"]}


def _named(request: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {**request, **{kind: names.get(request[kind], request[kind]) for kind in ("model", "dataset")}}


def settings(requests: Sequence[Mapping[str, Any]]) -> tuple[Settings, Settings]:
    """What jobs were asked for: (name, one value per job) where they differ, (name, value) where they do not."""
    flat = [_flat(request) for request in requests]
    differing, same = [], []
    for name in flat[0]:
        values = [request.get(name) for request in flat]
        if name == "name":
            continue
        if all(value == values[0] for value in values):
            same.append((name, _text(values[0])))
        else:
            differing.append((name, [_text(value) for value in values]))
    return differing, same


def _flat(request: Mapping[str, Any]) -> dict[str, Any]:
    budget = {f"budget.{name}": value for name, value in request["budget"].items()}
    return {**{name: value for name, value in request.items() if name != "budget"}, **budget}


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(_text(entry) for entry in value) or "none"
    if isinstance(value, dict):
        options = ", ".join(f"{name} {_text(entry)}" for name, entry in value.get("options", {}).items())
        return f"{value.get('name')} ({options})" if options else str(value.get("name"))
    return "none" if value is None else str(value)


@router.get("/jobs/{job_id}/candidates/compare")
async def candidates(visitor: VisitorDep, job_id: str, n: Annotated[list[int], Query()] = []) -> Response:  # noqa: B006
    """Two to four candidates of a job; 0 is the original."""
    numbers = list(dict.fromkeys(n))
    if not 2 <= len(numbers) <= MOST_CANDIDATES:
        detail = f"choose from 2 to {MOST_CANDIDATES} candidates to compare, not {len(numbers)}"
        raise Problem(422, "invalid-request", detail)
    own = f"/jobs/{job_id}/candidates"
    job, shown, tables = await asyncio.gather(
        visitor.api.get(f"/jobs/{job_id}"),
        visitor.api.together(*(f"{own}/{number}" for number in numbers)),
        visitor.api.together(*(f"{own}/{number}/layers" for number in numbers)),
    )
    rows = [
        {"name": cells[0]["name"], "cells": cells, "differs": any(_shape(cell) != _shape(cells[0]) for cell in cells)}
        for cells in zip(*(table["layers"] for table in tables), strict=True)
    ]
    return visitor.page("candidates_compare.html", job=job, candidates=shown, layers=rows)


def _shape(layer: Mapping[str, Any]) -> tuple[Any, ...]:
    return layer["out_channels"], layer["weight_bits"], layer["activation_bits"], layer["removed"]
