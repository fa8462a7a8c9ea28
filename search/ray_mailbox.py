"""How workers on Ray report on the training of networks: what is newest lies in a box until it is fetched."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import ray
from ray.exceptions import RayActorError

from compressors import Progress
from search.ray_desk import Actor
from search.training_log import Part, TrainingLog

#: a worker says so often, at most, how far it is
POST_SECONDS = 1.0

Run = tuple[int, Part]


class Mailbox:
    """Keeps the newest of each run: of states and reports that were not fetched in time only the last matters."""

    def __init__(self) -> None:
        self._states: dict[Run, bytes] = {}
        self._reports: dict[Run, Progress] = {}

    def keep(self, run: Run, state: bytes) -> None:
        """An epoch is over."""
        self._states[run] = state

    def report(self, run: Run, progress: Progress) -> None:
        """Some steps are done."""
        self._reports[run] = progress

    def collect(self) -> tuple[dict[Run, bytes], dict[Run, Progress]]:
        """What came since last time."""
        found = self._states, self._reports
        self._states, self._reports = {}, {}
        return found


#: `remote()` starts a Mailbox, which needs no CPU
MailboxActor: Any = ray.remote(num_cpus=0, max_restarts=0, max_task_retries=0)(Mailbox)


@dataclass
class PostedLog:
    """Implements TrainingLog in a worker, for one candidate."""

    mailbox: Actor
    states: Mapping[Part, bytes]  #: it begins with
    keep_seconds: float
    _posted: float = field(default=-POST_SECONDS)

    def state(self, n: int, part: Part) -> bytes | None:
        """See TrainingLog."""
        del n
        return self.states.get(part)

    def epoch(self, n: int, part: Part, state: bytes) -> None:
        """See TrainingLog. Waits until it has arrived: states are large."""
        try:
            ray.get(self.mailbox.keep.remote((n, part), state))
        except RayActorError:
            return  # the box is lost with its machine: the network is made all the same

    def step(self, n: int, part: Part, progress: Progress) -> None:
        """See TrainingLog."""
        if time.monotonic() - self._posted >= POST_SECONDS or progress.step == progress.steps:
            self._posted = time.monotonic()
            self.mailbox.report.remote((n, part), progress)


class Post:
    """The side of whoever runs the job: sends logs along with policies, and fetches what was posted."""

    def __init__(self, log: TrainingLog) -> None:
        self._log = log
        self._mailbox: Actor = MailboxActor.remote()

    def log_of(self, n: int) -> PostedLog:
        """To send to a worker, with where an earlier attempt at this candidate was."""
        parts: tuple[Part, ...] = ("fine-tuning", "scratch control")
        found = {part: self._log.state(n, part) for part in parts}
        held = {part: state for part, state in found.items() if state is not None}
        return PostedLog(self._mailbox, held, self._log.keep_seconds)

    def fetch(self) -> None:
        """Pass on what was posted. Raises LeaseLost."""
        try:
            states, reports = ray.get(self._mailbox.collect.remote())
        except RayActorError:
            return
        for (n, part), state in states.items():
            self._log.epoch(n, part, state)
        for (n, part), progress in reports.items():
            self._log.step(n, part, progress)

    def close(self) -> None:
        """End the box."""
        ray.kill(self._mailbox)
