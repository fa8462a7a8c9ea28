"""What an operator can set. Every setting is an environment variable `PARETRIM_<NAME>`; nothing is read at import."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from paretrim.errors import InvalidInput

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything the service can be told. Units are in the names."""

    data_dir: Path = Path("var")  #: artifacts, uploads under way, the SQLite file, the secret
    database_url: str = ""  #: empty: SQLite in `data_dir`
    secret: str = ""  #: signs cursors and sessions; empty: made once and kept in `data_dir/secret`
    host: str = "127.0.0.1"
    port: int = 8000
    #: names under which the service may be addressed (DNS rebinding); `*` accepts all
    allowed_hosts: tuple[str, ...] = ("localhost", "127.0.0.1", "[::1]", "testserver")
    part_size_bytes: int = 16 * MEBIBYTE  #: of an upload
    max_upload_bytes: int = 512 * MEBIBYTE
    max_body_bytes: int = 2 * MEBIBYTE  #: of any request that is not a part of an upload
    upload_ttl_seconds: float = 24 * 3600.0
    quota_bytes: int = 20 * 1024 * MEBIBYTE  #: of a workspace: uploads and what its jobs deliver
    free_space_floor_bytes: int = 256 * MEBIBYTE  #: no upload is taken when less would remain
    max_active_jobs: int = 100  #: of a workspace, not yet ended
    max_active_jobs_per_key: int = 0  #: of one API key, not yet ended; 0: no limit but the workspace's
    max_running_jobs: int = 4  #: of a workspace, at the same time
    max_running_jobs_per_key: int = 0  #: of one API key, at the same time; 0: no limit but the workspace's
    quota_cpu_seconds: float = 0.0  #: of a workspace's jobs of the last 30 days: no new ones beyond; 0: no limit
    quota_cpu_seconds_per_key: float = 0.0  #: the same of one API key
    lease_seconds: float = 30.0  #: renewed at a third; a worker silent for so long has lost its job
    max_losses: int = 3  #: a job that lost its worker so often, without a window of candidates in between, has failed
    cancel_grace_seconds: float = 5.0  #: what a job's process gets to stop by itself
    poll_seconds: float = 0.5  #: how often the dispatcher looks for work, and event streams for events
    concurrent_jobs: int = 1  #: jobs one dispatcher runs at once
    executor: str = "ray"  #: `ray` or `inline`
    inspection_seconds: float = 60.0  #: wall clock
    inspection_memory_bytes: int = 4096 * MEBIBYTE  #: address space; torch alone maps about 2 GiB
    session_seconds: float = 12 * 3600.0  #: of a dashboard login
    secure_cookies: bool = False  #: on where TLS ends in front of the service
    requests_per_minute: int = 1200  #: of one API key or address; 0: no limit
    attempts_per_minute: int = 20  #: failed logins and unknown keys from one address; 0: no limit
    event_streams_per_key: int = 256
    threads: int = 4  #: requests that an API process works on at once; others wait their turn
    retention_days: float = 0.0  #: ended jobs older than this are deleted; 0: kept
    webhook_allow_loopback: bool = False  #: for tests only: http and loopback addresses
    log_format: str = "console"  #: `console` or `json`
    log_level: str = "info"

    def __post_init__(self) -> None:
        if self.lease_seconds < 0.6:
            raise InvalidInput("PARETRIM_LEASE_SECONDS must be at least 0.6", field="lease_seconds")
        if self.executor not in ("ray", "inline"):
            raise InvalidInput("PARETRIM_EXECUTOR must be 'ray' or 'inline'", field="executor")
        if self.threads < 1:
            raise InvalidInput("PARETRIM_THREADS must be at least 1", field="threads")
        if not 1 <= self.part_size_bytes <= 64 * MEBIBYTE:
            raise InvalidInput("PARETRIM_PART_SIZE_BYTES must be from 1 to 67108864", field="part_size_bytes")
        object.__setattr__(self, "data_dir", Path(self.data_dir).absolute())
        if not self.database_url:
            object.__setattr__(self, "database_url", f"sqlite:///{self.data_dir / 'paretrim.db'}")
        elif self.database_url.startswith(("postgresql://", "postgres://")):
            rest = self.database_url.split("://", 1)[1]
            object.__setattr__(self, "database_url", f"postgresql+psycopg://{rest}")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None, **overrides: Any) -> Settings:
        """Read `PARETRIM_*`. `overrides` win. Raises InvalidInput naming the variable that cannot be read."""
        environment = os.environ if environment is None else environment
        values: dict[str, Any] = {}
        for field in fields(cls):
            variable = f"PARETRIM_{field.name.upper()}"
            if variable in environment:
                values[field.name] = _read(variable, environment[variable], str(field.type))
        return cls(**{**values, **overrides})

    def signing_secret(self) -> bytes:
        """The secret that signs cursors and sessions; made on first use, readable by this user only."""
        if self.secret:
            return self.secret.encode()
        path = self.data_dir / "secret"
        self.data_dir.mkdir(parents=True, exist_ok=True)
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return _written_secret(path)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(32))
        return path.read_bytes()


def _written_secret(path: Path) -> bytes:
    """Another process may have made the file and not yet written it."""
    for _ in range(1000):
        content = path.read_bytes()
        if len(content) == 64:
            return content
        os.sched_yield()
    raise InvalidInput(f"{path} is incomplete; delete it and start again", field="secret")


def _read(variable: str, text: str, kind: str) -> Any:
    try:
        match kind:
            case "int":
                return int(text)
            case "float":
                return float(text)
            case "bool":
                return {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}[text.lower()]
            case "Path":
                return Path(text)
            case "str":
                return text
            case _:
                return tuple(part.strip() for part in text.split(",") if part.strip())
    except (ValueError, KeyError):
        raise InvalidInput(f"{variable} must be a {kind}, got {text!r}", field=variable) from None
