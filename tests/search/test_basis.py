"""What a job's workers load."""

from __future__ import annotations

import subprocess
import sys


def test_a_worker_loads_nothing_that_only_searches_need() -> None:
    """A job waits for that before its first candidate, and again when a worker has died."""
    heavy = ("optuna", "stable_baselines3", "gymnasium", "pandas", "scipy.stats", "search.algorithms")
    program = f"import sys, search.ray_worker; print([name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
