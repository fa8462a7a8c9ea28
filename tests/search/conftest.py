from __future__ import annotations

from collections.abc import Iterator

import pytest

from search.ray_cluster import cluster  # before anything imports ray: it sets what ray reads then


@pytest.fixture(scope="session")
def ray_workers() -> Iterator[int]:
    """A local Ray, started once: how many evaluations may run at once."""
    with cluster(workers=2) as workers:
        yield workers
