"""What tests of several rooms need: a database of either kind, migrated and empty."""

from __future__ import annotations

import os
import shutil
import signal
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import postgres

# Files run side by side, one for each core: libraries that start a thread for each core too would wait for one
# another. Set before any of them is imported, and for the processes that tests start.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# Ray starts its workers at niceness 15: beside the tests of another file they would hardly get to run.
os.environ.setdefault("RAY_worker_niceness", "0")
# What a shell starts in the background ignores Ctrl-C, and so does all that it starts: tests interrupt their programs.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN and threading.current_thread() is threading.main_thread():
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests in a browser come last: Playwright's event loop would be found running by whatever came after them.

    Before them those that fork this process and kill what they forked: torch's threads were seen to abort afterwards.
    """
    last = ["chaos", "browser"]
    items.sort(key=lambda item: last.index(name) + 1 if (name := item.path.parent.name) in last else 0)


@pytest.fixture(scope="session")
def postgres_cluster() -> Iterator[postgres.Cluster]:
    """A running PostgreSQL server. Skips where there is none to start; in CI that is a failure."""
    reason = postgres.missing()
    if reason is not None:
        if os.environ.get("CI") == "true":
            pytest.fail(f"{reason}; in CI both databases are tested")
        pytest.skip(reason)
    cluster = postgres.Cluster()
    yield cluster
    cluster.remove()


@pytest.fixture(scope="session")
def postgres_template(postgres_cluster: postgres.Cluster) -> str:
    """The name of a migrated database that others are copied from."""
    from service import schema

    schema.upgrade(postgres_cluster.create("migrated"))
    return "migrated"


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file that others are copied from."""
    from service import schema

    path = tmp_path_factory.mktemp("migrated") / "template.db"
    schema.upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """A migrated, empty SQLite database."""
    path = tmp_path / "paretrim.db"
    shutil.copy(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture
def postgres_url(postgres_cluster: postgres.Cluster, postgres_template: str) -> Iterator[str]:
    """A migrated, empty PostgreSQL database."""
    name = f"test_{uuid.uuid4().hex}"
    yield postgres_cluster.create(name, postgres_template)
    postgres_cluster.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest) -> str:
    """A migrated, empty database: every test that asks for it runs on both kinds."""
    kind = {"sqlite": "sqlite_url", "postgresql": "postgres_url"}[request.param]
    return str(request.getfixturevalue(kind))
