"""Which of a machine's processes a job depends on. That it ends with them `tests/chaos/test_ray_node.py` shows."""

from __future__ import annotations

import pytest

from search.ray_watch import _serves

SESSION = "/tmp/ray/session_1"
SOCKETS = [f"{SESSION}/sockets/raylet"]


@pytest.mark.parametrize(
    ("name", "words", "depends"),
    [
        ("raylet", [f"--raylet_socket_name={SESSION}/sockets/raylet"], True),
        ("raylet", [f"--raylet_socket_name={SESSION}/sockets/raylet.1"], False),  # another node of this machine
        ("raylet", ["--raylet_socket_name=/tmp/ray/session_2/sockets/raylet"], False),
        ("gcs_server", [f"--session-dir={SESSION}"], True),
        ("gcs_server", ["--session-dir=/tmp/ray/session_12"], False),
        ("gcs_server", [f"--session-dir={SESSION}", "--redis_address=10.0.0.1"], False),  # comes back and knows all
    ],
)
def test_a_job_depends_on_its_own_node_and_on_its_clusters_books_where_they_are_kept_once(
    name: str, words: list[str], depends: bool
) -> None:
    assert _serves(name, [name, *words], SOCKETS) is depends
