"""The program that looks into uploaded files: `python -m service.inspector KIND [ARCHITECTURE] < FILE`.

It runs in a jail it makes for itself before it reads a byte: bounded memory, time, files; no network where the system
allows that. It prints one JSON object: `{"inspection": {...}}` or `{"reason": "..."}`.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import sys
from typing import IO, Any

_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
_PR_SET_NO_NEW_PRIVS, _PR_SET_PDEATHSIG = 38, 1
MOST_OUTPUT_BYTES = 32 * 2**20


def enter_jail(memory_bytes: int, cpu_seconds: int) -> bool:
    """Give up what is not needed. Whether the network went too, which not every system lets an ordinary user do."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_PDEATHSIG, 9, 0, 0, 0)
    cut_off = any(libc.unshare(flags) == 0 for flags in (_CLONE_NEWUSER | _CLONE_NEWNET, _CLONE_NEWNET))
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    for limit, value in (
        (resource.RLIMIT_AS, memory_bytes),
        (resource.RLIMIT_CPU, cpu_seconds),
        (resource.RLIMIT_FSIZE, MOST_OUTPUT_BYTES),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 256),
    ):
        _, hard = resource.getrlimit(limit)
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(limit, (value, value))
    return cut_off


def inspect(kind: str, file: IO[bytes], architecture: str | None) -> dict[str, Any]:
    """What the file is, as JSON. Raises InvalidInput with the reason why it is not taken."""
    if kind == "dataset":
        from service.npz_file import inspect_npz

        return inspect_npz(file)
    from service.model_file import inspect_model

    return inspect_model(file.read(), architecture)


def main(arguments: list[str]) -> int:
    """Inspect standard input. 0 if there is an answer, whatever it is."""
    kind, memory_bytes, cpu_seconds, *rest = arguments
    cut_off = enter_jail(int(memory_bytes), int(cpu_seconds))
    from paretrim.errors import InvalidInput

    try:
        answer: dict[str, Any] = {"inspection": inspect(kind, sys.stdin.buffer, rest[0] if rest else None)}
    except InvalidInput as error:
        answer = {"reason": str(error), "field": error.field}
    except MemoryError:
        answer = {"reason": "looking into the file takes more memory than it may"}
    except RecursionError:
        answer = {"reason": "the file is nested too deeply"}
    json.dump(answer | {"without_network": cut_off}, sys.stdout, allow_nan=False)
    sys.stdout.flush()
    return 0


if __name__ == "__main__":
    status = main(sys.argv[1:])
    os._exit(status)  # torch's threads are not worth waiting for
