"""API keys: made, listed, revoked. The secret is shown once, in the answer that made it."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from sqlalchemy import select

from paretrim import wire
from service import accounts, audit, idempotency, problems, views
from service.context import Admin, IdempotencyHeader, ReadSession, ServiceDep
from service.pages import DEFAULT_LIMIT, CursorQuery, Key, LimitQuery, page
from service.tables import ApiKey

router = APIRouter(tags=["keys"])


@router.post("/keys", status_code=201)
def create_key(
    wanted: wire.ApiKeyRequest,
    request: Request,
    response: Response,
    service: ServiceDep,
    principal: Admin,
    idempotency_key: IdempotencyHeader = None,
) -> wire.ApiKey:
    """Make a key for this workspace. A repeated request with the same Idempotency-Key does not get the secret again."""
    sha256 = idempotency.digest("POST /keys", wanted.model_dump(mode="json"))
    with service.database.write() as session:
        row, secret = accounts.make_key(
            session, principal.workspace_id, wanted.name, wanted.scopes, wanted.expires_in_seconds
        )
        made = idempotency.reserve(session, principal.workspace_id, idempotency_key, sha256, row.id)
        if made is None:
            audit.note(session, request, principal, "key.create", row.id)
            return views.api_key(row, secret)
        session.delete(row)
        response.headers["Idempotency-Replayed"] = "true"
        return views.api_key(session.get_one(ApiKey, made))


@router.get("/keys")
def list_keys(
    session: ReadSession,
    service: ServiceDep,
    principal: Admin,
    limit: LimitQuery = DEFAULT_LIMIT,
    cursor: CursorQuery = None,
) -> wire.Page[wire.ApiKey]:
    """The workspace's keys that have not been revoked, newest first."""
    return page(
        session,
        service.cursors,
        select(ApiKey).where(ApiKey.workspace_id == principal.workspace_id, ApiKey.revoked_at.is_(None)),
        [Key(ApiKey.id, descending=True)],
        limit=limit,
        cursor=cursor,
        query={"of": "keys", "workspace": principal.workspace_id},
        position=lambda row: [row[0].id],
        view=lambda row: views.api_key(row[0]),
    )


@router.delete("/keys/{key_id}", status_code=204)
def revoke_key(key_id: str, request: Request, service: ServiceDep, principal: Admin) -> None:
    """Make a key useless at once, and the dashboard sessions that were opened with it."""
    with service.database.write() as session:
        if not accounts.revoke_key(session, principal.workspace_id, key_id):
            raise problems.not_found("key", key_id)
        audit.note(session, request, principal, "key.revoke", key_id)
