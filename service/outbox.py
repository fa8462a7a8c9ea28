"""What webhooks are to be told is written in the transaction that makes it true: neither is there without the other."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from service import dialect
from service.ids import new_id
from service.tables import Message, Webhook, utc_now

#: states of a job that can be subscribed to
TOLD = ("running", "paused", "succeeded", "failed", "cancelled")


def announce(session: Session, workspace_id: str, job_id: str, state: str) -> None:
    """Queue a message for every webhook of the workspace that wants to know of this state."""
    if state not in TOLD:
        return
    kind = f"job.{state}"
    hooks = session.execute(
        select(Webhook.id, Webhook.types).where(Webhook.workspace_id == workspace_id, Webhook.disabled_reason.is_(None))
    ).all()
    for hook_id, types in hooks:
        if kind in types:
            enqueue(session, hook_id, kind, {"job": job_id, "state": state})


def enqueue(session: Session, hook_id: str, kind: str, data: dict[str, str]) -> Message:
    """Queue one message. Thin: the receiver fetches what it wants to know more of."""
    message = Message(
        id=new_id("message"),
        webhook_id=hook_id,
        type=kind,
        payload={"type": kind, "timestamp": utc_now().isoformat(), "data": data},
        due_at=session.scalar(select(dialect.clock(session))),
    )
    session.add(message)
    session.flush()
    return message
