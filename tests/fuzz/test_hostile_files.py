"""Every hostile file is refused: with a reason, in less than two seconds, in less than 512 MB."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from service import inspections
from service.settings import Settings
from tests.fuzz import hostile, hostile_datasets, hostile_networks, hostile_weights
from tests.search import tiny
from tests.service import worlds

SECONDS = 2.0
MOST_BYTES = 512 * 2**20
ARCHITECTURE = "resnet20"
ROOT = Path(__file__).parent.parent.parent

SUBJECTS = (hostile_networks, hostile_datasets, hostile_weights)  #: each has added its files to `hostile`
CASES = [
    *(("model", name, make, None) for name, make in hostile.MODELS.items()),
    *(("dataset", name, make, None) for name, make in hostile.DATASETS.items()),
    *(("model", name, make, ARCHITECTURE) for name, make in hostile.WEIGHTS.items()),
]


class Inspector:
    """The program that inspects each file in a process of its own and says what it took."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "file"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.fuzz.inspecting"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT
        )

    def __call__(self, kind: str, content: bytes, architecture: str | None = None) -> dict[str, Any]:
        self._file.write_bytes(content)
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        request = {"kind": kind, "path": str(self._file), "architecture": architecture}
        self.process.stdin.write(json.dumps(request).encode() + b"\n")
        self.process.stdin.flush()
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        return answer


@pytest.fixture(scope="module")
def inspector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inspector]:
    made = Inspector(tmp_path_factory.mktemp("hostile"))
    yield made
    for end in (made.process.stdin, made.process.stdout):
        assert end is not None
        end.close()
    made.process.wait(20)


def test_there_are_enough_of_them() -> None:
    assert len(CASES) >= 100
    assert len({(kind, architecture, make()) for kind, _, make, architecture in CASES}) == len(CASES)


@pytest.mark.parametrize(
    ("kind", "name", "make", "architecture"), CASES, ids=[f"{case[0]}-{case[1]}" for case in CASES]
)
def test_a_hostile_file_is_refused(
    inspector: Inspector, kind: str, name: str, make: hostile.Maker, architecture: str | None
) -> None:
    found = inspector(kind, make(), architecture)
    assert found, f"the inspector died on {name}"
    assert "taken" not in found, f"{name} was taken"
    assert found["error"] in ("InvalidModel", "InvalidDataset", "UnsupportedOperation", "InvalidInput"), found
    assert 15 < len(found["reason"]) < 2000, found
    assert found["seconds"] < SECONDS, found
    assert found["bytes"] < MOST_BYTES, found


def test_what_is_no_attack_is_taken(inspector: Inspector) -> None:
    """So that the corpus above is not refused because everything is."""
    found = [inspector("model", tiny.model()), inspector("dataset", worlds.dataset_file())]
    assert [answer.get("taken") for answer in found] == [True, True], found


def jailed(folder: Path, kind: str, content: bytes, **settings: Any) -> dict[str, Any]:
    """What the service would get to hear."""
    path = folder / "file"
    path.write_bytes(content)
    return inspections.run_inspector(_settings(folder, **settings), kind, path, None)


def _settings(folder: Path, **changes: Any) -> Settings:
    return worlds.settings("", folder, **changes)


def test_the_jail_gives_the_same_answers(tmp_path: Path) -> None:
    refused = jailed(tmp_path, "model", hostile.MODELS["four_terabytes_in_68_bytes"]())
    assert "ConstantOfShape" in refused["reason"]
    assert jailed(tmp_path, "dataset", worlds.dataset_file())["inspection"]["classes"] == 10


def test_the_jail_ends_what_takes_too_long(tmp_path: Path) -> None:
    began = time.monotonic()
    found = jailed(tmp_path, "dataset", worlds.dataset_file(), inspection_seconds=0.05)
    assert "too long" in found["reason"]
    assert time.monotonic() - began < 10


def test_the_jail_ends_what_takes_too_much_memory(tmp_path: Path) -> None:
    rows = 20 * 2**20
    content = worlds.npz(train_x=np.ones((rows, 1), np.uint8), train_y=np.zeros(rows, np.int64))
    found = jailed(tmp_path, "dataset", content, inspection_memory_bytes=300 * 2**20)
    assert "memory" in found["reason"], found


def test_the_jail_sees_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARETRIM_SECRET", "very-secret")
    monkeypatch.setenv("PARETRIM_DATABASE_URL", "postgresql://secret")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "very-secret")
    assert "secret" not in str(inspections.jailed_environment()).lower()


def test_the_jail_has_no_network_where_the_system_allows_that(tmp_path: Path) -> None:
    if not _may_unshare():
        pytest.skip("this system lets nobody make a network namespace")
    assert jailed(tmp_path, "dataset", worlds.dataset_file())["without_network"] is True


def _may_unshare() -> bool:
    """Asked of a program of its own: it would hold for this one, too."""
    code = "import ctypes; u = ctypes.CDLL(None).unshare; raise SystemExit(u(0x50000000) and u(1 << 30))"
    return subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
