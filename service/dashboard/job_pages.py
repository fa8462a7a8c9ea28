"""Pages about jobs."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import APIRouter, Request, Response

from paretrim.problem import METRICS
from paretrim.wire import TERMINAL_STATES
from service.dashboard.visitor import PageRoute, Visitor, VisitorDep

router = APIRouter(include_in_schema=False, route_class=PageRoute)

JOB_FILTERS = ("q", "state", "tag", "device", "order_by", "cursor")


@router.get("/jobs")
async def jobs(visitor: VisitorDep, request: Request) -> Response:
    """All jobs, filtered and ordered as the address says."""
    filters = {name: request.query_params.get(name) for name in JOB_FILTERS}
    page, models, devices = await asyncio.gather(
        visitor.api.get("/jobs", limit=50, **filters),
        visitor.api.get("/models", limit=200),
        visitor.api.get("/devices"),
    )
    return visitor.page(
        "jobs.html",
        jobs=page,
        models={model["id"]: model["name"] for model in models["data"]},
        devices=devices["data"],
        busy=any(job["state"] not in TERMINAL_STATES for job in page["data"]),
    )


async def job_values(visitor: Visitor, job_id: str) -> dict[str, Any]:
    """What all pages of a job show: the job, its model, its searches, and where its events go on."""
    job, searches = await visitor.api.together(f"/jobs/{job_id}", f"/jobs/{job_id}/searches")
    model = await visitor.api.get_or_none(f"/models/{job['request']['model']}")
    return {
        "job": job,
        "model": model,
        "searches": searches["data"],
        "series": series(searches["data"]),
        "home_of": f"/jobs/{job_id}",
        "live_job": job["state"] not in TERMINAL_STATES,
        "metrics": shown_metrics(job),
        "after": job.get("last_seq", 0),
        "evaluated": sum(search["evaluated"] for search in searches["data"]),
    }


def series(searches: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The colour class of each search: agents and baselines are counted apart. The charts do the same."""
    ranks = {True: 0, False: 0}
    classes = {}
    for search in searches:
        baseline = bool(search["baseline"])
        classes[search["id"]] = f"baseline-{ranks[baseline] % 2}" if baseline else f"series-{ranks[baseline] % 8}"
        ranks[baseline] += 1
    return classes


def shown_metrics(job: Mapping[str, Any]) -> list[str]:
    """The metrics a job has figures for, its objectives first."""
    original = job.get("original") or {}
    objectives = job["request"]["objectives"]
    known = [metric for metric in METRICS if original.get(metric) is not None or not original]
    return [*objectives, *(metric for metric in known if metric not in objectives)]


def axes(job: Mapping[str, Any]) -> dict[str, str]:
    """The two metrics a job's candidates are first drawn by: what is to be large upwards, what it costs across."""
    objectives = job["request"]["objectives"]
    upwards = "accuracy" if "accuracy" in objectives else objectives[0]
    across = next((metric for metric in objectives if metric != upwards), "latency_ms")
    return {"x": across, "y": upwards}


def verdict(job: Mapping[str, Any], searches: Sequence[Mapping[str, Any]]) -> str | None:
    """Whether what was asked for beats the baselines, in a sentence; None while it cannot be said."""
    figures = [search for search in searches if search["hypervolume"] is not None]
    own = [search for search in figures if not search["baseline"]]
    baselines = [search for search in figures if search["baseline"]]
    if not own or not baselines:
        return None
    best = max(own, key=lambda search: search["hypervolume"])
    rival = max(baselines, key=lambda search: search["hypervolume"])
    ended = "" if job["state"] in TERMINAL_STATES else " so far"
    if best["hypervolume"] > rival["hypervolume"]:
        return f"By hypervolume, {best['algorithm']} is ahead of the best baseline ({rival['algorithm']}){ended}."
    return f"By hypervolume, no search is ahead of the baseline {rival['algorithm']}{ended}."


@router.get("/jobs/{job_id}")
async def job(visitor: VisitorDep, request: Request, job_id: str) -> Response:
    """A job: its front, its curves, its searches."""
    where, order_by = request.query_params.get("where"), request.query_params.get("order_by")
    values, front = await asyncio.gather(job_values(visitor, job_id), visitor.api.get(f"/jobs/{job_id}/front"))
    candidates = f"/jobs/{job_id}/candidates"
    selected = await visitor.api.get(candidates, where=where, order_by=order_by, limit=200) if where else None
    first = axes(values["job"])
    chosen = {axis: request.query_params.get(axis, first[axis]) for axis in first}
    return visitor.page(
        "job.html",
        front=front,
        selected=selected,
        axes={axis: metric if metric in METRICS else first[axis] for axis, metric in chosen.items()},
        verdict=verdict(values["job"], values["searches"]),
        **values,
    )


@router.get("/jobs/{job_id}/map")
async def job_map(visitor: VisitorDep, job_id: str) -> Response:
    """What the searches have learned about each layer."""
    return visitor.page("job_map.html", **await job_values(visitor, job_id))


EVENTS = 200  #: on a page of the log


@router.get("/jobs/{job_id}/log")
async def job_log(visitor: VisitorDep, request: Request, job_id: str, before: int | None = None) -> Response:
    """What happened, latest first."""
    values = await job_values(visitor, job_id)
    last = before - 1 if before is not None else int(values["job"]["last_seq"])
    kind, level = request.query_params.get("type", ""), request.query_params.get("level", "")
    first = max(0, last - EVENTS)
    page = await visitor.api.get(f"/jobs/{job_id}/events", after=first, limit=EVENTS)
    events = [event for event in page["data"] if event["seq"] <= last and _is_wanted(event, kind, level)]
    return visitor.page("job_log.html", events=events[::-1], earlier=first if first > 0 else None, **values)


def _is_wanted(event: Mapping[str, Any], kind: str, level: str) -> bool:
    if level and not (event["type"] == "log" and event["data"].get("level") == level):
        return False
    return kind == "all" or event["type"] in ((kind,) if kind else ("log", "state"))


@router.get("/jobs/{job_id}/settings")
async def job_settings(visitor: VisitorDep, job_id: str) -> Response:
    """What was asked for, and what it took."""
    values = await job_values(visitor, job_id)
    dataset = await visitor.api.get_or_none(f"/datasets/{values['job']['request']['dataset']}")
    chosen = values["job"]["request"]["algorithms"]
    options = {choice["name"]: choice["options"] for choice in chosen if isinstance(choice, dict)}
    return visitor.page("job_settings.html", dataset=dataset, options=options, **values)
