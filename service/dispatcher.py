"""Claims jobs under a lease and runs each in a process of its own; inspects uploads; keeps house.

Several dispatchers may run at once: whatever one does is guarded in the database. A dispatcher holds no state that
matters: when it dies its workers die with it, their leases run out, and another one takes the jobs up where they were.
"""

from __future__ import annotations

import logging
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, cast

import psutil

from search.ray_watch import CLUSTER_LOST
from service import dialect, exports, housekeeping, inspections, jobs, webhooks
from service.artifacts import Artifacts
from service.database import Database
from service.errand import BROKEN, DONE, LOST, Errand
from service.jobs import Fence, Fenced
from service.settings import Settings
from service.uploads import Uploads

log = logging.getLogger(__name__)

PAUSE_GRACE_SECONDS = 120.0  #: a job that shall pause may finish what it is evaluating, once it evaluates
HOUSEKEEPING_SECONDS = 300.0
WORKER = (sys.executable, "-m", "service.worker")
LEAVE_SECONDS = 10.0  #: what workers get to stop when the dispatcher shuts down


@dataclass
class Child:
    """A worker process and the job it holds."""

    process: subprocess.Popen[bytes]
    fence: Fence
    folder: Path  #: its temporary files
    killed_for: str | None = None
    silent: bool = False  #: killed because its lease ran out
    stopping_since: float | None = None
    family: dict[int, psutil.Process] = field(default_factory=dict)  #: all it ever started, as far as was seen


class Dispatcher:
    """Runs until it is told to stop."""

    def __init__(self, settings: Settings, database: Database | None = None, *, worker: Sequence[str] = WORKER) -> None:
        """worker: the command line of a worker."""
        self.settings = settings
        self._worker = list(worker)
        self.database = database or Database(settings.database_url, pool_size=4)
        self.artifacts = Artifacts(settings.data_dir / "artifacts")
        self.owner = f"{socket.gethostname()[:24]}:{os.getpid()}:{secrets.token_hex(6)}"
        self.children: list[Child] = []
        self._stopped = threading.Event()
        self._reachable_since = time.monotonic()
        self._kept_house = -HOUSEKEEPING_SECONDS

    def stop(self) -> None:
        """Make `run` end soon."""
        self._stopped.set()

    def run(self) -> None:
        """Until `stop`. Its workers have ended, and their jobs are queued again, when this returns."""
        beside = [
            threading.Thread(target=self._repeat, args=(work,), name=name, daemon=True)
            for name, work in (("inspections", self._inspect), ("webhooks", self._send), ("exports", self._export))
        ]
        for thread in beside:
            thread.start()
        try:
            while not self._stopped.wait(self.settings.poll_seconds):
                self._turn()
        finally:
            self._stopped.set()
            self._leave()
            for thread in beside:
                thread.join(self.settings.inspection_seconds + 5.0)

    def _turn(self) -> None:
        """One round. A database that is away is waited for; workers do the same by themselves."""
        try:
            self.tend()
            self.reap()
            self.claim()
            if time.monotonic() - self._kept_house > HOUSEKEEPING_SECONDS:
                self._kept_house = time.monotonic()
                housekeeping.keep_house(
                    self.settings, self.database, self.artifacts, Uploads(self.settings, self.database, self.artifacts)
                )
        except Exception as error:
            if not dialect.is_transient(error):
                log.exception("a round of the dispatcher failed")
            else:
                log.warning("the database cannot be reached, trying again: %s", str(error).splitlines()[0])
            self._reachable_since = time.monotonic()
            self._stopped.wait(1.0)

    def claim(self) -> None:
        """Take jobs for as long as there is room."""
        while len(self.children) < self.settings.concurrent_jobs and not self._stopped.is_set():
            with self.database.write() as session:
                fence = jobs.claim(
                    session,
                    self.owner,
                    lease_seconds=self.settings.lease_seconds,
                    running_per_workspace=self.settings.max_running_jobs,
                    running_per_key=self.settings.max_running_jobs_per_key,
                )
            if fence is None:
                return
            log.info("job %s claimed, attempt %s", fence.job_id, fence.attempt)
            self.children.append(self._start(fence))

    def _start(self, fence: Fence) -> Child:
        errand = Errand(
            database_url=self.settings.database_url,
            data_dir=str(self.settings.data_dir),
            job_id=fence.job_id,
            attempt=fence.attempt,
            owner=fence.owner,
            lease_seconds=self.settings.lease_seconds,
            executor=cast(Literal["ray", "inline"], self.settings.executor),
        )
        return self._spawn(errand)

    def _spawn(self, errand: Errand) -> Child:
        folder = Path(tempfile.mkdtemp(prefix="pt", dir="/tmp"))  # short: Ray makes sockets with long names in it
        process = subprocess.Popen(
            self._worker,
            stdin=subprocess.PIPE,
            env=_environment() | {"TMPDIR": str(folder)},
            start_new_session=True,
        )
        assert process.stdin is not None
        with suppress(BrokenPipeError):
            process.stdin.write(errand.dump())
            process.stdin.close()
        return Child(process, errand.fence, folder)

    def tend(self) -> None:
        """See what became of the workers, and end those that do not stop when they should."""
        for child in list(self.children):
            _see_family(child)
            if child.process.poll() is None:
                self._hurry(child)
            else:
                self.children.remove(child)
                self._bury(child)

    def _hurry(self, child: Child) -> None:
        """Kill a worker whose job shall stop and that has not stopped in time: it may be deep in some C code.

        And one that is silent for longer than its lease. It may be frozen in the middle of a transaction: on SQLite
        nobody could write before it is gone, so this only reads.
        """
        with self.database.read() as session:
            state, late, preparing = jobs.standing(session, child.fence)
        if late and not self._was_away():
            child.killed_for, child.silent = "it fell silent", True
            end_family(child)
            return
        if state == "running":
            child.stopping_since = None
            return
        now = time.monotonic()
        child.stopping_since = child.stopping_since or now
        patient = state == "pausing" and not preparing
        grace = PAUSE_GRACE_SECONDS if patient else self.settings.cancel_grace_seconds
        if now - child.stopping_since > grace:
            child.killed_for = f"it did not stop within {grace:g} s"
            end_family(child)

    def _bury(self, child: Child) -> None:
        """A worker has ended. If its job is still its own, somebody has to say what becomes of it."""
        status = child.process.returncode
        end_family(child)  # what it left behind
        shutil.rmtree(child.folder, ignore_errors=True)
        log.info("the worker of job %s ended with %s", child.fence.job_id, status)
        with suppress(Fenced):
            self._insist(lambda: self._settle(child, status))
        if status == CLUSTER_LOST and "RAY_ADDRESS" in os.environ:
            log.error("the Ray node beside this dispatcher is gone; it ends, to be started again together with one")
            self._stopped.set()

    def _settle(self, child: Child, status: int) -> None:
        """What a worker that ended by itself did not write. Raises Fenced if it wrote all there is, as is usual."""
        with self.database.write() as session:
            if child.silent:
                jobs.lose(session, child.fence, "its worker fell silent", max_losses=self.settings.max_losses)
            elif child.killed_for is not None:
                jobs.stop(session, child.fence)
            elif status in (DONE, LOST):
                jobs.lose(session, child.fence, "its worker ended early", max_losses=self.settings.max_losses)
            else:
                reason = f"its worker ended with status {status}"
                if status == CLUSTER_LOST:
                    reason = "Ray died under it"
                elif status == BROKEN:
                    reason = "its worker failed; the dispatcher's log says why"
                elif status < 0:
                    reason = f"its worker was killed by {signal.Signals(-status).name}"
                jobs.lose(session, child.fence, reason, max_losses=self.settings.max_losses)

    def _insist(self, work: Callable[[], None]) -> None:
        """Try until the database is there, or the dispatcher shall stop: then the lease runs out instead."""
        while True:
            try:
                return work()
            except Exception as error:
                if not dialect.is_transient(error) or self._stopped.is_set():
                    raise
                self._reachable_since = time.monotonic()
                self._stopped.wait(1.0)

    def reap(self) -> None:
        """Take jobs from workers that have been silent for longer than their lease, whoever's they are.

        Not just after the database was away: the leases of the healthy ran out too, and they get time to renew them.
        """
        if self._was_away():
            return
        with self.database.write() as session:
            for fence in jobs.expired(session):
                with suppress(Fenced):
                    state = jobs.lose(session, fence, "its worker fell silent", max_losses=self.settings.max_losses)
                    log.warning("the worker of job %s fell silent; the job is %s", fence.job_id, state)

    def _was_away(self) -> bool:
        """Whether the database was away until just now."""
        return time.monotonic() - self._reachable_since < self.settings.lease_seconds / 2

    def _leave(self) -> None:
        """Shut down: workers stop at the next window, or are killed; their jobs are queued again."""
        for child in self.children:
            with suppress(ProcessLookupError):
                child.process.terminate()
        deadline = time.monotonic() + LEAVE_SECONDS
        for child in self.children:
            _see_family(child)
            with suppress(subprocess.TimeoutExpired):
                child.process.wait(max(0.1, deadline - time.monotonic()))
            if child.process.poll() is None:
                child.killed_for = "the dispatcher shut down"
                end_family(child)
            with suppress(Exception):
                self._bury(child)
        self.children.clear()

    def _inspect(self) -> bool:
        return inspections.inspect_next(self.settings, self.database, self.artifacts, self.owner)

    def _export(self) -> bool:
        return export_next(self.settings, self.database, self.owner, self._spawn, self._stopped)

    def _send(self) -> bool:
        return webhooks.send_next(self.settings, self.database)

    def _repeat(self, work: Callable[[], bool]) -> None:
        """Do it for as long as there is something to do, then look again now and then."""
        while not self._stopped.is_set():
            busy = False
            try:
                busy = work()
            except Exception as error:
                if not dialect.is_transient(error):
                    log.exception("%s failed", threading.current_thread().name)
                self._stopped.wait(1.0)
            if not busy:
                self._stopped.wait(min(0.2, self.settings.poll_seconds))


def export_next(
    settings: Settings, database: Database, owner: str, spawn: Callable[[Errand], Child], stopped: threading.Event
) -> bool:
    """Have a worker deliver the candidate that has waited longest. False if none waits."""
    with database.write() as session:
        fence = exports.claim(session, owner, lease_seconds=settings.lease_seconds)
    if fence is None:
        return False
    errand = Errand(
        database.url,
        str(settings.data_dir),
        fence.job_id,
        fence.attempt,
        fence.owner,
        settings.lease_seconds,
        candidate=fence.n,
    )
    child = spawn(errand)
    while child.process.poll() is None:
        if stopped.wait(settings.poll_seconds):
            child.process.terminate()
            with suppress(subprocess.TimeoutExpired):
                child.process.wait(LEAVE_SECONDS)
            break
        with suppress(Exception), database.read() as session:
            if not exports.is_held(session, fence):
                break  # its job was deleted, or it fell silent
    end_family(child)
    shutil.rmtree(child.folder, ignore_errors=True)
    with suppress(Fenced), database.write() as session:
        exports.lose(session, fence, f"its worker ended with status {child.process.returncode}")
    return True


def _environment() -> dict[str, str]:
    """Without the service's own settings: what a worker starts, Ray above all, must not inherit secrets."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PARETRIM_")}
    return kept | {"PYTHONUNBUFFERED": "1"}


def _see_family(child: Child) -> None:
    """Remember what a worker has started: when it is dead they can no longer be found through it."""
    with suppress(psutil.NoSuchProcess):
        for process in psutil.Process(child.process.pid).children(recursive=True):
            child.family.setdefault(process.pid, process)


def end_family(child: Child) -> None:
    """Kill a worker and all it started: its process group, and those that made groups of their own, as Ray does."""
    _see_family(child)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child.process.pid, signal.SIGKILL)
    for process in child.family.values():
        with suppress(psutil.NoSuchProcess):
            process.kill()  # psutil checks that the number was not given to another process meanwhile
    with suppress(subprocess.TimeoutExpired):
        child.process.wait(5.0)
