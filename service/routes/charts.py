"""What a job's policies look like from afar, and what could be had before there is a job."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Query
from sqlalchemy import select
from sqlalchemy.orm import Session

from paretrim import wire, wire_overview
from paretrim.errors import NotMeasured
from paretrim.network import Network
from paretrim.problem import METRICS
from service import devices, dialect, gauges, generations, heat, outlook, problems, sensitivity, sweeps, tables
from service.accounts import Principal
from service.context import Reader, ReadSession, ServiceDep, owned_job

router = APIRouter(tags=["results"])


@router.get("/jobs/{job_id}/map")
def get_map(
    job_id: str,
    session: ReadSession,
    principal: Reader,
    search: Annotated[
        str | None, Query(max_length=40, description="Whose policies; the first search's if absent.")
    ] = None,
    what: heat.What = "keep",
    columns: Annotated[int, Query(ge=1, le=200)] = 60,
) -> wire_overview.HeatMap:
    """Mean keep ratios or bits of every group or layer, generation by generation: what a search has learned."""
    job = owned_job(session, principal, job_id)
    wanted = select(tables.Search).where(tables.Search.job_id == job.id).order_by(tables.Search.position).limit(1)
    row = session.scalar(wanted if search is None else wanted.where(tables.Search.id == search))
    if row is None:
        raise problems.not_found(f"search of job {job.id}", search or "")
    model = session.get_one(tables.Model, job.model_id)
    network = Network.from_json((model.inspection or {})["network"])
    return heat.heat_map(session, job, row, network, what, columns)


@router.get("/jobs/{job_id}/generations")
def get_generations(
    job_id: str,
    session: ReadSession,
    principal: Reader,
    metric: Annotated[str, Query(pattern=rf"^({'|'.join(METRICS)})$")] = "accuracy",
    columns: Annotated[int, Query(ge=1, le=200)] = 60,
) -> wire_overview.Generations:
    """How good each search's proposals were, generation by generation: whether it learns."""
    return generations.generations(session, owned_job(session, principal, job_id), metric, columns)


@router.get("/jobs/{job_id}/gauges")
def get_gauges(
    job_id: str,
    session: ReadSession,
    principal: Reader,
    max_points: Annotated[int, Query(ge=2, le=1000, description="Of each search.")] = 200,
) -> wire_overview.Gauges:
    """What each algorithm says of itself as it goes on: an agent's reward and noise, a genetic search's generation."""
    return gauges.gauges(session, owned_job(session, principal, job_id), max_points)


@router.get("/jobs/{job_id}/sensitivity")
def get_sensitivity(job_id: str, session: ReadSession, principal: Reader) -> wire_overview.Sensitivity:
    """How much accuracy hangs on each group's channels and each layer's bits, as far as the job's candidates tell."""
    job = owned_job(session, principal, job_id)
    model = session.get_one(tables.Model, job.model_id)
    return sensitivity.sensitivity(session, job, Network.from_json((model.inspection or {})["network"]))


@router.post("/jobs/check")
def check_job(
    request: wire_overview.OutlookRequest, session: ReadSession, service: ServiceDep, principal: Reader
) -> wire_overview.Outlook:
    """What a model could become on a device, and which constraints can be met. Nothing is submitted."""
    inspection = _inspection(session, principal, request.model)
    document = json.loads(devices.content(session, service.artifacts, principal.workspace_id, request.device))
    try:
        return outlook.outlook(inspection, document, request.constraints)
    except NotMeasured as error:
        message = f"{request.device} has no figure for an operation of this model: {error}"
        raise problems.unprocessable("device", message, code="not-measured") from None


def _inspection(session: Session, principal: Principal, model_id: str) -> Mapping[str, Any]:
    row = session.scalar(
        select(tables.Model).where(tables.Model.id == model_id, tables.Model.workspace_id == principal.workspace_id)
    )
    if row is None:
        raise problems.not_found("model", model_id)
    if row.state != "ready" or row.inspection is None:
        raise problems.conflict("model-not-ready", f"model {model_id} is {row.state}")
    return row.inspection


@router.get("/queue", tags=["jobs"])
def get_queue(session: ReadSession, principal: Reader) -> wire_overview.Queue:
    """The workspace's jobs that are worked on, with the worker that holds each, and those that wait, next first."""
    own = select(tables.Job).where(tables.Job.workspace_id == principal.workspace_id)
    held = session.scalars(own.where(tables.Job.owner.is_not(None)).order_by(tables.Job.id)).all()
    waiting = session.scalars(
        own.where(tables.Job.state == "queued").order_by(tables.Job.priority.desc(), tables.Job.id).limit(200)
    ).all()
    now = session.scalar(select(dialect.clock(session))) or 0.0
    return wire_overview.Queue(
        held=[
            wire_overview.HeldJob(
                id=row.id,
                name=row.name,
                state=row.state,  # type: ignore[arg-type]
                phase=row.phase,
                worker=row.owner or "",
                attempt=row.attempt,
                losses=row.losses,
                lease_seconds=round((row.lease_expires_at or now) - now, 1),
                worked_seconds=round(now - (row.claimed_at or now), 1),
            )
            for row in held
        ],
        waiting=[
            wire_overview.WaitingJob(id=row.id, name=row.name, priority=row.priority, created_at=row.created_at)
            for row in waiting
        ],
    )


@router.get("/devices/{name}/shapes", tags=["devices"])
def list_shapes(
    name: str, session: ReadSession, service: ServiceDep, principal: Reader
) -> wire.Page[wire_overview.DeviceShape]:
    """The layers whose times on this device can be looked at."""
    document = json.loads(devices.content(session, service.artifacts, principal.workspace_id, name))
    return wire.Page[wire_overview.DeviceShape](data=sweeps.shapes(document))


@router.get("/devices/{name}/sweep", tags=["devices"])
def get_sweep(
    name: str,
    session: ReadSession,
    service: ServiceDep,
    principal: Reader,
    op: Annotated[str, Query(max_length=2000, description="A shape's `op`, as JSON.")],
    along: sweeps.Along = "out_channels",
    channels: Annotated[int | None, Query(ge=1, le=sweeps.MOST_CHANNELS, description="How far to go.")] = None,
) -> wire_overview.Sweep:
    """Times of one shape at 1, 2, 3, ... channels, at each precision: the device's steps."""
    document = json.loads(devices.content(session, service.artifacts, principal.workspace_id, name))
    return sweeps.sweep(document, op, along, channels)
