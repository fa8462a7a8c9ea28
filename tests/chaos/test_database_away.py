"""PostgreSQL goes away under a running job and comes back: after a power failure, and in storms of cut connections."""

from __future__ import annotations

import os
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from service import schema
from service.app import create_app
from service.context import Service
from service.errand import DONE
from tests import postgres
from tests.chaos.conftest import Crew
from tests.chaos.test_kills import check_books
from tests.service import running, worlds

pytestmark = pytest.mark.postgres

#: a minute costs the suite a minute: PARETRIM_LONG_OUTAGE=1 asks for it
OUTAGES = (0.0, 20.0, *((60.0,) if os.environ.get("PARETRIM_LONG_OUTAGE") else ()))


@pytest.fixture(scope="module")
def own_cluster(postgres_cluster: postgres.Cluster) -> Iterator[postgres.Cluster]:
    """A server that writes to disk as in production, and that nobody else is using when it is stopped."""
    assert postgres_cluster
    cluster = postgres.Cluster(durable=True)
    yield cluster
    cluster.remove()


@pytest.fixture
def service(own_cluster: postgres.Cluster, tmp_path: Path) -> Iterator[Service]:
    """A service on that server."""
    url = own_cluster.create(f"away_{uuid.uuid4().hex}")
    schema.upgrade(url)
    made = create_app(worlds.settings(url, tmp_path / "data"))
    yield made.state.service
    made.state.service.database.close()


@pytest.fixture
def client(service: Service) -> Iterator[TestClient]:
    """Sends requests to it."""
    app = create_app(service.settings)
    with worlds.client_of(app, service, "first") as made:
        yield made
    app.state.service.database.close()


def disturbed(
    service: Service, client: TestClient, crew: Crew, disturb: Callable[[], None]
) -> tuple[str, dict[str, Any]]:
    """Run the job with a disturbance after its second window; its id, and what came of it."""
    job_id = running.submit(client, service)
    worker = crew.start(None, ("slow_down", (0.1,)), lease_seconds=30.0)
    running.wait_until(lambda: running.evaluated(service, job_id) > 8, "two windows were recorded")
    disturb()
    worker.join(120.0)
    assert worker.exitcode == DONE
    return job_id, running.outcome(service, job_id)


@pytest.mark.parametrize("seconds", OUTAGES)
def test_a_running_job_outlives_a_crash_of_the_database(
    service: Service,
    client: TestClient,
    crew: Crew,
    own_cluster: postgres.Cluster,
    undisturbed: dict[str, Any],
    seconds: float,
) -> None:
    def crash() -> None:
        own_cluster.stop("immediate")
        time.sleep(seconds)
        own_cluster.start()

    job_id, found = disturbed(service, client, crew, crash)
    assert found == undisturbed
    check_books(service, job_id)
    job = client.get(f"/jobs/{job_id}").json()
    assert (job["state"], job["attempt"]) == ("succeeded", 1)


def test_a_running_job_outlives_a_storm_of_cut_connections(
    service: Service,
    client: TestClient,
    crew: Crew,
    own_cluster: postgres.Cluster,
    undisturbed: dict[str, Any],
) -> None:
    """Every connection to the database is cut, ten times a second, for as long as the job runs."""
    ended = threading.Event()
    cut = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'paretrim'"
    counts: list[int] = []

    def storm() -> None:
        while not ended.wait(0.1) and len(counts) < 30:
            counts.append(int(own_cluster.execute(cut)))

    thread = threading.Thread(target=storm)
    try:
        job_id, found = disturbed(service, client, crew, thread.start)
    finally:
        ended.set()
        if thread.is_alive():
            thread.join()
    assert sum(counts) > 5
    assert found == undisturbed
    check_books(service, job_id)
