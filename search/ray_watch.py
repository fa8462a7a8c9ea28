"""Notices at once that Ray's own processes have died under a job. Ray itself waits for them to come back, for a minute
or for ever, and meanwhile takes its searches for failed.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

LOOK_SECONDS = 0.5
CLUSTER_LOST = 3  #: exit status of a process whose cluster is gone: its records tell how to go on
_OWN = ("raylet", "gcs_server")


@contextmanager
def watched(before_exit: Callable[[], None] = lambda: None) -> Iterator[None]:
    """End this process with CLUSTER_LOST when the Ray node it is connected to dies, or what it has started of Ray.

    There is no other way out: calls into Ray that wait for a process which is gone may never return. What runs on
    another machine, or in another container, cannot be seen and is not watched: a node ends by itself a minute after
    the cluster's books. before_exit: puts away what would be left.
    """
    ended = threading.Event()
    processes = ray_processes()

    def look() -> None:
        while not ended.wait(LOOK_SECONDS):
            for process in processes:
                if _is_gone(process) and not ended.is_set():
                    sys.stderr.write(f"Ray's {processes[process]} is gone; what was recorded stays\n")
                    sys.stderr.flush()
                    for other in processes:
                        with suppress(psutil.Error):
                            if processes[other] in _OWN and other.ppid() == os.getpid():
                                other.kill()
                    before_exit()
                    os._exit(CLUSTER_LOST)

    thread = threading.Thread(target=look, name="ray-watch", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def ray_processes() -> dict[psutil.Process, str]:
    """Ray's processes that a connected process depends on, as far as they can be seen from here, with their names."""
    import ray

    own = {p: p.name() for p in psutil.Process().children(recursive=True) if p.name() in _OWN}
    here = ray.get_runtime_context().get_node_id()
    sockets = [node["RayletSocketName"] for node in ray.nodes() if node["NodeID"] == here]  # type: ignore[no-untyped-call]
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.name() in _OWN and _serves(process.name(), process.cmdline(), sockets):
                own[process] = process.name()
    return own


def _serves(name: str, words: Sequence[str], sockets: Sequence[str]) -> bool:
    """Whether a process of Ray's is the node of one of these sockets, or keeps the books of its cluster alone."""
    if name == "raylet":
        return any(word.endswith(f"={socket}") for socket in sockets for word in words)
    if any(word.startswith("--redis_address=") and not word.endswith("=") for word in words):
        return False  # the books are elsewhere: it may be started again and go on
    folders = {str(Path(socket).parent.parent) for socket in sockets}
    return any(word == f"--session-dir={folder}" for folder in folders for word in words)


def _is_gone(process: psutil.Process) -> bool:
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
