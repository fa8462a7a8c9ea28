"""Brings a database to the schema this version needs."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine

import migrations


def configuration(url: str) -> Config:
    """Alembic's configuration for the database at `url`."""
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent).replace("%", "%%"))
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    config.set_main_option("path_separator", "os")
    config.attributes["url"] = url
    return config


def upgrade(url: str, revision: str = "head") -> None:
    """Run the migrations that are missing. Replicas that start at once wait for each other."""
    command.upgrade(configuration(url), revision)


def current(engine: Engine) -> str | None:
    """The revision the database is at."""
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def newest(url: str = "sqlite://") -> str:
    """The revision this version needs."""
    head = ScriptDirectory.from_config(configuration(url)).get_current_head()
    assert head is not None, "the distribution holds no migrations"
    return head


def revisions() -> list[str]:
    """All revisions there ever were, oldest first."""
    walked = ScriptDirectory.from_config(configuration("sqlite://")).walk_revisions()
    return [script.revision for script in walked][::-1]
