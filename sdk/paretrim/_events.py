"""Following a job's events: over one stream that is taken up again where it broke, or by asking again and again."""

from __future__ import annotations

import json
import time
from collections import deque
from datetime import UTC, datetime
from typing import Any

import httpx2
import pydantic

from paretrim._flow import Call, Flow, HangUp, Listen, Next, Sleep, path, pause_seconds, query, read, status_error
from paretrim._flow import may_retry as status_may_retry
from paretrim.errors import APIConnectionError, ServerError
from paretrim.wire import TERMINAL_STATES, Event, Job, Page

#: how long the server may be away before following it is given up
PATIENCE_SECONDS = 300.0
POLL_SECONDS = 1.0
#: a server, or a proxy before it, that will not stream answers with one of these
_NO_STREAM = frozenset({404, 405, 406, 415, 501})


class EventReader:
    """Hands out the events of one job in order, each once, beginning after number `after`.

    A stream that breaks is opened again with `Last-Event-ID`. Where no stream is to be had, events are asked for
    page by page. The server may be away for up to `patience_seconds`.
    """

    def __init__(self, job: str, *, after: int = 0, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self.job = job
        self.last = after
        self.ended = False
        self.polling = False
        self._patience_seconds = patience_seconds
        self._stream: Any = None
        self._failures = 0
        self._away_since: float | None = None
        self._pending: deque[Event] = deque()

    def next(self) -> Flow[Event | None]:
        """The next event; None after the last. Raises APIConnectionError if the server stays away."""
        while not self._pending and not self.ended:
            yield from self.tick()
        return self._pending.popleft() if self._pending else None

    def tick(self) -> Flow[None]:
        """Wait for whatever comes next: an event, a sign of life, a second of polling, a connection that breaks."""
        try:
            yield from self._poll() if self.polling else self._hear()
        except (APIConnectionError, ServerError) as error:
            yield from self.lost(error)
        else:
            self._failures, self._away_since = 0, None

    def poll_from_now_on(self) -> Flow[None]:
        """Ask for events every second instead of listening."""
        self.polling = True
        yield from self.close()

    def lost(self, error: Exception) -> Flow[None]:
        """The server is away: wait a while. Raises `error` if it has been away for too long."""
        yield from self.close()
        now = time.monotonic()
        self._away_since = self._away_since or now
        if now - self._away_since > self._patience_seconds:
            raise error
        self._failures += 1
        yield Sleep(pause_seconds(self._failures - 1))

    def drain(self) -> list[Event]:
        """The events that came in."""
        events = list(self._pending)
        self._pending.clear()
        return events

    def close(self) -> Flow[None]:
        """Let go of the stream."""
        if self._stream is not None:
            stream, self._stream = self._stream, None
            yield HangUp(stream)

    def _hear(self) -> Flow[None]:
        if self._stream is None:
            headers = {"Accept": "text/event-stream", "Cache-Control": "no-store"}
            if self.last:
                headers["Last-Event-ID"] = str(self.last)
            stream = yield Listen(Call("GET", path("jobs", self.job, "events"), headers=headers))
            response: httpx2.Response = stream.response
            kind = response.headers.get("content-type", "").partition(";")[0].strip()
            if response.status_code in _NO_STREAM or (response.is_success and kind != "text/event-stream"):
                yield HangUp(stream)
                self.polling = True
                return
            if not response.is_success:
                yield HangUp(stream)
                self._refused(response)
            self._stream = stream
        heard: httpx2.ServerSentEvent | None = yield Next(self._stream)
        if heard is None:  # the server closed the stream: at the job's end, or because it is going down
            yield from self.close()
            yield from self._look_for_the_end()
        else:
            self._take(event_of(heard))

    def _refused(self, response: httpx2.Response) -> None:
        error = status_error(response)
        if status_may_retry(response.status_code, None):
            raise APIConnectionError(str(error)) from error
        raise error

    def _look_for_the_end(self) -> Flow[None]:
        job = read((yield Call("GET", path("jobs", self.job))), Job)
        if job.state in TERMINAL_STATES:
            self.polling = True  # whatever the stream did not come to tell
        else:
            yield Sleep(POLL_SECONDS)

    def _poll(self) -> Flow[None]:
        before = self.last
        page = read(
            (yield Call("GET", path("jobs", self.job, "events"), params=query(after=self.last or None))), Page[Event]
        )
        for event in page.data:
            self._take(event)
        if self.last != before:
            return
        job = read((yield Call("GET", path("jobs", self.job))), Job)
        if job.state in TERMINAL_STATES:
            self.ended = True
        else:
            yield Sleep(POLL_SECONDS)

    def _take(self, event: Event | None) -> None:
        if event is None or event.seq <= self.last:
            return
        self.last = event.seq
        self._pending.append(event)
        self.ended = event.type == "end"


def event_of(heard: httpx2.ServerSentEvent) -> Event | None:
    """The event in a server-sent event: `id` is its number, `event` its type. None for a mere sign of life."""
    if not heard.data:
        return None
    try:
        data = json.loads(heard.data)
        if isinstance(data, dict) and {"seq", "type", "data"} <= data.keys():
            return Event.model_validate({"created_at": datetime.now(UTC), **data})
        seq = int(heard.id)
        return Event(seq=seq, type=heard.event, data=data, created_at=datetime.now(UTC))
    except (ValueError, pydantic.ValidationError):
        return None
