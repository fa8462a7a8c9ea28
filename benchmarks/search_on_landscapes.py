"""Every algorithm on accuracies made by arithmetic, where a thousand candidates take seconds: who finds what, how soon.

    python benchmarks/search_on_landscapes.py --candidates 100 --seeds 5

A landscape is no network; see the other benchmarks for those. It shows which algorithms work at all, and what they cost.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent.parent), str(Path(__file__).parent.parent / "sdk")]

from search.algorithms import ALGORITHMS
from tests.search.landscapes import Landscape, drive, front, make, task
from tests.search.spaces import MIXED, mobilenet, resnet, space

#: name: network, cost constraints, objectives, bits
JOBS = {
    "widths, half the MACs": (resnet, ("macs_ratio <= 0.5",), ("accuracy",), None),
    "widths and bits, a fiftieth of the bit operations": (resnet, ("bops_ratio <= 0.02",), ("accuracy",), MIXED),
    "front of accuracy and time": (resnet, ("latency_ratio <= 0.7",), ("accuracy", "latency_ms"), None),
    "front of accuracy, time and size": (mobilenet, (), ("accuracy", "latency_ms", "size_bytes"), MIXED),
}


def run(name: str, job: str, seed: int, candidates: int) -> tuple[float, float]:
    """Hypervolume (with one objective: the best accuracy) and seconds of one search."""
    network, constraints, objectives, bits = JOBS[job]
    found = space(network(), constraints, objectives, bits) if bits else space(network(), constraints, objectives)
    landscape = Landscape(found, seed, noise=0.1)
    about = task(landscape, (), candidates)
    start = time.thread_time()
    told = drive(make(name, about, seed), landscape, candidates, window=8)
    return front(about, told).hypervolume, time.thread_time() - start


def main() -> None:
    """Print one table a job."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--candidates", type=int, default=100)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--algorithms", default=",".join(ALGORITHMS))
    parser.add_argument("--jobs", default="0,1,2,3")
    arguments = parser.parse_args()
    for job in [list(JOBS)[int(place)] for place in arguments.jobs.split(",")]:
        print(f"\n{job}: {arguments.candidates} candidates, {arguments.seeds} seeds")
        print(f"{'algorithm':12} {'mean':>7} {'spread':>7} {'ms each':>8}")
        rows = []
        for name in arguments.algorithms.split(","):
            try:
                runs = [run(name, job, seed, arguments.candidates) for seed in range(arguments.seeds)]
            except ValueError as error:
                print(f"{name:12} {error}")
                continue
            values = [value for value, _ in runs]
            spread = statistics.stdev(values) if len(values) > 1 else 0.0
            cost = 1000 * statistics.mean(seconds for _, seconds in runs) / arguments.candidates
            print(f"{name:12} {statistics.mean(values):7.4f} {spread:7.4f} {cost:8.1f}", flush=True)
            rows.append((statistics.mean(values), name))
        print("best first:", ", ".join(name for _, name in sorted(rows, reverse=True)), flush=True)


if __name__ == "__main__":
    main()
