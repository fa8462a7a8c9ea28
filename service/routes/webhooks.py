"""Webhooks and the audit log: for whoever administers a workspace."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from paretrim import wire
from service import audit, egress, idempotency, outbox, problems, tables, views, webhooks
from service.accounts import Principal
from service.context import Admin, IdempotencyHeader, ReadSession, ServiceDep
from service.ids import new_id
from service.pages import DEFAULT_LIMIT, CursorQuery, Key, LimitQuery, page
from service.tables import AuditEntry, Message, Webhook

router = APIRouter()


def _owned(session: Session, principal: Principal, webhook_id: str) -> Webhook:
    row = session.scalar(
        select(Webhook).where(Webhook.id == webhook_id, Webhook.workspace_id == principal.workspace_id)
    )
    if row is None:
        raise problems.not_found("webhook", webhook_id)
    return row


@router.post("/webhooks", tags=["webhooks"], status_code=201)
def create_webhook(
    wanted: wire.WebhookRequest,
    request: Request,
    response: Response,
    service: ServiceDep,
    principal: Admin,
    idempotency_key: IdempotencyHeader = None,
) -> wire.Webhook:
    """Have an address told what happens to jobs. What is sent is signed with `secret`, which is shown only now."""
    egress.check_url(wanted.url, allow_loopback=service.settings.webhook_allow_loopback)
    sha256 = idempotency.digest("POST /webhooks", wanted.model_dump(mode="json"))
    webhook_id = new_id("webhook")
    with service.database.write() as session:
        made = idempotency.reserve(session, principal.workspace_id, idempotency_key, sha256, webhook_id)
        if made is not None:
            response.headers["Idempotency-Replayed"] = "true"
            return views.webhook(_owned(session, principal, made))
        row = Webhook(
            id=webhook_id,
            workspace_id=principal.workspace_id,
            url=wanted.url,
            types=list(wanted.types),
            secret=webhooks.new_secret(),
            created_at=tables.utc_now(),
        )
        session.add(row)
        audit.note(session, request, principal, "webhook.create", webhook_id)
        session.flush()
        return views.webhook(row, row.secret)


@router.get("/webhooks", tags=["webhooks"])
def list_webhooks(
    session: ReadSession,
    service: ServiceDep,
    principal: Admin,
    limit: LimitQuery = DEFAULT_LIMIT,
    cursor: CursorQuery = None,
) -> wire.Page[wire.Webhook]:
    """The workspace's webhooks, newest first."""
    return page(
        session,
        service.cursors,
        select(Webhook).where(Webhook.workspace_id == principal.workspace_id),
        [Key(Webhook.id, descending=True)],
        limit=limit,
        cursor=cursor,
        query={"of": "webhooks", "workspace": principal.workspace_id},
        position=lambda row: [row[0].id],
        view=lambda row: views.webhook(row[0]),
    )


@router.get("/webhooks/{webhook_id}", tags=["webhooks"])
def get_webhook(webhook_id: str, session: ReadSession, principal: Admin) -> wire.Webhook:
    """A webhook."""
    return views.webhook(_owned(session, principal, webhook_id))


@router.delete("/webhooks/{webhook_id}", tags=["webhooks"], status_code=204)
def delete_webhook(webhook_id: str, request: Request, service: ServiceDep, principal: Admin) -> None:
    """Tell this address nothing more."""
    with service.database.write() as session:
        session.delete(_owned(session, principal, webhook_id))
        audit.note(session, request, principal, "webhook.delete", webhook_id)


@router.post("/webhooks/{webhook_id}/rotate", tags=["webhooks"])
def rotate_secret(webhook_id: str, request: Request, service: ServiceDep, principal: Admin) -> wire.Webhook:
    """A new secret, shown only now. The one before signs as well until the next rotation. Enables it again, too."""
    with service.database.write() as session:
        row = _owned(session, principal, webhook_id)
        row.old_secret, row.secret, row.disabled_reason = row.secret, webhooks.new_secret(), None
        audit.note(session, request, principal, "webhook.rotate", webhook_id)
        session.flush()
        return views.webhook(row, row.secret)


@router.post("/webhooks/{webhook_id}/test", tags=["webhooks"], status_code=202)
def test_webhook(webhook_id: str, service: ServiceDep, principal: Admin) -> wire.WebhookMessage:
    """Send a message of the type `test`."""
    with service.database.write() as session:
        row = _owned(session, principal, webhook_id)
        return views.message(outbox.enqueue(session, row.id, "test", {"webhook": row.id}))


@router.get("/webhooks/{webhook_id}/messages", tags=["webhooks"])
def list_messages(
    webhook_id: str,
    session: ReadSession,
    service: ServiceDep,
    principal: Admin,
    limit: LimitQuery = DEFAULT_LIMIT,
    cursor: CursorQuery = None,
) -> wire.Page[wire.WebhookMessage]:
    """What a webhook was told, newest first, and what became of it."""
    row = _owned(session, principal, webhook_id)
    return page(
        session,
        service.cursors,
        select(Message).where(Message.webhook_id == row.id),
        [Key(Message.id, descending=True)],
        limit=limit,
        cursor=cursor,
        query={"of": row.id},
        position=lambda entry: [entry[0].id],
        view=lambda entry: views.message(entry[0]),
    )


@router.get("/audit", tags=["audit"])
def list_audit(
    session: ReadSession,
    service: ServiceDep,
    principal: Admin,
    limit: LimitQuery = DEFAULT_LIMIT,
    cursor: CursorQuery = None,
) -> wire.Page[wire.AuditEntry]:
    """Who opened or closed a door, or deleted something; newest first."""
    return page(
        session,
        service.cursors,
        select(AuditEntry).where(AuditEntry.workspace_id == principal.workspace_id),
        [Key(AuditEntry.id, descending=True)],
        limit=limit,
        cursor=cursor,
        query={"of": "audit", "workspace": principal.workspace_id},
        position=lambda row: [row[0].id],
        view=lambda row: views.audit_entry(row[0]),
    )
