"""Where a worker can be made to die, freeze or hang, and workers that are forked with torch already loaded.

A fault is a place in the real code and something done there: the code itself knows nothing of it. `crew` starts workers
from a server process that has imported torch once, so that each costs milliseconds; `main` is the same in a process
that a dispatcher starts.
"""

from __future__ import annotations

import ctypes
import json
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from functools import partial
from multiprocessing.context import ForkServerProcess
from typing import Any

#: a place in a worker's way and how often it is passed before the fault happens
Fault = tuple[str, int, str]  #: place, passes before it, what happens there: "die", "freeze", "hang"


def die() -> None:
    """As `kill -9` does it: nothing is cleaned up."""
    os.kill(os.getpid(), signal.SIGKILL)


def freeze() -> None:
    """As `kill -STOP` does it: all threads stand still, locks stay held."""
    os.kill(os.getpid(), signal.SIGSTOP)


def hang() -> None:
    """Blocked in C code: no signal is heard, while other threads go on renewing the lease."""
    ctypes.CDLL(None).sleep(600)


ACTS: Mapping[str, Callable[[], None]] = {"die": die, "freeze": freeze, "hang": hang}


def arm(fault: Fault) -> None:
    """Make the fault happen in this process."""
    place, passes, act = fault
    PLACES[place](partial(_after, [passes], ACTS[act]))


def _after(left: list[int], act: Callable[[], None]) -> None:
    left[0] -= 1
    if left[0] < 0:
        act()


def _before(owner: Any, name: str, strike: Callable[[], None], when: Callable[..., bool] = lambda *_: True) -> None:
    whole = getattr(owner, name)

    def struck(*arguments: Any, **named: Any) -> Any:
        if when(*arguments):
            strike()
        return whole(*arguments, **named)

    setattr(owner, name, struck)


def _behind(owner: Any, name: str, strike: Callable[[], None]) -> None:
    whole = getattr(owner, name)

    def struck(*arguments: Any, **named: Any) -> Any:
        result = whole(*arguments, **named)
        strike()
        return result

    setattr(owner, name, struck)


def _claimed(strike: Callable[[], None]) -> None:
    from service import worker

    _before(worker, "_load", strike)


def _preparing(strike: Callable[[], None]) -> None:
    """Inputs are read and checked, nothing is measured."""
    from search import prepare

    _before(prepare, "_statistics", strike)


def _evaluating(strike: Callable[[], None]) -> None:
    from search.evaluate import Evaluator

    _behind(Evaluator, "evaluate", strike)


def _results_before_checkpoint(strike: Callable[[], None]) -> None:
    """Inside the transaction: candidates are inserted, the checkpoint is not."""
    from service import dialect

    _before(dialect, "upsert", strike, lambda _session, table, *_: table.name == "checkpoints")


def _window_recorded(strike: Callable[[], None]) -> None:
    from service.recorder import SqlRecorder

    _behind(SqlRecorder, "record", strike)


def _files_before_delivery(strike: Callable[[], None]) -> None:
    """The networks' files are written, the row that tells of them is not."""
    from service.recorder import SqlRecorder

    _before(SqlRecorder, "_add_delivery", strike)


def _before_finish(strike: Callable[[], None]) -> None:
    from service import jobs

    _before(jobs, "succeed", strike)


def _finish_uncommitted(strike: Callable[[], None]) -> None:
    from service import jobs

    _behind(jobs, "succeed", strike)


PLACES: Mapping[str, Callable[[Callable[[], None]], None]] = {
    "claimed": _claimed,
    "preparing": _preparing,
    "evaluating": _evaluating,
    "results before checkpoint": _results_before_checkpoint,
    "window recorded": _window_recorded,
    "files before delivery": _files_before_delivery,
    "before finish": _before_finish,
    "finish uncommitted": _finish_uncommitted,
}


def full_disk() -> None:
    """Every file that is to become an artifact is on a device that is full."""
    from service import artifacts

    class Full:
        def __getattr__(self, name: str) -> Any:
            return getattr(os, name)

        @staticmethod
        def open(path: Any, flags: int, *mode: int) -> int:
            return os.open("/dev/full" if flags & os.O_CREAT else path, flags & ~(os.O_EXCL | os.O_CREAT), *mode)

    artifacts.os = Full()  # type: ignore[attr-defined]


def wrong_clock(seconds: float) -> None:
    """This machine's clock is off, and jumps back and forth by as much with every look at it."""
    right, looks = time.time, [0]

    def off() -> float:
        looks[0] += 1
        return right() + (seconds if looks[0] % 2 else -seconds)

    time.time = off


def slow_down(seconds: float) -> None:
    """Every evaluation takes so much longer, so that something can happen meanwhile."""
    from search.evaluate import Evaluator

    _behind(Evaluator, "evaluate", partial(time.sleep, seconds))


def process(target: Callable[..., Any], *arguments: Any) -> ForkServerProcess:
    """Start a function in a process of its own that has torch loaded already."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["search.run", "service.worker"])
    started = context.Process(target=target, args=arguments, daemon=True)
    started.start()
    return started


def work(errand: Mapping[str, Any], fault: Fault | None = None, *more: tuple[str, tuple[Any, ...]]) -> None:
    """What `python -m service.worker` does, after the fault was armed. Ends with its exit status."""
    from service.errand import Errand
    from service.worker import work as real

    for name, arguments in more:
        globals()[name](*arguments)
    if fault is not None:
        arm(fault)
    sys.exit(real(Errand(**errand)))


def claim_and_die(url: str) -> None:
    """A dispatcher that is killed after its claim was written and before it was committed."""
    from service import jobs
    from service.database import Database

    with Database(url, pool_size=1).write() as session:
        assert jobs.claim(session, "doomed", lease_seconds=60.0, running_per_workspace=4) is not None
        die()


def main() -> None:
    """A worker for a dispatcher whose first attempt meets the fault on the command line: place, passes, act."""
    from service import worker

    place, passes, act = sys.argv[1:]
    content = sys.stdin.buffer.read()
    read_end, write_end = os.pipe()
    os.write(write_end, content)
    os.close(write_end)
    os.dup2(read_end, 0)
    if json.loads(content)["attempt"] == 1:
        arm((place, int(passes), act))
    sys.exit(worker.main())


if __name__ == "__main__":
    main()
