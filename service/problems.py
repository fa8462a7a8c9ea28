"""Every error that leaves the service is an RFC 9457 problem, made here."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import DBAPIError
from starlette.exceptions import HTTPException

from paretrim.errors import Infeasible, InvalidInput
from paretrim.wire import FieldError, ProblemDetails
from service import dialect

MEDIA_TYPE = "application/problem+json"
TYPES = "https://paretrim.dev/problems/"  #: names, not pages: stable, compared by clients

log = logging.getLogger(__name__)


class Problem(Exception):
    """Something the client is told. `code` is stable; `errors` name fields and remedies."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        errors: Sequence[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.errors = tuple(errors)
        self.headers = dict(headers or {})

    @property
    def title(self) -> str:
        """What the status is called."""
        return HTTPStatus(self.status).phrase


def not_found(kind: str, name: str) -> Problem:
    """404: it does not exist, or belongs to somebody else; which of the two is not said."""
    return Problem(404, "not-found", f"there is no {kind} {name!r}")


def conflict(code: str, detail: str) -> Problem:
    """409: not in the state things are in. Trying again will not help."""
    return Problem(409, code, detail, headers={"X-Should-Retry": "false"})


def unprocessable(field: str, message: str, *, code: str = "invalid-request") -> Problem:
    """422: one field is wrong; the message says what to do."""
    return Problem(422, code, f"{field}: {message}", errors=[(field, message)])


def body(problem: Problem, request_id: str | None, instance: str | None) -> dict[str, Any]:
    """The problem as it goes over the wire."""
    details = ProblemDetails(
        type=TYPES + problem.code,
        title=problem.title,
        status=problem.status,
        detail=problem.detail,
        instance=instance,
        code=problem.code,
        request_id=request_id,
        errors=[FieldError(pointer=pointer, message=message) for pointer, message in problem.errors],
    )
    return details.model_dump(mode="json", exclude_none=True)


def response(problem: Problem, request: Request) -> Response:
    """The HTTP response for a problem."""
    request_id = getattr(request.state, "request_id", None)
    content = body(problem, request_id, request.url.path)
    return JSONResponse(content, status_code=problem.status, headers=problem.headers, media_type=MEDIA_TYPE)


_CODES = {
    400: "bad-request",
    401: "unauthorized",
    403: "forbidden",
    404: "not-found",
    405: "method-not-allowed",
    413: "too-large",
    415: "unsupported-media-type",
    416: "range-not-satisfiable",
    422: "invalid-request",
}


def _from_http(error: HTTPException, request: Request) -> Problem:
    headers = dict(error.headers or {})
    if error.status_code == 405:
        headers["Allow"] = allowed_methods(request)
    code = _CODES.get(error.status_code, "error")
    detail = "the body is larger than it may be here" if error.status_code == 413 else str(error.detail)
    return Problem(error.status_code, code, detail, headers=headers)


def allowed_methods(request: Request) -> str:
    """All methods of a path: the framework names those of the first route that matches only.

    `/jobs/check` has the shape of `/jobs/{job_id}` too: the template with the fewest blanks is meant.
    """
    paths = request.app.openapi()["paths"]
    shapes = [path for path in paths if _same_shape(path, request.url.path)]
    fewest = min((path.count("{") for path in shapes), default=0)
    methods = {method.upper() for path in shapes if path.count("{") == fewest for method in paths[path]}
    return ", ".join(sorted(methods))


def _same_shape(template: str, path: str) -> bool:
    wanted, given = template.split("/"), path.split("/")
    return len(wanted) == len(given) and all(
        part == actual or part.startswith("{") for part, actual in zip(wanted, given, strict=True)
    )


def _from_validation(error: RequestValidationError) -> Problem:
    errors = []
    for entry in error.errors():
        where = [str(part) for part in entry["loc"]]
        if entry["type"] == "json_invalid":
            return Problem(400, "invalid-json", "the body is not JSON")
        pointer = ".".join(where[1:] if where[:1] == ["body"] and len(where) > 1 else where)
        errors.append((pointer, entry["msg"].removeprefix("Value error, ")))
    detail = "; ".join(f"{pointer}: {message}" for pointer, message in errors[:3])
    return Problem(422, "invalid-request", detail, errors=errors)


def _from_domain(error: InvalidInput | Infeasible) -> Problem:
    if isinstance(error, Infeasible):
        reachable = ", ".join(f"{name} {value:.6g}" for name, value in error.reachable.items())
        message = f"{error}" + (f" (reachable: {reachable})" if reachable and reachable not in str(error) else "")
        return unprocessable("constraints", message, code="infeasible")
    return unprocessable(error.field or "body", str(error))


def to_problem(error: Exception, request: Request) -> Problem:
    """What the client is told of an exception. Of an unforeseen one, nothing but the request's id."""
    match error:
        case Problem():
            return error
        case RequestValidationError():
            return _from_validation(error)
        case HTTPException():
            return _from_http(error, request)
        case InvalidInput() | Infeasible():
            return _from_domain(error)
    if dialect.is_transient(error):
        log.warning("the database cannot be reached: %s", error)
        detail = "the database cannot be reached at the moment; try again"
        return Problem(503, "unavailable", detail, headers={"Retry-After": "1"})
    log.error("a request failed", exc_info=error)
    return Problem(500, "internal", "the service failed; its log has the request id")


def install(app: FastAPI) -> None:
    """Make the app answer every foreseen error with a problem; the middleware answers the others."""

    async def handle(request: Request, error: Exception) -> Response:
        return response(to_problem(error, request), request)

    for kind in (Problem, RequestValidationError, HTTPException, InvalidInput, Infeasible, DBAPIError):
        app.add_exception_handler(kind, handle)


#: the problems any operation may answer with, for OpenAPI
RESPONSES: dict[int | str, dict[str, Any]] = {
    status: {
        "description": HTTPStatus(status).phrase,
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}},
    }
    for status in (400, 401, 403, 404, 405, 409, 413, 415, 422, 429, 503)
}
