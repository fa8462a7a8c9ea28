"""The commands of the command line that need the server: `serve`, `dispatcher`, `migrate`, `keys`."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from types import FrameType
from typing import Annotated, Any

import structlog
import typer
import uvicorn

from paretrim.errors import InvalidInput
from service import accounts, dialect, schema
from service.database import Database
from service.settings import Settings

DataDir = Annotated[Path | None, typer.Option(help="Where files, the database and the secret are kept.")]
DatabaseUrl = Annotated[str | None, typer.Option(help="PostgreSQL or SQLite; by default SQLite in --data-dir.")]

#: how long the server waits for requests under way when it stops
SHUTDOWN_SECONDS = 5


def _settings(**overrides: Any) -> Settings:
    given = {name: value for name, value in overrides.items() if value is not None}
    try:
        return Settings.from_environment(**given)
    except InvalidInput as error:
        raise typer.BadParameter(str(error)) from None


def _say(text: str) -> None:
    """Chatter goes to standard error: standard output is for data."""
    typer.echo(text, err=True)


def configure_logging(settings: Settings) -> None:
    """One line per event, to standard error, with request and job ids where there are any."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    as_json = settings.log_format == "json"
    renderer: Any = structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer(colors=False)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log_level.upper())
    for name in ("alembic", "httpx2", "httpcore2"):
        logging.getLogger(name).setLevel(logging.WARNING)


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    api_only: Annotated[bool, typer.Option("--api-only", help="Start no dispatcher beside the API.")] = False,
) -> None:
    """Start the service: the API with its dashboard, and a dispatcher that runs the jobs."""
    settings = _settings(host=host, port=port, data_dir=data_dir, database_url=database_url)
    configure_logging(settings)
    schema.upgrade(settings.database_url)
    _first_key(settings)
    beside = None if api_only else _start_dispatcher(settings)
    try:
        _serve(settings, beside)
    finally:
        if beside is not None:
            _end(beside)


def _first_key(settings: Settings) -> None:
    database = Database(settings.database_url, pool_size=1)
    try:
        with database.write() as session:
            secret = accounts.first_key(session)
    finally:
        database.close()
    if secret is not None:
        _say(f"API key (shown only now): {secret}")


class _Server(uvicorn.Server):
    """Ends in good order: the library would raise the signal again at the end, before the dispatcher is stopped."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Ctrl-C and SIGTERM end the server; a second Ctrl-C does not wait for requests under way."""
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _serve(settings: Settings, beside: subprocess.Popen[bytes] | None) -> None:
    from service.app import create_app

    server = _Server(
        uvicorn.Config(
            create_app(settings),
            host=settings.host,
            port=settings.port,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        )
    )
    shown = f"[{settings.host}]" if ":" in settings.host else settings.host
    _say(f"paretrim serves http://{shown}:{settings.port} (dashboard and API); end it with Ctrl-C")
    if beside is not None:
        threading.Thread(target=_watch, args=(beside, server), daemon=True).start()
    server.run()


def _watch(beside: subprocess.Popen[bytes], server: uvicorn.Server) -> None:
    """Without its dispatcher the service on a laptop is of no use: it ends too, and says so."""
    status = beside.wait()
    if not server.should_exit:
        _say(f"the dispatcher ended with status {status}; the service stops")
        server.should_exit = True


def _start_dispatcher(settings: Settings) -> subprocess.Popen[bytes]:
    environment = os.environ | {
        "PARETRIM_DATABASE_URL": settings.database_url,
        "PARETRIM_DATA_DIR": str(settings.data_dir),
    }
    command = [sys.executable, "-c", "from service.commands import run_dispatcher; run_dispatcher()"]
    # a group of its own: Ctrl-C in a terminal reaches only this process, which then ends the other in good order
    return subprocess.Popen(command, env=environment, start_new_session=True)


def _end(beside: subprocess.Popen[bytes]) -> None:
    if beside.poll() is not None:
        return
    beside.terminate()
    try:
        beside.wait(30.0)
    except subprocess.TimeoutExpired:
        beside.kill()
        beside.wait()


def dispatcher(data_dir: DataDir = None, database_url: DatabaseUrl = None) -> None:
    """Run jobs and inspect uploads, without an API. Any number may run beside each other."""
    _dispatch(_settings(data_dir=data_dir, database_url=database_url))


def run_dispatcher() -> None:
    """The dispatcher that `serve` starts beside itself: it ends when its parent does, however that happens."""
    import ctypes

    ctypes.CDLL(None).prctl(1, signal.SIGTERM, 0, 0, 0)
    _dispatch(Settings.from_environment())


def _dispatch(settings: Settings) -> None:
    from service.dispatcher import Dispatcher

    configure_logging(settings)
    running = Dispatcher(settings)

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        running.stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, on_signal)
    running.run()


def migrate(data_dir: DataDir = None, database_url: DatabaseUrl = None) -> None:
    """Bring the database to the schema of this version. `serve` does it by itself."""
    settings = _settings(data_dir=data_dir, database_url=database_url)
    schema.upgrade(settings.database_url)
    _say(f"the database is at revision {schema.newest()}")


keys = typer.Typer(help="API keys, straight in the database: for whoever runs the server.", no_args_is_help=True)


@contextlib.contextmanager
def _database(data_dir: Path | None, database_url: str | None, *, make: bool = False) -> Any:
    """make: bring an empty database to the schema, as `serve` does."""
    settings = _settings(data_dir=data_dir, database_url=database_url)
    _check_schema(settings.database_url, make=make)
    database = Database(settings.database_url, pool_size=1)
    try:
        yield database
    finally:
        database.close()


def _check_schema(url: str, *, make: bool) -> None:
    engine = dialect.make_migration_engine(url)
    try:
        revision = schema.current(engine)
    finally:
        engine.dispose()
    if revision is None and make:
        schema.upgrade(url)
    elif revision != schema.newest():
        state = "has no tables yet" if revision is None else f"is at revision {revision}, not {schema.newest()}"
        raise InvalidInput(f"the database {state}; bring it there with `paretrim migrate`", field="database_url")


@keys.command("create")
def create_key(
    name: Annotated[str, typer.Argument(help="What the key is for.")],
    workspace: Annotated[str, typer.Option(help="Made if there is none of this name.")] = accounts.DEFAULT_WORKSPACE,
    scope: Annotated[list[str] | None, typer.Option(help="read, write, admin; may be given several times.")] = None,
    expires_in_days: Annotated[float | None, typer.Option(help="Never, if left out.")] = None,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Make a key and print it. It cannot be shown again."""
    seconds = None if expires_in_days is None else int(expires_in_days * 86400)
    with _database(data_dir, database_url, make=True) as database, database.write() as session:
        try:
            workspace_id = accounts.make_workspace(session, workspace)
            secret = accounts.make_key(session, workspace_id, name, scope or ("read", "write"), seconds)[1]
        except InvalidInput as error:
            raise typer.BadParameter(str(error)) from None
    typer.echo(secret)


@keys.command("list")
def list_keys(data_dir: DataDir = None, database_url: DatabaseUrl = None) -> None:
    """All keys of all workspaces: id, workspace, name, scopes, last use."""
    with _database(data_dir, database_url) as database, database.read() as session:
        for key, workspace in accounts.all_keys(session):
            state = "revoked" if key.revoked_at else f"used {_day(key.last_used_at)}"
            typer.echo(f"{key.id}\t{workspace}\t{key.name}\t{','.join(key.scopes)}\t{state}")


def _day(moment: datetime | None) -> str:
    return "never" if moment is None else moment.strftime("%Y-%m-%d")


@keys.command("revoke")
def revoke_key(key_id: str, data_dir: DataDir = None, database_url: DatabaseUrl = None) -> None:
    """Make a key useless at once."""
    with _database(data_dir, database_url) as database, database.write() as session:
        found = [(key, workspace) for key, workspace in accounts.all_keys(session) if key.id == key_id]
        if not found or not accounts.revoke_key(session, found[0][0].workspace_id, key_id):
            _say(f"there is no key {key_id} that could be revoked")
            raise typer.Exit(2)
