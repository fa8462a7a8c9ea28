"""Files on their way in: opened with their size and hash, sent in parts, complete when all of it is there."""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import cast

from sqlalchemy import Table, delete, exists, select, update
from sqlalchemy.orm import Session

from paretrim.wire import UploadRequest
from service import dialect, problems, quotas, tables
from service.artifacts import GRACE_SECONDS, Artifacts, Incomplete, chunks_of
from service.database import Database
from service.ids import new_id
from service.problems import Problem
from service.settings import Settings
from service.tables import Artifact, Upload, UploadPart, utc_now


@dataclass(frozen=True, slots=True)
class Uploads:
    """Takes uploads."""

    settings: Settings
    database: Database
    artifacts: Artifacts

    def folder(self, upload_id: str) -> Path:
        """Where the parts of an upload lie. Ids are made by the service."""
        return self.settings.data_dir / "uploads" / upload_id

    def check_room(self, session: Session, workspace_id: str, size_bytes: int) -> None:
        """Raise 413 if a file of this size is too large, or would exceed the quota or the disk."""
        limit = self.settings.max_upload_bytes
        if size_bytes > limit:
            raise Problem(413, "too-large", f"size_bytes: a file may have at most {limit} bytes, this has {size_bytes}")
        quotas.check_bytes(session, self.settings, workspace_id, size_bytes, "size_bytes")
        if self.artifacts.free_bytes() - size_bytes < self.settings.free_space_floor_bytes:
            raise Problem(503, "disk-full", "the service's disk is nearly full", headers={"Retry-After": "600"})

    def open(self, session: Session, workspace_id: str, upload_id: str, request: UploadRequest) -> Upload:
        """Make room for a file."""
        self.check_room(session, workspace_id, request.size_bytes)
        row = Upload(
            id=upload_id,
            workspace_id=workspace_id,
            kind=request.kind,
            filename=request.filename,
            name=request.name or request.filename,
            architecture=request.architecture,
            size_bytes=request.size_bytes,
            sha256=request.sha256,
            part_size_bytes=self.settings.part_size_bytes,
            state="open",
            created_at=utc_now(),
            expires_at=utc_now() + timedelta(seconds=self.settings.upload_ttl_seconds),
        )
        session.add(row)
        session.flush()
        return row

    def expected_bytes(self, upload: Upload, n: int) -> int:
        """How long part `n` has to be. 404 if the upload has no such part."""
        count = part_count(upload)
        if not 1 <= n <= count:
            raise problems.not_found(f"part of {upload.id} (it has parts 1 to {count})", str(n))
        return min(upload.part_size_bytes, upload.size_bytes - (n - 1) * upload.part_size_bytes)

    def begin_part(self, upload: Upload, n: int) -> PartFile:
        """A file that takes the bytes of part `n`."""
        if upload.state != "open":
            raise problems.conflict("upload-complete", f"upload {upload.id} is complete; open a new one")
        if upload.expires_at <= utc_now():
            raise problems.conflict("upload-expired", f"upload {upload.id} has expired; open a new one")
        folder = self.folder(upload.id)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return PartFile(folder, n, self.expected_bytes(upload, n))

    def keep_part(self, upload_id: str, part: PartFile) -> None:
        """Make a part that arrived whole count. Sending a part again replaces it."""
        try:
            part.install()
        except FileNotFoundError:
            raise problems.conflict("upload-gone", f"upload {upload_id} was given up; open a new one") from None
        row = {"upload_id": upload_id, "n": part.n, "size_bytes": part.size_bytes, "sha256": part.sha256}
        with self.database.write() as session:
            dialect.upsert(session, cast(Table, UploadPart.__table__), [row], ("upload_id", "n"))

    def complete(self, upload: Upload) -> Upload:
        """Put the parts together: the file becomes a model or dataset, to be inspected. Doing it twice is once."""
        if upload.state == "completed":
            return upload
        with self.database.read() as session:
            missing = sorted(set(range(1, part_count(upload) + 1)) - set(parts_of(session, upload.id)))
        if missing:
            listed = ", ".join(map(str, missing[:10])) + (", ..." if len(missing) > 10 else "")
            raise problems.conflict("parts-missing", f"parts {listed} have not been sent; send them first")
        try:
            self.artifacts.put(self._content(upload), sha256=upload.sha256)
        except Incomplete as error:
            raise problems.unprocessable("sha256", str(error), code="digest-mismatch") from None
        except FileNotFoundError:
            return self._completed_elsewhere(upload)
        with self.database.write() as session:
            row = self._settle(session, upload)
        shutil.rmtree(self.folder(upload.id), ignore_errors=True)
        return row

    def _completed_elsewhere(self, upload: Upload) -> Upload:
        """The parts are gone: a request beside this one has put them together."""
        with self.database.read() as session:
            row = session.get_one(Upload, upload.id)
        if row.state != "completed":
            raise problems.conflict("parts-missing", f"the parts of {upload.id} are gone; open a new upload")
        return row

    def _settle(self, session: Session, upload: Upload) -> Upload:
        resource_id = new_id(upload.kind)
        won = session.scalar(
            update(Upload)
            .where(Upload.id == upload.id, Upload.state == "open")
            .values(state="completed", resource_id=resource_id)
            .returning(Upload.id)
        )
        if won is not None:
            artifact = Artifact(
                id=new_id("artifact"),
                workspace_id=upload.workspace_id,
                sha256=upload.sha256,
                size_bytes=upload.size_bytes,
                filename=upload.filename,
            )
            session.add(artifact)
            session.flush()
            _add_resource(session, upload, resource_id, artifact.id)
        return session.get_one(Upload, upload.id, populate_existing=True)

    def _content(self, upload: Upload) -> Iterator[bytes]:
        for n in range(1, part_count(upload) + 1):
            with part_path(self.folder(upload.id), n).open("rb") as file:
                yield from chunks_of(file)

    def cancel(self, session: Session, upload: Upload) -> None:
        """Forget an upload that is not complete."""
        if upload.state != "open":
            raise problems.conflict("upload-complete", f"upload {upload.id} is complete; delete what became of it")
        session.delete(upload)
        shutil.rmtree(self.folder(upload.id), ignore_errors=True)

    def drop_expired(self) -> int:
        """Forget uploads that were never completed, and that others were. Returns how many never were."""
        with self.database.write() as session:
            late = session.scalars(select(Upload).where(Upload.state == "open", Upload.expires_at < utc_now())).all()
            for upload in late:
                self.cancel(session, upload)
            session.execute(delete(Upload).where(Upload.state != "open", Upload.expires_at < utc_now()))
        return len(late)

    def sweep(self, *, grace_seconds: float = GRACE_SECONDS) -> int:
        """Delete folders of uploads that are not open: of a process that died between a row and its files."""
        deadline = time.time() - grace_seconds
        gone = 0
        for folder in self.folder("").glob("*"):
            with suppress(FileNotFoundError), self.database.read() as session:
                wanted = exists().where(Upload.id == folder.name, Upload.state == "open")
                if folder.stat().st_mtime < deadline and not session.scalar(select(wanted)):
                    shutil.rmtree(folder, ignore_errors=True)
                    gone += 1
        return gone


class PartFile:
    """A part while it arrives. Its size is enforced byte by byte."""

    def __init__(self, folder: Path, n: int, size_bytes: int) -> None:
        self.folder = folder
        self.n = n
        self.size_bytes = size_bytes
        self._received = 0
        self._digest = hashlib.sha256()
        self._path = folder / f"incoming-{secrets.token_hex(8)}"
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        self._file = os.fdopen(descriptor, "wb")

    def write(self, chunk: bytes) -> None:
        """Take some bytes. 413 as soon as there are more than the part has."""
        self._received += len(chunk)
        if self._received > self.size_bytes:
            raise Problem(413, "too-large", f"part {self.n} has {self.size_bytes} bytes; more were sent")
        self._digest.update(chunk)
        self._file.write(chunk)

    @property
    def sha256(self) -> str:
        """Of what has arrived."""
        return self._digest.hexdigest()

    def check(self, announced: bytes | None) -> None:
        """Raise 400 unless all of it arrived, with the announced digest."""
        if self._received != self.size_bytes:
            detail = f"part {self.n} has {self.size_bytes} bytes; {self._received} were sent"
            raise Problem(400, "incomplete-part", detail)
        if announced is not None and announced != self._digest.digest():
            raise Problem(400, "digest-mismatch", f"part {self.n} does not have the digest that Content-Digest says")

    def install(self) -> None:
        """Make it last."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self._path.rename(part_path(self.folder, self.n))

    def discard(self) -> None:
        """Leave nothing behind, unless it was installed."""
        self._file.close()
        self._path.unlink(missing_ok=True)


def part_path(folder: Path, n: int) -> Path:
    """Where a part lies."""
    return folder / f"part-{n:06d}"


def part_count(upload: Upload) -> int:
    """How many parts an upload has; they are numbered from 1."""
    return -(-upload.size_bytes // upload.part_size_bytes)


def parts_of(session: Session, upload_id: str) -> list[int]:
    """The parts that have arrived."""
    return list(session.scalars(select(UploadPart.n).where(UploadPart.upload_id == upload_id).order_by(UploadPart.n)))


def _add_resource(session: Session, upload: Upload, resource_id: str, artifact_id: str) -> None:
    values = {
        "id": resource_id,
        "workspace_id": upload.workspace_id,
        "artifact_id": artifact_id,
        "name": upload.name,
        "sha256": upload.sha256,
        "size_bytes": upload.size_bytes,
        "state": "inspecting",
        "attempts": 0,
    }
    if upload.kind == "model":
        session.add(tables.Model(**values, architecture=upload.architecture))
    else:
        session.add(tables.Dataset(**values))
    session.flush()
