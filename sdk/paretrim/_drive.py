"""The two loops that take the steps of a flow: one that waits, one that awaits."""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx2

from paretrim import __version__, _sse
from paretrim._flow import API_PREFIX, Attempt, Call, Flow, HangUp, Listen, Next, Sleep, Step, Work, attempts
from paretrim.errors import APIConnectionError, APITimeoutError, InvalidInput, ParetrimError

T = TypeVar("T")

DEFAULT_URL = "http://127.0.0.1:8000"
CONNECT_TIMEOUT_SECONDS = 5.0
#: the server sends a sign of life every 15 seconds
STREAM_TIMEOUT_SECONDS = 45.0


@dataclass(frozen=True)
class Settings:
    """Where the server is and how patiently it is spoken to."""

    base_url: str
    api_key: str | None
    timeout_seconds: float
    max_retries: int

    @classmethod
    def of(cls, base_url: str | None, api_key: str | None, timeout_seconds: float, max_retries: int) -> Settings:
        """Fill in PARETRIM_URL and PARETRIM_API_KEY. Raises InvalidInput."""
        url = (base_url or os.environ.get("PARETRIM_URL") or DEFAULT_URL).rstrip("/").removesuffix(API_PREFIX)
        try:
            parsed = httpx2.URL(url)
        except httpx2.InvalidURL as error:
            raise InvalidInput(f"{url!r} is not an address: {error}", field="base_url") from None
        if parsed.scheme not in ("http", "https") or not parsed.host:
            raise InvalidInput(f"{url!r} is not an address; write e.g. {DEFAULT_URL}", field="base_url")
        if max_retries < 0:
            raise InvalidInput(f"max_retries must not be negative, got {max_retries}", field="max_retries")
        key = api_key or os.environ.get("PARETRIM_API_KEY") or None
        if key is not None and not (key.isascii() and key.isprintable()):
            raise InvalidInput("the API key holds characters that no API key has", field="api_key")
        return cls(url, key, timeout_seconds, max_retries)

    def arguments(self, call: Call, *, stream: bool = False) -> dict[str, Any]:
        """What `build_request` of httpx2 takes."""
        headers = {"Accept": "application/json", "User-Agent": _user_agent(), **call.headers}
        if self.api_key is not None:
            headers["Authorization"] = f"Bearer {self.api_key}"
        seconds = call.timeout_seconds or (STREAM_TIMEOUT_SECONDS if stream else self.timeout_seconds)
        return {
            "method": call.method,
            "url": self.base_url + API_PREFIX + call.path,
            "json": call.json,
            "content": call.content,
            "params": dict(call.params) or None,
            "headers": headers,
            "timeout": httpx2.Timeout(seconds, connect=min(seconds, CONNECT_TIMEOUT_SECONDS)),
        }

    def connection_error(self, error: httpx2.HTTPError) -> APIConnectionError:
        """The exception for a call that got no answer."""
        why = str(error) or type(error).__name__
        if isinstance(error, httpx2.TimeoutException) and not isinstance(error, httpx2.ConnectTimeout):
            return APITimeoutError(f"{self.base_url} did not answer in time ({why})")
        return APIConnectionError(
            f"{self.base_url} cannot be reached ({why}). Is the server running (`paretrim serve`), and is the address "
            "right (PARETRIM_URL)?"
        )


def _user_agent() -> str:
    return f"paretrim/{__version__} python/{sys.version_info.major}.{sys.version_info.minor}"


@dataclass(eq=False)
class _Stream:
    """An open stream of events."""

    response: httpx2.Response
    events: Any


class Driver:
    """Takes the steps of flows, one after the other, in the calling thread.

    http: None for connections of its own, which are closed with `close` or when nothing holds the driver any more; jobs
    hold it as well as the client they came from.
    """

    def __init__(self, settings: Settings, http: httpx2.Client | None) -> None:
        self._own = http is None
        self.settings = settings
        self.http = http or httpx2.Client()

    def close(self) -> None:
        """Close its own connections."""
        if self._own:
            self.http.close()

    def __del__(self) -> None:
        with suppress(Exception):  # the interpreter may be half gone
            self.close()

    def run(self, flow: Flow[T]) -> T:
        """Take every step of a flow; its answer."""
        answer: Any = None
        error: ParetrimError | None = None
        try:
            while True:
                step = flow.throw(error) if error is not None else flow.send(answer)
                answer, error = None, None
                try:
                    answer = self._take(step)
                except ParetrimError as raised:
                    error = raised
        except StopIteration as end:
            result: T = end.value
            return result
        finally:
            flow.close()

    def _take(self, step: Step) -> Any:
        try:
            match step:
                case Call():
                    return self.run(attempts(step, self.settings.max_retries))
                case Attempt(call):
                    return self._send(call)
                case Sleep(seconds):
                    time.sleep(seconds)
                case Work(function):
                    return function()
                case Listen(call):
                    return self._listen(call)
                case Next(stream):
                    return next(stream.events, None)
                case HangUp(stream):
                    stream.response.close()
        except httpx2.HTTPError as error:
            raise self.settings.connection_error(error) from error
        return None

    def _send(self, call: Call) -> httpx2.Response:
        request = self.http.build_request(**self.settings.arguments(call))
        response = self.http.send(request, stream=True)
        try:
            if call.sink is None or not response.is_success:
                response.read()
            else:
                take = call.sink(response)
                for chunk in response.iter_bytes():
                    take(chunk)
        finally:
            response.close()
        return response

    def _listen(self, call: Call) -> _Stream:
        request = self.http.build_request(**self.settings.arguments(call, stream=True))
        response = self.http.send(request, stream=True)
        if not response.is_success:
            response.read()
            response.close()
        return _Stream(response, _sse.events(response))


class AsyncDriver:
    """Takes the steps of flows on an event loop (asyncio or trio)."""

    def __init__(self, settings: Settings, http: httpx2.AsyncClient | None) -> None:
        self._own = http is None
        self.settings = settings
        self.http = http or httpx2.AsyncClient()

    async def close(self) -> None:
        """Close its own connections."""
        if self._own:
            await self.http.aclose()

    async def run(self, flow: Flow[T]) -> T:
        """Take every step of a flow; its answer."""
        answer: Any = None
        error: ParetrimError | None = None
        try:
            while True:
                step = flow.throw(error) if error is not None else flow.send(answer)
                answer, error = None, None
                try:
                    answer = await self._take(step)
                except ParetrimError as raised:
                    error = raised
        except StopIteration as end:
            result: T = end.value
            return result
        finally:
            flow.close()

    async def _take(self, step: Step) -> Any:
        import anyio

        try:
            match step:
                case Call():
                    return await self.run(attempts(step, self.settings.max_retries))
                case Attempt(call):
                    return await self._send(call)
                case Sleep(seconds):
                    await anyio.sleep(seconds)
                case Work(function):
                    return await anyio.to_thread.run_sync(function)
                case Listen(call):
                    return await self._listen(call)
                case Next(stream):
                    return await anext(stream.events, None)
                case HangUp(stream):
                    with anyio.CancelScope(shield=True):
                        await stream.response.aclose()
        except httpx2.HTTPError as error:
            raise self.settings.connection_error(error) from error
        return None

    async def _send(self, call: Call) -> httpx2.Response:
        request = self.http.build_request(**self.settings.arguments(call))
        response = await self.http.send(request, stream=True)
        try:
            if call.sink is None or not response.is_success:
                await response.aread()
            else:
                take = call.sink(response)
                async for chunk in response.aiter_bytes():
                    take(chunk)
        finally:
            await response.aclose()
        return response

    async def _listen(self, call: Call) -> _Stream:
        request = self.http.build_request(**self.settings.arguments(call, stream=True))
        response = await self.http.send(request, stream=True)
        if not response.is_success:
            await response.aread()
            await response.aclose()
        return _Stream(response, _sse.async_events(response))
