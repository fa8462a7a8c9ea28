"""All that differs between SQLite and PostgreSQL. Nothing else in the service asks which of the two it talks to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from select import POLLIN, poll
from typing import Any, TypeVar

from pydantic_core import from_json
from sqlalchemy import (
    Connection,
    Double,
    Engine,
    Select,
    Table,
    create_engine,
    event,
    exists,
    func,
    literal_column,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool
from sqlalchemy.sql.elements import ColumnElement

S = TypeVar("S", bound=Select[*tuple[Any, ...]])

#: execution options of connections that will write, and of those for a single statement that reads
WRITES, GLANCES = "paretrim_writes", "paretrim_glances"

BUSY_SECONDS = 60.0  #: how long SQLite waits for another writer
IDLE_SECONDS = 30.0  #: how long PostgreSQL keeps a transaction, and its locks, for a client that says nothing


def make_engine(url: str, *, pool_size: int = 12, idle_seconds: float = IDLE_SECONDS) -> Engine:
    """An engine for either database, set up the way the service relies on.

    SQLite: write-ahead log, foreign keys on, and BEGIN IMMEDIATE where a transaction writes: a deferred one that has
    read before another commits fails its first write at once, whatever the busy timeout.
    PostgreSQL: connections are looked at before use, so that a restarted server costs a retry and no error. A process
    that is frozen inside a transaction loses it after `idle_seconds`, and with it the lock on its job's row; a server
    that vanished without a word is noticed by the kernel.
    Both read JSON by pydantic's parser, which takes 40 % of the time that the standard library's does and rounds alike.
    """
    if make_url(url).get_backend_name() == "sqlite":
        return _sqlite_engine(url, pool_size)
    engine = create_engine(
        url,
        pool_size=pool_size,
        max_overflow=8,
        pool_recycle=1800,
        json_deserializer=from_json,
        connect_args={
            "connect_timeout": 10,
            "application_name": "paretrim",
            "options": f"-c idle_in_transaction_session_timeout={max(1, round(1000 * idle_seconds))}",
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            "tcp_user_timeout": 30_000,
        },
    )
    event.listen(engine, "checkout", _look_at)
    return engine


def _look_at(connection: Any, _record: Any, _fairy: Any) -> None:
    """Give up a connection whose server has hung up; the pool then makes another.

    A server that ends a connection closes the socket, and one that says something unasked is about to. To see that
    costs no round trip, as a statement would that asks whether anybody is there.
    """
    if connection.closed:
        raise DisconnectionError("the connection is closed")
    looked = poll()
    looked.register(connection.fileno(), POLLIN)
    if looked.poll(0):
        raise DisconnectionError("the server has closed the connection")


def without_transactions(engine: Engine) -> Engine:
    """The same connections for a single statement that reads. PostgreSQL is spared two of four round trips, SQLite a
    statement that begins what a statement alone is anyway."""
    if is_sqlite(engine):
        return engine.execution_options(**{GLANCES: True})
    return engine.execution_options(isolation_level="AUTOCOMMIT")


def _sqlite_engine(url: str, pool_size: int) -> Engine:
    if make_url(url).database in (None, "", ":memory:"):
        raise ValueError("the service needs a database file: several connections share it")
    _make_folder(url)
    engine = create_engine(
        url,
        connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False},
        pool_size=pool_size,
        max_overflow=52,
        json_deserializer=from_json,
    )

    @event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the driver must not begin transactions; `_on_begin` does
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=NORMAL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _on_begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        if not options.get(GLANCES, False):
            connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get(WRITES, False) else "BEGIN")

    return engine


def make_migration_engine(url: str) -> Engine:
    """An engine for migrations only. SQLite rebuilds tables there, which foreign keys would forbid."""
    _make_folder(url)
    return create_engine(url, poolclass=NullPool)


def _make_folder(url: str) -> None:
    """The folder of an SQLite file."""
    address = make_url(url)
    if address.get_backend_name() == "sqlite" and address.database not in (None, "", ":memory:"):
        Path(str(address.database)).parent.mkdir(parents=True, exist_ok=True)


def is_sqlite(bind: Engine | Connection) -> bool:
    """Whether it is SQLite: one writer, one host."""
    return bind.dialect.name == "sqlite"


def clock(session: Session) -> ColumnElement[float]:
    """The database's own clock, in seconds since 1970: the only clock that leases are compared with."""
    if is_sqlite(session.get_bind()):
        # unixepoch('subsec') needs SQLite 3.42
        return literal_column("((julianday('now') - 2440587.5) * 86400.0)", Double)
    return literal_column("extract(epoch from clock_timestamp())::double precision", Double)


def skip_locked(session: Session, statement: S) -> S:
    """Lock the rows found and pass over those somebody else holds. SQLite has one writer and needs neither."""
    if is_sqlite(session.get_bind()):
        return statement
    return statement.with_for_update(skip_locked=True)


def insert_if_absent(session: Session, table: Table, row: Mapping[str, Any]) -> bool:
    """Insert a row unless one with its key exists (waiting for whoever is inserting it). Whether it was inserted."""
    maker = sqlite.insert if is_sqlite(session.get_bind()) else postgresql.insert
    first = next(iter(table.primary_key.columns))  # what is returned tells; a row count is not to be had everywhere
    statement = maker(table).values(**row).on_conflict_do_nothing().returning(first)
    return session.execute(statement).first() is not None


def upsert(session: Session, table: Table, rows: Sequence[Mapping[str, Any]], key: Iterable[str]) -> None:
    """Insert rows; those whose key exists take the new values."""
    if not rows:
        return
    keys = tuple(key)
    changed = [name for name in rows[0] if name not in keys]
    maker = sqlite.insert if is_sqlite(session.get_bind()) else postgresql.insert
    statement: Any = maker(table)
    statement = statement.on_conflict_do_update(
        index_elements=list(keys), set_={name: statement.excluded[name] for name in changed}
    )
    session.execute(statement, list(rows))


def is_transient(error: BaseException) -> bool:
    """Whether trying again may help: the connection broke, the server restarts, a lock was not had in time."""
    if not isinstance(error, DBAPIError):
        return False
    if error.connection_invalidated:
        return True
    text = str(error.orig)
    if "database is locked" in text or "database is busy" in text:
        return True
    state = getattr(error.orig, "sqlstate", None)
    if state is None:  # psycopg's own errors (no connection could be made) carry no state
        return type(error.orig).__module__.startswith("psycopg") and type(error.orig).__name__ == "OperationalError"
    # 08 connection, 57P admin shutdown / crash / cannot connect now, 40 serialization or deadlock, 53 resources,
    # 25P03 idle in a transaction for too long: this process was frozen
    return str(state).startswith(("08", "57P", "40", "53", "25P03"))


def json_array_holds(bind: Engine | Connection, column: Any, value: str) -> ColumnElement[bool]:
    """Whether a column that holds a JSON array of strings holds this one."""
    if is_sqlite(bind):
        entries = func.json_each(column).table_valued("value")
        return exists(select(1).select_from(entries).where(entries.c.value == value))
    entries = func.json_array_elements_text(column).table_valued("value")
    return exists(select(1).select_from(entries).where(entries.c.value == value))
