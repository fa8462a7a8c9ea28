"""Does an agent that has walked one network, or one device, do better on another than one that starts afresh?

    python -m benchmarks.transfer --candidates 40 --seeds 3

Two cases for each seed, both on accuracies made by arithmetic: the same network with half of other costs (a search on MACs, then
one on latency), learning from all candidates; and another network, taking over the actor and critic. The baseline is the same
algorithm without help. A landscape is no network: a first look.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable

from benchmarks.shared_data import machine
from paretrim.problem import Candidate
from search.agent_search import AgentSearch
from search.algorithm import Algorithm
from search.transfer import split, transferred
from tests.search.landscapes import Landscape, drive, front, make, task
from tests.search.spaces import mobilenet, resnet, space

OPTIONS = {"hidden": 64}


def _best(name: str, landscape: Landscape, seed: int, candidates: int, prepare: Callable[[Algorithm], int]) -> float:
    """Best accuracy after so many candidates; `prepare` says how many of them it has spent."""
    about = task(landscape, (), candidates)
    algorithm = make(name, about, seed, **(OPTIONS if name == "amc" else {}))
    spent = prepare(algorithm)
    found = front(about, drive(algorithm, landscape, candidates - spent, window=8))
    return max(found.hypervolume, getattr(prepare, "best", 0.0))


class _FromCandidates:
    """Learns as a job does: the best again, the rest from memory."""

    def __init__(self, known: list[Candidate], landscape: Landscape) -> None:
        self._known, self._landscape, self.best = known, landscape, 0.0

    def __call__(self, algorithm: Algorithm) -> int:
        about = task(self._landscape)
        taken = transferred(self._known, self._landscape.space)
        first, rest = split(
            taken, self._landscape.space, about.objectives, about.constraints, self._landscape.original, 8
        )
        algorithm.learn(rest)
        for index, policy in enumerate(first):
            candidate = self._landscape.candidate(index, policy)
            assert candidate.measurement is not None
            algorithm.tell(candidate)
            self.best = max(self.best, candidate.measurement.value("accuracy"))
        return len(first)


def _adopting(arrays: bytes) -> Callable[[Algorithm], int]:
    def prepare(algorithm: Algorithm) -> int:
        assert isinstance(algorithm, AgentSearch)
        algorithm.adopt(arrays)
        return 0

    return prepare


def measure(name: str, seed: int, candidates: int) -> dict[str, float]:
    """Best accuracies of one seed: afresh and helped, on another device and on another network."""
    here = Landscape(space(resnet(), ("macs_ratio <= 0.5",)), seed)
    there = Landscape(space(resnet(), ("latency_ratio <= 0.5",), step=4), seed)
    other = Landscape(space(mobilenet(), ("macs_ratio <= 0.5",)), seed)
    teacher = make(name, task(here, (), candidates), seed, **(OPTIONS if name == "amc" else {}))
    known = drive(teacher, here, candidates, window=8)
    found = {
        "device, afresh": _best(name, there, seed, candidates, lambda _: 0),
        "device, helped": _best(name, there, seed, candidates, _FromCandidates(known, there)),
    }
    if isinstance(teacher, AgentSearch):
        found["network, afresh"] = _best(name, other, seed, candidates, lambda _: 0)
        found["network, helped"] = _best(name, other, seed, candidates, _adopting(teacher.state()[1]))
    return found


def main() -> None:
    """Print one line an algorithm and case."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--algorithms", default="amc,portfolio,tec")
    parser.add_argument("--candidates", type=int, default=40)
    parser.add_argument("--seeds", type=int, default=3)
    arguments = parser.parse_args()
    print(machine())
    print(f"{arguments.candidates} candidates, {arguments.seeds} seeds, best accuracy")
    for name in arguments.algorithms.split(","):
        runs = [measure(name, seed, arguments.candidates) for seed in range(arguments.seeds)]
        for case in runs[0]:
            values = [run[case] for run in runs]
            spread = statistics.stdev(values) if len(values) > 1 else 0.0
            print(f"{name:12} {case:16} {statistics.mean(values):.4f} {spread:.4f}", flush=True)


if __name__ == "__main__":
    main()
