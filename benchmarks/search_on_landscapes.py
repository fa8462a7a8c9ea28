"""Every algorithm on accuracies made by arithmetic, where a thousand candidates take seconds: who finds what, how soon.

    python -m benchmarks.search_on_landscapes --candidates 80 --seeds 3 [--which tuning|held-out] [--reach 800]
        [--workers 2]

A landscape is no network; see the other benchmarks for those. It shows which algorithms work at all, and what they cost.
The algorithms were developed on the landscapes `tuning`. The `held-out` ones are other networks, budgets and seeds, and
not only damage that adds up in the exponent: neighbours share far more of it, or the worst group decides.
--reach N: how many candidates the first algorithm named needs for what `random` has after N, over the same seeds.
"""

from __future__ import annotations

import argparse
import multiprocessing
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent.parent), str(Path(__file__).parent.parent / "sdk")]

from paretrim.network import Network
from paretrim.problem import Bits, Policy
from search.algorithms import ALGORITHMS
from search.front import Front
from tests.search.landscapes import Landscape, drive, make, task
from tests.search.spaces import FP32, INT8, MIXED, mobilenet, plain, resnet, space


class Weakest(Landscape):
    """A landscape in which what the worst group lost counts as much as all else together."""

    def accuracy(self, policy: Policy) -> float:
        """In (0.1, 0.9]."""
        kept = self.space.network.kept_units(policy)
        worst = max(1 - kept[name] / units for name, units in self._units.items())
        return 0.1 + (super().accuracy(policy) - 0.1) * (1 - worst**4)


@dataclass(frozen=True)
class Job:
    """What is searched, on which landscape."""

    network: Callable[[], Network]
    constraints: tuple[str, ...]
    objectives: tuple[str, ...] = ("accuracy",)
    bits: tuple[Bits, ...] = (FP32, INT8)
    landscape: type[Landscape] = Landscape
    coupling: float = 1.0
    first_seed: int = 0


FRONT = ("accuracy", "latency_ms")
SETS = {
    "tuning": {
        "widths, half the MACs": Job(resnet, ("macs_ratio <= 0.5",)),
        "widths and bits, a fiftieth of the bit operations": Job(resnet, ("bops_ratio <= 0.02",), bits=MIXED),
        "front of accuracy and time": Job(resnet, ("latency_ratio <= 0.7",), FRONT),
        "front of accuracy, time and size": Job(mobilenet, (), (*FRONT, "size_bytes"), MIXED),
    },
    "held-out": {
        "widths, a third of the MACs, neighbours share the damage": Job(
            lambda: resnet(5), ("macs_ratio <= 0.33",), coupling=4.0, first_seed=100
        ),
        "widths and bits, a tenth of the size, the worst group decides": Job(
            lambda: plain((16, 32, 32, 64, 64, 96)),
            ("size_ratio <= 0.1",),
            bits=MIXED,
            landscape=Weakest,
            first_seed=200,
        ),
        "front of accuracy and time, neighbours share the damage": Job(
            lambda: mobilenet((16, 24, 32, 48, 64, 96)), ("latency_ratio <= 0.6",), FRONT, coupling=4.0, first_seed=300
        ),
        "front of accuracy and MACs, the worst group decides": Job(
            lambda: resnet(2), ("macs_ratio <= 0.6",), ("accuracy", "macs"), landscape=Weakest, first_seed=400
        ),
    },
}


def run(which: str, name: str, job: str, seed: int, candidates: int) -> tuple[list[float], float] | str:
    """Hypervolume after each candidate (with one objective: the best accuracy) and seconds; or why there is none."""
    about = SETS[which][job]
    found = space(about.network(), about.constraints, about.objectives, about.bits)
    landscape = about.landscape(found, about.first_seed + seed, noise=0.1, coupling=about.coupling)
    asked = task(landscape, (), candidates)
    start = time.thread_time()
    try:
        told = drive(make(name, asked, seed), landscape, candidates, window=8)
    except ValueError as error:
        return str(error)
    seconds = time.thread_time() - start
    front, curve = Front(asked.objectives, asked.constraints, asked.original), []
    for candidate in told:
        front.extend([(candidate.index, candidate)])
        curve.append(front.hypervolume)
    return curve, seconds


def main() -> None:
    """Print one table a job."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--candidates", type=int, default=80)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--algorithms", default=",".join(name for name in ALGORITHMS if name != "given"))
    parser.add_argument("--which", choices=tuple(SETS), default="tuning")
    parser.add_argument("--jobs", default="0,1,2,3")
    parser.add_argument("--reach", type=int, default=None)
    parser.add_argument("--workers", type=int, default=1)
    arguments = parser.parse_args()
    jobs = [list(SETS[arguments.which])[int(place)] for place in arguments.jobs.split(",")]
    names = arguments.algorithms.split(",")
    with ProcessPoolExecutor(arguments.workers, multiprocessing.get_context("forkserver")) as pool:
        for job in jobs:
            asked = [(name, seed) for name in names for seed in range(arguments.seeds)]
            made = list(pool.map(_asked, [(arguments.which, n, job, s, arguments.candidates) for n, s in asked]))
            _print(job, arguments, {n: [r for (m, _), r in zip(asked, made, strict=True) if m == n] for n in names})
            if arguments.reach:
                wanted = list(
                    pool.map(
                        _asked, [(arguments.which, "random", job, s, arguments.reach) for s in range(arguments.seeds)]
                    )
                )
                _print_reach(
                    names[0],
                    arguments.reach,
                    [r for r, (n, _) in zip(made, asked, strict=True) if n == names[0]],
                    wanted,
                )


def _asked(what: tuple[str, str, str, int, int]) -> tuple[list[float], float] | str:
    return run(*what)


def _print(job: str, arguments: argparse.Namespace, found: dict[str, list[tuple[list[float], float] | str]]) -> None:
    print(f"\n{arguments.which}: {job}: {arguments.candidates} candidates, {arguments.seeds} seeds")
    print("| algorithm | mean | spread | at half | ms each |\n|---|---|---|---|---|")
    rows = []
    for name, results in found.items():
        runs = [result for result in results if not isinstance(result, str)]
        if not runs:
            rows.append((-1.0, f"| {name} | refused: {results[0]} | | | |"))
            continue
        values = [curve[-1] for curve, _ in runs]
        half = statistics.mean(curve[min(len(curve), arguments.candidates // 2) - 1] for curve, _ in runs)
        spread = statistics.stdev(values) if len(values) > 1 else 0.0
        cost = 1000 * statistics.mean(seconds / len(curve) for curve, seconds in runs)
        mean = statistics.mean(values)
        rows.append((mean, f"| {name} | {mean:.4f} | {spread:.4f} | {half:.4f} | {cost:.0f} |"))
    print("\n".join(text for _, text in sorted(rows, reverse=True)), flush=True)


def _print_reach(
    name: str,
    count: int,
    results: Sequence[tuple[list[float], float] | str],
    wanted: Sequence[tuple[list[float], float] | str],
) -> None:
    needed = []
    for ours, theirs in zip(results, wanted, strict=True):
        assert not isinstance(ours, str)
        assert not isinstance(theirs, str)
        needed.append(
            next((str(n + 1) for n, value in enumerate(ours[0]) if value >= theirs[0][-1]), f"over {len(ours[0])}")
        )
    print(f"{name} has what random has after {count} candidates after {', '.join(needed)}", flush=True)


if __name__ == "__main__":
    main()
