"""paretrim: the words, the wire, the client and the command line. No torch, no ray.

Names are loaded when they are first used, so that rooms which only need the words do not pay for the client.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from paretrim._results import Frontier
    from paretrim.async_client import AsyncClient
    from paretrim.async_jobs import AsyncJob, AsyncJobCandidate
    from paretrim.client import Client
    from paretrim.errors import (
        APIConnectionError,
        APIError,
        APIStatusError,
        APITimeoutError,
        BadRequest,
        Conflict,
        Forbidden,
        Infeasible,
        InvalidDataset,
        InvalidInput,
        InvalidModel,
        InvalidPolicy,
        InvalidSignature,
        InvalidTable,
        JobFailed,
        NotFound,
        NotMeasured,
        ParetrimError,
        RateLimited,
        SearchExhausted,
        ServerError,
        TooLarge,
        Unauthorized,
        Unprocessable,
        UnsupportedOperation,
        WaitTimeout,
    )
    from paretrim.jobs import Job, JobCandidate
    from paretrim.problem import Bits, Budget, Candidate, Constraint, Measurement, Objective, Policy

__all__ = [
    "APIConnectionError",
    "APIError",
    "APIStatusError",
    "APITimeoutError",
    "AsyncClient",
    "AsyncJob",
    "AsyncJobCandidate",
    "BadRequest",
    "Bits",
    "Budget",
    "Candidate",
    "Client",
    "Conflict",
    "Constraint",
    "Forbidden",
    "Frontier",
    "Infeasible",
    "InvalidDataset",
    "InvalidInput",
    "InvalidModel",
    "InvalidPolicy",
    "InvalidSignature",
    "InvalidTable",
    "Job",
    "JobCandidate",
    "JobFailed",
    "Measurement",
    "NotFound",
    "NotMeasured",
    "Objective",
    "ParetrimError",
    "Policy",
    "RateLimited",
    "SearchExhausted",
    "ServerError",
    "TooLarge",
    "Unauthorized",
    "Unprocessable",
    "UnsupportedOperation",
    "WaitTimeout",
]

_HOMES = {
    "paretrim.client": ("Client",),
    "paretrim.async_client": ("AsyncClient",),
    "paretrim.jobs": ("Job", "JobCandidate"),
    "paretrim.async_jobs": ("AsyncJob", "AsyncJobCandidate"),
    "paretrim._results": ("Frontier",),
    "paretrim.problem": ("Bits", "Budget", "Candidate", "Constraint", "Measurement", "Objective", "Policy"),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'paretrim' has no attribute {name!r}")
    value = getattr(import_module(_HOME.get(name, "paretrim.errors")), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
