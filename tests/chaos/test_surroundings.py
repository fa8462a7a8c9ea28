"""A disk that is full and clocks that jump."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import update
from starlette.testclient import TestClient

from service import tables
from service.context import Service
from service.errand import DONE, LOST
from tests.chaos.conftest import Crew
from tests.chaos.test_kills import check_books
from tests.service import running

DAY_SECONDS = 86_400.0


def test_a_full_disk_stops_a_job_which_goes_on_when_there_is_room(
    client: TestClient, service: Service, crew: Crew, undisturbed: dict[str, Any]
) -> None:
    job_id = running.submit(client, service)
    assert crew.run(None, ("full_disk", ())) == DONE
    job = client.get(f"/jobs/{job_id}").json()
    assert (job["state"], job["error"]["code"], job["error"]["retryable"]) == ("failed", "disk-full", True)
    assert "make room" in job["error"]["message"]
    assert list((service.artifacts.root / "incoming").iterdir()) == []
    assert client.post(f"/jobs/{job_id}/resume").json()["state"] == "queued"
    assert crew.finish(job_id) == undisturbed


def test_a_worker_whose_own_clock_jumps_keeps_its_lease_and_its_answer(
    client: TestClient, service: Service, crew: Crew, undisturbed: dict[str, Any]
) -> None:
    """Leases are measured by the database's clock alone."""
    job_id = running.submit(client, service)
    assert crew.run(None, ("wrong_clock", (DAY_SECONDS,))) == DONE
    assert running.outcome(service, job_id) == undisturbed
    assert client.get(f"/jobs/{job_id}").json()["cost"]["wall_seconds"] < DAY_SECONDS / 2


@pytest.mark.parametrize("jump_seconds", [DAY_SECONDS, -DAY_SECONDS], ids=["forward", "back"])
def test_when_the_databases_clock_jumps_a_job_may_change_hands_but_not_its_answer(
    client: TestClient, service: Service, crew: Crew, undisturbed: dict[str, Any], jump_seconds: float
) -> None:
    """To every lease a clock that jumped forward is a lease whose end moved back by as much."""
    job_id = running.submit(client, service)
    worker = crew.start(None, ("slow_down", (0.05,)), lease_seconds=30.0)
    running.wait_until(lambda: running.evaluated(service, job_id) > 4, "a window was recorded")
    with service.database.write() as session:
        session.execute(update(tables.Job).values(lease_expires_at=tables.Job.lease_expires_at - jump_seconds))
    crew._dispatcher.reap()
    worker.join(60.0)
    if jump_seconds > 0:
        assert worker.exitcode == LOST
        found = crew.finish(job_id)
    else:
        assert worker.exitcode == DONE
        found = running.outcome(service, job_id)
    assert found == undisturbed
    check_books(service, job_id)
