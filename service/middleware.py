"""What surrounds every request: an id, a known host, a bounded body, headers, a log line, a count."""

from __future__ import annotations

import logging
import re
import time
from typing import Any

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service import metrics, problems
from service.ids import new_id
from service.problems import Problem
from service.settings import Settings

log = structlog.get_logger("paretrim.requests")

_REQUEST_ID = re.compile(r"^[A-Za-z0-9._-]{8,64}$")
_SECURITY = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
API_VERSION = "1"
#: paths that are asked by machines which know no host name
OPEN_PATHS = ("/healthz", "/readyz", "/api/v1/healthz", "/api/v1/readyz")


class RequestContext:
    """Gives each request its id, refuses unknown hosts and announced excess, and says what became of it."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began = time.perf_counter()
        given = Headers(scope=scope).get("x-request-id", "")
        request_id = given if _REQUEST_ID.match(given) else new_id("request")
        scope.setdefault("state", {})["request_id"] = request_id
        structlog.contextvars.bind_contextvars(request_id=request_id)
        status, began_response = 500, False

        async def send_with_headers(message: Message) -> None:
            nonlocal status, began_response
            if message["type"] == "http.response.start":
                began_response = True
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-Id"] = request_id
                headers["X-Api-Version"] = API_VERSION
                for name, value in _SECURITY.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        try:
            refusal = self._refusal(scope)
            if refusal is not None:
                await problems.response(refusal, Request(scope))(scope, receive, send_with_headers)
            else:
                await self.app(scope, receive, send_with_headers)
        except Exception as error:
            if began_response:
                raise  # too late to say anything
            request = Request(scope)
            await problems.response(problems.to_problem(error, request), request)(scope, receive, send_with_headers)
        finally:
            self._tell(scope, status, began)
            structlog.contextvars.unbind_contextvars("request_id")

    def _refusal(self, scope: Scope) -> Problem | None:
        headers = Headers(scope=scope)
        allowed = self._settings.allowed_hosts
        if "*" not in allowed and scope["path"] not in OPEN_PATHS:
            host = _host(headers.get("host", ""))
            if host not in allowed:
                detail = f"this service is not called {host!r}; add the name to PARETRIM_ALLOWED_HOSTS"
                return Problem(400, "unknown-host", detail)
        announced = headers.get("content-length", "0")
        limit = self._settings.max_body_bytes
        if "/uploads/" in scope["path"] or "/devices/" in scope["path"]:
            limit = max(limit, 64 * 1024 * 1024)
        if not announced.isdigit():
            return Problem(400, "bad-request", "Content-Length is not a number")
        if int(announced) > limit:
            return Problem(413, "too-large", f"a body may have at most {limit} bytes here")
        return None

    def _tell(self, scope: Scope, status: int, began: float) -> None:
        route = getattr(scope.get("route"), "path", None) or "other"
        metrics.observe(scope["method"], str(route), status, began)
        level = logging.WARNING if status >= 500 else logging.INFO
        facts: dict[str, Any] = {"method": scope["method"], "path": scope["path"], "status": status}
        principal = scope.get("state", {}).get("principal")
        if principal is not None:
            facts["workspace"] = principal.workspace_id
        log.log(level, "request", **facts, milliseconds=round(1000 * (time.perf_counter() - began), 1))


def _host(header: str) -> str:
    """The name in a Host header, without the port."""
    if header.startswith("["):
        return header.partition("]")[0] + "]"
    return header.partition(":")[0].lower()
