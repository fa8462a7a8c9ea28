"""Who may do what: workspaces, API keys, dashboard sessions."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from itsdangerous import BadData, URLSafeTimedSerializer
from sqlalchemy import Connection, select, update
from sqlalchemy.orm import Session

from paretrim.errors import InvalidInput
from service.ids import new_id
from service.tables import ApiKey, Workspace, utc_now

#: what a key may be allowed: `read` and `write` its workspace, `admin` its keys and webhooks
SCOPES = ("read", "write", "admin")
DEFAULT_WORKSPACE = "default"
COOKIE = "paretrim_session"
USED_EVERY_SECONDS = 60.0  #: `last_used_at` is written no more often

_TOKEN = re.compile(r"^paretrim_([a-z0-9]{12})_([A-Za-z0-9_-]{43})$")


@dataclass(frozen=True, slots=True)
class Principal:
    """Whoever sends a request: a key, and the workspace it opens."""

    key_id: str
    workspace_id: str
    scopes: frozenset[str]
    name: str


def make_workspace(session: Session, name: str) -> str:
    """The id of the workspace of this name; it is made if there is none."""
    found = session.scalar(select(Workspace.id).where(Workspace.name == name))
    if found is not None:
        return found
    workspace = Workspace(id=new_id("workspace"), name=name)
    session.add(workspace)
    session.flush()
    return workspace.id


def make_key(
    session: Session,
    workspace_id: str,
    name: str,
    scopes: Iterable[str] = ("read", "write"),
    expires_in_seconds: int | None = None,
) -> tuple[ApiKey, str]:
    """A new key and its secret, which is not kept and cannot be had again."""
    scopes = list(dict.fromkeys(scopes))
    for scope in scopes:
        if scope not in SCOPES:
            raise InvalidInput(f"{scope!r} is not a scope; choose from {', '.join(SCOPES)}", field="scopes")
    if not scopes:
        raise InvalidInput(f"a key needs a scope; choose from {', '.join(SCOPES)}", field="scopes")
    prefix = "".join(secrets.choice("abcdefghijklmnopqrstuvwxyz0123456789") for _ in range(12))
    secret = f"paretrim_{prefix}_{secrets.token_urlsafe(32)}"
    key = ApiKey(
        id=new_id("key"),
        workspace_id=workspace_id,
        name=name,
        prefix=prefix,
        secret_sha256=_sha256(secret),
        scopes=scopes,
        created_at=utc_now(),
        expires_at=None if expires_in_seconds is None else utc_now() + timedelta(seconds=expires_in_seconds),
    )
    session.add(key)
    session.flush()
    return key, secret


def first_key(session: Session) -> str | None:
    """On a fresh database, make the default workspace with a key that may do everything, and return its secret."""
    if session.scalar(select(ApiKey.id).limit(1)) is not None:
        return None
    workspace_id = make_workspace(session, DEFAULT_WORKSPACE)
    return make_key(session, workspace_id, "first key", SCOPES)[1]


_KEYS = ApiKey.__table__.c
#: what a request is judged by: every request asks for it, and a whole row would cost twice as much
_SHOWN = ("id", "workspace_id", "name", "secret_sha256", "scopes", "expires_at", "revoked_at")
_KNOWN = select(*(_KEYS[name] for name in _SHOWN))


def find_key(connection: Connection | Session, secret: str) -> Principal | None:
    """Who this secret belongs to; None if it is wrong, expired or revoked."""
    match = _TOKEN.match(secret)
    if match is None:
        return None
    key = connection.execute(_KNOWN.where(_KEYS.prefix == match[1])).first()
    # compared also when there is no such key, so that the answer takes as long
    known = key.secret_sha256 if key is not None else "0" * 64
    if not hmac.compare_digest(known, _sha256(secret)) or key is None:
        return None
    return _principal(key)


def find_key_by_id(connection: Connection, key_id: str) -> Principal | None:
    """Who a session's key belongs to; None if it has expired or been revoked since."""
    key = connection.execute(_KNOWN.where(_KEYS.id == key_id)).first()
    return None if key is None else _principal(key)


def _principal(key: Any) -> Principal | None:
    if key.revoked_at is not None or (key.expires_at is not None and key.expires_at <= utc_now()):
        return None
    return Principal(key.id, key.workspace_id, frozenset(key.scopes), key.name)


def note_use(session: Session, key_id: str, now: datetime) -> None:
    """Remember that a key was used."""
    stale = now - timedelta(seconds=USED_EVERY_SECONDS)
    session.execute(
        update(ApiKey)
        .where(ApiKey.id == key_id, (ApiKey.last_used_at.is_(None)) | (ApiKey.last_used_at < stale))
        .values(last_used_at=now)
    )


def revoke_key(session: Session, workspace_id: str, key_id: str) -> bool:
    """Make a key useless. Whether there was one."""
    revoked = session.execute(
        update(ApiKey)
        .where(ApiKey.id == key_id, ApiKey.workspace_id == workspace_id, ApiKey.revoked_at.is_(None))
        .values(revoked_at=utc_now())
        .returning(ApiKey.id)
    )
    return revoked.first() is not None


def all_keys(session: Session) -> list[tuple[ApiKey, str]]:
    """Every key with its workspace's name. For whoever runs the server."""
    rows = session.execute(
        select(ApiKey, Workspace.name).join(Workspace, ApiKey.workspace_id == Workspace.id).order_by(ApiKey.id)
    )
    return [(key, name) for key, name in rows]


class Sessions:
    """Dashboard logins: a signed cookie that names a key. It ends with the key, or with its time."""

    def __init__(self, secret: bytes, *, seconds: float) -> None:
        self._serializer = URLSafeTimedSerializer(secret, salt="session")
        self._csrf_secret = hmac.digest(secret, b"csrf", "sha256")
        self.seconds = seconds

    def open(self, principal: Principal) -> str:
        """The cookie's value for a principal that has shown its key."""
        return str(self._serializer.dumps([principal.key_id, secrets.token_urlsafe(12)]))

    def key_id(self, cookie: str) -> str | None:
        """The key a cookie names; None if it was not made here or is too old."""
        try:
            key_id, _chance = self._serializer.loads(cookie, max_age=int(self.seconds))
        except (BadData, ValueError, TypeError):
            return None
        return str(key_id)

    def csrf_token(self, cookie: str) -> str:
        """What a form of this sign-in must carry: no other site can know it."""
        return hmac.new(self._csrf_secret, cookie.encode(), "sha256").hexdigest()

    def is_csrf_token(self, cookie: str, token: str) -> bool:
        """Whether a form's token belongs to the sign-in."""
        return hmac.compare_digest(self.csrf_token(cookie).encode(), token.encode(errors="replace"))


def _sha256(secret: str) -> str:
    """A slow hash is not needed: the secret is 256 bits of chance."""
    return hashlib.sha256(secret.encode()).hexdigest()
