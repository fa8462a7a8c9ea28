"""Waiting for a job to end."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext

from paretrim._drive import STREAM_TIMEOUT_SECONDS
from paretrim._events import EventReader
from paretrim._flow import Call, Flow, path, read
from paretrim.errors import APIConnectionError, JobFailed, ServerError, WaitTimeout
from paretrim.wire import TERMINAL_STATES, Event, Job, Page, Search

#: shown again at most this often
REFRESH_SECONDS = 1.0

#: what is told how things stand: the job, its searches, and the events since the last time
Watcher = Callable[[Job, Sequence[Search], Sequence[Event]], None]


def wait(
    reader: EventReader,
    *,
    watcher: AbstractContextManager[Watcher] | None = None,
    timeout_seconds: float | None = None,
) -> Flow[Job]:
    """Wait until the reader's job is in a terminal state. Raises JobFailed if that is `failed`, WaitTimeout.

    The reader is the caller's to close.
    """
    deadline = None if timeout_seconds is None else time.monotonic() + timeout_seconds
    with watcher or nullcontext() as watch:
        while True:
            try:
                job = yield from _look(reader, watch)
            except (APIConnectionError, ServerError) as error:
                yield from reader.lost(error)
                _check(deadline, reader.job, "out of reach")
                continue
            if job.state in TERMINAL_STATES:
                return ended_well(job)
            yield from _until_news(reader, deadline, job)


def _look(reader: EventReader, watch: Watcher | None) -> Flow[Job]:
    job = read((yield Call("GET", path("jobs", reader.job))), Job)
    if watch is not None:
        searches = read((yield Call("GET", path("jobs", reader.job, "searches"))), Page[Search])
        watch(job, searches.data, reader.drain())
    return job


def _until_news(reader: EventReader, deadline: float | None, job: Job) -> Flow[None]:
    """Tick for long enough that looking again is worth it."""
    fresh = time.monotonic() + REFRESH_SECONDS
    if deadline is not None and deadline - time.monotonic() < STREAM_TIMEOUT_SECONDS:
        yield from reader.poll_from_now_on()  # a silent stream would be listened to beyond the deadline
    while True:
        yield from reader.tick()
        now = time.monotonic()
        _check(deadline, job.id, job.state)
        if now >= fresh or reader.ended:
            return


def _check(deadline: float | None, job_id: str, state: str) -> None:
    if deadline is not None and time.monotonic() >= deadline:
        raise WaitTimeout(f"job {job_id} is still {state}; it goes on, wait again to follow it")


def ended_well(job: Job) -> Job:
    """The job, unless it failed. Raises JobFailed with the job's own error."""
    if job.state != "failed":
        return job
    if job.error is None:
        raise JobFailed(f"job {job.id} failed without saying why")
    retry = " Submitting it again may help." if job.error.retryable else ""
    raise JobFailed(f"job {job.id} failed: {job.error.message}{retry}", code=job.error.code)
