"""The audit log: who opened or closed a door, or did what cannot be undone."""

from __future__ import annotations

from fastapi import Request
from sqlalchemy.orm import Session

from service.accounts import Principal
from service.ids import new_id
from service.tables import AuditEntry


def note(session: Session, request: Request, principal: Principal, action: str, subject: str) -> None:
    """Write an entry in the transaction of what it tells of. `action`: `key.create`, `job.delete`, ..."""
    session.add(
        AuditEntry(
            id=new_id("audit"),
            workspace_id=principal.workspace_id,
            key_id=principal.key_id,
            action=action,
            subject=subject[:128],
            address=request.client.host[:64] if request.client else None,
            request_id=getattr(request.state, "request_id", None),
        )
    )
