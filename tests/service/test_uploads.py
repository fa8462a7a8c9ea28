from __future__ import annotations

import hashlib
import os
import time
from typing import Any

import pytest
from starlette.testclient import TestClient

from service import housekeeping
from service.context import Service
from service.problems import Problem
from service.tables import Upload, utc_now
from tests.service import worlds

CONTENT = bytes(range(256)) * 40  # 10240 bytes: three parts of 4096


def part(n: int) -> bytes:
    return CONTENT[(n - 1) * 4096 : n * 4096]


@pytest.fixture
def opened(client: TestClient) -> dict[str, Any]:
    return worlds.open_upload(client, CONTENT, "dataset", "data.npz")


def send(client: TestClient, upload: dict[str, Any], n: int, content: bytes, **headers: str) -> Any:
    return client.put(f"/uploads/{upload['id']}/parts/{n}", content=content, headers=headers)


def test_parts_arrive_in_any_order_and_more_than_once(client: TestClient, opened: dict[str, Any]) -> None:
    for n in (3, 1, 3, 2):
        response = send(client, opened, n, part(n))
        assert response.status_code == 200, response.text
    assert client.get(f"/uploads/{opened['id']}").json()["parts_received"] == [1, 2, 3]
    done = client.post(f"/uploads/{opened['id']}/complete")
    assert (done.status_code, done.json()["state"]) == (202, "completed")
    again = client.post(f"/uploads/{opened['id']}/complete")
    assert again.json()["resource_id"] == done.json()["resource_id"]
    file = client.get(f"/datasets/{done.json()['resource_id']}").json()
    assert (file["state"], file["sha256"]) == ("inspecting", hashlib.sha256(CONTENT).hexdigest())
    content = client.get(f"/artifacts/{file['artifact']}/content")
    assert content.content == CONTENT


def test_nothing_is_left_of_the_parts_of_a_complete_upload(client: TestClient, service: Service) -> None:
    worlds.upload(client, CONTENT, "dataset", "data.npz")
    uploads = service.settings.data_dir / "uploads"
    assert [path for path in uploads.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize(
    ("n", "content", "headers", "status", "code"),
    [
        (1, part(1) + b"x", {}, 413, "too-large"),
        (1, part(1)[:-1], {}, 400, "incomplete-part"),
        (1, part(1), {"Content-Digest": worlds.digest_header(b"other")}, 400, "digest-mismatch"),
        (1, part(1), {"Content-Digest": "sha-256=:!!:"}, 400, "bad-digest"),
        (1, part(1), {"Content-Digest": "md5=:abc=:"}, 200, None),
        (1, part(1), {"Content-Digest": "sha-256=:abc:"}, 400, "bad-digest"),
        (4, b"", {}, 404, "not-found"),
        (0, b"", {}, 422, "invalid-request"),
    ],
)
def test_a_part_is_what_it_should_be_or_refused(
    client: TestClient, opened: dict[str, Any], n: int, content: bytes, headers: dict[str, str], status: int, code: Any
) -> None:
    response = send(client, opened, n, content, **headers)
    assert (response.status_code, response.json().get("code")) == (status, code)
    expected = [1] if status == 200 else []
    assert client.get(f"/uploads/{opened['id']}").json()["parts_received"] == expected


def test_a_part_without_end_is_cut_off(client: TestClient, opened: dict[str, Any], service: Service) -> None:
    sent = 0

    def endless() -> Any:
        nonlocal sent
        while sent < 50_000_000:
            sent += 4096
            yield bytes(4096)

    assert send(client, opened, 1, endless()).status_code == 413
    left = sum(path.stat().st_size for path in service.settings.data_dir.rglob("uploads/**/*") if path.is_file())
    assert left == 0


def test_a_file_that_is_not_the_one_announced_is_not_taken(client: TestClient) -> None:
    opened = worlds.open_upload(client, CONTENT, "dataset", "data.npz")
    for n in (1, 2, 3):
        send(client, opened, n, bytes(len(part(n))))
    response = client.post(f"/uploads/{opened['id']}/complete")
    assert (response.status_code, response.json()["code"]) == (422, "digest-mismatch")
    assert client.get("/datasets").json()["data"] == []


def test_missing_parts_are_named(client: TestClient, opened: dict[str, Any]) -> None:
    send(client, opened, 2, part(2))
    response = client.post(f"/uploads/{opened['id']}/complete")
    assert response.status_code == 409
    assert "parts 1, 3" in response.json()["detail"]


def test_files_beyond_limit_and_quota_are_refused_before_a_byte_flows(client: TestClient, service: Service) -> None:
    body = {"kind": "model", "filename": "m.onnx", "sha256": "0" * 64}
    too_large = service.settings.max_upload_bytes + 1
    response = client.post("/uploads", json=body | {"size_bytes": too_large})
    assert (response.status_code, response.json()["code"]) == (413, "too-large")
    quota, step = service.settings.quota_bytes, service.settings.max_upload_bytes
    accepted = 0
    for _ in range(quota // step + 1):
        response = client.post("/uploads", json=body | {"size_bytes": step})
        accepted += response.status_code == 201
    assert accepted == quota // step
    assert response.json()["code"] == "quota-exceeded"


def test_a_cancelled_upload_is_gone_and_gives_its_room_back(client: TestClient, opened: dict[str, Any]) -> None:
    send(client, opened, 1, part(1))
    assert client.delete(f"/uploads/{opened['id']}").status_code == 204
    assert client.get(f"/uploads/{opened['id']}").status_code == 404


def test_an_upload_that_was_never_completed_is_forgotten(
    client: TestClient, service: Service, opened: dict[str, Any]
) -> None:
    with service.database.write() as session:
        session.get_one(Upload, opened["id"]).expires_at = utc_now()
    assert send(client, opened, 1, part(1)).json()["code"] == "upload-expired"
    housekeeping.keep_house(service.settings, service.database, service.artifacts, service.uploads)
    assert client.get(f"/uploads/{opened['id']}").status_code == 404


def test_what_a_process_left_of_an_upload_when_it_died_goes_and_what_is_under_way_stays(
    client: TestClient, service: Service, opened: dict[str, Any]
) -> None:
    send(client, opened, 1, part(1))
    done = worlds.open_upload(client, CONTENT, "model", "n.onnx")["id"]
    left = service.uploads.folder(done)
    left.mkdir()
    (left / "part-000001").write_bytes(part(1))
    with service.database.write() as session:
        session.get_one(Upload, done).state = "completed"
    long_ago = time.time() - 7200
    for folder in (left, service.uploads.folder(opened["id"])):
        os.utime(folder, (long_ago, long_ago))
    housekeeping.keep_house(service.settings, service.database, service.artifacts, service.uploads)
    assert not left.exists()
    assert client.get(f"/uploads/{opened['id']}").json()["parts_received"] == [1]
    assert service.uploads.folder(opened["id"]).exists()
    assert client.get(f"/uploads/{done}").status_code == 200  # who asks what became of it is told, until it expires
    with service.database.write() as session:
        session.get_one(Upload, done).expires_at = utc_now()
    housekeeping.keep_house(service.settings, service.database, service.artifacts, service.uploads)
    assert client.get(f"/uploads/{done}").status_code == 404


def test_a_part_of_an_upload_that_was_given_up_meanwhile_is_refused(
    client: TestClient, service: Service, opened: dict[str, Any]
) -> None:
    with service.database.read() as session:
        arriving = service.uploads.begin_part(session.get_one(Upload, opened["id"]), 1)
    arriving.write(part(1))
    assert client.delete(f"/uploads/{opened['id']}").status_code == 204
    with pytest.raises(Problem, match="was given up"):
        service.uploads.keep_part(opened["id"], arriving)
    assert not service.uploads.folder(opened["id"]).exists()


def test_a_file_name_never_becomes_a_path(client: TestClient, service: Service) -> None:
    name = "../../../../tmp/evil\r\nX-Injected: 1/é.npz"
    dataset = worlds.upload(client, CONTENT, "dataset", name)
    file = client.get(f"/datasets/{dataset}").json()
    assert file["name"] == name
    response = client.get(f"/artifacts/{file['artifact']}/content")
    assert "x-injected" not in response.headers
    assert response.headers["content-disposition"].startswith("attachment; filename*=utf-8''")
    stored = [path for path in service.settings.data_dir.rglob("*") if path.is_file() and "evil" in path.name]
    assert stored == []
