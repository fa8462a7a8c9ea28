"""Whole processes killed: the API once it has answered, a dispatcher with its worker."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import psutil
from sqlalchemy import select
from starlette.testclient import TestClient

from service import tables
from service.context import Service
from tests.chaos.test_kills import check_books
from tests.service import running, worlds

ROOT = Path(__file__).parent.parent.parent
DISPATCHER = "from service.commands import run_dispatcher; run_dispatcher()"


@contextmanager
def process(service: Service, *arguments: str, **settings: str) -> Iterator[subprocess.Popen[str]]:
    """A process of the service's own, with its settings in the environment."""
    given = {
        "PARETRIM_DATA_DIR": str(service.settings.data_dir),
        "PARETRIM_DATABASE_URL": service.database.url,
        "PARETRIM_SECRET": service.settings.secret,
        "PYTHONPATH": f"{ROOT}:{ROOT / 'sdk'}",
    }
    started = subprocess.Popen(
        [sys.executable, *arguments], env=os.environ | given | settings, stderr=subprocess.PIPE, text=True, cwd="/"
    )
    try:
        yield started
    finally:
        started.kill()
        started.wait(10.0)
        assert started.stderr is not None
        started.stderr.close()


@contextmanager
def api(service: Service) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """An API process, and where it listens."""
    with process(service, "-m", "uvicorn", "service.app:create_app", "--factory", "--port", "0") as started:
        assert started.stderr is not None
        found = next(match for line in started.stderr if (match := re.search(r"http://127\.0\.0\.1:\d+", line)))
        yield started, found[0]


def test_a_job_that_was_acknowledged_outlives_the_api_that_did(service: Service) -> None:
    body = worlds.job_body(worlds.ready_files(service))
    headers = {"Authorization": f"Bearer {worlds.key_of(service, 'first')}", "Idempotency-Key": "once"}
    with api(service) as (killed, url):
        answer = httpx2.post(f"{url}/api/v1/jobs", json=body, headers=headers, timeout=60.0)
        os.kill(killed.pid, signal.SIGKILL)
        killed.wait(10.0)
    assert answer.status_code == 201
    with api(service) as (_, url):
        again = httpx2.post(f"{url}/api/v1/jobs", json=body, headers=headers, timeout=60.0)
        assert again.headers["Idempotency-Replayed"] == "true"
        assert again.json() == answer.json()
    with service.database.read() as session:
        assert session.scalars(select(tables.Job.id)).all() == [answer.json()["id"]]
        assert session.scalars(select(tables.Event.seq)).all() == [1]


def test_a_dispatcher_that_is_killed_takes_its_workers_along_and_another_takes_over(
    client: TestClient, service: Service, undisturbed: dict[str, Any]
) -> None:
    job_id = running.submit(client, service)
    settings = {"PARETRIM_EXECUTOR": "inline", "PARETRIM_LEASE_SECONDS": "10", "PARETRIM_POLL_SECONDS": "0.05"}
    with process(service, "-c", DISPATCHER, **settings) as dispatcher:
        running.wait_until(lambda: running.evaluated(service, job_id) > 4, "a window was recorded")
        workers = psutil.Process(dispatcher.pid).children(recursive=True)
        assert workers
        os.kill(dispatcher.pid, signal.SIGKILL)
        _, alive = psutil.wait_procs(workers, timeout=10.0)
        assert not alive
    assert running.state_of(service, job_id) == "running"  # nobody has noticed yet
    with running.dispatching(service):
        assert running.wait_for_end(service, job_id) == "succeeded"
    assert running.outcome(service, job_id) == undisturbed
    check_books(service, job_id)
