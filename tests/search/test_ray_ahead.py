"""Ray that is started beside a preparation. That jobs run on it is `test_ray_job`'s and the service's to show."""

from __future__ import annotations

import subprocess
import sys
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


#: prints the names of Ray's processes that run when the cluster is about to be shut down
_LEAVING = """
import sys, time
from pathlib import Path
from search.ray_ahead import started_ahead
from tests.search import tiny

with started_ahead(tiny.inputs(Path(sys.argv[1])), 1) as wait:
    wait()
    import ray
    from search.ray_watch import _is_gone, ray_processes
    before, shutdown = ray_processes(), ray.shutdown

    def look_first() -> None:
        time.sleep(0.5)
        print(sorted(name for process, name in before.items() if not _is_gone(process)))
        shutdown()

    ray.shutdown = look_first
ray.shutdown = shutdown
"""


def test_the_cluster_is_whole_until_it_is_shut_down(tmp_path: Path) -> None:
    """Processes of Ray die with the thread that started them, and a job whose cluster is gone has failed."""
    done = subprocess.run(
        [sys.executable, "-c", _LEAVING, str(tmp_path)], capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (0, "['gcs_server', 'raylet']"), done.stderr
