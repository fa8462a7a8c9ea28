"""Starts Ray beside a job's preparation: most of its seconds pass while its processes wait for one another."""

from __future__ import annotations

import signal
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from types import FrameType

from search.plan import JobInputs


@contextmanager
def started_ahead(inputs: JobInputs, workers: int | None) -> Iterator[Callable[[], None]]:
    """Be connected to Ray, as `search.ray_cluster.cluster` is, once what is yielded has been called and has returned.

    It raises what went wrong. The cluster is gone at the end if it was started here.
    """
    # the thread outlives the cluster: Ray has its processes killed when the thread that started them ends
    with ThreadPoolExecutor(1, "ray-start") as aside, ExitStack() as entered:

        def start() -> None:
            from search.ray_cluster import cluster

            entered.enter_context(cluster(data_bytes=store_bytes(inputs), workers=workers))
            import search.ray_job  # noqa: F401 - Tune takes a second

        def wait() -> None:
            starting.result()
            _hear_sigterm()

        _hear_sigterm()
        starting = aside.submit(start)
        try:
            yield wait
        finally:
            starting.exception()


def store_bytes(inputs: JobInputs) -> int:
    """What Ray's object store must hold of a job's data: the splits twice, a few copies of the model."""
    with zipfile.ZipFile(inputs.dataset) as file:
        rows = sum(entry.file_size for entry in file.infolist())
    return 2 * rows + 4 * len(inputs.model)


def _hear_sigterm() -> None:
    """Be told of SIGTERM as before: Ray, while it starts, puts something before whoever was told that prints a stack.

    Who has not asked to be told ends by an exception, so that the cluster is cleared away.
    """
    if threading.current_thread() is threading.main_thread():
        before = signal.getsignal(signal.SIGTERM)
        signal.signal(signal.SIGTERM, before if callable(before) else _end)


def _end(number: int, _frame: FrameType | None) -> None:
    sys.exit(128 + number)
