"""The steps of docs/operations.md for backing up and restoring, done on both databases."""

from __future__ import annotations

import shutil
import sqlite3
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url
from starlette.testclient import TestClient

from service import accounts, schema
from service.app import create_app
from service.context import Service
from service.settings import Settings
from tests import postgres
from tests.service import worlds
from tests.service.released.make import fill


class Place:
    """A database and a data folder, and how each kind of database is backed up and put back."""

    def __init__(self, url: str, data: Path, cluster: postgres.Cluster | None) -> None:
        self.url = url
        self.data = data
        self._cluster = cluster

    def back_up(self, folder: Path) -> None:
        """The database first, then the files: those that the copy refers to are there, and never change."""
        folder.mkdir()
        if self._cluster is None:
            path = str(make_url(self.url).database)
            with sqlite3.connect(path) as source, sqlite3.connect(folder / "copy.db") as copy:
                source.backup(copy)  # what `sqlite3 paretrim.db ".backup copy.db"` does
        else:
            (folder / "copy.sql").write_text(self._cluster.dump(str(make_url(self.url).database)))
        shutil.copytree(self.data / "artifacts", folder / "artifacts")

    def restore(self, folder: Path) -> None:
        """Into a place that holds nothing."""
        shutil.copytree(folder / "artifacts", self.data / "artifacts")
        if self._cluster is None:
            shutil.copy(folder / "copy.db", str(make_url(self.url).database))
        else:
            self._cluster.load((folder / "copy.sql").read_text(), str(make_url(self.url).database))


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def places(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Place, Place]]:
    """Where the service ran, and a new machine."""
    if request.param == "sqlite":
        yield tuple(Place(f"sqlite:///{tmp_path / name}.db", tmp_path / name, None) for name in ("old", "new"))  # type: ignore[misc]
        return
    cluster: postgres.Cluster = request.getfixturevalue("postgres_cluster")
    names = [f"{name}_{uuid.uuid4().hex}" for name in ("old", "new")]
    yield tuple(Place(cluster.create(name), tmp_path / name, cluster) for name in names)  # type: ignore[misc]
    for name in names:
        cluster.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def serving(place: Place) -> tuple[Settings, Service, TestClient]:
    settings = worlds.settings(place.url, place.data)
    app = create_app(settings)
    return settings, app.state.service, TestClient(app, base_url="http://testserver/api/v1")


def test_what_was_backed_up_is_there_after_a_restore(places: tuple[Place, Place], tmp_path: Path) -> None:
    old, new = places
    schema.upgrade(old.url)
    _, service, client = serving(old)
    key = worlds.key_of(service, "first")
    client.headers["Authorization"] = f"Bearer {key}"
    fill(client, service)
    old.back_up(tmp_path / "backup")
    worlds.create_job(client, worlds.ready_files(service), name="after the back-up")
    before = {job["id"]: job for job in client.get("/jobs").json()["data"] if job["name"] != "after the back-up"}
    service.database.close()
    shutil.rmtree(old.data)

    new.restore(tmp_path / "backup")
    schema.upgrade(new.url)
    _, restored, visitor = serving(new)
    visitor.headers["Authorization"] = f"Bearer {key}"
    assert {job["id"]: job for job in visitor.get("/jobs").json()["data"]} == before
    ended = next(job for job in before.values() if job["state"] == "succeeded")
    delivery = visitor.get(f"/jobs/{ended['id']}/candidates/1").json()["delivery"]
    assert visitor.get(f"/artifacts/{delivery['artifact']}/content").content == b"a network"
    paused = next(job for job in before.values() if job["state"] == "paused")
    assert visitor.post(f"/jobs/{paused['id']}/resume").json()["state"] == "queued"
    with restored.database.read() as session:
        principal = accounts.find_key(session, key)
    assert principal is not None
    restored.database.close()
