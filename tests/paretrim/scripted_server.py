"""A real HTTP server on loopback that answers what a test tells it to, for what no sane service would answer."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class Seen:
    """A request as it came in."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]  #: names in lower case
    body: bytes


@dataclass(frozen=True)
class Answer:
    """What to answer. `length`: what Content-Length says, if it shall lie. `cut`: close the connection afterwards."""

    status: int = 200
    body: Any = None  #: bytes as they are, anything else as JSON
    headers: Mapping[str, str] = field(default_factory=dict)
    length: int | None = None
    cut: bool = False


def problem(status: int, detail: str, *, headers: Mapping[str, str] | None = None, **more: Any) -> Answer:
    """An RFC 9457 answer."""
    return Answer(status, {"title": "t", "status": status, "detail": detail, "code": "c", **more}, headers or {})


class ScriptedServer:
    """Answers by method and path below /api/v1, in the order given; the last answer stays."""

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self._answers: dict[tuple[str, str], list[Answer]] = {}
        scripted = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                scripted._answer(self)

            do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = answer

            def log_message(self, format: str, *args: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    def on(self, method: str, path: str, *answers: Answer) -> None:
        """Answer so from now on."""
        self._answers[method, path] = list(answers)

    def requests(self, method: str, path: str) -> list[Seen]:
        """What was asked."""
        return [seen for seen in self.seen if (seen.method, seen.path) == (method, path)]

    def __enter__(self) -> ScriptedServer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        target = urlsplit(handler.path)
        path = target.path.removeprefix("/api/v1")
        body = handler.rfile.read(int(handler.headers.get("content-length") or 0))
        headers = {name.lower(): value for name, value in handler.headers.items()}
        self.seen.append(Seen(handler.command, path, parse_qs(target.query), headers, body))
        waiting = self._answers.get((handler.command, path), [problem(404, f"nothing at {path}")])
        answer = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        content = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
        handler.send_response(answer.status)
        for name, value in {"Content-Type": "application/json", **answer.headers}.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(content) if answer.length is None else answer.length))
        if answer.cut:
            handler.close_connection = True
            handler.send_header("Connection", "close")
        handler.end_headers()
        handler.wfile.write(content)
        handler.wfile.flush()


def sse(events: Iterable[Mapping[str, Any]], *, comment: str = "") -> bytes:
    """Events as a stream has them: the number as id, the type as event, the whole as data."""
    text = f": {comment}\n\n" if comment else ""
    for event in events:
        text += f"event: {event['type']}\ndata: {json.dumps(event)}\nid: {event['seq']}\n\n"
    return text.encode()


def stream(events: Iterable[Mapping[str, Any]], *, cut: bool = False, tail: bytes = b"") -> Answer:
    """An event stream. `cut`: it breaks off without an end."""
    body = sse(events, comment="stream of events") + tail
    return Answer(200, body, {"Content-Type": "text/event-stream"}, length=len(body) + 100 if cut else None, cut=cut)
