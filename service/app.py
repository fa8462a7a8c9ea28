"""The web process: `create_app` puts the routes together. It loads no torch, no Ray and nothing of `search`."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from anyio import to_thread
from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute

from paretrim.wire import Event, ProblemDetails
from service import problems
from service.context import Service
from service.middleware import RequestContext
from service.routes import catalogue, charts, events, files, health, jobs, keys, results, webhooks
from service.settings import Settings
from service.views import API

DESCRIPTION = """Takes a trained network and a dataset and gives back the smaller, faster networks that nobody can beat
on every objective at once."""

_ROUTES = (files, catalogue, jobs, charts, results, events, keys, webhooks, health)


def create_app(settings: Settings | None = None) -> FastAPI:
    """The service as an ASGI app. The database must have been migrated."""
    settings = settings or Settings.from_environment()
    service = Service.build(settings)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        # one thread at a time runs Python: many that want to only make each other slow, and the slowest much slower
        to_thread.current_default_thread_limiter().total_tokens = settings.threads
        gc.collect()
        gc.freeze()  # what is here now stays: full collections took 0.15 s to find that out, in the middle of requests
        yield
        await service.feed.close()
        service.database.close()

    app = FastAPI(
        title="paretrim",
        version="1",
        description=DESCRIPTION,
        lifespan=lifespan,
        generate_unique_id_function=_operation_id,
        openapi_url=f"{API}/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.service = service
    app.add_middleware(RequestContext, settings=settings)
    problems.install(app)
    # of the routes, not of the app: that would answer excess in words of its own, outside of what surrounds a request
    bounded: dict[str, Any] = {"max_body_size": settings.max_body_bytes}
    for module in _ROUTES:  # one level deep: each is looked through twice for a request
        app.include_router(module.router, prefix=API, responses=problems.RESPONSES, **bounded)
    app.include_router(health.router, include_in_schema=False, **bounded)
    dashboard = _dashboard()
    if dashboard is not None:
        app.include_router(dashboard, include_in_schema=False, **bounded)
    _describe(app)
    return app


def _dashboard() -> APIRouter | None:
    """The pages, if they are part of the installation."""
    if find_spec("service.dashboard") is None:
        return None
    router: APIRouter | None = getattr(import_module("service.dashboard"), "router", None)
    return router


def _operation_id(route: APIRoute) -> str:
    """`jobs-create`: stable, and what clients are generated from."""
    tag = str(route.tags[0]) if route.tags else "pages"
    return f"{tag}-{route.name.replace('_', '-')}"


def _describe(app: FastAPI) -> None:
    """Put into the OpenAPI document what is used but not found in any signature."""
    make = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = make()
            schemas = document["components"]["schemas"]
            for shape in (ProblemDetails, Event):
                found = shape.model_json_schema(ref_template="#/components/schemas/{model}", mode="serialization")
                schemas |= found.pop("$defs", {})
                schemas[shape.__name__] = found
            for name in ("HTTPValidationError", "ValidationError"):
                schemas.pop(name, None)
            _plain_tuples(schemas)
        return app.openapi_schema or {}

    app.openapi = openapi  # type: ignore[method-assign]


def _plain_tuples(schema: Any) -> None:
    """Tuples of one kind are arrays of a fixed length: many generators of clients cannot read `prefixItems`."""
    if isinstance(schema, list):
        for entry in schema:
            _plain_tuples(entry)
    elif isinstance(schema, dict):
        places = schema.get("prefixItems")
        if isinstance(places, list) and places and all(place == places[0] for place in places):
            schema["items"] = schema.pop("prefixItems")[0]
        for value in schema.values():
            _plain_tuples(value)
