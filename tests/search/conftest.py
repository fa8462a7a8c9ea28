from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from types import FrameType

import pytest

from search.ray_cluster import cluster  # before anything imports ray: it sets what ray reads then


def on_sigterm(number: int, _frame: FrameType | None) -> None:
    """As a process hears that it shall stop which has a handler of its own."""
    sys.exit(number)


@pytest.fixture(scope="session")
def ray_workers() -> Iterator[int]:
    """A local Ray, started once: how many evaluations may run at once."""
    before = signal.signal(signal.SIGTERM, on_sigterm)
    with cluster(workers=2) as workers:
        yield workers
    signal.signal(signal.SIGTERM, before)
