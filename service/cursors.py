"""Opaque cursors. A cursor holds where the page ended and what was asked, signed; it authorises nothing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from itsdangerous import BadData, URLSafeSerializer

from service.problems import Problem


class Cursors:
    """Makes and reads cursors. `query` is what decides a collection's members and order."""

    def __init__(self, secret: bytes) -> None:
        self._serializer = URLSafeSerializer(secret, salt="cursor")

    def write(self, position: list[Any], query: Mapping[str, Any]) -> str:
        """A cursor that continues after `position`."""
        return str(self._serializer.dumps([position, _digest(query)]))

    def read(self, cursor: str, query: Mapping[str, Any]) -> list[Any]:
        """The position a cursor stands for. 400 if it was not made here, or for another query."""
        try:
            position, digest = self._serializer.loads(cursor)
        except (BadData, ValueError, TypeError, UnicodeError):
            raise Problem(400, "invalid-cursor", "the cursor is not one of this service; start without one") from None
        if digest != _digest(query):
            detail = "the cursor belongs to another query; start without one when filters or order change"
            raise Problem(400, "invalid-cursor", detail)
        return list(position)


def _digest(query: Mapping[str, Any]) -> str:
    text = json.dumps(query, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
