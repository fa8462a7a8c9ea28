from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.artifacts import Artifacts, Incomplete


@pytest.fixture
def artifacts(tmp_path: Path) -> Artifacts:
    return Artifacts(tmp_path / "artifacts")


def files(artifacts: Artifacts) -> list[Path]:
    return [path for path in artifacts.root.rglob("*") if path.is_file()]


def test_content_is_found_by_its_hash(artifacts: Artifacts) -> None:
    sha256, size_bytes = artifacts.put((b"some ", b"bytes"))
    assert (sha256, size_bytes) == (hashlib.sha256(b"some bytes").hexdigest(), 10)
    assert artifacts.read(sha256) == b"some bytes"
    assert artifacts.put_bytes(b"some bytes") == sha256
    assert len(files(artifacts)) == 1


@pytest.mark.parametrize("name", ["../../etc/passwd", "", "A" * 64, "0" * 63, "0" * 64 + "/"])
def test_only_a_hash_names_content(artifacts: Artifacts, name: str) -> None:
    with pytest.raises(ValueError, match="SHA-256"):
        artifacts.path(name)


def test_of_a_file_that_does_not_arrive_whole_nothing_is_left(artifacts: Artifacts) -> None:
    def broken() -> Iterator[bytes]:
        yield b"begin"
        raise ConnectionError

    with pytest.raises(ConnectionError):
        artifacts.put(broken())
    with pytest.raises(Incomplete):
        artifacts.put((b"x",), sha256="0" * 64)
    assert files(artifacts) == []


def test_a_full_disk_leaves_nothing(artifacts: Artifacts, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        artifacts.put_bytes(b"x" * 100)
    assert files(artifacts) == []


def test_the_sweep_takes_what_nobody_wants_and_that_is_not_new(artifacts: Artifacts) -> None:
    wanted, unwanted, fresh = (artifacts.put_bytes(name) for name in (b"wanted", b"unwanted", b"fresh"))
    stray = artifacts.root / "incoming" / "left-by-a-crash"
    stray.write_bytes(b"")
    for path in (artifacts.path(wanted), artifacts.path(unwanted), stray):
        os.utime(path, (0, 0))
    assert artifacts.sweep(lambda sha256: sha256 == wanted) == 2
    assert {path.name for path in files(artifacts)} == {wanted[2:], fresh[2:]}
