"""Devices: the analytic ones that ship with paretrim, and the tables a workspace has uploaded."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from hw_models.devices import load_device
from hw_models.devices import shipped as shipped
from paretrim import wire
from service import problems, views
from service.artifacts import Artifacts
from service.ids import new_id
from service.tables import Artifact, Device, utc_now

MEDIA_TYPE = "application/json"


def shipped_views() -> list[wire.Device]:
    """The analytic devices as the wire shows them."""
    return [_described(name) for name in sorted(shipped())]


@cache
def _described(name: str) -> wire.Device:
    return wire.Device.model_validate(describe(shipped()[name]))


def describe(document: Mapping[str, Any]) -> dict[str, Any]:
    """What is shown of a device document. Raises InvalidTable if it is none."""
    device = load_device(document)
    kernels = device.execution.kernels
    return {
        "name": device.name,
        "kind": "table" if device.kind == "table" else "analytic",
        "summary": str(document.get("title") or device.name),
        "weight_bits": sorted({bits.weight for bits in kernels}),
        "activation_bits": sorted({bits.activation for bits in kernels}),
        "provenance": _provenance(document),
        "rows": len(document.get("rows", ())),
    }


def _provenance(document: Mapping[str, Any]) -> dict[str, Any]:
    parts = ("source", "hardware", "runtime", "method", "noise", "created_at", "batch", "validation")
    return {part: document[part] for part in parts if part in document}


def find(session: Session, workspace_id: str, name: str) -> Device | None:
    """The uploaded device of this name."""
    return session.scalar(select(Device).where(Device.workspace_id == workspace_id, Device.name == name))


def view(session: Session, workspace_id: str, name: str) -> wire.Device:
    """The device of this name, a workspace's own before those that ship. 404 if there is none."""
    row = find(session, workspace_id, name)
    if row is not None:
        return views.device(row, session.get_one(Artifact, row.artifact_id).sha256)
    if name in shipped():
        return _described(name)
    raise problems.not_found("device", name)


def content(session: Session, artifacts: Artifacts, workspace_id: str, name: str) -> bytes:
    """The document of a device. 404 if there is none."""
    row = find(session, workspace_id, name)
    if row is not None:
        return artifacts.read(session.get_one(Artifact, row.artifact_id).sha256)
    if name in shipped():
        return dump(shipped()[name])
    raise problems.not_found("device", name)


def names(session: Session, workspace_id: str) -> list[str]:
    """All names that a job of the workspace may use."""
    own = session.scalars(select(Device.name).where(Device.workspace_id == workspace_id))
    return sorted({*own, *shipped()})


def dump(document: Mapping[str, Any]) -> bytes:
    """A document's bytes: the same for the same document."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def store(
    session: Session, workspace_id: str, described: Mapping[str, Any], sha256: str, size_bytes: int
) -> wire.Device:
    """Keep a document whose bytes are stored already; it takes the place of the device of that name."""
    name = str(described["name"])
    artifact = Artifact(
        id=new_id("artifact"),
        workspace_id=workspace_id,
        sha256=sha256,
        size_bytes=size_bytes,
        filename=f"{name}.json",
        media_type=MEDIA_TYPE,
    )
    session.add(artifact)
    session.flush()
    row = find(session, workspace_id, name)
    old_id = None if row is None else row.artifact_id
    if row is None:
        row = Device(id=new_id("device"), workspace_id=workspace_id, name=name)
        session.add(row)
    for field in ("kind", "summary", "weight_bits", "activation_bits", "provenance", "rows"):
        setattr(row, field, described[field])
    row.artifact_id, row.created_at = artifact.id, utc_now()
    session.flush()
    if old_id is not None:
        session.delete(session.get_one(Artifact, old_id))
    return views.device(row, sha256)
