from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update
from starlette.testclient import TestClient

from service import idempotency
from service.context import Service
from service.tables import ApiKey, Event, IdempotencyKey, Job, utc_now
from tests.service import worlds


@pytest.fixture
def files(service: Service) -> tuple[str, str]:
    return worlds.ready_files(service)


def test_one_key_makes_one_job_however_many_send_it_at_once(
    client: TestClient, service: Service, files: tuple[str, str]
) -> None:
    def submit(_turn: int) -> Any:
        return client.post("/jobs", json=worlds.job_body(files), headers={"Idempotency-Key": "the-key"})

    with ThreadPoolExecutor(32) as threads:
        responses = list(threads.map(submit, range(32)))
    assert {response.status_code for response in responses} == {201}
    assert len({response.text for response in responses}) == 1
    assert sum("idempotency-replayed" in response.headers for response in responses) == 31
    with service.database.read() as session:
        assert session.scalar(select(func.count()).select_from(Job)) == 1
        assert session.scalar(select(func.count()).select_from(Event)) == 1


def test_the_same_key_for_another_request_is_refused(client: TestClient, files: tuple[str, str]) -> None:
    headers = {"Idempotency-Key": "k"}
    worlds.create_job(client, files, headers)
    response = client.post("/jobs", json=worlds.job_body(files, seed=1), headers=headers)
    assert (response.status_code, response.json()["code"]) == (422, "idempotency-key-reused")


def test_keys_of_different_workspaces_are_different_keys(
    client: TestClient, other: TestClient, service: Service, files: tuple[str, str]
) -> None:
    headers = {"Idempotency-Key": "k"}
    mine = worlds.create_job(client, files, headers)
    theirs = worlds.create_job(other, worlds.ready_files(service, "second"), headers)
    assert mine["id"] != theirs["id"]


def test_a_request_that_failed_did_not_take_its_key(client: TestClient, files: tuple[str, str]) -> None:
    headers = {"Idempotency-Key": "k"}
    assert client.post("/jobs", json=worlds.job_body(files, device="toaster"), headers=headers).status_code == 422
    worlds.create_job(client, files, headers)


def test_a_repeated_upload_is_the_same_upload(client: TestClient) -> None:
    body = {"kind": "model", "filename": "m.onnx", "sha256": "0" * 64, "size_bytes": 10}
    first, second = (client.post("/uploads", json=body, headers={"Idempotency-Key": "u"}) for _ in range(2))
    assert first.json() == second.json()


def test_a_repeated_api_key_is_made_once_and_its_secret_not_told_again(client: TestClient, service: Service) -> None:
    headers = {"Idempotency-Key": "u"}
    first, second = (client.post("/keys", json={"name": "new"}, headers=headers) for _ in range(2))
    assert first.json()["secret"].startswith("paretrim_")
    assert second.json()["secret"] is None
    assert first.json()["id"] == second.json()["id"]
    with service.database.read() as session:
        assert session.scalar(select(func.count()).where(ApiKey.name == "new")) == 1


def test_old_keys_are_forgotten(client: TestClient, service: Service, files: tuple[str, str]) -> None:
    headers = {"Idempotency-Key": "k"}
    first = worlds.create_job(client, files, headers)
    with service.database.write() as session:
        session.execute(update(IdempotencyKey).values(created_at=utc_now() - timedelta(hours=25)))
        idempotency.forget_old(session)
    assert worlds.create_job(client, files, headers)["id"] != first["id"]
