"""What a workspace and a key may have: jobs, jobs at once, CPU time; and what goes by itself when it is old."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select, update
from starlette.testclient import TestClient

from paretrim.wire import UploadRequest
from service import housekeeping, jobs, quotas, tables
from service.app import create_app
from service.context import Service
from service.tables import utc_now
from service.uploads import Uploads
from tests.service import worlds


@contextmanager
def limited(database_url: str, folder: Path, **limits: Any) -> Iterator[tuple[Service, TestClient, TestClient]]:
    """A service with limits, and two keys of one workspace."""
    app = create_app(worlds.settings(database_url, folder / "limited", **limits))
    service: Service = app.state.service
    yield service, worlds.client_of(app, service, "first"), worlds.client_of(app, service, "first")
    service.database.close()


def submit(client: TestClient, service: Service) -> Any:
    return client.post("/jobs", json=worlds.job_body(worlds.ready_files(service)))


def test_a_key_has_only_so_many_jobs_that_have_not_ended(database_url: str, tmp_path: Path) -> None:
    with limited(database_url, tmp_path, max_active_jobs_per_key=1) as (service, one, two):
        answers = [submit(client, service) for client in (one, one, two)]
        assert [answer.status_code for answer in answers] == [201, 429, 201]
        assert int(answers[1].headers["Retry-After"]) > 0
        assert answers[1].headers["X-Should-Retry"] == "false", "clients wait for minutes and say nothing"


def test_a_workspace_that_used_up_its_cpu_time_is_told_when_to_come_back(database_url: str, tmp_path: Path) -> None:
    with limited(database_url, tmp_path, quota_cpu_seconds=100.0) as (service, one, two):
        job_id = submit(one, service).json()["id"]
        with service.database.write() as session:
            session.execute(update(tables.Job).values(cpu_seconds=100.0))
        refused = submit(two, service)
        assert (refused.status_code, refused.json()["code"]) == (429, "cpu-quota")
        assert int(refused.headers["Retry-After"]) > 0
        assert "100 CPU seconds" in refused.json()["detail"]
        with service.database.write() as session:
            old = utc_now() - timedelta(days=31)
            session.execute(update(tables.Job).where(tables.Job.id == job_id).values(created_at=old))
        assert submit(two, service).status_code == 201


def test_deleting_a_job_gives_no_cpu_time_back(database_url: str, tmp_path: Path) -> None:
    with limited(database_url, tmp_path, quota_cpu_seconds=100.0, quota_cpu_seconds_per_key=90.0) as (
        service,
        one,
        two,
    ):
        job_id = submit(one, service).json()["id"]
        one.post(f"/jobs/{job_id}/cancel")
        with service.database.write() as session:
            session.execute(update(tables.Job).values(cpu_seconds=95.0))
        assert one.delete(f"/jobs/{job_id}").status_code == 204
        assert [submit(client, service).status_code for client in (one, two)] == [429, 201]  # the key's, not all's
        with service.database.write() as session:
            session.execute(update(tables.Spent).values(created_at=utc_now() - timedelta(days=31)))
        assert submit(one, service).status_code == 201
        uploads = Uploads(service.settings, service.database, service.artifacts)
        housekeeping.keep_house(service.settings, service.database, service.artifacts, uploads)
        with service.database.read() as session:
            assert session.scalars(select(tables.Spent)).all() == []


def test_a_workspace_whose_bytes_are_used_up_takes_neither_files_nor_jobs(database_url: str, tmp_path: Path) -> None:
    with limited(database_url, tmp_path, quota_bytes=100_000) as (service, one, _):
        files = worlds.ready_files(service)
        with service.database.read() as session:
            left = 100_000 - quotas.used_bytes(session, one_workspace(service))
        opened = worlds.open_upload(one, b"x" * left, "dataset", "data.npz")
        file = {"kind": "model", "filename": "n.onnx", "size_bytes": 1, "sha256": "0" * 64}
        for answer in (one.post("/uploads", json=file), one.post("/jobs", json=worlds.job_body(files))):
            assert (answer.status_code, answer.json()["code"]) == (413, "quota-exceeded"), answer.text
            assert "delete models, datasets or jobs" in answer.json()["detail"]
        assert one.delete(f"/uploads/{opened['id']}").status_code == 204
        assert one.post("/jobs", json=worlds.job_body(files)).status_code == 201


def test_two_that_fit_only_one_by_one_do_not_both_come_in(database_url: str, tmp_path: Path) -> None:
    with limited(database_url, tmp_path, quota_bytes=100_000) as (service, _one, two):
        workspace_id = one_workspace(service)
        wanted = UploadRequest(kind="model", filename="n.onnx", size_bytes=60_000, sha256="0" * 64)
        with ThreadPoolExecutor(1) as aside:
            with service.database.write() as session:
                service.uploads.open(session, workspace_id, "upload_first", wanted)
                second = aside.submit(two.post, "/uploads", json=wanted.model_dump(mode="json", exclude_none=True))
                assert not wait([second], timeout=0.3).done, "nobody waits for the first to be counted"
            assert second.result().status_code == 413


def one_workspace(service: Service) -> str:
    """The id of the only one."""
    with service.database.read() as session:
        return str(session.scalars(select(tables.Workspace.id)).one())


def test_a_key_that_used_up_its_cpu_time_leaves_the_others_theirs(database_url: str, tmp_path: Path) -> None:
    with limited(database_url, tmp_path, quota_cpu_seconds_per_key=100.0) as (service, one, two):
        submit(one, service)
        with service.database.write() as session:
            session.execute(update(tables.Job).values(cpu_seconds=101.0))
        assert [submit(client, service).status_code for client in (one, two)] == [429, 201]


def test_a_key_runs_only_so_many_jobs_at_once(database_url: str, tmp_path: Path) -> None:
    with limited(database_url, tmp_path) as (service, one, two):
        mine = [submit(one, service).json()["id"] for _ in range(3)]
        theirs = submit(two, service).json()["id"]

        def claim() -> str | None:
            with service.database.write() as session:
                fence = jobs.claim(session, "w", lease_seconds=60.0, running_per_workspace=9, running_per_key=2)
            return None if fence is None else fence.job_id

        assert [claim() for _ in range(4)] == [mine[0], mine[1], theirs, None]


def test_jobs_past_their_retention_go_with_their_files(client: TestClient, service: Service) -> None:
    files = worlds.ready_files(service)
    old, new, waiting = (worlds.create_job(client, files)["id"] for _ in range(3))
    for job_id in (old, new):
        client.post(f"/jobs/{job_id}/cancel")
    long_ago = utc_now() - timedelta(days=8)
    with service.database.write() as session:
        session.execute(update(tables.Job).where(tables.Job.id == old).values(finished_at=long_ago))
        session.execute(update(tables.Job).where(tables.Job.id == waiting).values(created_at=long_ago))
    stray = service.artifacts.path(service.artifacts.put_bytes(b"nobody refers to this"))
    fresh = service.artifacts.path(service.artifacts.put_bytes(b"a row may be on its way"))
    os.utime(stray, (time.time() - 7200, time.time() - 7200))
    uploads = Uploads(service.settings, service.database, service.artifacts)
    settings = replace(service.settings, retention_days=7.0)
    housekeeping.keep_house(settings, service.database, service.artifacts, uploads)
    with service.database.read() as session:
        assert set(session.scalars(select(tables.Job.id))) == {new, waiting}
    assert not stray.exists()
    assert fresh.exists()
    for kind, name in (("models", files[0]), ("datasets", files[1])):
        assert client.get(f"/{kind}/{name}").json()["state"] == "ready"
