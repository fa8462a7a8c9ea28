"""Bodies about who may do what, and who is told: keys, webhooks, the audit log."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from paretrim.wire_base import Request, Response

WebhookType = Literal["job.running", "job.paused", "job.succeeded", "job.failed", "job.cancelled"]


class WebhookRequest(Request):
    """Asks to be told what happens to jobs, at an address of one's own."""

    url: Annotated[str, Field(min_length=8, max_length=2000)]
    types: Annotated[list[WebhookType], Field(min_length=1, max_length=16)] = [
        "job.succeeded",
        "job.failed",
        "job.cancelled",
    ]


class Webhook(Response):
    """An address that is told what happens to jobs. `secret` is there once, in the answer that made it."""

    id: str
    url: str
    types: list[str]
    created_at: datetime
    disabled_reason: str | None = None
    secret: str | None = None


class WebhookMessage(Response):
    """What a webhook was, or is to be, told."""

    id: str
    type: str
    state: Literal["pending", "delivered", "failed"]
    attempts: int
    last_status: int | None = None
    last_error: str | None = None
    created_at: datetime


class AuditEntry(Response):
    """Who did what."""

    id: str
    key: str | None = None
    action: str
    subject: str
    address: str | None = None
    request_id: str | None = None
    created_at: datetime


class ApiKeyRequest(Request):
    """Asks for a new API key."""

    name: Annotated[str, Field(min_length=1, max_length=255)]
    scopes: list[str] = ["read", "write"]
    expires_in_seconds: Annotated[int | None, Field(ge=60)] = None


class ApiKey(Response):
    """An API key. `secret` is there once, in the answer that made it."""

    id: str
    name: str
    prefix: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime | None = None
    last_used_at: datetime | None = None
    secret: str | None = None
