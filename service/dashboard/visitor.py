"""Who looks at a page: their session, their form's token, and what happens when the API refuses them something."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import quote, urlsplit

from anyio import to_thread
from fastapi import Depends, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse
from fastapi.routing import APIRoute

from service import accounts, context
from service.accounts import Principal
from service.dashboard import render
from service.dashboard.ask import Api, Refused
from service.problems import Problem


class SignedOut(Exception):
    """The page needs a session and there is none."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """A signed-in person: the key behind the session, and the API in their name."""

    request: Request
    principal: Principal
    csrf: str
    api: Api

    def page(self, template: str, status: int = 200, **values: Any) -> Response:
        """A page for this person."""
        return render.page(self.request, template, status, signed_in=True, csrf=self.csrf, me=self.principal, **values)


async def visitor(request: Request) -> Visitor:
    """The person behind the session cookie. Raises SignedOut."""
    cookie = request.cookies.get(accounts.COOKIE)
    service = context.service_of(request)
    principal = await to_thread.run_sync(context.by_session, service, cookie) if cookie else None
    if cookie is None or principal is None:
        raise SignedOut
    return Visitor(request, principal, service.sessions.csrf_token(cookie), Api(request))


VisitorDep = Annotated[Visitor, Depends(visitor)]


class PageRoute(APIRoute):
    """A route that answers people: refusals become pages, a missing session becomes the login form."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, with what it raises turned into pages."""
        handle = super().get_route_handler()

        async def handled(request: Request) -> Response:
            try:
                return await handle(request)
            except SignedOut:
                return to_login(request)
            except Refused as refusal:
                if refusal.status == 401:
                    return to_login(request)
                return error_page(request, refusal.status, refusal.problem)
            except RequestValidationError as error:
                detail = "; ".join(str(entry["msg"]) for entry in error.errors())
                return error_page(request, 422, {"title": "This address cannot be read", "detail": detail})
            except Problem as problem:
                title = HTTPStatus(problem.status).phrase
                return error_page(request, problem.status, {"title": title, "detail": problem.detail})

        return handled


def to_login(request: Request) -> Response:
    """The login form, which leads back here."""
    here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return RedirectResponse(f"/login?next={quote(here, safe='')}", 303)


def error_page(request: Request, status: int, problem: dict[str, Any]) -> Response:
    """What went wrong, for people."""
    return render.page(
        request,
        "error.html",
        status,
        signed_in=accounts.COOKIE in request.cookies,
        csrf=_csrf(request),
        problem={"title": "", "detail": "", "errors": [], "request_id": None} | problem,
    )


def _csrf(request: Request) -> str:
    cookie = request.cookies.get(accounts.COOKIE)
    return context.service_of(request).sessions.csrf_token(cookie) if cookie else ""


def local_address(target: str) -> str:
    """`target` if it is a page of ours, else the first page: nobody is led away by a crafted link."""
    parts = urlsplit(target)
    if parts.scheme or parts.netloc or not target.startswith("/") or target.startswith(("//", "/\\")):
        return "/jobs"
    return target
