"""Jobs run by a real dispatcher in real worker processes, on both databases."""

from __future__ import annotations

from pathlib import Path

import psutil
from starlette.testclient import TestClient

from paretrim.problem import Measurement, Policy
from service.context import Service
from tests.service import running


def test_a_job_gives_what_its_plan_gives_in_one_process_without_a_database(
    client: TestClient, service: Service, tmp_path: Path
) -> None:
    job_id = running.submit(client, service)
    with running.dispatching(service):
        assert running.wait_for_end(service, job_id) == "succeeded"
    found = running.outcome(service, job_id)
    expected = running.undisturbed(service, job_id, tmp_path)
    read = [
        (n, index, Policy.from_json(policy), None if m is None else Measurement.from_json(m), failure)
        for n, index, policy, m, failure in found["candidates"][1:]
    ]
    assert read == expected["candidates"]
    assert found["front"] == expected["front"]
    assert {n: service.artifacts.read(sha256) for n, sha256 in found["delivered"].items()} == expected["models"]
    job = client.get(f"/jobs/{job_id}").json()
    assert job["cost"]["evaluations"] == len(expected["candidates"])
    assert job["cost"]["cpu_seconds"] > 0
    assert job["cost"]["wall_seconds"] > 0


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
