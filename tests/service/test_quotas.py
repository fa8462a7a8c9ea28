"""What a workspace and a key may have: jobs, jobs at once, CPU time; and what goes by itself when it is old."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select, update
from starlette.testclient import TestClient

from service import housekeeping, jobs, tables
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
        assert [submit(client, service).status_code for client in (one, one, two)] == [201, 429, 201]


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
