"""What all bodies are made of, and what is wrong with a request."""

from __future__ import annotations

from typing import Generic, TypeVar

from pydantic import BaseModel, ConfigDict

T = TypeVar("T")


class Request(BaseModel):
    """A body that a client sends."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Response(BaseModel):
    """A body that the server sends."""

    model_config = ConfigDict(extra="allow", frozen=True, protected_namespaces=())


class Page(Response, Generic[T]):
    """A part of a collection. No `next_cursor`: this was the end."""

    data: list[T]
    next_cursor: str | None = None
    has_more: bool = False


class FieldError(Response):
    """One thing wrong with a request."""

    pointer: str  #: the field, e.g. `budget.candidates`
    message: str  #: what is wrong and what to do


class ProblemDetails(Response):
    """RFC 9457."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    instance: str | None = None
    code: str
    request_id: str | None = None
    errors: list[FieldError] = []
