"""Every algorithm on real trained networks, compressed and scored as a job does: who finds what, with the same evaluations.

    python -m benchmarks.search_on_networks --folder FOLDER --jobs kws-mcu,resnet20-macs --candidates 60 --seeds 3
        [--algorithms amc,ilp,random@800] [--workers 14 | --part 3/14] [--seconds 480] [--device cuda]
    python -m benchmarks.search_on_networks --folder FOLDER --report

No fine-tuning: what an algorithm sees while it searches, without racing. Each search (job, algorithm, seed) leaves one
JSON file in FOLDER, and one that is there is not run again: so a run that was ended goes on, and several processes
(--workers here, or --part i/n of several commands) share the work. `random@800` is `random` with 800 candidates. The
seconds printed are the algorithm's own. --device cuda runs candidates on a GPU, in float32; compressing stays on the CPU.
The job on host latency needs a table of a host: --host-table FILE, as
`paretrim profile --model resnet20_cifar10.onnx --out FILE` makes it.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import statistics
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, replace
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from threadpoolctl import threadpool_limits

from benchmarks.shared_data import dataset, folder, machine
from compressors import Compressor, CompressorOptions, collect_statistics, describe, fold, read_onnx
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
from search.foresight import Damages, foresee
from search.front import Front
from search.memory import keep_freed_memory
from search.prepare import CALIBRATION_ROWS, ROWS_PER_COLUMN, SENSITIVITY_ROWS
from search.space import Space

#: name: network, device, cost constraints, objectives
JOBS = {
    "digits-macs": ("digits", "bit-serial", ("macs_ratio <= 0.05",), ("accuracy",)),
    "digits-bops": ("digits", "bit-serial", ("bops_ratio <= 0.002",), ("accuracy",)),
    "digits-front": ("digits", "bit-serial", (), ("accuracy", "latency_ms")),
    "kws-mcu": ("kws", "mcu-m4", ("latency_ratio <= 0.5",), ("accuracy",)),
    "kws-macs": ("kws", "mcu-m4", ("macs_ratio <= 0.5",), ("accuracy",)),
    "kws-bops": ("kws", "bit-serial", ("bops_ratio <= 0.01",), ("accuracy",)),
    "kws-front": ("kws", "mcu-m4", (), ("accuracy", "latency_ms", "size_bytes")),
    "resnet20-macs": ("resnet20", "bit-serial", ("macs_ratio <= 0.5",), ("accuracy",)),
    "resnet20-host": ("resnet20", "host-cpu", ("latency_ratio <= 0.5",), ("accuracy",)),
    "resnet20-bops": ("resnet20", "bit-serial", ("bops_ratio <= 0.01",), ("accuracy",)),
    "resnet20-front": ("resnet20", "bit-serial", ("latency_ratio <= 0.5",), ("accuracy", "latency_ms")),
    "resnet56-macs": ("resnet56", "bit-serial", ("macs_ratio <= 0.5",), ("accuracy",)),
}


#: what is compared if nothing is said: all but the policies that a user gives
COMPARED = tuple(name for name in ALGORITHMS if name != "given")


@dataclass(frozen=True, slots=True)
class Run:
    """One search."""

    job: str
    algorithm: str
    seed: int
    candidates: int
    rows: int

    @property
    def file(self) -> str:
        return f"{self.job}.{self.algorithm}.{self.candidates}.{self.rows}.{self.seed}.json"


@dataclass
class Bench:
    """A network that policies can be tried on. Each policy is evaluated once."""

    name: str
    rows: int
    device: str = "cpu"  #: where candidates are run

    def __post_init__(self) -> None:
        self._known: dict[str, float] = {}
        self.not_on_device = 0  #: candidates that had to be run on the CPU
        self.foreseeing_seconds = 0.0  #: CPU time that measuring `damages` took

    @cached_property
    def _parts(self) -> tuple[Network, Compressor, Evaluator, Split]:
        content, calibration, scoring = self._inputs()
        imported = read_onnx(content)
        network = describe(imported)
        collected = collect_statistics(
            imported,
            network,
            calibration.sample(CALIBRATION_ROWS, 0).inputs(),
            rows_per_column=ROWS_PER_COLUMN,
            sensitivity_samples=SENSITIVITY_ROWS,
        )
        compressor = Compressor(imported, network, collected, CompressorOptions())
        chosen = scoring.sample(self.rows, 0)
        return network, compressor, Evaluator(compressor, chosen, "top1"), chosen

    @property
    def network(self) -> Network:
        return self._parts[0]

    @property
    def scoring(self) -> Split:
        """The validation rows that decide."""
        return self._parts[3]

    @cached_property
    def orders(self) -> Mapping[str, tuple[int, ...]]:
        """Units by group, the least important first."""
        return self._parts[1].orders()

    @cached_property
    def damages(self) -> Damages:
        """What is foreseen of each group, as a job's preparation measures it."""
        start = time.thread_time()
        content, calibration, _ = self._inputs()
        rows = calibration.sample(CALIBRATION_ROWS, 0).inputs()
        found = foresee(self._parts[1], read_onnx(content).module, self.network, rows, classes=True)
        self.foreseeing_seconds = time.thread_time() - start
        return found

    def accuracy(self, policy: Policy) -> float:
        """On validation rows, by evaluation or from memory."""
        if policy.key not in self._known:
            self._known[policy.key] = self._on_cpu(policy) if self.device == "cpu" else self._on_device(policy)
        return self._known[policy.key]

    def _on_cpu(self, policy: Policy) -> float:
        outcome = self._parts[2].evaluate(policy)
        assert outcome.accuracy is not None, outcome.failure
        return outcome.accuracy

    def _on_device(self, policy: Policy) -> float:
        inputs, targets = self._rows_there
        made = fold(self._parts[1].compress(policy).module)
        try:
            with torch.inference_mode():
                right = (made.to(self.device)(inputs).argmax(1) == targets).sum()
        except RuntimeError as error:  # a constant of the graph that did not move along
            if not self.not_on_device:
                print(f"{self.name}: {policy.key[:8]} runs on the CPU: {error}", flush=True)
            self.not_on_device += 1
            return self._on_cpu(policy)
        return int(right) / len(targets)

    @cached_property
    def _rows_there(self) -> tuple[torch.Tensor, torch.Tensor]:
        torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
        rows = self._parts[3]
        return rows.inputs().to(self.device), rows.targets().to(self.device)

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


@cache
def bench(name: str, rows: int, place: str) -> Bench:
    """One a process."""
    return Bench(name, rows, place)


def search(run: Run, device: Mapping[str, Any], place: str = "cpu") -> dict[str, Any]:
    """JSON: hypervolume after each candidate (with one objective: the best accuracy), and seconds.

    device: the document of the job's. place: where candidates are run, `cpu` or `cuda`.
    """
    network_name, _, constraint_texts, metrics = JOBS[run.job]
    tried = bench(network_name, run.rows, place)
    constraints = tuple(Constraint.parse(text) for text in constraint_texts)
    objectives = tuple(Objective(metric) for metric in metrics)
    loaded = load_device(device)
    costs = Costs(tried.network, loaded)
    original = replace(costs.original, accuracy=tried.accuracy(UNCHANGED))
    began, start, orders = time.monotonic(), time.thread_time(), tried.orders
    space = Space(tried.network, loaded, costs, objectives=objectives, constraints=constraints)
    damages = tried.damages if getattr(ALGORITHMS[run.algorithm], "informed", False) else {}
    task = Task(space, objectives, constraints, original, Budget(run.candidates), orders, damages)
    algorithm = ALGORITHMS[run.algorithm](task, check_options(run.algorithm, {}), run.seed)
    front, curve, own = Front(objectives, constraints, original), [0.0], time.thread_time() - start
    while len(curve) <= run.candidates:
        start = time.thread_time()
        policies = _window(algorithm, min(8, run.candidates + 1 - len(curve)))
        own += time.thread_time() - start
        if not policies:
            break
        told = [Candidate(len(curve) - 1 + i, p, _measured(p, space, tried)) for i, p in enumerate(policies)]
        for candidate in told:
            start = time.thread_time()
            algorithm.tell(candidate)
            own += time.thread_time() - start
            front.extend([(candidate.index, candidate)])
            curve.append(front.hypervolume)
    return {
        "run": asdict(run),
        "original": original.value("accuracy"),
        "machine": machine() + ("" if place == "cpu" else f", candidates on {torch.cuda.get_device_name()}"),
        "not_on_device": tried.not_on_device,
        "scored_on": len(tried.scoring),
        "foreseeing_seconds": tried.foreseeing_seconds if damages else 0.0,
        "curve": curve[1:],
        "own_seconds": own,
        "seconds": time.monotonic() - began,
    }


def _window(algorithm: object, size: int) -> list[Policy]:
    policies: list[Policy] = []
    try:
        for _ in range(size):
            policies.append(algorithm.ask())  # type: ignore[attr-defined]
    except SearchExhausted:
        pass
    return policies


def _measured(policy: Policy, space: Space, tried: Bench) -> Measurement:
    return replace(space.costs.measure(policy), accuracy=tried.accuracy(policy))


def perform(run: Run, place: Path, host_table: Path | None, on: str, until: float) -> str:
    """Run a search if there is time, and leave its file. until: seconds since the epoch."""
    if time.time() >= until:
        return f"no time left for {run.file}"
    torch.set_num_threads(1)
    keep_freed_memory()
    np.seterr(all="raise", under="ignore")
    name = JOBS[run.job][1]
    device = json.loads((host_table or Path()).read_text()) if name == "host-cpu" else shipped()[name]
    try:
        with threadpool_limits(1), single_thread():
            found = search(run, device, on)
    except ValueError as error:  # this algorithm does not take this job
        found = {"run": asdict(run), "refused": str(error)}
    part = place / f"{run.file}.part"
    part.write_text(json.dumps(found))
    part.rename(place / run.file)
    if "refused" in found:
        return f"{run.file}: {found['refused']}"
    return f"{run.file}: {found['curve'][-1]:.4f} after {len(found['curve'])}, {found['seconds']:.0f} s"


def runs(arguments: argparse.Namespace) -> list[Run]:
    """All that is asked for, one seed after the other: if time runs out, tables have fewer seeds, not fewer lines."""
    found = []
    for seed in range(arguments.seeds):
        for job in arguments.jobs.split(","):
            for text in arguments.algorithms.split(","):
                name, _, count = text.partition("@")
                found.append(Run(job, name, seed, int(count or arguments.candidates), arguments.rows))
    if arguments.part is not None:
        place, _, parts = arguments.part.partition("/")
        found = found[int(place) :: int(parts)]
    return found


def report(files: Iterable[Path]) -> None:
    """One table for each job, count of candidates and count of rows."""
    tables: dict[tuple[str, int, int], dict[str, list[dict[str, Any]]]] = {}
    for path in files:
        found = json.loads(path.read_text())
        run = Run(**found["run"])
        tables.setdefault((run.job, run.candidates, run.rows), {}).setdefault(run.algorithm, []).append(found)
    for (job, candidates, _), by_algorithm in sorted(tables.items()):
        done = [found for many in by_algorithm.values() for found in many if "curve" in found]
        if not done:
            continue
        _, device, constraints, metrics = JOBS[job]
        print(
            f"\n## {job}: {' and '.join(metrics)}, {' and '.join(constraints) or 'no constraint'}, on {device};"
            f" {candidates} candidates, {done[0]['scored_on']} validation rows, whole network {done[0]['original']:.4f}\n\n{done[0]['machine']}\n"
        )
        figure = "best accuracy" if len(metrics) == 1 else "hypervolume"
        print(f"| algorithm | {figure} | spread | at half | at 20 | seeds | ms each |\n|---|---|---|---|---|---|---|")
        lines = [_line(name, many, candidates) for name, many in by_algorithm.items()]
        print("\n".join(text for _, text in sorted(lines, reverse=True)))


def _line(name: str, many: Sequence[Mapping[str, Any]], candidates: int) -> tuple[float, str]:
    curves = [found["curve"] for found in many if "curve" in found]
    if not curves:
        return -1.0, f"| {name} | refused: {many[0]['refused']} | | | | | |"
    at = {
        place: statistics.mean(curve[min(place, len(curve)) - 1] for curve in curves)
        for place in (candidates, candidates // 2, 20)
    }
    spread = statistics.stdev([curve[-1] for curve in curves]) if len(curves) > 1 else 0.0
    own = 1000 * statistics.mean(found["own_seconds"] / len(found["curve"]) for found in many if "curve" in found)
    text = f"| {name} | {at[candidates]:.4f} | {spread:.4f} | {at[candidates // 2]:.4f} | {at[20]:.4f} | {len(curves)} | {own:.1f} |"
    return at[candidates], text


def main() -> None:
    """Run what is missing, then print the tables."""
    arguments = _arguments()
    place: Path = arguments.folder
    place.mkdir(parents=True, exist_ok=True)
    if not arguments.report:
        missing = [run for run in runs(arguments) if not (place / run.file).exists()]
        print(f"{machine()}\n{len(missing)} searches to run", flush=True)
        until = time.time() + arguments.seconds
        if arguments.workers == 1:
            for run in missing:
                print(perform(run, place, arguments.host_table, arguments.device, until), flush=True)
        else:
            with ProcessPoolExecutor(arguments.workers, multiprocessing.get_context("spawn")) as pool:
                waiting = [
                    pool.submit(perform, run, place, arguments.host_table, arguments.device, until) for run in missing
                ]
                for done in as_completed(waiting):
                    print(done.result(), flush=True)
    if arguments.part is None:
        report(sorted(place.glob("*.json")))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "paretrim-benchmarks" / "networks")
    parser.add_argument("--report", action="store_true", help="run nothing, print the tables of what is there")
    parser.add_argument("--jobs", default="kws-mcu", help=", ".join(JOBS))
    parser.add_argument("--algorithms", default=",".join(COMPARED))
    parser.add_argument("--candidates", type=int, default=60)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--rows", type=int, default=1000)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu", help="where candidates are run")
    parser.add_argument("--workers", type=int, default=1, help="processes")
    parser.add_argument("--part", default=None, help="i/n: every n-th search from the i-th on, i from 0")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="no search is begun after so many")
    parser.add_argument("--host-table", type=Path, default=None, help="the table of device host-cpu")
    arguments = parser.parse_args()
    unknown = set(arguments.jobs.split(",")) - JOBS.keys()
    if unknown:
        parser.error(f"--jobs: there is no {', '.join(sorted(unknown))}; choose from {', '.join(JOBS)}")
    if any(JOBS[job][1] == "host-cpu" for job in arguments.jobs.split(",")) and arguments.host_table is None:
        parser.error("--host-table: the file is missing that `paretrim profile --model NETWORK --out FILE` makes")
    return arguments


if __name__ == "__main__":
    main()
