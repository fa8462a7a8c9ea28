"""Ray's own processes killed under a job."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest
from starlette.testclient import TestClient

from service import tables
from service.context import Service
from service.settings import Settings
from tests.chaos.test_kills import check_books
from tests.service import running

pytestmark = [pytest.mark.ray, pytest.mark.timeout(400)]

#: long enough to be met in the middle
MANY = {"budget": {"candidates": 48}, "algorithms": ["random"], "constraints": ["latency_ratio <= 0.8"]}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Jobs run on a Ray that each attempt starts for itself."""
    return replace(settings, executor="ray", lease_seconds=30.0)


def strike(name: str) -> bool:
    """Kill a process of that name which a job's worker has started. Whether there was one.

    None of this process's own: other tests may keep a Ray in it.
    """
    for worker in psutil.Process().children():
        if "service.worker" in worker.cmdline():
            for process in worker.children(recursive=True):
                if process.name() == name:
                    process.kill()
                    return True
    return False


def attempt_of(service: Service, job_id: str) -> int:
    """How often the job was claimed; 0 while nobody holds it."""
    with service.database.read() as session:
        job = session.get_one(tables.Job, job_id)
        return job.attempt if job.owner is not None else 0


def test_a_job_outlives_its_ray_node_and_its_clusters_books(
    client: TestClient, service: Service, tmp_path: Path
) -> None:
    """One attempt loses the node, the next the process that keeps the books of the cluster: each `kill -9`, alone."""
    job_id = running.submit(client, service, **MANY)
    expected = running.undisturbed(service, job_id, tmp_path)
    recorded = 1  # the original
    with running.dispatching(service):
        for attempt, name in enumerate(("raylet", "gcs_server"), start=1):
            running.wait_until(
                lambda before=recorded: running.evaluated(service, job_id) > before, "a window was recorded", 180.0
            )
            assert strike(name), f"there is no {name} to be killed"
            running.wait_until(
                lambda lost=attempt: attempt_of(service, job_id) != lost, f"the loss of {name} was noticed", 20.0
            )
            recorded = running.evaluated(service, job_id)
            assert recorded < len(expected["candidates"])
        assert running.wait_for_end(service, job_id, 300.0) == "succeeded"
    found = running.outcome(service, job_id)
    assert running.proposed(found) == expected["candidates"]
    assert found["front"] == expected["front"]
    check_books(service, job_id)
    job: dict[str, Any] = client.get(f"/jobs/{job_id}").json()
    assert job["attempt"] == 3
    assert {search["state"] for search in client.get(f"/jobs/{job_id}/searches").json()["data"]} == {"succeeded"}
