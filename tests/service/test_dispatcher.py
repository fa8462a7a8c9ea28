"""Jobs run by a real dispatcher in real worker processes, on both databases."""

from __future__ import annotations

import sys
from pathlib import Path

import psutil
import pytest
from starlette.testclient import TestClient

from search.ray_watch import CLUSTER_LOST
from service.context import Service
from service.dispatcher import Dispatcher
from tests.service import running


def test_a_job_gives_what_its_plan_gives_in_one_process_without_a_database(
    client: TestClient, service: Service, tmp_path: Path
) -> None:
    job_id = running.submit(client, service)
    with running.dispatching(service):
        assert running.wait_for_end(service, job_id) == "succeeded"
    found = running.outcome(service, job_id)
    expected = running.undisturbed(service, job_id, tmp_path)
    assert running.proposed(found) == expected["candidates"]
    assert found["front"] == expected["front"]
    assert {n: service.artifacts.read(sha256) for n, sha256 in found["delivered"].items()} == expected["models"]
    job = client.get(f"/jobs/{job_id}").json()
    assert job["cost"]["evaluations"] == len(expected["candidates"])
    assert job["cost"]["cpu_seconds"] > 0
    assert job["cost"]["wall_seconds"] > 0


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # the states are `test_job_machine`'s, on both
def test_a_job_is_paused_resumed_left_taken_up_and_cancelled(client: TestClient, service: Service) -> None:
    job_id = running.submit(client, service, budget={"candidates": 2000}, deliver=0)
    before = {child.pid for child in psutil.Process().children(recursive=True)}
    with running.dispatching(service):
        running.wait_until(lambda: running.evaluated(service, job_id) > 10, "candidates were recorded")
        assert client.post(f"/jobs/{job_id}/pause").json()["state"] == "pausing"
        running.wait_until(lambda: running.state_of(service, job_id) == "paused", "it paused")
        paused_at = running.evaluated(service, job_id)
        assert client.post(f"/jobs/{job_id}/resume").json()["state"] == "queued"
        running.wait_until(lambda: running.evaluated(service, job_id) > paused_at, "it went on")
    # the dispatcher was stopped: nothing of it is left, and its job waits for the next one
    assert running.state_of(service, job_id) == "queued"
    assert {child.pid for child in psutil.Process().children(recursive=True)} <= before
    left_at = running.evaluated(service, job_id)
    with running.dispatching(service):
        running.wait_until(lambda: running.evaluated(service, job_id) > left_at, "the next one took it up")
        assert client.post(f"/jobs/{job_id}/cancel").json()["state"] == "cancelling"
        assert running.wait_for_end(service, job_id) == "cancelled"
    job = client.get(f"/jobs/{job_id}").json()
    assert (job["attempt"], job["error"]) == (3, None)
    told = client.get(f"/jobs/{job_id}/events?limit=200").json()["data"]
    states = [event["data"]["state"] for event in told if event["type"] == "state"]
    assert states == [
        "queued",
        "running",
        "pausing",
        "paused",
        "queued",
        "running",
        "queued",
        "running",
        "cancelling",
        "cancelled",
    ]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_dispatcher_whose_ray_node_is_gone_ends_to_be_started_again(
    client: TestClient, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a cluster that it has joined: the node beside it was started with it."""
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    job_id = running.submit(client, service)
    dispatcher = Dispatcher(service.settings, worker=(sys.executable, "-c", f"raise SystemExit({CLUSTER_LOST})"))
    dispatcher.run()  # returns
    dispatcher.database.close()
    assert running.state_of(service, job_id) == "queued"
    told = client.get(f"/jobs/{job_id}/events").json()["data"]
    assert told[-1]["data"]["reason"] == "Ray died under it"
