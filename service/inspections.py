"""Uploaded files are inspected one by one, each in a process of its own that is killed when it takes too long."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from service import dialect
from service.artifacts import Artifacts
from service.database import Database
from service.settings import Settings
from service.tables import Artifact, Dataset, Model

log = logging.getLogger(__name__)

MOST_ATTEMPTS = 3  #: an inspection that was cut off so often will not be tried again
_KILLED = "looking into the file took too long; is it as large as it should be?"


@dataclass(frozen=True, slots=True)
class Task:
    """A file to look into."""

    kind: str
    id: str
    sha256: str
    architecture: str | None


def inspect_next(settings: Settings, database: Database, artifacts: Artifacts, owner: str) -> bool:
    """Inspect the file that has waited longest. False if none waits."""
    with database.write() as session:
        task = _claim(session, owner, lease_seconds=settings.inspection_seconds + 30.0)
    if task is None:
        return False
    verdict = run_inspector(settings, task.kind, artifacts.path(task.sha256), task.architecture)
    with database.write() as session:
        _settle(session, task, owner, verdict)
    return True


def _claim(session: Session, owner: str, *, lease_seconds: float) -> Task | None:
    for kind, table in (("model", Model), ("dataset", Dataset)):
        now = dialect.clock(session)
        free = or_(table.lease_expires_at.is_(None), table.lease_expires_at < now)
        waiting = select(table.id).where(table.state == "inspecting", free).order_by(table.id).limit(1)
        found = session.execute(dialect.skip_locked(session, waiting)).scalar()
        if found is None:
            continue
        row: Any = session.get_one(table, found)
        session.execute(
            update(table)
            .where(table.id == found, table.state == "inspecting")
            .values(owner=owner, lease_expires_at=now + lease_seconds, attempts=table.attempts + 1)
        )
        if row.attempts >= MOST_ATTEMPTS:
            _settle(session, Task(kind, row.id, row.sha256, None), owner, {"reason": _KILLED})
            return _claim(session, owner, lease_seconds=lease_seconds)
        return Task(kind, row.id, row.sha256, getattr(row, "architecture", None))
    return None


def _settle(session: Session, task: Task, owner: str, verdict: Mapping[str, Any]) -> None:
    """inspecting -> ready | rejected. The bytes of what is rejected are let go."""
    table: Any = Model if task.kind == "model" else Dataset
    values: dict[str, Any] = {"owner": None, "lease_expires_at": None}
    if "inspection" in verdict:
        values |= {"state": "ready", "inspection": verdict["inspection"]}
    else:
        values |= {"state": "rejected", "reason": str(verdict["reason"])[:2000], "artifact_id": None}
    artifact_id = session.scalar(select(table.artifact_id).where(table.id == task.id))
    changed = session.scalar(
        update(table)
        .where(table.id == task.id, table.state == "inspecting", table.owner == owner)
        .values(**values)
        .returning(table.id)
    )
    if changed is not None and values["state"] == "rejected" and artifact_id is not None:
        session.delete(session.get_one(Artifact, artifact_id))


def run_inspector(settings: Settings, kind: str, path: Path, architecture: str | None) -> dict[str, Any]:
    """What the jailed inspector says of a file: `{"inspection": ...}` or `{"reason": ...}`."""
    command = [sys.executable, "-I", "-m", "service.inspector", kind]
    command += [str(settings.inspection_memory_bytes), str(int(settings.inspection_seconds))]
    command += [architecture] if architecture is not None else []
    with path.open("rb") as content, tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            command,
            stdin=content,
            stdout=output,
            stderr=errors,
            env=jailed_environment(),
            cwd="/",
            start_new_session=True,
        )
        try:
            status = process.wait(settings.inspection_seconds)
        except subprocess.TimeoutExpired:
            return {"reason": _KILLED}
        finally:
            _kill_group(process)
        return _answer(status, output, errors)


def jailed_environment() -> dict[str, str]:
    """No secret, no address: only what Python needs, and one thread."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL", "SYSTEMROOT") if name in os.environ}
    return kept | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "HOME": "/nonexistent"}


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _answer(status: int, output: IO[bytes], errors: IO[bytes]) -> dict[str, Any]:
    output.seek(0)
    try:
        answer: dict[str, Any] = json.loads(output.read())
    except ValueError:
        answer = {}
    if status == 0 and ("inspection" in answer or "reason" in answer):
        return answer
    if status in (-signal.SIGXCPU, -signal.SIGKILL):
        return {"reason": _KILLED}
    errors.seek(0)
    tail = errors.read()[-2000:].decode(errors="replace")
    log.warning("the inspector ended with %s: %s", status, tail)
    if "MemoryError" in tail or "bad_alloc" in tail or "Cannot allocate" in tail:
        return {"reason": "looking into the file takes more memory than it may"}
    return {"reason": "the file could not be looked into: the inspector failed on it"}
