"""Workers that stand still or hang: frozen beyond their lease, inside a transaction, blocked in C code."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Sequence
from typing import Any

import pytest
from starlette.testclient import TestClient

from service.context import Service
from service.errand import LOST
from tests.chaos.conftest import BOTH, Crew
from tests.chaos.test_kills import check_books, events
from tests.service import running


def worker_with(place: str, passes: int, act: str) -> Sequence[str]:
    """The command line of a worker whose first attempt meets a fault."""
    return (sys.executable, "-m", "tests.chaos.faults", place, str(passes), act)


@pytest.mark.parametrize("database_url", BOTH, indirect=True)
def test_a_worker_that_was_frozen_finds_its_job_gone_and_writes_nothing(
    client: TestClient, service: Service, crew: Crew, undisturbed: dict[str, Any]
) -> None:
    job_id = running.submit(client, service)
    zombie = crew.start(("window recorded", 2, "freeze"))
    running.wait_until(lambda: running.evaluated(service, job_id) > 12, "three windows were recorded")
    crew.take_back()
    assert crew.finish(job_id) == undisturbed
    told = events(service, job_id)
    assert zombie.pid is not None
    os.kill(zombie.pid, signal.SIGCONT)
    zombie.join(60.0)
    assert zombie.exitcode == LOST
    assert running.outcome(service, job_id) == undisturbed
    assert events(service, job_id) == told


@pytest.mark.parametrize("database_url", BOTH, indirect=True)
def test_a_worker_that_is_frozen_inside_a_transaction_holds_up_nobody_for_long(
    client: TestClient, service: Service, undisturbed: dict[str, Any]
) -> None:
    """It holds its job's row, on SQLite the whole file; its dispatcher ends it, PostgreSQL its transaction."""
    job_id = running.submit(client, service)
    with running.dispatching(service, worker_with("results before checkpoint", 2, "freeze")):
        assert running.wait_for_end(service, job_id, 240.0) == "succeeded"
    assert running.outcome(service, job_id) == undisturbed
    check_books(service, job_id)
    job = client.get(f"/jobs/{job_id}").json()
    assert job["attempt"] == 2


def test_cancelling_is_acknowledged_at_once_and_ends_an_evaluation_that_is_blocked_in_c_code(
    client: TestClient, service: Service
) -> None:
    job_id = running.submit(client, service)
    with running.dispatching(service, worker_with("evaluating", 1, "hang")):
        running.wait_until(lambda: running.evaluated(service, job_id) > 0, "the original was measured")
        time.sleep(1.0)  # the next thing it does is hang
        began = time.monotonic()
        answer = client.post(f"/jobs/{job_id}/cancel")
        acknowledged = time.monotonic() - began
        assert (answer.status_code, answer.json()["state"]) == (202, "cancelling")
        assert running.wait_for_end(service, job_id, 10.0) == "cancelled"
        effective = time.monotonic() - began
    assert acknowledged < 1.0
    assert effective < 10.0


def test_a_job_that_prepares_is_paused_soon_and_prepares_again_when_it_is_resumed(
    client: TestClient, service: Service, undisturbed: dict[str, Any]
) -> None:
    """It would evaluate nothing that it could finish first: preparing may take minutes, here it takes for ever."""
    job_id = running.submit(client, service)
    with running.dispatching(service, worker_with("preparing", 0, "hang")):
        running.wait_until(lambda: running.state_of(service, job_id) == "running", "it was claimed")
        assert client.post(f"/jobs/{job_id}/pause").json()["state"] == "pausing"
        running.wait_until(lambda: running.state_of(service, job_id) == "paused", "it paused", 10.0)
        assert running.evaluated(service, job_id) == 0
        assert client.post(f"/jobs/{job_id}/resume").json()["state"] == "queued"
        assert running.wait_for_end(service, job_id) == "succeeded"
    assert running.outcome(service, job_id) == undisturbed
    check_books(service, job_id)
