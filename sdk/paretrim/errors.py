"""The error tree. One class per thing a caller can do something about; each message says what to do.

ParetrimError
├── InvalidInput            what was handed in is wrong; `field` names it
│   ├── InvalidPolicy       a policy names an unknown layer or group, or an illegal value
│   ├── InvalidModel        the file is not a network paretrim can take
│   │   └── UnsupportedOperation   it is one, but holds an operator that cannot be imported
│   ├── InvalidDataset      the file is not a dataset, or does not fit the model
│   └── InvalidTable        a latency table that is malformed or lies
├── Infeasible              no policy meets the constraints; `reachable` says what can be had
├── NotMeasured             the device has no figure for an operation, and may not measure
├── SearchExhausted         the algorithm has no further policy to propose
├── InvalidSignature        a webhook's message that was not signed with this secret, or long ago
├── JobFailed               the job ended in `failed`; carries the job's own error
├── WaitTimeout             the job had not ended when the time given to `wait` was over
└── APIError                anything the HTTP client raises
    ├── APIConnectionError
    │   └── APITimeoutError
    └── APIStatusError      carries status, problem, request_id
        ├── BadRequest 400   Unauthorized 401   Forbidden 403   NotFound 404
        ├── Conflict 409     TooLarge 413       Unprocessable 422
        └── RateLimited 429  ServerError 5xx
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class ParetrimError(Exception):
    """Anything paretrim raises on purpose."""


class InvalidInput(ParetrimError, ValueError):
    """What was handed in is wrong. `field` is the dotted name of the part at fault, if there is one."""

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class InvalidPolicy(InvalidInput):
    """A policy names a group or layer the network does not have, or gives it an illegal value."""


class InvalidModel(InvalidInput):
    """The file is not a network that paretrim can take."""


class UnsupportedOperation(InvalidModel):
    """The network holds an operator that cannot be imported.

    operator: the ONNX operator's name; node: the node's name; supported: what can be imported.
    """

    def __init__(self, message: str, *, operator: str, node: str, supported: tuple[str, ...]) -> None:
        super().__init__(message, field="model")
        self.operator = operator
        self.node = node
        self.supported = supported


class InvalidDataset(InvalidInput):
    """The file is not a dataset, or does not fit the model."""


class InvalidTable(InvalidInput):
    """A latency table that is malformed, or whose figures cannot be true."""


class Infeasible(ParetrimError):
    """No policy meets the constraints. `reachable` maps each constrained metric to the best it can be."""

    def __init__(self, message: str, *, reachable: Mapping[str, float]) -> None:
        super().__init__(message)
        self.reachable = dict(reachable)


class NotMeasured(ParetrimError):
    """The device has no figure for an operation and cannot take one."""


class SearchExhausted(ParetrimError):
    """The algorithm has no further policy to propose; its search is complete before its budget is."""


class JobFailed(ParetrimError):
    """The job ended in `failed`."""

    def __init__(self, message: str, *, code: str = "failed") -> None:
        super().__init__(message)
        self.code = code


class WaitTimeout(ParetrimError, TimeoutError):
    """The job had not ended when the time given to `wait` was over. It goes on."""


class InvalidSignature(ParetrimError):
    """A webhook's message was not signed with this secret, or so long ago that somebody may be repeating it."""


class APIError(ParetrimError):
    """The HTTP client could not do what was asked."""


class APIConnectionError(APIError):
    """The server could not be reached. Is it running, and is the address right?"""


class APITimeoutError(APIConnectionError):
    """The server did not answer in time."""


class APIStatusError(APIError):
    """The server answered with an error status.

    problem: the RFC 9457 body, {} if there was none.
    """

    def __init__(self, message: str, *, status: int, problem: Mapping[str, Any], request_id: str | None) -> None:
        super().__init__(message)
        self.status = status
        self.problem = dict(problem)
        self.request_id = request_id


class BadRequest(APIStatusError):
    """400: the request could not be understood."""


class Unauthorized(APIStatusError):
    """401: no valid API key was given. Set PARETRIM_API_KEY or pass api_key=."""


class Forbidden(APIStatusError):
    """403: the API key lacks the scope for this."""


class NotFound(APIStatusError):
    """404: there is no such thing, or it belongs to somebody else."""


class Conflict(APIStatusError):
    """409: it cannot be done in the state things are in."""


class TooLarge(APIStatusError):
    """413: more bytes than the server takes."""


class Unprocessable(APIStatusError):
    """422: understood, but wrong; the problem's `errors` name the fields and the remedy."""


class RateLimited(APIStatusError):
    """429: too many requests; `Retry-After` says when to come back."""


class ServerError(APIStatusError):
    """5xx: the server's fault."""
