"""The dashboard as a client of the JSON API: asked in this very process, in the name of whoever wants the page.

Pages know nothing but the wire. What the API would not show to a key, no page can show to its owner's session.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import httpx2
from fastapi import Request

API = "/api/v1"


class Refused(Exception):
    """The API answered with an error status. `problem` is its RFC 9457 body."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        super().__init__(problem.get("detail") or f"the API answered {status}")
        self.status = status
        self.problem = dict(problem)


class Api:
    """Asks the API with the cookies of one request. Raises Refused for every error status."""

    def __init__(self, request: Request) -> None:
        headers = {"host": request.headers.get("host", "localhost"), "accept": "application/json"}
        if "cookie" in request.headers:
            headers["cookie"] = request.headers["cookie"]
        transport = httpx2.ASGITransport(app=request.app, client=(request.client.host if request.client else "", 0))
        base = f"{request.url.scheme}://{request.url.netloc or 'localhost'}{API}"
        self._client = httpx2.AsyncClient(transport=transport, base_url=base, headers=headers)

    async def get(self, path: str, **parameters: Any) -> Any:
        """The JSON at a path below the API's own. Parameters that are None or empty are left out."""
        wanted = {name: value for name, value in parameters.items() if value not in (None, "", [])}
        return _body(await self._client.get(path, params=wanted))

    async def get_or_none(self, path: str, **parameters: Any) -> Any | None:
        """The same, but None where there is no such thing."""
        try:
            return await self.get(path, **parameters)
        except Refused as refusal:
            if refusal.status in (404, 409):
                return None
            raise

    async def together(self, *paths: str) -> list[Any]:
        """Several at once, in the order named."""
        return list(await asyncio.gather(*(self.get(path) for path in paths)))


def _body(response: httpx2.Response) -> Any:
    if response.status_code < 400:
        return response.json()
    try:
        problem = response.json()
    except ValueError:
        problem = {"title": response.reason_phrase, "detail": "the API gave no reason"}
    raise Refused(response.status_code, problem)
