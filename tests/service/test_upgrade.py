"""Databases of every released schema, as they were written then, are brought up to date and keep what they hold."""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, MetaData, inspect, select

from service import schema, tables
from service.app import create_app
from service.context import Service
from service.dialect import make_engine
from tests import postgres
from tests.service import worlds

RELEASED = Path(__file__).parent / "released"
REVISIONS = schema.revisions()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=REVISIONS)
def old_url(request: pytest.FixtureRequest, kind: str, tmp_path: Path) -> Iterator[str]:
    """A database as a release with this schema left it."""
    sql = (RELEASED / f"{request.param}.{kind}.sql").read_text()
    if kind == "sqlite":
        with sqlite3.connect(tmp_path / "old.db") as connection:
            connection.executescript(sql)
        connection.close()
        yield f"sqlite:///{tmp_path / 'old.db'}"
        return
    cluster: postgres.Cluster = request.getfixturevalue("postgres_cluster")
    name = f"old_{uuid.uuid4().hex}"
    url = cluster.create(name)
    cluster.load(sql, name)
    yield url
    cluster.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def content(engine: Engine, columns: dict[str, set[str]] | None = None) -> dict[str, list[str]]:
    """Every row of every table, in those columns that are named, whatever the order."""
    metadata = MetaData()
    metadata.reflect(engine)
    found = {}
    for table in metadata.sorted_tables:
        if table.name == "alembic_version" or (columns is not None and table.name not in columns):
            continue
        wanted = sorted(c.name for c in table.columns if columns is None or c.name in columns[table.name])
        with engine.connect() as connection:
            rows: Any = connection.execute(select(*[table.columns[name] for name in wanted])).all()
        found[table.name] = sorted(str(tuple(row)) for row in rows)
    return found


def test_every_released_schema_has_its_databases() -> None:
    """`python -m tests.service.released.make` makes those of a new revision."""
    for revision in REVISIONS:
        for kind in ("sqlite", "postgresql"):
            assert (RELEASED / f"{revision}.{kind}.sql").exists(), f"{revision}.{kind}.sql"


def test_an_upgrade_keeps_every_row(old_url: str) -> None:
    engine = make_engine(old_url, pool_size=1)
    found = inspect(engine)
    columns = {name: {column["name"] for column in found.get_columns(name)} for name in found.get_table_names()}
    before = content(engine)
    assert sum(map(len, before.values())) > 20
    schema.upgrade(old_url)
    assert content(engine, columns) == before
    assert schema.current(engine) == schema.newest()
    engine.dispose()


def test_after_an_upgrade_the_service_works_with_what_was_there(old_url: str, tmp_path: Path) -> None:
    schema.upgrade(old_url)
    app = create_app(worlds.settings(old_url, tmp_path / "data"))
    service: Service = app.state.service
    with worlds.client_of(app, service, "first") as client:
        jobs = client.get("/jobs").json()["data"]
        assert [job["state"] for job in jobs] == ["queued", "paused", "succeeded"]
        ended = jobs[-1]
        assert (ended["name"], ended["cost"]["evaluations"]) == ("übung", 3)
        assert [job["id"] for job in client.get("/jobs?tag=b").json()["data"]] == [job["id"] for job in jobs[1:]]
        assert [m["n"] for m in client.get(f"/jobs/{ended['id']}/front").json()["members"]] == [1]
        assert len(client.get(f"/jobs/{ended['id']}/candidates").json()["data"]) == 4
        assert client.post(f"/jobs/{jobs[1]['id']}/resume").json()["state"] == "queued"
        assert client.post(f"/jobs/{ended['id']}/clone").status_code == 201
        assert client.delete(f"/jobs/{ended['id']}").status_code == 204
    with service.database.read() as session:
        kept = session.scalars(select(tables.Checkpoint)).all()
    assert [checkpoint.told for checkpoint in kept] == [3]
    service.database.close()
