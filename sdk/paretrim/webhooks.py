"""For those who are told: checks that a message really comes from the server (Standard Webhooks, v1).

    from paretrim.webhooks import unwrap

    notification = unwrap(request.body, request.headers, secret)     # raises InvalidSignature
    if notification.type == "job.succeeded":
        job = client.jobs.get(notification.data["job"])

A message may come more than once; `notification.id` is the same then. Needs no key and no client.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pydantic

from paretrim.errors import InvalidInput, InvalidSignature
from paretrim.wire import Response

PREFIX = "whsec_"
TOLERANCE_SECONDS = 300.0


class Notification(Response):
    """What happened."""

    id: str  #: of the message: the same whenever it is sent again
    type: str  #: `job.succeeded`, `job.failed`, ..., `test`
    timestamp: datetime
    data: dict[str, Any] = pydantic.Field(default_factory=dict)  #: thin: ids, to fetch what one wants to know more of


def unwrap(
    payload: bytes | str,
    headers: Mapping[str, str],
    secret: str,
    *,
    tolerance_seconds: float = TOLERANCE_SECONDS,
    now: float | None = None,
) -> Notification:
    """The notification in a message, after its signature and its age were checked.

    payload: the body as it came, byte for byte. headers: names in any case. Raises InvalidSignature, InvalidInput for a
    secret that is none.
    """
    body = payload.encode() if isinstance(payload, str) else payload
    given = {name.lower(): value for name, value in headers.items()}
    try:
        message, moment, signatures = (given[f"webhook-{part}"] for part in ("id", "timestamp", "signature"))
        age_seconds = (time.time() if now is None else now) - int(moment)
    except (KeyError, ValueError) as error:
        raise InvalidSignature(f"this is no signed message of a webhook ({error})") from None
    if abs(age_seconds) > tolerance_seconds:
        raise InvalidSignature(f"the message was signed {age_seconds:.0f} s ago; is a clock wrong, or is it repeated?")
    expected = _signature(secret, message, moment, body)
    if not any(hmac.compare_digest(expected, one) for one in signatures.encode().split()):
        raise InvalidSignature("the message was not signed with this secret")
    try:
        return Notification.model_validate({**json.loads(body), "id": message})
    except (ValueError, TypeError, pydantic.ValidationError) as error:
        raise InvalidSignature(f"the message is signed but not understood: {error}") from None


def _signature(secret: str, message: str, moment: str, body: bytes) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        raise InvalidInput("the webhook's secret begins with whsec_ and is base64", field="secret") from None
    digest = hmac.digest(key, f"{message}.{moment}.".encode() + body, "sha256")
    return b"v1," + base64.b64encode(digest)
