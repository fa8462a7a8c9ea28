"""Devices and algorithms: what a job may name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Body, Path, Request, Response
from sqlalchemy import select

from paretrim import wire
from paretrim.algorithms import OPTIONS, SUMMARY
from service import audit, devices, problems, tables, views
from service.context import Reader, ReadSession, ServiceDep, Writer
from service.tables import Artifact, Device

router = APIRouter()

DeviceName = Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9._-]{0,62}$")]


@router.get("/devices", tags=["devices"])
def list_devices(session: ReadSession, principal: Reader) -> wire.Page[wire.Device]:
    """The devices a job may name: the workspace's own, and those that ship with paretrim."""
    rows = session.execute(
        select(Device, Artifact.sha256)
        .join(Artifact, Device.artifact_id == Artifact.id)
        .where(Device.workspace_id == principal.workspace_id)
    )
    own = {row.name: views.device(row, sha256) for row, sha256 in rows}
    shipped = {device.name: device for device in devices.shipped_views()}
    merged = shipped | own
    return wire.Page[wire.Device](data=[merged[name] for name in sorted(merged)])


@router.get("/devices/{name}", tags=["devices"])
def get_device(name: DeviceName, session: ReadSession, principal: Reader) -> wire.Device:
    """A device and where its figures come from."""
    return devices.view(session, principal.workspace_id, name)


@router.get(
    "/devices/{name}/content",
    tags=["devices"],
    responses={200: {"content": {"application/json": {"schema": {"type": "object"}}}}},
    response_class=Response,
)
def get_device_content(name: DeviceName, session: ReadSession, service: ServiceDep, principal: Reader) -> Response:
    """The device document itself: a latency table, or an analytic model's parameters."""
    content = devices.content(session, service.artifacts, principal.workspace_id, name)
    headers = {"Content-Disposition": f'attachment; filename="{name}.json"'}
    return Response(content, media_type=devices.MEDIA_TYPE, headers=headers)


@router.put("/devices/{name}", tags=["devices"], max_body_size=64 * 1024 * 1024)
def put_device(
    name: DeviceName,
    document: Annotated[dict[str, Any], Body(description="What `paretrim profile` writes.")],
    request: Request,
    service: ServiceDep,
    principal: Writer,
) -> wire.Device:
    """Store a device document under its name, in place of the one that was there. Jobs under way keep the old one."""
    described = _described(name, document)
    content = devices.dump(document)
    with service.database.read() as session:
        service.uploads.check_room(session, principal.workspace_id, len(content))
    sha256 = service.artifacts.put_bytes(content)
    with service.database.write() as session:
        service.uploads.check_room(session, principal.workspace_id, len(content))  # others may have come meanwhile
        audit.note(session, request, principal, "device.put", name)
        return devices.store(session, principal.workspace_id, described, sha256, len(content))


def _described(name: str, document: Mapping[str, Any]) -> dict[str, Any]:
    if document.get("name") != name:
        message = f"the document is of {document.get('name')!r}, the address says {name!r}; make them the same"
        raise problems.unprocessable("name", message)
    return devices.describe(document)


@router.delete("/devices/{name}", tags=["devices"], status_code=204)
def delete_device(name: DeviceName, request: Request, service: ServiceDep, principal: Writer) -> None:
    """Forget an uploaded device. Jobs that use it have their own copy."""
    with service.database.write() as session:
        row = devices.find(session, principal.workspace_id, name)
        if row is None and name in devices.shipped():
            raise problems.conflict("device-shipped", f"device {name!r} is part of paretrim and cannot be deleted")
        if row is None:
            raise problems.not_found("device", name)
        artifact = session.get_one(tables.Artifact, row.artifact_id)
        session.delete(row)
        session.flush()
        session.delete(artifact)
        audit.note(session, request, principal, "device.delete", name)


@router.get("/algorithms", tags=["algorithms"])
def list_algorithms(_principal: Reader) -> wire.Page[wire.Algorithm]:
    """The search algorithms and what can be set on each, as JSON Schema."""
    return wire.Page[wire.Algorithm](
        data=[
            wire.Algorithm(name=name, summary=SUMMARY[name], options=options.model_json_schema())
            for name, options in sorted(OPTIONS.items())
        ]
    )
