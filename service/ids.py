"""Names of rows: typed and sortable by the time they were made, e.g. `job_01968f3c7a...`."""

from __future__ import annotations

import os
import time

#: prefix of each kind of row
PREFIXES = {
    "workspace": "ws",
    "key": "key",
    "upload": "upl",
    "artifact": "art",
    "model": "mdl",
    "dataset": "dst",
    "job": "job",
    "search": "srch",
    "export": "exp",
    "webhook": "whk",
    "message": "msg",
    "device": "dev",
    "audit": "aud",
    "request": "req",
}


def new_id(kind: str) -> str:
    """A new name: the kind's prefix and a UUIDv7 (RFC 9562: 48 bits of milliseconds, then chance)."""
    milliseconds = time.time_ns() // 1_000_000
    chance = int.from_bytes(os.urandom(10), "big")
    value = (milliseconds & (2**48 - 1)) << 80 | 0x7 << 76 | (chance >> 66 & 0xFFF) << 64 | 0b10 << 62
    value |= chance & (2**62 - 1)
    return f"{PREFIXES[kind]}_{value:032x}"
