"""A PostgreSQL server of the tests' own: a cluster in a temporary folder, reached through a socket in it."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

#: of the newest version that is installed
PROGRAMS = max(
    Path("/usr/lib/postgresql").glob("*/bin"),
    key=lambda folder: int(folder.parent.name) if folder.parent.name.isdigit() else 0,
    default=Path("/usr/lib/postgresql/15/bin"),
)
USER = "postgres"  #: PostgreSQL refuses to run as root


def missing() -> str | None:
    """Why there can be no cluster here; None if there can."""
    if not (PROGRAMS / "postgres").exists():
        return f"PostgreSQL's programs are not in {PROGRAMS}"
    if os.geteuid() == 0 and USER not in {entry.pw_name for entry in pwd.getpwall()}:
        return f"PostgreSQL does not run as root and there is no user {USER}"
    return None


class Cluster:
    """A server that is initialised and running. `durable`: as in production; else fast and forgetful."""

    def __init__(self, *, durable: bool = False) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="ptpg", dir="/tmp"))
        self.user = USER if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
        if os.geteuid() == 0:
            shutil.chown(self.folder, USER)
        self._data = self.folder / "data"
        self._run("initdb", "-D", str(self._data), "-U", USER, "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C")
        settings = [f"unix_socket_directories = '{self.folder}'", "listen_addresses = ''", "max_connections = 400"]
        settings += ["shared_buffers = 32MB", "log_min_messages = fatal"]
        if not durable:
            settings += ["fsync = off", "synchronous_commit = off", "full_page_writes = off"]
        with (self._data / "postgresql.conf").open("a") as file:
            file.write("\n".join(settings) + "\n")
        self.start()

    def url(self, database: str = "postgres") -> str:
        """The address of a database, as the service takes it."""
        return f"postgresql+psycopg://{USER}@/{database}?host={self.folder}"

    def start(self) -> None:
        """Start, and wait until it answers."""
        self._run("pg_ctl", "-D", str(self._data), "-w", "-t", "30", "-l", str(self.folder / "log"), "start")

    def stop(self, mode: str = "fast") -> None:
        """Stop. `immediate` is as if the power had failed."""
        self._run("pg_ctl", "-D", str(self._data), "-w", "-m", mode, "stop")

    def execute(self, statement: str, database: str = "postgres") -> str:
        """Run a statement as the administrator; returns what psql prints."""
        arguments = ["-h", str(self.folder), "-U", USER, "-d", database, "-Atqc", statement]
        return self._run("psql", *arguments)

    def dump(self, database: str) -> str:
        """A database as SQL, as `pg_dump` writes it."""
        arguments = ["--no-owner", "--no-privileges", "--inserts", "-h", str(self.folder), "-U", USER, database]
        return self._run("pg_dump", *arguments) + "\n"

    def load(self, sql: str, database: str) -> None:
        """Run SQL, all of it or nothing."""
        file = self.folder / "load.sql"
        file.write_text(sql)
        file.chmod(0o644)
        arguments = ["-h", str(self.folder), "-U", USER, "-d", database, "-1", "-qX", "-v", "ON_ERROR_STOP=1"]
        self._run("psql", *arguments, "-o", "/dev/null", "-f", str(file))

    def create(self, database: str, template: str = "template1") -> str:
        """A new database, and its address."""
        self.execute(f'CREATE DATABASE "{database}" TEMPLATE "{template}"')
        return self.url(database)

    def remove(self) -> None:
        """Stop and delete everything."""
        subprocess.run(
            [*self._as_user(), str(PROGRAMS / "pg_ctl"), "-D", str(self._data), "-m", "immediate", "stop"],
            capture_output=True,
            check=False,
        )
        shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self, program: str, *arguments: str) -> str:
        # a server that pg_ctl starts keeps what it inherits: no pipe may be among that, or reading it never ends
        with tempfile.TemporaryFile("w+") as output:
            done = subprocess.run(
                [*self._as_user(), str(PROGRAMS / program), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                check=False,
                cwd="/",
            )
            output.seek(0)
            text = output.read()
        if done.returncode:
            raise RuntimeError(f"{program} {' '.join(arguments)} failed with {done.returncode}: {text}")
        return text.strip()

    def _as_user(self) -> list[str]:
        return ["runuser", "-u", USER, "--"] if os.geteuid() == 0 else []
