"""Rows as the bodies of `paretrim.wire`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

from paretrim import wire
from service import tables
from service.tables import utc_now

API = "/api/v1"


def upload(row: tables.Upload, parts: list[int]) -> wire.Upload:
    """An upload under way."""
    return wire.Upload.model_validate(
        {
            "id": row.id,
            "kind": row.kind,
            "filename": row.filename,
            "size_bytes": row.size_bytes,
            "part_size_bytes": row.part_size_bytes,
            "parts_received": parts,
            "state": row.state,
            "resource_id": row.resource_id,
            "expires_at": row.expires_at,
        }
    )


def _file(row: tables.Model | tables.Dataset) -> dict[str, Any]:
    names = ("id", "name", "state", "sha256", "size_bytes", "created_at", "reason", "inspection")
    return {name: getattr(row, name) for name in names} | {"artifact": row.artifact_id}


def model(row: tables.Model) -> wire.Model:
    """An uploaded neural network. Its `artifact` holds the file."""
    return wire.Model.model_validate(_file(row) | {"architecture": row.architecture})


def dataset(row: tables.Dataset) -> wire.Dataset:
    """An uploaded dataset. Its `artifact` holds the file."""
    return wire.Dataset.model_validate(_file(row))


def device(row: tables.Device, sha256: str) -> wire.Device:
    """A device document that was uploaded."""
    names = ("name", "kind", "summary", "weight_bits", "activation_bits", "provenance", "rows", "created_at")
    return wire.Device.model_validate({name: getattr(row, name) for name in names} | {"sha256": sha256})


def job(row: tables.Job) -> wire.Job:
    """A job as it stands."""
    error = None
    if row.error_code is not None:
        error = {"code": row.error_code, "message": row.error_message, "retryable": row.error_retryable}
    own = f"{API}/jobs/{row.id}"
    places = ("searches", "candidates", "front", "curve", "events", "cancel", "pause", "resume", "clone")
    return wire.Job.model_validate(
        {
            "id": row.id,
            "name": row.name,
            "state": row.state,
            "request": _request(json.dumps(row.request)),
            "progress": _progress(row),
            "best": row.best,
            "front_size": row.front_size,
            "hypervolume": row.hypervolume,
            "original": row.original,
            "error": error,
            "warnings": row.warnings,
            "attempt": row.attempt,
            "cost": cost(row),
            "created_at": row.created_at,
            "started_at": row.started_at,
            "finished_at": row.finished_at,
            "urls": {"self": own} | {place: f"{own}/{place}" for place in places},
            "cloned_from": row.cloned_from,
            "last_seq": row.last_seq,
        }
    )


@lru_cache(maxsize=4096)
def _request(text: str) -> wire.JobRequest:
    """Reading a request is what costs most of showing a job, and lists show the same jobs again and again."""
    return wire.JobRequest.model_validate_json(text)


def cost(row: tables.Job) -> dict[str, float]:
    """What a job has taken so far."""
    return {
        "cpu_seconds": round(row.cpu_seconds, 3),
        "wall_seconds": round(row.wall_seconds, 3),
        "evaluations": row.evaluations,
    }


def _progress(row: tables.Job) -> dict[str, Any]:
    eta = None
    if row.state == "running" and row.phase == "searching" and row.completed > 0 and row.started_at is not None:
        elapsed = (utc_now() - row.started_at).total_seconds()
        eta = max(0.0, round(elapsed * (row.total - row.completed) / row.completed, 1))
    if row.state == "running" and row.eta_seconds is not None:
        eta = row.eta_seconds
    detail = row.detail if row.state == "running" else ""
    figures = {"phase": row.phase, "completed": row.completed, "total": row.total}
    return figures | {"detail": detail, "eta_seconds": eta}


def search(row: tables.Search, objective: str) -> wire.Search:
    """One algorithm at work. `objective`: the job's first, which `best` is about."""
    names = ("id", "algorithm", "baseline", "seed", "state", "evaluated", "failed", "total", "hypervolume", "message")
    best = {} if row.best is None else {objective: row.best}
    return wire.Search.model_validate({name: getattr(row, name) for name in names} | {"best": best})


def candidate(
    row: tables.Candidate, algorithm: str | None, delivery: tables.Delivery | None = None
) -> wire.CandidateView:
    """A policy that was proposed and what came of it."""
    names = ("n", "index", "policy", "measurement", "failure", "feasible", "on_front", "created_at")
    values = {name: getattr(row, name) for name in names}
    return wire.CandidateView.model_validate(
        values
        | {
            "search": row.search_id,
            "algorithm": algorithm,
            "delivery": None if delivery is None else _delivery(delivery),
        }
    )


def _delivery(row: tables.Delivery) -> dict[str, Any]:
    return {
        "measurement": row.measurement,
        "original": row.original,
        "artifact": row.artifact_id,
        "artifacts": row.files,
        "precision": row.precision,
        "report": row.report,
    }


def event(seq: int, kind: str, data: Mapping[str, Any], created_at: datetime) -> wire.Event:
    """Something that happened to a job."""
    return wire.Event(seq=seq, type=kind, data=dict(data), created_at=created_at)


def api_key(row: tables.ApiKey, secret: str | None = None) -> wire.ApiKey:
    """A key; its secret only in the answer that made it."""
    names = ("id", "name", "prefix", "scopes", "created_at", "expires_at", "last_used_at")
    return wire.ApiKey.model_validate({name: getattr(row, name) for name in names} | {"secret": secret})


def webhook(row: tables.Webhook, secret: str | None = None) -> wire.Webhook:
    """A webhook; its secret only in the answer that made it."""
    names = ("id", "url", "types", "created_at", "disabled_reason")
    return wire.Webhook.model_validate({name: getattr(row, name) for name in names} | {"secret": secret})


def message(row: tables.Message) -> wire.WebhookMessage:
    """What a webhook is told."""
    names = ("id", "type", "state", "attempts", "last_status", "last_error", "created_at")
    return wire.WebhookMessage.model_validate({name: getattr(row, name) for name in names})


def audit_entry(row: tables.AuditEntry) -> wire.AuditEntry:
    """Who did what."""
    names = ("id", "action", "subject", "address", "request_id", "created_at")
    return wire.AuditEntry.model_validate({name: getattr(row, name) for name in names} | {"key": row.key_id})


def export(row: tables.Export) -> wire.Export:
    """A candidate on its way to being delivered."""
    return wire.Export.model_validate({"job": row.job_id, "n": row.n, "state": row.state, "message": row.message})
