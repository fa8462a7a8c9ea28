"""Joins a Ray cluster, or starts one on this machine that nobody else can reach and that leaves nothing behind."""

from __future__ import annotations

import logging
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import ray

#: what Ray's object store holds beside the job's data
SPARE_BYTES = 96 * 2**20
#: Ray makes sockets below its folder, whose paths the kernel limits to 107 characters
LONGEST_FOLDER = 24

#: read by ray and ray.tune when they are used
SETTINGS = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_AIR_NEW_OUTPUT": "0",  # the new one writes to stdout, which is for data
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",  # the recorder keeps the records
    "TUNE_DISABLE_SIGINT_HANDLER": "1",  # Ctrl-C is the caller's
    "TUNE_WARN_EXCESSIVE_EXPERIMENT_CHECKPOINT_SYNC_THRESHOLD_S": "0",
    "RAY_TRAIN_ENABLE_V2_MIGRATION_WARNINGS": "0",
}

#: loggers that warn of what is meant: no result files, token authentication
QUIET = ("ray.tune", "ray._private.authentication")


@contextmanager
def cluster(address: str | None, *, data_bytes: int = 0, workers: int | None = None) -> Iterator[int]:
    """Be connected to Ray. Yields how many evaluations may run at once.

    address: of a running cluster; None: the one this process is connected to already, else RAY_ADDRESS, else a new one
    on this machine, with a token of its own, on the loopback interface, shut down and removed at the end.
    data_bytes: what a new one's object store must hold. workers: None: as many as the cluster has CPUs.
    """
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.ERROR)
    if ray.is_initialized():
        yield workers or _cpus()
        return
    address = address or os.environ.get("RAY_ADDRESS")
    if address:
        ray.init(address=address, log_to_driver=False, configure_logging=False)
        try:
            yield workers or _cpus()
        finally:
            ray.shutdown()
        return
    _take_token()
    with _short_folder() as folder:
        ray.init(
            num_cpus=workers or os.cpu_count() or 1,
            include_dashboard=False,
            object_store_memory=SPARE_BYTES + data_bytes,
            log_to_driver=False,
            configure_logging=False,
            _node_ip_address="127.0.0.1",
            _temp_dir=str(folder),
        )
        try:
            yield workers or _cpus()
        finally:
            ray.shutdown()


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
