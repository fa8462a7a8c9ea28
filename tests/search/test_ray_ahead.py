"""Ray that is started beside a preparation. That jobs run on it is `test_ray_job`'s and the service's to show."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from search import ray_ahead, ray_cluster
from search.data import load_dataset
from search.run import run_job
from tests.search import tiny
from tests.search.records import MemoryRecorder


def test_the_object_store_is_large_enough_for_data_that_was_not_read_yet(tmp_path: Path) -> None:
    inputs = tiny.inputs(tmp_path)
    splits = load_dataset(inputs.dataset, 0).present().values()
    needed = 2 * sum(split.x.nbytes + split.y.nbytes for split in splits)
    assert needed <= ray_ahead.store_bytes(inputs) < 1.2 * needed + 4 * len(inputs.model)


def test_a_cluster_that_cannot_be_started_fails_the_job_when_it_is_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[str] = []

    @contextmanager
    def broken(**_: Any) -> Iterator[int]:
        begun.append(threading.current_thread().name)
        raise RuntimeError("no node can be started")
        yield 0

    monkeypatch.setattr(ray_cluster, "cluster", broken)
    recorder = MemoryRecorder()
    with pytest.raises(RuntimeError, match="no node can be started"):
        run_job(tiny.plan(), tiny.inputs(tmp_path), recorder, executor="ray", workers=1)
    assert begun == ["ray-start_0"]
    assert recorder.preparation() is not None  # what was prepared meanwhile is kept
