"""Transactions: one to read, one to write. Nothing else opens a session."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.orm import Session

from service import dialect

T = TypeVar("T")


class Database:
    """The one database. Threads may share it; processes make their own."""

    def __init__(self, url: str, *, pool_size: int = 12, idle_seconds: float = dialect.IDLE_SECONDS) -> None:
        """idle_seconds: how long a transaction may stay open without a statement, where the database can tell."""
        self.url = url
        self.engine = dialect.make_engine(url, pool_size=pool_size, idle_seconds=idle_seconds)
        self._writing = self.engine.execution_options(**{dialect.WRITES: True})
        self._glancing = dialect.without_transactions(self.engine)

    def read(self) -> AbstractContextManager[Session]:
        """A transaction that only reads; always rolled back."""
        return _reading(self.engine)

    def glance(self) -> AbstractContextManager[Connection]:
        """For one statement that reads, and streams nothing: no transaction, and no session, which would cost more than
        such a statement does."""
        return self._glancing.connect()

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A transaction that writes: committed at the end of the block, rolled back if it raises."""
        with Session(self._writing, expire_on_commit=False) as session, session.begin():
            yield session

    def insist(self, work: Callable[[Session], T], *, patience_seconds: float, writes: bool = True) -> T:
        """Run `work` in a transaction, again and again while the database is away, up to `patience_seconds`.

        `work` must be repeatable: when a commit's answer is lost it is not known whether it happened.
        """
        deadline = time.monotonic() + patience_seconds
        pause_seconds = 0.05
        while True:
            try:
                with self.write() if writes else self.read() as session:
                    return work(session)
            except Exception as error:
                if not dialect.is_transient(error) or time.monotonic() + pause_seconds > deadline:
                    raise
            time.sleep(pause_seconds)
            pause_seconds = min(1.0, pause_seconds * 2)

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


@contextmanager
def _reading(engine: Engine) -> Iterator[Session]:
    with Session(engine, expire_on_commit=False) as session:
        try:
            yield session
        finally:
            session.expunge_all()  # a rollback would expire the rows, which are used after the transaction
            session.rollback()
