from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, inspect, text

from service import schema, tables
from service.dialect import make_engine
from tests import postgres


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without any table."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    cluster: postgres.Cluster = request.getfixturevalue("postgres_cluster")
    yield cluster.create("empty")
    cluster.execute("DROP DATABASE empty WITH (FORCE)")


@pytest.fixture
def engine(empty_url: str) -> Iterator[Engine]:
    made = make_engine(empty_url, pool_size=1)
    yield made
    made.dispose()


def shape(engine: Engine) -> dict[str, object]:
    """Every table with its columns, keys, indexes and constraints."""
    found = inspect(engine)
    return {
        name: (
            sorted((c["name"], str(c["type"]), c["nullable"]) for c in found.get_columns(name)),
            sorted(str(key) for key in found.get_foreign_keys(name)),
            found.get_pk_constraint(name)["constrained_columns"],
            sorted((str(i["name"]), tuple(i["column_names"]), i["unique"]) for i in found.get_indexes(name)),
            sorted((str(u["name"]), tuple(u["column_names"])) for u in found.get_unique_constraints(name)),
            sorted(str(c["name"]) for c in found.get_check_constraints(name)),
        )
        for name in found.get_table_names()
        if name != "alembic_version"
    }


def test_the_migrations_make_the_schema_that_the_tables_describe(engine: Engine, empty_url: str) -> None:
    tables.Row.metadata.create_all(engine)
    described = shape(engine)
    tables.Row.metadata.drop_all(engine)
    schema.upgrade(empty_url)
    assert shape(engine) == described
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), tables.Row.metadata) == []


def test_migrating_twice_is_migrating_once_and_the_way_back_leads_to_nothing(engine: Engine, empty_url: str) -> None:
    for _ in range(2):
        schema.upgrade(empty_url)
        assert schema.current(engine) == schema.newest()
    command.downgrade(schema.configuration(empty_url), "base")
    assert shape(engine) == {}


def test_every_table_tells_whose_its_rows_are() -> None:
    """Either a row names its workspace, or it belongs to a row that does."""
    owners = {"job_id", "search_id", "upload_id", "webhook_id"}
    for name, table in tables.Row.metadata.tables.items():
        if name == "workspaces":
            continue
        if "workspace_id" in table.columns:
            assert not table.columns["workspace_id"].nullable, name
        else:
            assert owners & {column.name for column in table.columns if column.foreign_keys}, name


def test_a_job_that_nobody_works_on_cannot_look_as_if_somebody_did(engine: Engine, empty_url: str) -> None:
    schema.upgrade(empty_url)
    with engine.begin() as connection:
        workspace = "INSERT INTO workspaces (id, name, created_at) VALUES ('w', 'w', '2026-01-01 00:00:00')"
        connection.execute(text(workspace))
    insert = (
        "INSERT INTO jobs (id, workspace_id, state, request, tags, priority, model_id, dataset_id, device_name,"
        " device_artifact_id, phase, completed, total, best, front_size, warnings, error_retryable, attempt, losses,"
        " last_seq, cpu_seconds, wall_seconds, evaluations, created_at, owner, lease_expires_at)"
        " VALUES ('j', 'w', '{state}', '{{}}', '[]', 0, 'm', 'd', 'x', 'a', 'queued', 0, 0, '{{}}', 0, '[]', false, 0,"
        " 0, 0, 0, 0, 0, '2026-01-01 00:00:00', {owner}, {lease})"
    )
    for state, owner, lease in (("running", "NULL", "NULL"), ("queued", "'me'", "1.0"), ("stuck", "NULL", "NULL")):
        with pytest.raises(Exception, match=r"ck_jobs_(worker|state)"), engine.begin() as connection:
            connection.execute(text(insert.format(state=state, owner=owner, lease=lease)))
