"""Every algorithm on real trained networks, compressed and scored as a job does: who finds what, with the same evaluations.

    python -m benchmarks.search_on_networks --jobs kws-macs --candidates 80 --seeds 3 --algorithms amc,ilp,random

One process, no fine-tuning: what an algorithm sees while it searches. Accuracies are kept by policy in the temporary folder, so
that algorithms and runs share them; the seconds printed are the algorithm's own.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import torch

from benchmarks.shared_data import dataset, folder, machine
from compressors import Compressor, CompressorOptions, collect_statistics, describe, read_onnx
from demo import digits
from hw_models.cost import Costs
from hw_models.devices import load_device, shipped
from paretrim.algorithms import check_options
from paretrim.errors import SearchExhausted
from paretrim.network import Network
from paretrim.problem import UNCHANGED, Budget, Candidate, Constraint, Measurement, Objective, Policy
from search.algorithm import Task
from search.algorithms import ALGORITHMS
from search.data import Split, load_dataset
from search.evaluate import Evaluator, single_thread
from search.front import Front
from search.space import Space

#: name: network, device, cost constraints, objectives
JOBS = {
    "digits-macs": ("digits", "bit-serial", ("macs_ratio <= 0.05",), ("accuracy",)),
    "digits-bops": ("digits", "bit-serial", ("bops_ratio <= 0.002",), ("accuracy",)),
    "digits-front": ("digits", "bit-serial", (), ("accuracy", "latency_ms")),
    "kws-macs": ("kws", "mcu-m4", ("macs_ratio <= 0.5",), ("accuracy",)),
    "kws-front": ("kws", "mcu-m4", (), ("accuracy", "latency_ms", "size_bytes")),
    "resnet20-macs": ("resnet20", "bit-serial", ("macs_ratio <= 0.5",), ("accuracy",)),
    "resnet20-bops": ("resnet20", "bit-serial", ("bops_ratio <= 0.01",), ("accuracy",)),
    "resnet20-front": ("resnet20", "bit-serial", ("latency_ratio <= 0.5",), ("accuracy", "latency_ms")),
    "resnet56-macs": ("resnet56", "bit-serial", ("macs_ratio <= 0.5",), ("accuracy",)),
}


@dataclass
class Bench:
    """A network that policies can be tried on."""

    name: str
    rows: int

    @cached_property
    def _parts(self) -> tuple[Network, Evaluator]:
        content, calibration, scoring = self._inputs()
        imported = read_onnx(content)
        network = describe(imported)
        inputs = calibration.sample(512, 0).inputs()
        compressor = Compressor(imported, network, collect_statistics(imported, network, inputs), CompressorOptions())
        return network, Evaluator(compressor, scoring.sample(self.rows, 0), "top1")

    @cached_property
    def network(self) -> Network:
        return self._parts[0]

    @cached_property
    def _known(self) -> dict[str, float]:
        return json.loads(self._path.read_text()) if self._path.exists() else {}

    @property
    def _path(self) -> Path:
        return Path(tempfile.gettempdir()) / "paretrim-benchmarks" / f"{self.name}-{self.rows}.json"

    def accuracy(self, policy: Policy) -> float:
        """On validation rows, by evaluation or from memory."""
        if policy.key not in self._known:
            outcome = self._parts[1].evaluate(policy)
            assert outcome.accuracy is not None, outcome.failure
            self._known[policy.key] = outcome.accuracy
        return self._known[policy.key]

    def save(self) -> None:
        """Keep what was evaluated."""
        self._path.parent.mkdir(exist_ok=True)
        self._path.write_text(json.dumps(self._known))

    def _inputs(self) -> tuple[bytes, Split, Split]:
        """The network's file, rows for statistics, rows for scoring."""
        if self.name == "digits":
            return self._digits()
        files = {"kws": "kws_dscnn.onnx", "resnet20": "resnet20_cifar10.onnx", "resnet56": "resnet56_cifar10.onnx"}
        path = folder() / "kws.npz" if self.name == "kws" else dataset("cifar10")
        splits = load_dataset(path, 0)
        return (folder() / files[self.name]).read_bytes(), splits.train or splits.validation, splits.validation

    def _digits(self) -> tuple[bytes, Split, Split]:
        place = Path(tempfile.gettempdir()) / "paretrim-benchmarks" / "digits"
        if not (place / "digits.onnx").exists():
            net, _ = digits.write(place)
            torch.onnx.export(
                net,
                (torch.zeros(1, 1, 8, 8),),
                str(place / "digits.onnx"),
                input_names=["input"],
                dynamo=False,
                opset_version=17,
            )
        splits = load_dataset(place / "digits.npz", 0)
        return (place / "digits.onnx").read_bytes(), splits.train or splits.validation, splits.validation


def search(name: str, job: str, bench: Bench, seed: int, candidates: int) -> tuple[list[float], float]:
    """Hypervolume after each candidate (with one objective: the best accuracy), and the algorithm's seconds."""
    _, device_name, constraint_texts, metrics = JOBS[job]
    constraints = tuple(Constraint.parse(text) for text in constraint_texts)
    objectives = tuple(Objective(metric) for metric in metrics)
    device = load_device(shipped()[device_name])
    costs = Costs(bench.network, device)
    original = replace(costs.original, accuracy=bench.accuracy(UNCHANGED))
    start = time.thread_time()
    space = Space(bench.network, device, costs, objectives=objectives, constraints=constraints)
    task = Task(space, objectives, constraints, original, Budget(candidates))
    algorithm = ALGORITHMS[name](task, check_options(name, {}), seed)
    front, curve, own = Front(objectives, constraints, original), [0.0], time.thread_time() - start
    while len(curve) <= candidates:
        start = time.thread_time()
        policies = _window(algorithm, min(8, candidates + 1 - len(curve)))
        own += time.thread_time() - start
        if not policies:
            break
        told = [Candidate(len(curve) + i, p, _measured(p, space, bench)) for i, p in enumerate(policies)]
        for candidate in told:
            start = time.thread_time()
            algorithm.tell(candidate)
            own += time.thread_time() - start
            front.extend([(candidate.index, candidate)])
            curve.append(front.hypervolume)
    return curve, own


def _window(algorithm: object, size: int) -> list[Policy]:
    policies: list[Policy] = []
    try:
        for _ in range(size):
            policies.append(algorithm.ask())  # type: ignore[attr-defined]
    except SearchExhausted:
        pass
    return policies


def _measured(policy: Policy, space: Space, bench: Bench) -> Measurement:
    return replace(space.costs.measure(policy), accuracy=bench.accuracy(policy))


def report(job: str, names: Sequence[str], candidates: int, seeds: int, rows: int) -> None:
    """Run and print one job's table."""
    bench = Bench(JOBS[job][0], rows)
    print(f"\n{job}: {candidates} candidates, {seeds} seeds, whole network {bench.accuracy(UNCHANGED):.4f}", flush=True)
    print(f"{'algorithm':12} {'mean':>7} {'spread':>7} {'at half':>8} {'at 20':>7} {'ms each':>8}", flush=True)
    lines = []
    for name in names:
        try:
            runs = [search(name, job, bench, seed, candidates) for seed in range(seeds)]
        except ValueError as error:
            print(f"{name:12} {error}")
            continue
        finally:
            bench.save()
        at = {
            place: statistics.mean(curve[min(place, len(curve) - 1)] for curve, _ in runs)
            for place in (candidates, candidates // 2, 20)
        }
        last = [curve[-1] for curve, _ in runs]
        spread = statistics.stdev(last) if seeds > 1 else 0.0
        own = 1000 * statistics.mean(seconds / max(1, len(curve) - 1) for curve, seconds in runs)
        print(
            f"{name:12} {at[candidates]:7.4f} {spread:7.4f} {at[candidates // 2]:8.4f} {at[20]:7.4f} {own:8.1f}",
            flush=True,
        )
        lines.append((at[candidates], name))
    print("best first:", ", ".join(name for _, name in sorted(lines, reverse=True)), flush=True)


def main() -> None:
    """One table a job."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", default="kws-macs")
    parser.add_argument("--algorithms", default=",".join(ALGORITHMS))
    parser.add_argument("--candidates", type=int, default=80)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--rows", type=int, default=1000)
    arguments = parser.parse_args()
    print(machine())
    np.seterr(all="raise", under="ignore")
    with single_thread():
        for job in arguments.jobs.split(","):
            report(job, arguments.algorithms.split(","), arguments.candidates, arguments.seeds, arguments.rows)


if __name__ == "__main__":
    main()
