"""Joins a Ray cluster, or starts one on this machine that nobody else can reach and that leaves nothing behind."""

from __future__ import annotations

import logging
import os
import secrets
import shutil
import signal
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

#: read by ray and ray.tune, some of it when they are imported; whoever set them otherwise keeps what he set
SETTINGS = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_AIR_NEW_OUTPUT": "0",  # the new one writes to stdout, which is for data
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",  # the recorder keeps the records
    "TUNE_DISABLE_SIGINT_HANDLER": "1",  # Ctrl-C is the caller's
    "TUNE_WARN_EXCESSIVE_EXPERIMENT_CHECKPOINT_SYNC_THRESHOLD_S": "0",
    "RAY_TRAIN_ENABLE_V2_MIGRATION_WARNINGS": "0",
}
#: despite its name, 0 makes Ray listen on the loopback interface alone, on every system
LOOPBACK = ("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
#: loggers that warn of what is meant: no result files, token authentication, no handler of Ray's for SIGTERM
QUIET = ("ray.tune", "ray._private.authentication", "ray._private.worker")
#: what Ray's object store holds beside the job's data
SPARE_BYTES = 96 * 2**20
#: Ray makes sockets below its folder, whose paths the kernel limits to 107 characters
LONGEST_FOLDER = 24

for _name, _value in (SETTINGS | (dict([LOOPBACK]) if "RAY_ADDRESS" not in os.environ else {})).items():
    os.environ.setdefault(_name, _value)

import ray  # noqa: E402

from search.ray_watch import watched  # noqa: E402


@contextmanager
def cluster(*, data_bytes: int = 0, workers: int | None = None) -> Iterator[int]:
    """Be connected to Ray: as this process is already, else to RAY_ADDRESS, else to a cluster of its own.

    That one runs on this machine, with a token of its own, on the loopback interface, and is shut down and removed at
    the end. When its node dies, so does this process, see `search.ray_watch`. Yields how many evaluations may run at
    once. data_bytes: what its object store must hold.
    workers: None: as many as the cluster has CPUs.
    """
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.ERROR)
    if ray.is_initialized():
        yield workers or _cpus()
    elif "RAY_ADDRESS" in os.environ:
        with _own_signals():
            ray.init(address=os.environ["RAY_ADDRESS"], log_to_driver=False, configure_logging=False)
        try:
            with watched():
                yield workers or _cpus()
        finally:
            ray.shutdown()
    else:
        with _started(SPARE_BYTES + data_bytes, workers or os.cpu_count() or 1) as count:
            yield count


@contextmanager
def _started(store_bytes: int, cpus: int) -> Iterator[int]:
    """A cluster on this machine."""
    _take_token()
    with _short_folder() as folder:
        with _own_signals():
            ray.init(
                num_cpus=cpus,
                include_dashboard=False,
                object_store_memory=store_bytes,
                log_to_driver=False,
                configure_logging=False,
                _temp_dir=str(folder),
            )
        try:
            with watched(lambda: shutil.rmtree(folder, ignore_errors=True)):
                yield cpus
        finally:
            ray.shutdown()


@contextmanager
def _own_signals() -> Iterator[None]:
    """Ray puts a handler of its own in the place of that for SIGTERM; who has set one wants to hear of it himself."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    if callable(before) and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, before)


def _cpus() -> int:
    resources: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call]
    return max(1, int(resources.get("CPU", 1)))


def _take_token() -> None:
    """Nobody else on this machine may use the cluster. A token or mode that was set stays.

    Ray reads a token once per process, so this one is for all clusters of the process; with a token and no mode it
    turns authentication on by itself, and would otherwise write a token into the user's home.
    """
    if not {"RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"} & set(os.environ):
        os.environ["RAY_AUTH_TOKEN"] = secrets.token_hex(32)


@contextmanager
def _short_folder() -> Iterator[Path]:
    parent = tempfile.gettempdir()
    folder = Path(tempfile.mkdtemp(prefix="pt-", dir=parent if len(parent) <= LONGEST_FOLDER else "/tmp"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
