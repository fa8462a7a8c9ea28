"""Transactions: what a glance sees, and that it leaves nothing open. On either database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select, text

from service import accounts, schema
from service.database import Database
from service.tables import Workspace


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """At the head of the schema."""
    schema.upgrade(database_url)
    made = Database(database_url)
    yield made
    made.close()


def _names(database: Database) -> set[str]:
    with database.glance() as connection:
        return set(connection.scalars(select(Workspace.name)))


def test_a_glance_sees_what_was_committed_before_it(database: Database) -> None:
    before = _names(database)
    with database.write() as session:
        accounts.make_workspace(session, "new")
        assert _names(database) == before
    assert _names(database) == before | {"new"}


def test_a_glance_begins_no_transaction(database: Database) -> None:
    with database.glance() as connection:
        connection.execute(select(Workspace.name)).all()
        driver = connection.connection.dbapi_connection
        assert driver is not None
        if database.engine.dialect.name == "sqlite":
            assert not driver.in_transaction
        else:
            assert driver.info.transaction_status.name == "IDLE"


def _fail_in_the_middle(database: Database) -> None:
    with database.write() as session:
        accounts.make_workspace(session, "undone")
        raise RuntimeError


def test_connections_that_glanced_begin_transactions_again(database: Database) -> None:
    _names(database)
    with pytest.raises(RuntimeError):
        _fail_in_the_middle(database)
    assert "undone" not in _names(database)


def test_a_reading_transaction_of_sqlite_sees_one_moment(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/paretrim.db"
    schema.upgrade(url)
    database = Database(url)
    with database.read() as reader:
        first = reader.scalar(text("SELECT count(*) FROM workspaces"))
        with database.write() as session:
            accounts.make_workspace(session, "later")
        assert reader.scalar(text("SELECT count(*) FROM workspaces")) == first
    database.close()
