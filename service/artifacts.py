"""Bytes on disk, addressed by their SHA-256. No name that a user chose ever becomes a path."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

_SHA256 = re.compile(r"^[0-9a-f]{64}$")

CHUNK_BYTES = 1024 * 1024
GRACE_SECONDS = 3600.0  #: a file no row refers to may be one whose row is about to be written


class Incomplete(Exception):
    """The bytes are not what they were announced to be. The message says how they differ."""


class Artifacts:
    """The files under `root`: `ab/cdef...` for the content whose SHA-256 is `abcdef...`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._incoming = root / "incoming"
        self._incoming.mkdir(parents=True, exist_ok=True, mode=0o700)

    def path(self, sha256: str) -> Path:
        """Where the content with this hash lies, if it is there."""
        if _SHA256.match(sha256) is None:
            raise ValueError("not a SHA-256")
        return self.root / sha256[:2] / sha256[2:]

    def put(self, chunks: Iterable[bytes], *, sha256: str | None = None) -> tuple[str, int]:
        """Store the bytes; they are on disk when this returns. Returns their SHA-256 and number.

        Raises Incomplete if they do not have the announced hash, OSError if the disk is full; then nothing is left.
        """
        digest = hashlib.sha256()
        size_bytes = 0
        with self._temporary() as (path, file):
            for chunk in chunks:
                digest.update(chunk)
                size_bytes += len(chunk)
                file.write(chunk)
            actual = digest.hexdigest()
            if sha256 is not None and actual != sha256:
                raise Incomplete(f"the file's sha256 is {actual}, announced was {sha256}; upload it again")
            file.flush()
            os.fsync(file.fileno())
            self._install(path, self.path(actual))
        return actual, size_bytes

    def put_bytes(self, content: bytes) -> str:
        """Store the bytes and return their SHA-256."""
        return self.put((content,))[0]

    @contextmanager
    def _temporary(self) -> Iterator[tuple[Path, BinaryIO]]:
        path = self._incoming / secrets.token_hex(16)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                yield path, file
        finally:
            path.unlink(missing_ok=True)

    def _install(self, temporary: Path, final: Path) -> None:
        """Replaces an equal file too: that renews its time, which `sweep` goes by."""
        if not final.parent.exists():
            final.parent.mkdir(mode=0o700, exist_ok=True)
            _sync_directory(self.root)
        temporary.rename(final)
        _sync_directory(final.parent)

    def read(self, sha256: str) -> bytes:
        """All the bytes. Raises FileNotFoundError."""
        return self.path(sha256).read_bytes()

    def free_bytes(self) -> int:
        """Space left for other than the super-user."""
        status = os.statvfs(self.root)
        return status.f_bavail * status.f_frsize

    def sweep(self, is_wanted: Callable[[str], bool], *, grace_seconds: float = GRACE_SECONDS) -> int:
        """Delete what nobody wants and has lain for a while. Returns how many files went."""
        deadline = time.time() - grace_seconds
        gone = 0
        for path in [*self.root.glob("??/*"), *self._incoming.iterdir()]:
            sha256 = path.parent.name + path.name
            stray = path.parent == self._incoming
            try:
                if path.stat().st_mtime < deadline and (stray or not is_wanted(sha256)):
                    path.unlink()
                    gone += 1
            except FileNotFoundError:
                continue
        return gone


def chunks_of(file: BinaryIO) -> Iterator[bytes]:
    """The content of an open file, piece by piece."""
    while chunk := file.read(CHUNK_BYTES):
        yield chunk


def _sync_directory(path: Path) -> None:
    """Makes a rename survive a power failure."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
