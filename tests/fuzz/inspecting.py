"""Inspects files one after the other, each in a fork of this program: `python -m tests.fuzz.inspecting`.

Everything is imported before the first fork, so that what is measured is the work on the file. It is a program of its
own because a fork of a process that has run torch's threads may wait for ever for locks that nobody holds.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from pathlib import Path
from typing import Any

import torch

import compressors
from service import model_file, npz_file
from service.inspector import inspect

CPU_SECONDS = 10


def main() -> None:
    """Answer each line of standard input, `{"kind", "path", "architecture"}`, with a line."""
    assert all((compressors, model_file, npz_file))
    torch.set_num_threads(1)
    for line in sys.stdin:
        sys.stdout.write(_in_a_fork(json.loads(line)) + "\n")
        sys.stdout.flush()


def _in_a_fork(request: dict[str, Any]) -> str:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            with os.fdopen(writing, "w") as out:
                json.dump(_measured(**request), out)
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as answer:
        found = answer.read()
    os.waitpid(child, 0)
    return found or "{}"


def _measured(kind: str, path: str, architecture: str | None) -> dict[str, Any]:
    """What the inspector says, and what it took beyond what was there: CPU seconds and bytes."""
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    before, began = _peak_bytes(), time.process_time()
    try:
        with Path(path).open("rb") as file:
            answer: dict[str, Any] = {"taken": bool(inspect(kind, file, architecture))}
    except Exception as error:
        answer = {"reason": str(error), "error": type(error).__name__}
    return answer | {"seconds": time.process_time() - began, "bytes": max(0, _peak_bytes() - before)}


def _peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    main()
