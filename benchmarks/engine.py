"""Candidates per second: the evaluation engine beside a re-implementation of the published AMC evaluation, in one run.

    python -m benchmarks.engine [--depth 20] [--candidates 64] [--published 24] [--seconds 400] [--rows 5000]

Both score policies over block-internal widths at half the multiply-adds, of the same checkpoint, on the same validation
images, in one process on one thread; CPU time is compared, so that other work on the machine counts for neither. The
engine scores windows of 8 as a job does: it drops what cannot enter the front of those told before. Kendall's tau
compares the two scorings of the policies that both saw. Where a candidate's time goes is printed for the engine.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np
import torch
from scipy.stats import kendalltau
from threadpoolctl import threadpool_limits

from benchmarks.published_amc import BATCH, BATCHES, PublishedAmc
from benchmarks.shared_data import dataset, folder, machine
from compressors import Compressor, collect_statistics, describe, read_onnx
from hw_models.cost import Costs
from hw_models.devices import load_device, shipped
from paretrim.problem import Constraint, Objective, Policy
from search.data import Split, Splits, load_dataset
from search.evaluate import Evaluator, Outcome, run_network, single_thread
from search.front import Front
from search.memory import keep_freed_memory
from search.plan import CONFIDENCE
from search.prepare import CALIBRATION_ROWS, ROWS_PER_COLUMN, SENSITIVITY_ROWS
from search.race import rights_needed, spread_rows
from search.score import margins

WINDOW = 8
OBJECTIVES = (Objective("accuracy"),)
CONSTRAINTS = (Constraint.parse("macs_ratio <= 0.5"),)


@dataclass
class Engine:
    """Scores as a job does, and keeps the front that candidates race against."""

    content: bytes
    splits: Splits
    rows: int
    racing: float
    outcomes: list[Outcome] = field(default_factory=list)

    def __post_init__(self) -> None:
        start = time.thread_time()
        imported = read_onnx(self.content)
        network = describe(imported)
        assert self.splits.train is not None
        calibration = self.splits.train.sample(CALIBRATION_ROWS, 0).inputs()
        collected = collect_statistics(
            imported,
            network,
            calibration,
            rows_per_column=ROWS_PER_COLUMN,
            sensitivity_samples=SENSITIVITY_ROWS,
        )
        compressor = Compressor(imported, network, collected)
        compressor.orders()
        scoring = self.splits.validation.sample(self.rows, 0)
        order = spread_rows(margins(run_network(imported.module, scoring), scoring.targets()), 0)
        self.evaluator = Evaluator(compressor, scoring.take(order), "top1", confidence=self.racing)
        self.costs = Costs(network, load_device(shipped()["bit-serial"]))
        self.groups = [group.name for group in network.prunable_groups if group.kind == "channels"]
        self.front = Front(OBJECTIVES, CONSTRAINTS, replace(self.costs.original, accuracy=1.0))
        self.preparing = time.thread_time() - start

    def policies(self, count: int) -> list[Policy]:
        """Random widths, scaled together onto half the multiply-adds."""
        chance = np.random.default_rng(0)
        return [self._on_budget(chance.uniform(0.2, 1.0, len(self.groups))) for _ in range(count)]

    def _on_budget(self, shares: np.ndarray) -> Policy:
        low, high = 0.0, 2.0
        for _ in range(20):
            middle = (low + high) / 2
            fits = self.costs.measure(self._policy(shares * middle)).value("macs") <= 0.5 * self._macs
            low, high = (middle, high) if fits else (low, middle)
        return self._policy(shares * low)

    def _policy(self, shares: np.ndarray) -> Policy:
        return Policy(keep=dict(zip(self.groups, np.clip(shares, 0.1, 1.0).tolist(), strict=True)))

    @property
    def _macs(self) -> float:
        return self.costs.original.value("macs")

    def score(self, policies: list[Policy]) -> float:
        """CPU seconds for all of them; what came of them is added to `outcomes`."""
        start = time.thread_time()
        edges = [0, *range(1, len(policies), WINDOW), len(policies)] if self.racing else [0, len(policies)]
        for first, last in pairwise(edges):  # the first alone: there is nobody to race against
            window = policies[first:last]
            figures = [self.costs.measure(policy) for policy in window]
            needed = [rights_needed(self.front, costs, self.rows) if self.racing else 0 for costs in figures]
            found = [self.evaluator.evaluate(*pair) for pair in zip(window, needed, strict=True)]
            for costs, outcome in zip(figures, found, strict=True):
                self.front.add(len(self.outcomes), replace(costs, accuracy=outcome.accuracy))
                self.outcomes.append(outcome)
        return time.thread_time() - start


def main() -> None:
    """Print the table."""
    options = _options()
    content = (folder() / f"resnet{options.depth}_cifar10.onnx").read_bytes()
    splits = load_dataset(dataset("cifar10"), 0)
    print(
        f"{machine()}\nResNet-{options.depth}, half the multiply-adds, {options.rows} validation images, one thread\n",
        flush=True,
    )
    keep_freed_memory()  # as jobs do; the baseline has it too
    with threadpool_limits(1), single_thread():  # time is taken of one thread: the baseline must not have others
        engine = Engine(content, splits, options.rows, options.racing)
        policies = engine.policies(options.candidates)
        cpu = engine.score(policies)
        _print_phases(engine, cpu)
        _compare(options, splits, engine, policies, cpu / len(policies))


def _compare(options: argparse.Namespace, splits: Splits, engine: Engine, policies: list[Policy], each: float) -> None:
    scoring = splits.validation.sample(options.rows, 0)
    published = _published(options.depth, splits, scoring)
    chosen = np.linspace(0, len(policies) - 1, options.published).round().astype(int)
    theirs, spent, begun = [], [], time.monotonic()
    for place in chosen:
        start = time.thread_time()
        theirs.append(published.score(_by_reader(policies[place])))
        spent.append(time.thread_time() - start)
        print(
            f"policy {place}: published {theirs[-1]:.2%} in {spent[-1]:.2f} CPU s, engine {engine.outcomes[place].accuracy:.2%}",
            flush=True,
        )
        if time.monotonic() - begun > options.seconds and len(theirs) > 2:
            print(f"{options.seconds:g} seconds are over: the rest is not compared")
            chosen = chosen[: len(theirs)]
            break
    ours = [engine.outcomes[place].accuracy for place in chosen]
    baseline = statistics.mean(spent)
    print("\n| scoring | CPU seconds a candidate | candidates a CPU second | ratio |\n|---|---|---|---|")
    print(f"| published AMC, {len(theirs)} policies | {baseline:.2f} | {1 / baseline:.3f} | 1 |")
    print(f"| engine, {len(policies)} policies | {each:.3f} | {1 / each:.2f} | {baseline / each:.0f} |")
    print(
        f"\nKendall's tau between the two scorings: {kendalltau(ours, theirs).statistic:.2f} over {len(theirs)} policies"
        f" (accuracy {min(theirs):.1%} to {max(theirs):.1%} there, {min(ours):.1%} to {max(ours):.1%} here)."
        f"\nThe published one uses one process. A job here uses every core: on two, up to {2 * baseline / each:.0f} times."
    )


def _published(depth: int, splits: Splits, scoring: Split) -> PublishedAmc:
    assert splits.train is not None
    weights = folder() / f"resnet{depth}_cifar10.safetensors"
    return PublishedAmc(
        weights, depth, splits.train.inputs(0, BATCHES * BATCH), scoring.inputs(), scoring.targets(), seed=0
    )


def _by_reader(policy: Policy) -> Mapping[str, float]:
    """Ratios by the layer whose inputs they are: the second convolution of each block."""
    return {name.replace(".conv1", ".conv2"): float(ratio) for name, ratio in policy.keep.items()}  # type: ignore[arg-type]


def _print_phases(engine: Engine, cpu: float) -> None:
    count = len(engine.outcomes)
    phases: Counter[str] = Counter()
    for outcome in engine.outcomes:
        phases.update(outcome.seconds)
    rows = Counter(outcome.rows for outcome in engine.outcomes)
    print(f"Preparing took {engine.preparing:.1f} CPU seconds. Of {count} candidates:\n")
    print("| phase | CPU ms a candidate | share |\n|---|---|---|")
    for phase, seconds in [*phases.items(), ("all else", cpu - sum(phases.values()))]:
        print(f"| {phase} | {seconds / count * 1e3:.1f} | {seconds / cpu:.1%} |")
    print(
        f"\nOverhead beyond the forward passes: {1 - phases['forward'] / cpu:.1%}. Rows they were scored on: ", end=""
    )
    print(", ".join(f"{number} on {seen}" for seen, number in sorted(rows.items()) if seen), end="\n\n", flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--depth", type=int, default=20, choices=(20, 56))
    parser.add_argument("--candidates", type=int, default=64)
    parser.add_argument("--published", type=int, default=24, help="policies that the published evaluation scores")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="the comparison ends after so many")
    parser.add_argument("--rows", type=int, default=5000, help="validation images")
    parser.add_argument("--racing", type=float, default=CONFIDENCE, help="confidence; 0: all on all images")
    return parser.parse_args()


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
