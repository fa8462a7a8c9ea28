"""The dashboard's router: signing in and out, and everything the other page files add."""

from __future__ import annotations

import hmac
from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from service import accounts, context
from service.accounts import Principal
from service.context import Service
from service.dashboard import (
    admin_pages,
    assets,
    candidate_pages,
    compare_pages,
    file_pages,
    job_pages,
    new_job_page,
    render,
)
from service.dashboard.visitor import PageRoute, VisitorDep, local_address
from service.problems import Problem

pages = APIRouter(include_in_schema=False, route_class=PageRoute)


@pages.get("/")
def first_page() -> Response:
    """The jobs."""
    return RedirectResponse("/jobs", 307)


@pages.get("/login")
def login_form(request: Request, next: str = "/jobs") -> Response:
    """Asks for an API key."""
    return render.page(request, "login.html", signed_in=False, csrf="", next=local_address(next), error=None)


@pages.post("/login")
async def login(request: Request, key: Annotated[str, Form()], next: Annotated[str, Form()] = "/jobs") -> Response:
    """Open a session for whoever holds the key. The cookie is out of scripts' and other sites' reach."""
    service = context.service_of(request)
    try:
        principal = await to_thread.run_sync(_principal, request, service, key.strip())
    except Problem as problem:  # too many attempts
        return _refused(request, next, problem.detail, problem.status)
    if principal is None:
        return _refused(request, next, "This key is not valid. It may be mistyped, expired or revoked.", 401)
    response = RedirectResponse(local_address(next), 303)
    response.set_cookie(
        accounts.COOKIE,
        service.sessions.open(principal),
        max_age=int(service.sessions.seconds),
        httponly=True,
        secure=service.settings.secure_cookies,
        samesite="lax",
    )
    return response


def _principal(request: Request, service: Service, key: str) -> Principal | None:
    address = request.client.host if request.client else "unknown"
    service.limits.check_attempts(address)
    with service.database.read() as session:
        principal = accounts.find_key(session, key)
    if principal is None:
        service.limits.note_failure(address)
    return principal


def _refused(request: Request, next: str, error: str, status: int) -> Response:
    return render.page(request, "login.html", status, signed_in=False, csrf="", next=local_address(next), error=error)


@pages.post("/logout")
async def logout(visitor: VisitorDep, csrf: Annotated[str, Form()] = "") -> Response:
    """End the session in this browser."""
    if not hmac.compare_digest(csrf.encode(), visitor.csrf.encode()):
        raise Problem(403, "csrf", "this form is out of date; load the page again and sign out from there")
    response = RedirectResponse("/login", 303)
    response.delete_cookie(accounts.COOKIE)
    return response


router = APIRouter(include_in_schema=False)
# in this order: `/jobs/new` and `/candidates/compare` come before the paths that would take them for an id
for part in (
    assets.router,
    pages,
    new_job_page.router,
    compare_pages.router,
    job_pages.router,
    candidate_pages.router,
    file_pages.router,
    admin_pages.router,
):
    router.include_router(part)
