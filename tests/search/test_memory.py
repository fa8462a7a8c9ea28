"""Memory that was freed serves again, unless the user has said how memory is allocated."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest

from search.memory import SETTINGS

#: asks for 40 MB and frees them, again and again; prints whether memory is kept, and the pages that were cleared
PROGRAM = """
import ctypes, resource
from search.memory import keep_freed_memory
kept = {ask} and keep_freed_memory()
library = ctypes.CDLL(None)
library.malloc.restype, library.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
def use():
    block = library.malloc(40 * 2**20)
    ctypes.memset(block, 1, 40 * 2**20)
    library.free(block)
use()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    use()
print(kept, resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""

pytestmark = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can be told")


def run(*, ask: bool, **variables: str) -> tuple[str, int]:
    environment = {name: value for name, value in os.environ.items() if name not in SETTINGS} | variables
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(ask=ask)], env=environment, capture_output=True, text=True, check=True
    )
    kept, pages = done.stdout.split()
    return kept, int(pages)


def test_a_large_block_is_cleared_once_and_not_each_time() -> None:
    kept, pages = run(ask=True)
    assert kept == "True"
    assert pages * 10 < run(ask=False)[1]


@pytest.mark.parametrize("name", SETTINGS)
def test_what_the_user_has_said_stands(name: str) -> None:
    value = "glibc.malloc.trim_threshold=131072" if name == "GLIBC_TUNABLES" else "131072"
    assert run(ask=True, **{name: value})[0] == "False"
