"""The client without the network: what to send, when to try again, what an answer means.

A *flow* is a generator that yields steps, is sent back what came of them, and returns the answer. It knows nothing
of sockets, threads or event loops, so `Client` and `AsyncClient` run the very same flows and cannot drift apart:
`_drive.py` holds the two loops that take the steps.
"""

from __future__ import annotations

import email.utils
import logging
import random
import time
import uuid
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import quote

import httpx2
import pydantic

from paretrim import errors
from paretrim.errors import APIConnectionError, APIStatusError, InvalidInput, ServerError

T = TypeVar("T")
M = TypeVar("M", bound=pydantic.BaseModel)

API_PREFIX = "/api/v1"
#: a back-off starts at this and doubles, with up to a quarter taken off by chance so that clients do not march in step
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 8.0
#: a pause that a server asks for is told of from here on, so that nobody wonders why nothing happens
TOLD_PAUSE_SECONDS = 2.0
#: a server that asks for more than this is not waited for
LONGEST_RETRY_AFTER_SECONDS = 120.0

_log = logging.getLogger("paretrim")


@dataclass(frozen=True)
class Call:
    """One call of the API. Answered with a Response of success; anything else is raised."""

    method: str
    path: str  #: below the API's prefix, ids quoted
    json: Any = None
    content: bytes | None = None
    params: Mapping[str, str | list[str]] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    timeout_seconds: float | None = None  #: None: the client's
    #: given a response of success, takes its body as it comes in, so that it need not fit into memory
    sink: Callable[[httpx2.Response], Callable[[bytes], object]] | None = None


@dataclass(frozen=True)
class Attempt:
    """Send a call once. Answered with whatever Response came."""

    call: Call


@dataclass(frozen=True)
class Sleep:
    """Wait."""

    seconds: float


@dataclass(frozen=True)
class Work:
    """Do something long without holding up an event loop. Answered with its result."""

    function: Callable[[], Any]


@dataclass(frozen=True)
class Listen:
    """Open a stream of server-sent events. Answered with a stream, for `Next` and `HangUp`."""

    call: Call


@dataclass(frozen=True)
class Next:
    """Wait for the next event of a stream. Answered with a ServerSentEvent, or None at the end."""

    stream: Any


@dataclass(frozen=True)
class HangUp:
    """Close a stream."""

    stream: Any


Step = Call | Attempt | Sleep | Work | Listen | Next | HangUp
Flow = Generator[Step, Any, T]


def path(*parts: str | int) -> str:
    """A path below the API's prefix; what is in a part cannot leave it."""
    return "/" + "/".join(quote(str(part), safe="") for part in parts)


def new_key() -> dict[str, str]:
    """The header that makes a create happen once, however often it is sent."""
    return {"Idempotency-Key": f"paretrim-{uuid.uuid4()}"}


def query(**values: Any) -> dict[str, str | list[str]]:
    """Query parameters; None is left out, a list is the parameter several times."""
    return {name: _told(value) for name, value in values.items() if value is not None}


def _told(value: Any) -> str | list[str]:
    if isinstance(value, list | tuple | set | frozenset):
        return [str(one) for one in value]
    return str(value).lower() if isinstance(value, bool) else str(value)


def attempts(call: Call, retries: int) -> Flow[httpx2.Response]:
    """Send a call until it succeeds, fails for good, or was sent `1 + retries` times.

    Tried again: a connection that broke, 429, 5xx, and 408 or 409 if the server says when to come back. Creates carry
    their own Idempotency-Key, so nothing is made twice.
    """
    for attempt in range(retries + 1):
        pause = pause_seconds(attempt)
        try:
            response: httpx2.Response = yield Attempt(call)
        except APIConnectionError:
            if attempt == retries:
                raise
        else:
            if response.is_success:
                return response
            if call.method == "DELETE" and response.status_code == 404 and attempt:
                return response  # the answer to an earlier attempt was lost on its way
            asked = retry_after_seconds(response.headers)
            told_not_to = response.headers.get("x-should-retry") == "false"
            if attempt == retries or told_not_to or not may_retry(response.status_code, asked):
                raise status_error(response)
            pause = pause if asked is None else asked
            if asked is not None and asked >= TOLD_PAUSE_SECONDS:
                status = response.status_code
                _log.warning(
                    "%s %s: the server answers %d and asks for %.0f s of patience",
                    call.method,
                    call.path,
                    status,
                    asked,
                )
        yield Sleep(pause)
    raise AssertionError("unreachable")


def fetch(call: Call, shape: type[M]) -> Flow[M]:
    """Send a call and read its answer."""
    response = yield call
    return read(response, shape)


def perform(call: Call) -> Flow[None]:
    """Send a call whose answer does not matter."""
    yield call


def read(response: httpx2.Response, shape: type[M]) -> M:
    """Read the body of a success. What a newer server says beyond what this client knows is passed over."""
    try:
        body = response.json()
        try:
            return shape.model_validate(body)
        except pydantic.ValidationError as error:
            return shape.model_validate(_without_unknown(body, error))
    except ValueError as error:  # no JSON, or JSON of another shape
        where = f"{response.request.method} {response.request.url}"
        raise ServerError(
            f"{where} answered something that is no {shape.__name__}: {first_line(error)}. Is this a paretrim server, "
            "and not much newer or older than this client?",
            status=response.status_code,
            problem={},
            request_id=response.headers.get("x-request-id"),
        ) from error


def _without_unknown(body: Any, error: pydantic.ValidationError) -> Any:
    """The body less the fields that a request would not take: an answer may quote the request of a newer client."""
    for entry in error.errors():
        if entry["type"] == "extra_forbidden":
            *way, name = entry["loc"]
            place: Any = body
            for part in way:  # names of alternatives are on the way too, and lead nowhere
                if isinstance(place, dict):
                    place = place.get(str(part), place)
                elif isinstance(part, int):
                    place = place[part]
            place.pop(name, None)
    return body


def pause_seconds(attempt: int) -> float:
    """How long to wait after an attempt (0, 1, ...) that failed."""
    longest = min(FIRST_PAUSE_SECONDS * 2.0**attempt, LONGEST_PAUSE_SECONDS)
    return longest * (1 - 0.25 * random.random())


def retry_after_seconds(headers: Mapping[str, str]) -> float | None:
    """What `Retry-After` asks for, in either of its two forms; None if it is absent or unreadable."""
    value = headers.get("retry-after")
    if value is None:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
    except (TypeError, ValueError):
        return None


def may_retry(status: int, asked_seconds: float | None) -> bool:
    """Whether sending the same again may help."""
    if asked_seconds is not None and asked_seconds > LONGEST_RETRY_AFTER_SECONDS:
        return False
    if status in (408, 409):
        return asked_seconds is not None
    return status == 429 or status >= 500


_BY_STATUS: Mapping[int, type[APIStatusError]] = {
    400: errors.BadRequest,
    401: errors.Unauthorized,
    403: errors.Forbidden,
    404: errors.NotFound,
    409: errors.Conflict,
    413: errors.TooLarge,
    422: errors.Unprocessable,
    429: errors.RateLimited,
}


def status_error(response: httpx2.Response) -> APIStatusError:
    """The exception for an answer that is no success: the server's own words, its field messages, the request's id."""
    problem = _problem(response)
    request_id = problem.get("request_id") or response.headers.get("x-request-id")
    words = str(problem.get("detail") or problem.get("title") or _plain_words(response))
    for entry in problem.get("errors") or []:
        pointer, message = entry.get("pointer"), str(entry.get("message"))
        if message not in words:
            words += f"\n  {pointer}: {message}" if pointer else f"\n  {message}"
    if request_id:
        words += f"\n  (request {request_id})"
    status = response.status_code
    kind = _BY_STATUS.get(status, ServerError if status >= 500 else APIStatusError)
    return kind(words, status=status, problem=problem, request_id=request_id)


def _problem(response: httpx2.Response) -> dict[str, Any]:
    try:
        body = response.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _plain_words(response: httpx2.Response) -> str:
    text = " ".join(response.text.split())[:200]
    said = f": {text}" if text else ""
    return f"{response.request.method} {response.request.url} was answered with {response.status_code}{said}"


def invalid_input(error: pydantic.ValidationError) -> InvalidInput:
    """A request that pydantic refused, in paretrim's words: every field with what is wrong, the first one named."""
    found = [(".".join(str(part) for part in e["loc"]), e["msg"].removeprefix("Value error, ")) for e in error.errors()]
    words = "; ".join(f"{where}: {what}" for where, what in found)
    return InvalidInput(words, field=found[0][0] or None)


def first_line(error: Exception) -> str:
    """An exception in one line."""
    return str(error).splitlines()[0] if str(error) else type(error).__name__
