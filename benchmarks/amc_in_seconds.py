"""AMC in seconds: wall time from the start of a job to an accuracy at half the multiply-adds, before fine-tuning.

    python -m benchmarks.amc_in_seconds [--depth 20] [--seconds 60] [--groups all|internal] [--algorithm portfolio]
        [--executor ray|processes|inline] [--rows 5000] [--careful 4] [--finetune-epochs 3] [--finetune-device cuda]

The published AMC code, on the same networks, weights and validation images: ResNet-20 69.8 % after 2,030 s and 170
episodes, ResNet-56 78.3 % after 1,280 s and 40 episodes (one busy core, block-internal widths; --groups internal opens
the same). The clock starts where a job's process takes it up, with the modules loaded as they are in a service; how
long loading them took is printed. Every improvement is printed when it is recorded, scored on all --rows images. The
executor `processes` evaluates on --workers forked processes, without Ray. With --careful N the N best are carried out
anew when the search is over, by the recipe of a delivery (layers refitted one after the other, no training), and scored
on the same images while the clock runs: leave some of --seconds for it. With --finetune-epochs the best network, as
carried out if any was, is fine-tuned as a delivery is, exported and judged on the test split, which the search never
saw. --keep FILE writes the policy of the best that was carried out there, which `benchmarks.finetune_half_macs --policy
FILE` trains for longer.
"""

from __future__ import annotations

import time

STARTED = time.monotonic()

import argparse
import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import psutil

from benchmarks.fork_pool import ForkPool
from benchmarks.shared_data import dataset, folder, machine
from compressors import Compressor, FinetuneOptions, describe
from compressors.training import Device
from hw_models.devices import shipped
from paretrim.algorithms import check_options
from paretrim.network import Network
from paretrim.problem import Budget, Constraint, Measurement, Objective
from search import prepare as preparation
from search import run as running
from search.craft import CraftBasis, Workbench
from search.evaluate import Evaluator, Outcome, single_thread
from search.ledger import Ledger
from search.local import FolderRecorder, begin
from search.memory import keep_freed_memory
from search.plan import CONFIDENCE, JobInputs, JobPlan, SearchPlan
from search.prepare import Prepared, prepare
from search.supply import calibration_inputs

#: by depth and groups: seconds and the accuracy to have been reached by then
TARGETS = {
    (20, "internal"): ((5, 0.698), (60, 0.78)),
    (20, "all"): ((5, 0.698), (60, 0.78), (300, 0.80)),
    (56, "internal"): ((300, 0.84),),
    (56, "all"): ((300, 0.84),),
}
#: multiply-adds are all that counts here, so any device will do that leaves networks in single precision
DEVICE = {**shipped()["ncs2-vpu"], "name": "paper", "kernels": [[32, 32]]}
#: candidates that no search reaches: seconds end it
UNREACHABLE = 100_000


class Stopwatch(FolderRecorder):
    """Prints every improvement with the time since the job began."""

    def begin(self, rows: int) -> None:
        """Start the clock."""
        self.began, self.rows = time.monotonic(), rows
        self.spent_before = _cpu_seconds()
        self.reached: list[tuple[float, float]] = []  # seconds, accuracy

    def prepared(self, original: Measurement, preparation: Mapping[str, Any], warnings: Sequence[str]) -> None:
        """The job is ready to search."""
        super().prepared(original, preparation, warnings)
        self._say_time(f"prepared; original {original.value('accuracy'):.2%}")

    def front(self, numbers: Sequence[int], hypervolume: float, best: Mapping[str, float]) -> None:
        """A better candidate was recorded."""
        super().front(numbers, hypervolume, best)
        accuracy = best.get("accuracy", 0.0)
        if numbers and (not self.reached or accuracy > self.reached[-1][1]):
            self.reached.append((time.monotonic() - self.began, accuracy))
            self._say_time(f"{accuracy:.2%}, candidate {numbers[0]}")

    def carried_out(self, n: int, before: float, outcome: Outcome) -> None:
        """A candidate was made by the recipe of a delivery."""
        accuracy = outcome.accuracy or 0.0
        self.reached.append((time.monotonic() - self.began, accuracy))
        self._say_time(
            f"candidate {n} carried out for delivery: {before:.2%} -> {accuracy:.2%} {outcome.failure or ''}"
        )

    def reached_by(self, seconds: float) -> float:
        """The best accuracy recorded by then; 0 if none was."""
        return max((accuracy for when, accuracy in self.reached if when <= seconds), default=0.0)

    def _say_time(self, text: str) -> None:
        cpu = _cpu_seconds() - self.spent_before
        print(f"{time.monotonic() - self.began:7.1f} s ({cpu:.0f} CPU s): {text}", flush=True)


def main() -> None:
    """Run the job and print what was reached when."""
    options = _options()
    plan = _plan(options)
    model = (folder() / f"resnet{options.depth}_cifar10.onnx").read_bytes()
    inputs = JobInputs(model, dataset("cifar10"), DEVICE)
    keep_freed_memory()
    print(machine())
    print(
        f"ResNet-{options.depth}, macs_ratio <= 0.5, {options.groups} groups, {options.algorithm}, window {options.window},"
        f" {options.rows} validation images, executor {options.executor}; modules loaded in"
        f" {time.monotonic() - STARTED:.1f} s\n"
    )
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        begin(place, plan, inputs)
        watch = Stopwatch(place, plan, show=lambda *_: None, say=lambda level, text: print(f"{level}: {text}"))
        with watch:
            watch.begin(options.rows)
            with mock.patch.object(preparation, "describe", _described(options.groups)), single_thread():
                prepared, ledger = _searched(plan, inputs, watch, options)
                best = _carry_out(options, plan, prepared, ledger, watch) if options.careful else None
                _print(options, plan, watch)
                if options.finetune_epochs:
                    _fine_tune(options, prepared, best or ledger.front().numbers[0], ledger)


def _searched(
    plan: JobPlan, inputs: JobInputs, watch: Stopwatch, options: argparse.Namespace
) -> tuple[Prepared, Ledger]:
    """The job but for its delivery."""
    prepared = prepare(plan, inputs, watch)
    ledger = Ledger(plan, prepared.original, watch)
    if options.executor == "ray":
        running._run_on_ray(plan, inputs, prepared, ledger, options.workers, stop_losing=False)
    elif options.executor == "inline":
        running.search_inline(plan, prepared, ledger)
    else:
        pool = ForkPool(prepared.evaluator, options.workers)
        with pool, mock.patch.object(running, "SerialPool", return_value=pool):
            running.search_inline(plan, prepared, ledger)
    return prepared, ledger


def _carry_out(options: argparse.Namespace, plan: JobPlan, prepared: Prepared, ledger: Ledger, watch: Stopwatch) -> int:
    """The best candidates by the recipe of a delivery; what is better than before counts as reached. The best by it."""
    accuracies = {n: c.measurement.value("accuracy") for n, c in ledger.candidates.items() if c.measurement}
    best = sorted(accuracies, key=lambda n: (-accuracies[n], n))[: options.careful]
    compressor = Compressor(
        prepared.imported,
        prepared.network,
        prepared.basis.statistics,
        replace(prepared.basis.options, reconstruction="sequential", seed=plan.seed),
        calibration=calibration_inputs(prepared.imported, prepared.splits, plan.recovery, plan.seed),
    )
    policies = [ledger.candidates[n].policy for n in best]
    with ForkPool(Evaluator(compressor, prepared.basis.scoring, plan.metric), options.workers) as pool:
        reached = {}
        for n, outcome in zip(best, pool.evaluate(policies, watch.wanted), strict=True):
            watch.carried_out(n, accuracies[n], outcome)
            reached[n] = outcome.accuracy or 0.0
    chosen = max(reached, key=lambda n: reached[n])
    if options.keep is not None:
        options.keep.write_text(json.dumps(ledger.candidates[chosen].policy.to_json(), indent=1))
    return chosen


def _described(groups: str) -> Any:
    """How the network is described: with its residual streams closed, for what the published code could prune."""

    def described(imported: Any) -> Network:
        network = describe(imported)
        if groups == "all":
            return network
        closed = [
            replace(group, frozen="the benchmark opens block-internal widths only")
            if group.kind != "channels"
            else group
            for group in network.groups
        ]
        return replace(network, groups=tuple(closed))

    return described


def _print(options: argparse.Namespace, plan: JobPlan, watch: Stopwatch) -> None:
    told = watch.recorded(plan.searches[0].id)
    dropped = sum("dropped" in c.measurement.obtained["accuracy"].where for c in told.candidates if c.measurement)
    print(
        f"\n{len(told.candidates)} candidates, {dropped} of them dropped before the last image, in {told.seconds:.0f} s"
        f" of search: {len(told.candidates) / max(told.seconds, 1e-9):.1f} a second.\n"
    )
    print("| within | wanted | reached |\n|---|---|---|")
    elapsed = time.monotonic() - watch.began
    for seconds, wanted in TARGETS[options.depth, options.groups]:
        if seconds <= elapsed or watch.reached_by(seconds) >= wanted:
            print(f"| {seconds} s | {wanted:.1%} | {watch.reached_by(seconds):.2%} |")


class _Tuning(Workbench):
    """Makes a network as a delivery does, training it where it is told to."""

    def __init__(self, basis: CraftBasis, device: Device) -> None:
        super().__init__(basis)
        self._device = device

    def _options(self, passes: float) -> FinetuneOptions:
        options = super()._options(passes)
        return options if self._device == "cpu" else replace(options, device=self._device)


def _fine_tune(options: argparse.Namespace, prepared: Prepared, n: int, ledger: Ledger) -> None:
    """Of a candidate's network: validation before and after, and test, of the exported file in ONNX Runtime."""
    splits = prepared.splits
    basis = CraftBasis(
        prepared.basis, splits.train, splits.validation, splits.test, options.finetune_epochs, options.seed
    )
    began = time.monotonic()
    made = _Tuning(basis, options.finetune_device).craft(ledger.candidates[n].policy)
    if isinstance(made, str):
        print(f"\nCandidate {n} could not be fine-tuned: {made}")
        return
    low, high = made.interval
    print(
        f"\nCandidate {n}, {options.finetune_epochs:g} epochs of fine-tuning on {options.finetune_device}"
        f" ({time.monotonic() - began:.0f} s): validation {made.validation_before:.2%} -> {made.validation_after:.2%},"
        f" test {made.test:.2%} ({low:.2%} to {high:.2%})",
        flush=True,
    )


def _plan(options: argparse.Namespace) -> JobPlan:
    chosen = check_options(options.algorithm, {"genome": "keep"} if options.algorithm != "uniform" else {})
    search = SearchPlan("s0", 0, options.algorithm, chosen.model_dump(mode="json"), options.seed)
    return JobPlan(
        id="amc-in-seconds",
        searches=(search,),
        objectives=(Objective("accuracy"),),
        constraints=(Constraint.parse("macs_ratio <= 0.5"),),
        budget=Budget(UNREACHABLE, options.seconds),
        seed=options.seed,
        window=options.window,
        finetune_epochs=0.0,
        deliver=0,
        validation_samples=options.rows,
        racing=options.racing,
    )


def _cpu_seconds() -> float:
    """Of this process and all below it."""
    here = psutil.Process(os.getpid())
    total = 0.0
    for process in (here, *here.children(recursive=True)):
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system
    return total


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--depth", type=int, default=20, choices=(20, 56))
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--groups", choices=("internal", "all"), default="all")
    parser.add_argument("--algorithm", default="portfolio")
    parser.add_argument("--window", type=int, default=8)
    parser.add_argument("--rows", type=int, default=5000, help="validation images that decide over a candidate")
    parser.add_argument("--racing", type=float, default=CONFIDENCE)
    parser.add_argument("--executor", choices=("inline", "processes", "ray"), default="processes")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--finetune-epochs", type=float, default=0.0)
    parser.add_argument("--careful", type=int, default=0, help="so many of the best are carried out for delivery")
    parser.add_argument("--keep", type=Path, help="write the best policy that was carried out to this file")
    parser.add_argument("--finetune-device", choices=("cpu", "cuda", "auto"), default="cpu")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    if options.keep is not None and not options.careful:
        parser.error("--keep needs --careful: it keeps what was carried out")
    return options


if __name__ == "__main__":
    main()
