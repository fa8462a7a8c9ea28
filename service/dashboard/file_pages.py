"""Pages about what jobs are made of: models, datasets, devices."""

from __future__ import annotations

from fastapi import APIRouter

from service.dashboard.visitor import PageRoute

router = APIRouter(include_in_schema=False, route_class=PageRoute)
