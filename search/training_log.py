"""How the training of networks that are delivered goes: kept after every epoch, and told while it lasts.

A job that is interrupted in the middle of a network goes on from the last epoch that was kept, and ends with the same
weights: `compressors.TrainingState` holds all that decides them.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, Protocol

from compressors import Progress, TrainingState
from search.plan import Interrupted, Recorder, Wanted

#: the runs a delivered network can have
Part = Literal["fine-tuning", "scratch control"]

#: a state is kept after every epoch, but not more often than this: of short epochs little is lost
KEEP_SECONDS = 2.0
#: so often, at most, it is told how far a run is
TELL_SECONDS = 5.0


class TrainingLog(Protocol):
    """Who keeps the states of runs, by candidate, and is told how they go."""

    @property
    def keep_seconds(self) -> float:
        """States that come sooner after another are not worth keeping."""
        ...

    def state(self, n: int, part: Part) -> bytes | None:
        """Where an earlier attempt was when it was last heard of."""
        ...

    def epoch(self, n: int, part: Part, state: bytes) -> None:
        """An epoch is over."""
        ...

    def step(self, n: int, part: Part, progress: Progress) -> None:
        """A step is done."""
        ...


@dataclass
class Diary:
    """Of one candidate: what a run is begun with and what it reports. Stops it once it is no longer wanted."""

    wanted: Callable[[], Wanted]
    log: TrainingLog | None = None
    n: int = 0
    _kept: float = field(default_factory=time.monotonic)

    def state(self, part: Part) -> TrainingState | None:
        """To go on from."""
        held = None if self.log is None else self.log.state(self.n, part)
        return None if held is None else TrainingState.from_bytes(held)

    def looks(self, part: Part) -> Callable[[Progress], None]:
        """To be called after every step. Raises Interrupted."""

        def look(progress: Progress) -> None:
            if self.log is not None:
                self.log.step(self.n, part, progress)
            if (now := self.wanted()) != "run":
                raise Interrupted(now)

        return look

    def keeps(self, part: Part) -> Callable[[TrainingState], None] | None:
        """To be called after every epoch."""
        log = self.log
        if log is None:
            return None

        def keep(state: TrainingState) -> None:
            if time.monotonic() - self._kept >= log.keep_seconds:
                log.epoch(self.n, part, state.to_bytes())
                self._kept = time.monotonic()

        return keep


class Bulletin:
    """Implements TrainingLog on a job's records."""

    def __init__(self, recorder: Recorder, done: int, total: int) -> None:
        """done: networks that are delivered already, of how many."""
        self.keep_seconds = KEEP_SECONDS
        self._recorder = recorder
        self._done, self._total = done, total
        self._running: dict[int, tuple[str, float]] = {}  #: by candidate, how far it is, and the seconds it needs yet
        self._whole_seconds = 0.0  #: of the latest run heard of, if it had been watched from its beginning
        self._told = -TELL_SECONDS

    def state(self, n: int, part: Part) -> bytes | None:
        """See TrainingLog."""
        return self._recorder.training(n, part)

    def epoch(self, n: int, part: Part, state: bytes) -> None:
        """See TrainingLog. Raises LeaseLost."""
        self._recorder.trained(n, part, state)

    def step(self, n: int, part: Part, progress: Progress) -> None:
        """See TrainingLog."""
        left = progress.steps - progress.step
        if left == 0:
            self._running.pop(n, None)
            return
        self._whole_seconds = progress.eta_seconds * progress.steps / left
        best = "" if progress.best is None else f", validation {progress.best:.4f}"
        self._running[n] = (f"candidate {n}, {part}: {progress.step / progress.steps:.0%}{best}", progress.eta_seconds)
        if time.monotonic() - self._told >= TELL_SECONDS:
            self._tell()

    def done(self, n: int) -> None:
        """A network is delivered, or cannot be."""
        self._running.pop(n, None)
        self._done += 1
        self._tell()

    def _tell(self) -> None:
        self._told = time.monotonic()
        eta = None
        if self._running:
            waiting = self._total - self._done - len(self._running)
            turns = -(-waiting // len(self._running))
            eta = max(seconds for _, seconds in self._running.values()) + turns * self._whole_seconds
        detail = "; ".join(said for said, _ in self._running.values())
        self._recorder.progress("delivering", self._done, self._total, detail=detail, eta_seconds=eta)
