"""What every request needs: the service's parts, and who is asking. Made once, injected everywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, ParamSpec, TypeVar

from anyio import CapacityLimiter, to_thread
from fastapi import Depends, Header, Request
from fastapi.security import HTTPBearer
from fastapi.security.http import HTTPAuthorizationCredentials
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from service import accounts, problems, tables
from service.accounts import Principal, Sessions
from service.artifacts import Artifacts
from service.cursors import Cursors
from service.database import Database
from service.feed import Feed
from service.limits import Limits
from service.problems import Problem
from service.settings import Settings
from service.tables import utc_now
from service.uploads import Uploads

P = ParamSpec("P")
T = TypeVar("T")

GLANCES_AT_ONCE = 2


@dataclass(frozen=True, slots=True)
class Service:
    """The parts of a running service."""

    settings: Settings
    database: Database
    artifacts: Artifacts
    uploads: Uploads
    cursors: Cursors
    sessions: Sessions
    feed: Feed
    limits: Limits
    turns: CapacityLimiter  #: of what asks the database one thing

    async def in_turn(self, work: Callable[P, T], *arguments: P.args, **options: P.kwargs) -> T:
        """Run what asks the database one thing, in a thread, few at a time.

        More threads would only take the interpreter from each other: at four, 16 lists at once took half as much again.
        One would leave the interpreter idle while the database works.
        """
        return await to_thread.run_sync(partial(work, *arguments, **options), limiter=self.turns)

    @classmethod
    def build(cls, settings: Settings) -> Service:
        """Open the database and the artifacts. The schema must be up to date."""
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        database = Database(settings.database_url)
        artifacts = Artifacts(settings.data_dir / "artifacts")
        secret = settings.signing_secret()
        return cls(
            settings=settings,
            database=database,
            artifacts=artifacts,
            uploads=Uploads(settings, database, artifacts),
            cursors=Cursors(secret),
            sessions=Sessions(secret, seconds=settings.session_seconds),
            feed=Feed(database, poll_seconds=settings.poll_seconds),
            limits=Limits(
                requests_per_minute=settings.requests_per_minute, attempts_per_minute=settings.attempts_per_minute
            ),
            turns=CapacityLimiter(GLANCES_AT_ONCE),
        )


def service_of(request: Request) -> Service:
    """The parts of the service that answers this request."""
    service: Service = request.app.state.service
    return service


async def _injected(request: Request) -> Service:
    return service_of(request)  # asynchronous, as each dependency that is not costs every request a change of threads


ServiceDep = Annotated[Service, Depends(_injected)]


def reading(service: ServiceDep) -> Iterator[Session]:
    """A transaction that only reads, for the time of the request."""
    with service.database.read() as session:
        yield session


#: closed before the response is sent, so that a slow client holds no connection
ReadSession = Annotated[Session, Depends(reading, scope="function")]


_bearer = HTTPBearer(auto_error=False, description="An API key: `paretrim_...`")
_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="paretrim"'}
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
CSRF_HEADER = "X-CSRF-Token"


async def authenticate(
    request: Request,
    service: ServiceDep,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)] = None,
) -> Principal:
    """Who is asking: by API key, or by the session cookie of the dashboard. 401 if nobody is known."""
    principal = await service.in_turn(_authenticate, request, service, credentials)
    if credentials is not None and service.limits.is_time_to_note_use(principal.key_id):
        await run_in_threadpool(_note_use, service, principal)  # not in turn: a write may have to wait
    return principal


def _authenticate(request: Request, service: Service, credentials: HTTPAuthorizationCredentials | None) -> Principal:
    address = request.client.host if request.client else "unknown"
    service.limits.check_attempts(address)
    if credentials is not None:
        principal = _by_key(service, credentials.credentials)
        refusal = "the API key is not valid; it may have expired or been revoked"
    elif "authorization" in request.headers:
        principal, refusal = None, "send the key as `Authorization: Bearer paretrim_...`"
    elif accounts.COOKIE in request.cookies:
        principal = by_session(service, request.cookies[accounts.COOKIE])
        refusal = "the session has ended; log in again"
        if principal is not None:
            _check_csrf(request, service)
    else:
        raise Problem(401, "unauthorized", "send an API key: `Authorization: Bearer paretrim_...`", headers=_CHALLENGE)
    if principal is None:
        service.limits.note_failure(address)
        raise Problem(401, "unauthorized", refusal, headers=_CHALLENGE)
    service.limits.check_requests(principal.key_id)
    request.state.principal = principal
    return principal


def _by_key(service: Service, secret: str) -> Principal | None:
    with service.database.glance() as connection:
        return accounts.find_key(connection, secret)


def _note_use(service: Service, principal: Principal) -> None:
    with service.database.write() as session:
        accounts.note_use(session, principal.key_id, utc_now())


def by_session(service: Service, cookie: str) -> Principal | None:
    """Who a dashboard cookie stands for."""
    key_id = service.sessions.key_id(cookie)
    if key_id is None:
        return None
    with service.database.glance() as connection:
        return accounts.find_key_by_id(connection, key_id)


def _check_csrf(request: Request, service: Service) -> None:
    """A browser sends the cookie along with whatever another site makes it send; the token no other site knows."""
    if request.method in SAFE_METHODS:
        return
    token = request.headers.get(CSRF_HEADER, "")
    if not service.sessions.is_csrf_token(request.cookies[accounts.COOKIE], token):
        raise Problem(403, "csrf", f"a session needs the page's token in {CSRF_HEADER}")


def _scoped(scope: str) -> Any:
    async def allowed(principal: Annotated[Principal, Depends(authenticate)]) -> Principal:
        if scope not in principal.scopes:
            raise Problem(403, "forbidden", f"this key lacks the scope {scope!r}; use one that has it")
        return principal

    return allowed


#: whoever may read, write, or administer the workspace
Reader = Annotated[Principal, Depends(_scoped("read"))]
Writer = Annotated[Principal, Depends(_scoped("write"))]
Admin = Annotated[Principal, Depends(_scoped("admin"))]

IdempotencyHeader = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        pattern=r"^[\x21-\x7e]+$",
        description="Sent again with the same request, the same resource is returned and none is made.",
    ),
]


def owned_job(session: Session, principal: Principal, job_id: str) -> tables.Job:
    """A job of the caller's workspace. 404 if there is none."""
    row = session.scalar(
        select(tables.Job).where(tables.Job.id == job_id, tables.Job.workspace_id == principal.workspace_id)
    )
    if row is None:
        raise problems.not_found("job", job_id)
    return row


def owned_upload(session: Session, principal: Principal, upload_id: str) -> tables.Upload:
    """An upload of the caller's workspace. 404 if there is none."""
    row = session.scalar(
        select(tables.Upload).where(tables.Upload.id == upload_id, tables.Upload.workspace_id == principal.workspace_id)
    )
    if row is None:
        raise problems.not_found("upload", upload_id)
    return row
