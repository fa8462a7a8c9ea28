"""Events of jobs as they happen: one query for all that is watched, however many watch.

The cursor is a job's own `seq`, which is given out under the job row's lock. A sequence over all jobs would not do: its
numbers are handed out before commit, so that a reader could pass a lower one that becomes visible later.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from anyio import CapacityLimiter, to_thread
from sqlalchemy import select
from sqlalchemy.orm import Session

from paretrim.wire import TERMINAL_STATES
from service.database import Database
from service.tables import Event, Job

log = logging.getLogger(__name__)

PAGE = 500  #: events read at once
KEEP_ALIVE_SECONDS = 15.0


@dataclass(frozen=True, eq=False)
class Happened:
    """An event, detached from the database. Compared by identity."""

    seq: int
    type: str
    data: dict[str, Any]
    created_at: datetime


def events_after(session: Session, job_id: str, seq: int, limit: int = PAGE) -> list[Happened]:
    """The events of a job after `seq`, in order."""
    statement = (
        select(Event.seq, Event.type, Event.data, Event.created_at)
        .where(Event.job_id == job_id, Event.seq > seq)
        .order_by(Event.seq)
        .limit(limit)
    )
    return [Happened(*row) for row in session.execute(statement)]


class Feed:
    """Lets any number of coroutines wait for events of jobs. One task polls, for as long as somebody waits."""

    def __init__(self, database: Database, *, poll_seconds: float) -> None:
        self._database = database
        self._poll_seconds = poll_seconds
        self._watched: dict[str, int] = {}  # job -> how many watch it
        self._seen: dict[str, tuple[int, bool]] = {}  # job -> its newest seq, and whether no more will come
        self._news: dict[str, asyncio.Event] = {}  # job -> set when there is something new, and then replaced
        self._threads = CapacityLimiter(2)  # streams do not wait for requests
        self._poller: asyncio.Task[None] | None = None
        self._closing = False
        # pages asked for in this round, shared by all who wait for the same
        self._recent: dict[tuple[str, int], asyncio.Task[list[Happened]]] = {}

    async def follow(self, job_id: str, after: int) -> AsyncIterator[Happened | None]:
        """The events after `after` as they happen; None now and then, to keep a connection alive. Ends with `end`."""
        self._watched[job_id] = self._watched.get(job_id, 0) + 1
        self._seen.setdefault(job_id, (after, False))
        self._news.setdefault(job_id, asyncio.Event())
        if self._poller is None:
            self._poller = asyncio.create_task(self._poll())
        try:
            while not self._closing:
                page = await self._page(job_id, after)
                for happened in page:
                    after = happened.seq
                    yield happened
                if page and page[-1].type == "end" and len(page) < PAGE:
                    return
                if page:
                    continue
                if not await self._wait(job_id, after):
                    yield None
                newest, over = self._seen.get(job_id, (0, True))
                if over and newest <= after:
                    return
        finally:
            self._leave(job_id)

    async def _page(self, job_id: str, after: int) -> Sequence[Happened]:
        key = (job_id, after)
        if key not in self._recent:
            self._recent[key] = asyncio.create_task(self._read(job_id, after))
        try:
            return await asyncio.shield(self._recent[key])  # one reader's going must not take it from the others
        except Exception as error:
            log.warning("events could not be read, trying again: %s", error)
            self._recent.pop(key, None)
            await asyncio.sleep(self._poll_seconds)
            return ()

    async def _read(self, job_id: str, after: int) -> list[Happened]:
        def read() -> list[Happened]:
            with self._database.read() as session:
                return events_after(session, job_id, after)

        return await to_thread.run_sync(read, limiter=self._threads)

    async def _wait(self, job_id: str, after: int) -> bool:
        """Until there is something after `after`. False if nothing came for a while."""
        if self._closing or self._has_news(job_id, after):
            return True
        try:
            async with asyncio.timeout(KEEP_ALIVE_SECONDS):
                return await self._news[job_id].wait()
        except TimeoutError:
            return False

    def _has_news(self, job_id: str, after: int) -> bool:
        newest, over = self._seen.get(job_id, (0, True))
        return over or newest > after

    def _leave(self, job_id: str) -> None:
        self._watched[job_id] -= 1
        if not self._watched[job_id]:
            del self._watched[job_id]
            self._seen.pop(job_id, None)
            self._news.pop(job_id, None)
        if not self._watched and self._poller is not None:
            self._poller.cancel()
            self._poller = None

    async def _poll(self) -> None:
        while True:
            await asyncio.sleep(self._poll_seconds)
            watched = list(self._watched)
            try:
                seen = await to_thread.run_sync(self._look, watched, limiter=self._threads)
            except Exception as error:
                log.warning("events could not be read, trying again: %s", error)
                continue
            self._recent.clear()
            for job_id in watched:
                now = seen.get(job_id, (0, True))
                if job_id in self._watched and now != self._seen[job_id]:
                    self._seen[job_id] = now
                    self._wake(job_id)

    def _wake(self, job_id: str) -> None:
        """Those who watch a job, and nobody else."""
        self._news[job_id].set()
        self._news[job_id] = asyncio.Event()

    def _look(self, jobs: Sequence[str]) -> dict[str, tuple[int, bool]]:
        with self._database.read() as session:
            statement = select(Job.id, Job.last_seq, Job.state).where(Job.id.in_(jobs))
            return {job_id: (seq, state in TERMINAL_STATES) for job_id, seq, state in session.execute(statement)}

    async def close(self) -> None:
        """End all streams, so that the server can stop."""
        self._closing = True
        for job_id in list(self._news):
            self._wake(job_id)
