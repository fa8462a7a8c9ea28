"""Reading server-sent events line by line (WHATWG HTML, section 9.2.6), signs of life included.

httpx2's own reader keeps comments to itself, so that whoever waits for an event of a silent job could not look at the
clock; here a comment is an event without data.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import httpx2


class EventDecoder:
    """Puts lines together to events."""

    def __init__(self) -> None:
        self._event = ""
        self._data: list[str] = []
        self._id = ""

    def take(self, line: str) -> httpx2.ServerSentEvent | None:
        """Take one line, without its end; the event that it completes."""
        if line.startswith(":"):
            return httpx2.ServerSentEvent(event="comment", id=self._id)
        if not line:
            data, event = self._data, self._event
            self._data, self._event = [], ""
            return httpx2.ServerSentEvent(event or "message", "\n".join(data), self._id) if data else None
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            self._data.append(value)
        elif name == "event":
            self._event = value
        elif name == "id" and "\0" not in value:
            self._id = value
        return None


def events(response: httpx2.Response) -> Iterator[httpx2.ServerSentEvent]:
    """The events of an open stream. One that is cut off in its middle is left out."""
    decoder = EventDecoder()
    for line in response.iter_lines():
        if (event := decoder.take(line)) is not None:
            yield event


async def async_events(response: httpx2.Response) -> AsyncIterator[httpx2.ServerSentEvent]:
    """The events of an open stream. One that is cut off in its middle is left out."""
    decoder = EventDecoder()
    async for line in response.aiter_lines():
        if (event := decoder.take(line)) is not None:
            yield event
