"""What tests of the service set up: settings, clients, models and datasets that are ready, jobs in any state."""

from __future__ import annotations

import base64
import hashlib
import io
import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from fastapi import FastAPI
from starlette.testclient import TestClient

from paretrim.network import Group, Network, Operation, Segment
from service import accounts, inspections, tables
from service.context import Service
from service.ids import new_id
from service.settings import Settings
from service.tables import utc_now
from tests.search import tiny

API = "/api/v1"


def settings(database_url: str, data_dir: Path, **changes: Any) -> Settings:
    """Small and quick: leases of seconds, no rate limits. PARETRIM_TEST_LEASE_SECONDS: where others work too."""
    given: dict[str, Any] = {
        "database_url": database_url,
        "data_dir": data_dir,
        "secret": "s" * 32,
        "executor": "inline",
        "lease_seconds": float(os.environ.get("PARETRIM_TEST_LEASE_SECONDS", "5")),
        "poll_seconds": 0.05,
        "cancel_grace_seconds": 1.0,
        "requests_per_minute": 0,
        "attempts_per_minute": 0,
        "part_size_bytes": 4096,
        "free_space_floor_bytes": 0,
    }
    return Settings(**(given | changes))


def key_of(service: Service, workspace: str, scopes: tuple[str, ...] = accounts.SCOPES, **more: Any) -> str:
    """A new key of a workspace, which is made if need be."""
    with service.database.write() as session:
        workspace_id = accounts.make_workspace(session, workspace)
        return accounts.make_key(session, workspace_id, "test", scopes, **more)[1]


def client_of(app: FastAPI, service: Service, workspace: str, scopes: tuple[str, ...] = accounts.SCOPES) -> TestClient:
    """Sends requests with a key of the workspace."""
    key = key_of(service, workspace, scopes)
    return TestClient(app, base_url="http://testserver" + API, headers={"Authorization": f"Bearer {key}"})


def npz(**arrays: Any) -> bytes:
    """A dataset file."""
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def dataset_file(rows: int = 60, classes: int = 10, shape: tuple[int, ...] = (1, 8, 8), seed: int = 0) -> bytes:
    """Random rows with labels, in three splits."""
    rng = np.random.default_rng(seed)
    arrays: dict[str, Any] = {}
    for split in ("train", "validation", "test"):
        arrays[f"{split}_x"] = rng.standard_normal((rows, *shape)).astype(np.float32)
        arrays[f"{split}_y"] = rng.integers(0, classes, rows)
    return npz(**arrays)


def digest_header(content: bytes) -> str:
    """Content-Digest of a part."""
    return f"sha-256=:{base64.b64encode(hashlib.sha256(content).digest()).decode()}:"


def open_upload(client: TestClient, content: bytes, kind: str, filename: str, **more: Any) -> dict[str, Any]:
    """Announce a file."""
    sha256 = hashlib.sha256(content).hexdigest()
    body = {"kind": kind, "filename": filename, "size_bytes": len(content), "sha256": sha256} | more
    response = client.post("/uploads", json=body)
    assert response.status_code == 201, response.text
    result: dict[str, Any] = response.json()
    return result


def upload(client: TestClient, content: bytes, kind: str, filename: str, **more: Any) -> str:
    """Upload a file; returns the id of the model or dataset it became."""
    opened = open_upload(client, content, kind, filename, **more)
    step = opened["part_size_bytes"]
    for n, start in enumerate(range(0, len(content), step), start=1):
        part = content[start : start + step]
        response = client.put(
            f"/uploads/{opened['id']}/parts/{n}", content=part, headers={"Content-Digest": digest_header(part)}
        )
        assert response.status_code == 200, response.text
    response = client.post(f"/uploads/{opened['id']}/complete")
    assert response.status_code == 202, response.text
    return str(response.json()["resource_id"])


def inspect_all(service: Service) -> None:
    """Do what a dispatcher does with uploads."""
    while inspections.inspect_next(service.settings, service.database, service.artifacts, "test"):
        pass


def network() -> Network:
    """(1, 8, 8) -> 10 classes: two convolutions, a pooling, a classifier."""
    image, hidden, wide = (Segment(None, 1),), (Segment("a", 8),), (Segment("b", 16),)
    kernel = {"kernel": (3, 3), "stride": (1, 1), "padding": (1, 1, 1, 1), "dilation": (1, 1)}
    spatial = {"in_hw": (8, 8), "out_hw": (8, 8)}
    return Network(
        operations=(
            Operation("first", "conv2d", ("input",), image, hidden, bias=True, **spatial, **kernel),
            Operation("relu1", "relu", ("first",), hidden, hidden, **spatial),
            Operation("second", "conv2d", ("relu1",), hidden, wide, bias=True, **spatial, **kernel),
            Operation("relu2", "relu", ("second",), wide, wide, **spatial),
            Operation("pool", "global_avg_pool", ("relu2",), wide, wide, in_hw=(8, 8), out_hw=(1, 1)),
            Operation("flatten", "flatten", ("pool",), wide, wide, in_hw=(1, 1)),
            Operation("classify", "linear", ("flatten",), wide, (Segment(None, 10),), bias=True),
        ),
        groups=(Group("a", 8, ("first",), ("second",)), Group("b", 16, ("second",), ("classify",))),
        input_shape=(1, 8, 8),
        output="classify",
    )


def model_inspection() -> dict[str, Any]:
    """What inspection leaves of a model with `network`."""
    return {
        "input_name": "x",
        "input_shape": [1, 8, 8],
        "output_name": "y",
        "output_shape": [10],
        "classes": 10,
        "parameters": 1418,
        "macs": 0,
        "layers": [],
        "groups": [],
        "network": network().to_json(),
        "warnings": [],
    }


def dataset_inspection(**changes: Any) -> dict[str, Any]:
    """What inspection leaves of a dataset that fits the model."""
    split = {"samples": 60, "shape": [1, 8, 8], "dtype": "float32", "target_shape": [], "target_dtype": "int64"}
    names = ("train", "validation", "test")
    found: dict[str, Any] = {"splits": {name: dict(split) for name in names}, "classes": 10, "label_min": 0}
    return found | {"label_max": 9, "mean": None, "std": None, "carved": [], "warnings": []} | changes


def ready_files(service: Service, workspace: str = "first", **dataset_changes: Any) -> tuple[str, str]:
    """A model and a dataset that have been inspected: rows only, no job can run on them."""
    contents = (new_id("artifact").encode(), new_id("artifact").encode())
    return add_files(service, workspace, contents, (model_inspection(), dataset_inspection(**dataset_changes)))


def add_files(
    service: Service, workspace: str, contents: tuple[bytes, bytes], found: tuple[dict[str, Any], dict[str, Any]]
) -> tuple[str, str]:
    """A model and a dataset with these bytes and inspections."""
    ids = []
    with service.database.write() as session:
        workspace_id = accounts.make_workspace(session, workspace)
        tables_of_kinds: Any = (("model", tables.Model), ("dataset", tables.Dataset))
        for (kind, table), content, inspection in zip(tables_of_kinds, contents, found, strict=True):
            artifact = tables.Artifact(
                id=new_id("artifact"),
                workspace_id=workspace_id,
                sha256=service.artifacts.put_bytes(content),
                size_bytes=len(content),
                filename=kind,
            )
            session.add(artifact)
            session.flush()
            row = table(
                id=new_id(kind),
                workspace_id=workspace_id,
                artifact_id=artifact.id,
                name=kind,
                state="ready",
                sha256=artifact.sha256,
                size_bytes=len(content),
                inspection=inspection,
                created_at=utc_now(),
            )
            session.add(row)
            session.flush()
            ids.append(row.id)
    return ids[0], ids[1]


def job_body(files: tuple[str, str], **changes: Any) -> dict[str, Any]:
    """A request that is accepted."""
    body: dict[str, Any] = {
        "model": files[0],
        "dataset": files[1],
        "device": "bit-serial",
        "algorithms": ["nsga2"],
        "objectives": ["accuracy", "latency_ms"],
        "constraints": ["latency_ratio <= 0.8"],
        "budget": {"candidates": 20},
    }
    return body | changes


def create_job(
    client: TestClient, files: tuple[str, str], headers: Mapping[str, str] | None = None, **changes: Any
) -> Any:
    """Submit a job that is accepted."""
    response = client.post("/jobs", json=job_body(files, **changes), headers=headers)
    assert response.status_code == 201, response.text
    return response.json()


@cache
def real_inspections() -> tuple[dict[str, Any], dict[str, Any]]:
    """Of the tiny network and the digits, as the inspector finds them."""
    from service.model_file import inspect_model
    from service.npz_file import inspect_npz

    return inspect_model(tiny.model(), None), inspect_npz(io.BytesIO(npz(**tiny.digits())))


def real_files(service: Service, workspace: str = "first") -> tuple[str, str]:
    """The tiny trained network and the digits, uploaded and inspected: jobs can run on them."""
    contents = (tiny.model(), npz(**tiny.digits()))
    return add_files(service, workspace, contents, real_inspections())
