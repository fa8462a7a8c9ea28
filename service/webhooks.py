"""Sends what webhooks are to be told, signed as Standard Webhooks has it, again and again until it is taken.

At least once, in no particular order: the receiver goes by `webhook-id` to see what it has had already.
"""

from __future__ import annotations

import base64
import hmac
import json
import logging
import secrets
import time
from dataclasses import dataclass
from typing import Any

import httpx2
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from service import dialect, egress
from service.database import Database
from service.settings import Settings
from service.tables import Message, Webhook

log = logging.getLogger(__name__)

PREFIX = "whsec_"
#: seconds after each attempt that failed; after the last, it is given up
PAUSES_SECONDS = (30.0, 120.0, 600.0, 3600.0, 4 * 3600.0, 12 * 3600.0, 24 * 3600.0)
SENDING_SECONDS = 60.0  #: a message that is being sent is not taken by another sender for so long
GONE = 410  #: the receiver wants no more


@dataclass(frozen=True, slots=True)
class Parcel:
    """A message and where it goes."""

    id: str
    url: str
    secrets: tuple[str, ...]
    body: bytes


def new_secret() -> str:
    """A secret to sign with."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def sign(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """`v1,` and the HMAC-SHA256 of id, time and body."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    digest = hmac.digest(key, f"{message_id}.{timestamp}.".encode() + body, "sha256")
    return "v1," + base64.b64encode(digest).decode()


def headers_for(parcel: Parcel, timestamp: int) -> dict[str, str]:
    """What goes with the body. During a rotation both secrets sign."""
    signatures = [sign(secret, parcel.id, timestamp, parcel.body) for secret in parcel.secrets]
    return {
        "Content-Type": "application/json",
        "User-Agent": "paretrim-webhooks/1",
        "webhook-id": parcel.id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signatures),
    }


def send_next(settings: Settings, database: Database) -> bool:
    """Send the message that is due for longest. False if none is."""
    with database.write() as session:
        parcel = _take(session)
    if parcel is None:
        return False
    status, error = _send(parcel, allow_loopback=settings.webhook_allow_loopback)
    with database.write() as session:
        _settle(session, parcel.id, status, error)
    return True


def _take(session: Session) -> Parcel | None:
    now = dialect.clock(session)
    due = select(Message.id).where(Message.state == "pending", Message.due_at <= now).order_by(Message.due_at).limit(1)
    message_id = session.execute(dialect.skip_locked(session, due)).scalar()
    if message_id is None:
        return None
    session.execute(
        update(Message)
        .where(Message.id == message_id)
        .values(due_at=now + SENDING_SECONDS, attempts=Message.attempts + 1)
    )
    message = session.get_one(Message, message_id)
    hook = session.get_one(Webhook, message.webhook_id)
    keys = tuple(secret for secret in (hook.secret, hook.old_secret) if secret)
    return Parcel(message.id, hook.url, keys, json.dumps(message.payload, separators=(",", ":")).encode())


def _send(parcel: Parcel, *, allow_loopback: bool) -> tuple[int | None, str | None]:
    headers = headers_for(parcel, int(time.time()))
    try:
        answer = egress.post(parcel.url, parcel.body, headers, allow_loopback=allow_loopback)
    except (httpx2.HTTPError, httpx2.InvalidURL, egress.Forbidden, ValueError, OSError) as error:
        return None, (str(error) or type(error).__name__)[:500]
    return answer.status, None if 200 <= answer.status < 300 else f"the receiver answered {answer.status}"


def _settle(session: Session, message_id: str, status: int | None, error: str | None) -> None:
    message = session.get(Message, message_id)
    if message is None:
        return  # the webhook was deleted meanwhile
    values: dict[str, Any] = {"last_status": status, "last_error": error}
    if error is None:
        values["state"] = "delivered"
    elif status == GONE or message.attempts > len(PAUSES_SECONDS):
        values["state"] = "failed"
    else:
        values["due_at"] = dialect.clock(session) + PAUSES_SECONDS[message.attempts - 1]
    session.execute(update(Message).where(Message.id == message_id).values(**values))
    if values.get("state") == "failed":
        reason = "the receiver answered 410 Gone" if status == GONE else f"it did not take messages: {error}"
        session.execute(
            update(Webhook)
            .where(Webhook.id == message.webhook_id, Webhook.disabled_reason.is_(None))
            .values(disabled_reason=reason)
        )
