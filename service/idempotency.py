"""Creates that may be sent again: the same key and the same request give the same resource, once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, cast

from sqlalchemy import Table, delete, select
from sqlalchemy.orm import Session

from service import dialect
from service.problems import Problem
from service.tables import IdempotencyKey, utc_now

KEPT_HOURS = 24.0


def digest(operation: str, request: Mapping[str, Any]) -> str:
    """What makes two requests the same."""
    text = json.dumps([operation, request], sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def reserve(session: Session, workspace_id: str, key: str | None, request_sha256: str, resource_id: str) -> str | None:
    """Take the key for the resource about to be made, or return the id of the one that was made with it before.

    Must be the first statement of the transaction that makes the resource: whoever comes second waits here until the
    first has committed. 422 if the key was used for a different request.
    """
    if key is None:
        return None
    row = {
        "workspace_id": workspace_id,
        "key": key,
        "request_sha256": request_sha256,
        "resource_id": resource_id,
        "created_at": utc_now(),
    }
    if dialect.insert_if_absent(session, cast(Table, IdempotencyKey.__table__), row):
        return None
    found = session.execute(
        select(IdempotencyKey.request_sha256, IdempotencyKey.resource_id).where(
            IdempotencyKey.workspace_id == workspace_id, IdempotencyKey.key == key
        )
    ).one()
    if found.request_sha256 != request_sha256:
        detail = "this Idempotency-Key was used for a different request; use a new key for a new request"
        raise Problem(422, "idempotency-key-reused", detail, errors=[("Idempotency-Key", detail)])
    return str(found.resource_id)


def is_known(session: Session, workspace_id: str, key: str | None) -> bool:
    """Whether something was made with this key."""
    return key is not None and session.get(IdempotencyKey, (workspace_id, key)) is not None


def forget_old(session: Session) -> None:
    """Drop keys that nobody will send again."""
    session.execute(delete(IdempotencyKey).where(IdempotencyKey.created_at < utc_now() - timedelta(hours=KEPT_HOURS)))
