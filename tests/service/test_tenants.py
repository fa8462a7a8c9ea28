"""Nothing of a workspace is ever shown to another: every operation of the API is tried with the other's key."""

from __future__ import annotations

import re
from typing import Any

import pytest
from starlette.testclient import TestClient

from service import jobs, tables
from service.context import Service
from service.recorder import SqlRecorder
from service.worker import plan_of
from tests.service import test_recorder, worlds

METHODS = ("get", "post", "put", "patch", "delete")
#: operations on things that have no owner
SHARED = {"/algorithms", "/healthz", "/readyz", "/metrics"}


@pytest.fixture
def owned(client: TestClient, service: Service) -> dict[str, str]:
    """One of everything that a workspace can own, by the name it has in paths."""
    files = worlds.ready_files(service)
    job = worlds.create_job(client, files, tags=["mine"], name="my job")["id"]
    with service.database.write() as session:
        fence = jobs.claim(session, "w", lease_seconds=60, running_per_workspace=9)
        assert fence is not None
        row = session.get_one(tables.Job, job)
        searches = session.query(tables.Search).filter_by(job_id=job).order_by(tables.Search.position).all()
        plan = plan_of(row, searches)
    recorder = SqlRecorder(service.database, service.artifacts, plan, fence)
    recorder.prepared(test_recorder.ORIGINAL, {}, ())
    recorder.record(plan.searches[0], test_recorder.WINDOW, test_recorder.CURVE, test_recorder.CHECKPOINT)
    recorder.front((1,), 0.1, {})
    recorder.flush()
    document = client.get("/devices/bit-serial/content").json() | {"name": "mine"}
    assert client.put("/devices/mine", json=document).status_code == 200
    upload = worlds.open_upload(client, b"12345", "model", "m.onnx")["id"]
    webhook = client.post("/webhooks", json={"url": "https://example.com/hook"}).json()["id"]
    artifact = client.get(f"/models/{files[0]}").json()["artifact"]
    return {
        "model_id": files[0],
        "dataset_id": files[1],
        "job_id": job,
        "n": "1",
        "name": "mine",
        "upload_id": upload,
        "webhook_id": webhook,
        "artifact_id": artifact,
        "key_id": client.get("/keys").json()["data"][0]["id"],
        "search_id": plan.searches[0].id,
    }


def operations(client: TestClient) -> list[tuple[str, str, dict[str, Any]]]:
    """All operations of the OpenAPI document."""
    document = client.get("/openapi.json").json()
    found = [
        (method, path.removeprefix(worlds.API), operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    assert len(found) > 40
    return found


def body_of(method: str, path: str) -> dict[str, Any]:
    """Something that is not refused for its form."""
    if method == "put" and path.endswith("/parts/{n}"):
        return {"content": b"12345"}
    if method == "put":
        return {"json": {"name": "mine"}}
    if method == "patch":
        return {"json": {"name": "stolen"}}
    return {"json": {}} if path.endswith("/clone") else {}


def query_of(operation: dict[str, Any]) -> str:
    """What the address cannot do without."""
    wanted = [p["name"] for p in operation.get("parameters", []) if p["in"] == "query" and p.get("required")]
    return "?" + "&".join(f"{name}=x" for name in wanted) if wanted else ""


def test_things_of_another_workspace_are_as_if_they_were_not(
    client: TestClient, other: TestClient, owned: dict[str, str]
) -> None:
    tried = 0
    before = client.get(f"/jobs/{owned['job_id']}").json()
    for method, path, operation in operations(client):
        names = re.findall(r"{(\w+)}", path)
        if not names:
            continue
        assert set(names) <= set(owned), f"{path}: the test owns nothing of this kind"
        if path == "/devices/{name}" and method == "put":
            continue  # makes a device of one's own
        address = path.format(**owned) + query_of(operation)
        response = getattr(other, method)(address, **body_of(method, path))
        assert response.status_code == 404, f"{method} {path} answered {response.status_code}: {response.text[:200]}"
        assert response.json()["code"] == "not-found"
        for accept in ("text/event-stream",):
            response = other.request(method, address, headers={"Accept": accept}, **body_of(method, path))
            assert response.status_code == 404, f"{method} {path} as {accept}"
        tried += 1
    assert tried > 25
    assert client.get(f"/jobs/{owned['job_id']}").json() == before


def test_lists_hold_nothing_of_another_workspace(client: TestClient, other: TestClient, owned: dict[str, str]) -> None:
    listed = 0
    secret_words = [value for name, value in owned.items() if name not in ("n", "name")] + ["my job", '"mine"']
    for method, path, _ in operations(client):
        if method != "get" or "{" in path or path in SHARED:
            continue
        response = other.get(path)
        assert response.status_code == 200, path
        for word in secret_words:
            assert word not in response.text, f"{path} shows {word}"
        listed += 1
    assert listed >= 7


def test_every_operation_but_health_needs_a_key(app: Any, client: TestClient, owned: dict[str, str]) -> None:
    stranger = TestClient(app, base_url="http://testserver" + worlds.API)
    for method, path, _ in operations(client):
        response = getattr(stranger, method)(path.format(**owned), **body_of(method, path))
        open_to_all = path in ("/healthz", "/readyz", "/metrics")
        assert (response.status_code == 401) == (not open_to_all), f"{method} {path}: {response.status_code}"


def test_a_cursor_of_another_workspace_is_of_no_use(client: TestClient, other: TestClient, service: Service) -> None:
    files = worlds.ready_files(service)
    for _ in range(3):
        worlds.create_job(client, files)
    cursor = client.get("/jobs?limit=1").json()["next_cursor"]
    response = other.get("/jobs", params={"limit": 1, "cursor": cursor})
    assert (response.status_code, response.json()["code"]) == (400, "invalid-cursor")
