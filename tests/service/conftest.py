"""A service on either database, a client that holds its first key, and files to upload."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from service.app import create_app
from service.context import Service
from service.settings import Settings
from tests.service import worlds


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    """Of a service on either database."""
    return worlds.settings(database_url, tmp_path / "data")


@pytest.fixture
def app(settings: Settings) -> Iterator[FastAPI]:
    """The web process."""
    made = create_app(settings)
    yield made
    made.state.service.database.close()


@pytest.fixture
def service(app: FastAPI) -> Service:
    """Its parts."""
    parts: Service = app.state.service
    return parts


@pytest.fixture
def client(app: FastAPI, service: Service) -> Iterator[TestClient]:
    """Sends requests in the name of a workspace."""
    with worlds.client_of(app, service, "first") as made:
        yield made


@pytest.fixture
def other(app: FastAPI, service: Service) -> Iterator[TestClient]:
    """Sends requests in the name of another workspace."""
    with worlds.client_of(app, service, "second") as made:
        yield made
