"""ResNet-20 on JPEG-CIFAR-10 at half its MACs: amc, nsga2, random and uniform side by side, the best two fine-tuned.

    python -m benchmarks.cifar_resnet20 [--candidates 200] [--epochs 3] [--rows 1000]

The search sees the validation split only; the test split is read once, for the networks of the last table.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.shared_data import dataset, folder, machine
from hw_models.measure import time_together
from paretrim.algorithms import with_baselines
from paretrim.problem import Budget, Candidate, Constraint, Objective
from search.craft import CraftBasis, Crafted, judge
from search.local import FolderRecorder, begin
from search.local_devices import HOST, find_device
from search.plan import JobInputs, JobPlan, SearchPlan
from search.prepare import Prepared, prepare
from search.ray_cluster import cluster
from search.ray_delivery import RayWorkshop
from search.ray_worker import Crew
from search.run import run_job

ALGORITHMS = ("amc", "nsga2", "random", "uniform")


@dataclass(frozen=True)
class Best:
    """The best candidate of one search."""

    algorithm: str
    candidate: Candidate
    evaluated: int
    seconds: float

    @property
    def accuracy(self) -> float:
        assert self.candidate.measurement is not None
        return self.candidate.measurement.value("accuracy")


def main() -> None:
    """Search, fine-tune, print."""
    options = _options()
    plan, inputs = _plan(options), _inputs()
    print(machine())
    print(f"ResNet-20, macs_ratio <= 0.5, {options.candidates} candidates a search, {options.rows} validation rows\n")
    with tempfile.TemporaryDirectory() as place, _recorder(Path(place), plan, inputs) as recorder:
        start = time.monotonic()
        run_job(plan, inputs, recorder, executor="ray")
        seconds = time.monotonic() - start
        best = [_best(search, recorder) for search in plan.searches]
        prepared = prepare(plan, inputs, recorder)
        _print_searches(best, prepared, seconds)
        _print_delivered(sorted(best, key=lambda b: -b.accuracy)[:2], prepared, inputs, options)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--candidates", type=int, default=200)
    parser.add_argument("--epochs", type=float, default=3)
    parser.add_argument("--rows", type=int, default=1000, help="validation rows a candidate is scored on")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def _plan(options: argparse.Namespace) -> JobPlan:
    searches = tuple(
        SearchPlan(f"s{place}", place, chosen.name, chosen.options, options.seed, chosen.baseline)
        for place, chosen in enumerate(with_baselines(ALGORITHMS))
    )
    return JobPlan(
        id="cifar-resnet20",
        searches=searches,
        objectives=(Objective("accuracy"),),
        constraints=(Constraint.parse("macs_ratio <= 0.5"),),
        budget=Budget(options.candidates),
        seed=options.seed,
        deliver=0,
        validation_samples=options.rows,
    )


def _inputs() -> JobInputs:
    model = (folder() / "resnet20_cifar10.onnx").read_bytes()
    return JobInputs(model, dataset("cifar10"), find_device(HOST, print))


@contextmanager
def _recorder(place: Path, plan: JobPlan, inputs: JobInputs) -> Iterator[FolderRecorder]:
    begin(place, plan, inputs)
    quiet = {"show": lambda *_: None, "say": lambda level, text: print(f"{level}: {text}")}
    with FolderRecorder(place, plan, **quiet) as recorder:  # type: ignore[arg-type]
        yield recorder


def _best(search: SearchPlan, recorder: FolderRecorder) -> Best:
    recorded = recorder.recorded(search.id)
    measured = [c for c in recorded.candidates if c.measurement is not None]
    best = max(measured, key=lambda c: c.measurement.value("accuracy") if c.measurement else 0.0)
    return Best(search.algorithm, best, len(recorded.candidates), recorded.seconds)


def _print_searches(best: list[Best], prepared: Prepared, seconds: float) -> None:
    print("| algorithm | best accuracy before fine-tuning (validation) | MACs | size | predicted latency | evaluated |")
    print("|---|---|---|---|---|---|")
    rows = [("original", prepared.original, 1), *((b.algorithm, b.candidate.measurement, b.evaluated) for b in best)]
    for name, measurement, evaluated in rows:
        assert measurement is not None
        print(
            f"| {name} | {measurement.value('accuracy'):.4f} | {measurement.value('macs') / 1e6:.2f} M"
            f" | {measurement.value('size_bytes') / 1000:.0f} kB | {measurement.value('latency_ms'):.3f} ms"
            f" | {evaluated} |"
        )
    total = sum(b.evaluated for b in best)
    print(f"\n{total} candidates in {seconds:.0f} s with preparation: {total / seconds:.2f} a second in all searches.")
    ranked = sorted(best, key=lambda b: -b.accuracy)
    print(f"Order before fine-tuning: {', '.join(b.algorithm for b in ranked)}.\n")


def _print_delivered(best: list[Best], prepared: Prepared, inputs: JobInputs, options: argparse.Namespace) -> None:
    splits = prepared.splits
    basis = CraftBasis(
        replace(prepared.basis, scoring=splits.validation),
        splits.train,
        splits.validation,
        splits.test,
        options.epochs,
        options.seed,
    )
    with cluster(data_bytes=2 * (splits.train.x.nbytes if splits.train else 0)) as workers:
        crew = Crew(basis.evaluation, workers)
        made = dict(RayWorkshop(crew).craft(basis, {i: b.candidate.policy for i, b in enumerate(best)}, lambda: "run"))
    crafted = [made[i] for i in range(len(best))]
    networks = [c for c in crafted if isinstance(c, Crafted)]
    timings = time_together([inputs.model, *(c.content for c in networks)])
    accuracy, interval = judge(inputs.model, splits.test, prepared.basis.metric)
    print(f"After {options.epochs:g} epochs of distillation, exported, in ONNX Runtime (1 thread, batch 1):\n")
    print("| network | validation before | after | test (95 % interval) | MACs | file | latency predicted | measured |")
    print("|---|---|---|---|---|---|---|---|")
    original = prepared.original
    print(
        f"| original | {original.value('accuracy'):.4f} | - | {accuracy:.4f} ({interval.low:.4f}-{interval.high:.4f})"
        f" | {original.value('macs') / 1e6:.2f} M | {len(inputs.model) / 1000:.0f} kB"
        f" | {original.value('latency_ms'):.3f} ms | {timings[0].latency_ms:.3f} ms |"
    )
    for chosen, network, timing in zip(best, crafted, timings[1:], strict=True):
        if isinstance(network, str):
            print(f"| {chosen.algorithm} | failed: {network} |")
            continue
        measured = chosen.candidate.measurement
        assert measured is not None
        print(
            f"| {chosen.algorithm} | {network.validation_before:.4f} | {network.validation_after:.4f}"
            f" | {network.test:.4f} ({network.interval.low:.4f}-{network.interval.high:.4f})"
            f" | {measured.value('macs') / 1e6:.2f} M | {len(network.content) / 1000:.0f} kB"
            f" | {measured.value('latency_ms'):.3f} ms | {timing.latency_ms:.3f} ms |"
        )


if __name__ == "__main__":
    main()
