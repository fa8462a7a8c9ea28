"""Has the C library keep memory that is freed, as every pass through a network asks for the same again."""

from __future__ import annotations

import ctypes
import os

#: parameters of glibc's mallopt(3)
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
#: blocks below are taken from memory that was freed before; each of those above is mapped, and cleared, anew
KEPT_BLOCK_BYTES = 2**30
#: by which a user says himself how memory is allocated
SETTINGS = ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "MALLOC_MMAP_MAX_", "GLIBC_TUNABLES")


def keep_freed_memory() -> bool:
    """Keep it in this process from now on; returns whether that could be done (glibc, and nothing set by the user).

    Activations of some megabytes are otherwise given back to the system and cleared by it again for every layer: that
    took more than a third of the time of passes over images of 96 x 96 pixels (`benchmarks.passes`). The process stays
    as large as it once was.
    """
    if any(name in os.environ for name in SETTINGS):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    return all(
        mallopt(name, value) == 1 for name, value in ((_MMAP_THRESHOLD, KEPT_BLOCK_BYTES), (_TRIM_THRESHOLD, 2**31 - 1))
    )
