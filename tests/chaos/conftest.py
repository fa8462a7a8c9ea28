"""Jobs that are struck by faults, and what the same job gives when it is left alone."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from dataclasses import asdict
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import pytest

from service import jobs
from service.app import create_app
from service.context import Service
from service.dispatcher import Dispatcher
from service.errand import DONE, Errand
from service.jobs import Fence
from tests.chaos import faults
from tests.service import running, worlds
from tests.service.conftest import app, client, service, settings  # noqa: F401

LEASE_SECONDS = 2.0
#: for what hangs on the database: transactions, locks, connections
BOTH = ("sqlite", pytest.param("postgresql", marks=pytest.mark.postgres))


@pytest.fixture
def database_url(request: pytest.FixtureRequest) -> str:
    """SQLite, unless a test asks for `BOTH`."""
    kind = {"sqlite": "sqlite_url", "postgresql": "postgres_url"}[getattr(request, "param", "sqlite")]
    return str(request.getfixturevalue(kind))


class Crew:
    """Takes jobs of a service as a dispatcher does, and works on them in processes that may be struck."""

    def __init__(self, service: Service) -> None:  # noqa: F811
        self.service = service
        self._dispatcher = Dispatcher(service.settings, service.database)
        self._dispatcher._reachable_since = -1e9

    def claim(self, lease_seconds: float = LEASE_SECONDS) -> Fence:
        """The next job."""
        with self.service.database.write() as session:
            fence = jobs.claim(session, "crew", lease_seconds=lease_seconds, running_per_workspace=4)
        assert fence is not None, "there is no job to be claimed"
        return fence

    def start(
        self, fault: faults.Fault | None = None, *more: Any, lease_seconds: float = LEASE_SECONDS
    ) -> ForkServerProcess:
        """Claim a job and work on it."""
        fence = self.claim(lease_seconds)
        errand = Errand(
            self.service.database.url,
            str(self.service.settings.data_dir),
            fence.job_id,
            fence.attempt,
            fence.owner,
            lease_seconds,
            "inline",
        )
        return faults.process(faults.work, asdict(errand), fault, *more)

    def run(self, fault: faults.Fault | None = None, *more: Any) -> int:
        """Claim a job and work on it to the end of the process, whose status is returned."""
        worker = self.start(fault, *more)
        worker.join(120.0)
        assert worker.exitcode is not None, "the worker hangs"
        return worker.exitcode

    def run_into(self, fault: faults.Fault) -> None:
        """Work until the fault kills the worker; then wait until its job is taken from it."""
        status = self.run(fault)
        assert status == -signal.SIGKILL, f"the worker never came to {fault[0]!r} and ended with {status}"
        self.take_back()

    def take_back(self) -> float:
        """Wait, as dispatchers do, until a silent worker's lease has run out. How long that took, in seconds."""
        began = time.monotonic()
        while True:
            with self.service.database.read() as session:
                held = session.query(jobs.Job).filter(jobs.Job.state.in_(jobs.WORKING)).count()
            if not held:
                return time.monotonic() - began
            assert time.monotonic() - began < 30.0, "nobody notices that the worker is gone"
            self._dispatcher.reap()
            time.sleep(0.05)

    def finish(self, job_id: str) -> dict[str, Any]:
        """Let an unharmed worker end the job; what came of it."""
        assert self.run() == DONE
        assert running.state_of(self.service, job_id) == "succeeded"
        return running.outcome(self.service, job_id)


@pytest.fixture
def crew(service: Service) -> Crew:  # noqa: F811
    """Works on this test's service."""
    return Crew(service)


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[dict[str, Any]]:
    """What the job gives when nothing goes wrong, on SQLite."""
    folder = tmp_path_factory.mktemp("undisturbed")
    (folder / "paretrim.db").write_bytes(sqlite_template.read_bytes())
    made = create_app(worlds.settings(f"sqlite:///{folder / 'paretrim.db'}", folder / "data"))
    parts: Service = made.state.service
    with worlds.client_of(made, parts, "first") as sender:
        job_id = running.submit(sender, parts)
        yield Crew(parts).finish(job_id)
    parts.database.close()
