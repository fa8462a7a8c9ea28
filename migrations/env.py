"""Runs migrations on the address in `config.attributes["url"]`, or on the service's own."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context
from sqlalchemy import Connection, text

from service import tables
from service.dialect import is_sqlite, make_migration_engine
from service.settings import Settings

#: any number: replicas that start together migrate one after the other
ADVISORY_LOCK = 7_305_812_019


def _render(kind: str, item: Any, _autogenerate: Any) -> str | Literal[False]:
    """Migrations must not depend on the code of today: write our own types as what they are in the database."""
    return "sa.DateTime(timezone=True)" if kind == "type" and isinstance(item, tables.UtcDateTime) else False


def _migrate(connection: Connection) -> None:
    if not is_sqlite(connection):
        connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": ADVISORY_LOCK})
        connection.commit()
    context.configure(
        connection=connection,
        target_metadata=tables.Row.metadata,
        render_as_batch=is_sqlite(connection),
        compare_type=True,
        render_item=_render,
    )
    with context.begin_transaction():
        context.run_migrations()


def _url() -> str:
    return str(context.config.attributes.get("url") or Settings.from_environment().database_url)


if context.is_offline_mode():
    context.configure(url=_url(), target_metadata=tables.Row.metadata, literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()
else:
    with make_migration_engine(_url()).connect() as connection:
        _migrate(connection)
