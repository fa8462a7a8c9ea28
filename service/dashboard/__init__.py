"""The dashboard: pages rendered on the server from the JSON API, and small modules that keep them live."""

from __future__ import annotations

from service.dashboard.pages import router

__all__ = ["router"]
