"""How well accuracy during a search foretells accuracy after short fine-tuning, for each way to judge a candidate.

    python -m benchmarks.fidelity [--depth 20] [--policies 24] [--epochs 1] [--train-rows 5000] [--device cuda] [--keep FILE]

Random policies at half the multiply-adds, all channel groups open. Each is judged by every proxy before it is
fine-tuned with distillation, and by validation accuracy after; Kendall's tau and Spearman's rho of each proxy with the
latter are printed. Figures are kept by policy in FILE, so that a run that was ended goes on where it was.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import kendalltau, spearmanr

from benchmarks.shared_data import dataset, folder, machine
from compressors import (
    Compressor,
    CompressorOptions,
    FinetuneOptions,
    TensorData,
    collect_statistics,
    describe,
    finetune,
    fold,
    read_onnx,
)
from hw_models.cost import Costs
from hw_models.devices import load_device, shipped
from paretrim.problem import Constraint, Objective, Policy
from search.data import Split, load_dataset
from search.evaluate import Evaluator, run_network, single_thread
from search.prepare import CALIBRATION_ROWS, ROWS_PER_COLUMN, SENSITIVITY_ROWS
from search.race import spread_rows
from search.score import margins
from search.space import Space

#: validation rows of the proxies that are scored on fewer than all; the first is a race's first rung
FEWER_ROWS = (250, 1000)


@dataclass
class Judge:
    """The network, and the ways to judge what becomes of it."""

    depth: int
    train_rows: int
    epochs: float
    device: str = "cpu"  #: where policies are fine-tuned

    def __post_init__(self) -> None:
        self.imported = read_onnx((folder() / f"resnet{self.depth}_cifar10.onnx").read_bytes())
        self.network = describe(self.imported)
        splits = load_dataset(dataset("cifar10"), 0)
        assert splits.train is not None
        self.train, validation = splits.train.sample(self.train_rows, 0), splits.validation
        outputs = run_network(self.imported.module, validation)
        self.validation = validation.take(spread_rows(margins(outputs, validation.targets()), 0))
        self.statistics = collect_statistics(
            self.imported,
            self.network,
            splits.train.sample(CALIBRATION_ROWS, 0).inputs(),
            rows_per_column=ROWS_PER_COLUMN,
            sensitivity_samples=SENSITIVITY_ROWS,
        )

    @cached_property
    def proxies(self) -> dict[str, Callable[[Policy], float]]:
        """By name; more is better."""
        search = self._compressor()
        found: dict[str, Callable[[Policy], float]] = {
            f"search recipe, {rows} rows": self._scored(search, rows) for rows in (*FEWER_ROWS, len(self.validation))
        }
        found["weights kept, 1000 rows"] = self._scored(self._compressor(reconstruction="none"), 1000)
        found["L1, least squares, 1000 rows"] = self._scored(self._compressor(criterion="l1"), 1000)
        found["damage foreseen, no row"] = self._foreseen(search)
        return found

    def tuned(self, policy: Policy) -> float:
        """Accuracy on all validation rows after fine-tuning."""
        made = finetune(
            self._compressor().compress(policy),
            self.imported.module,
            _tensors(self.train),
            _tensors(self.validation),
            FinetuneOptions(epochs=self.epochs, seed=0, **self._place),
        )
        return self._evaluators[len(self.validation)].accuracy(fold(made.module))

    def policies(self, count: int) -> list[Policy]:
        """Random ones that spend the budget."""
        device = load_device(shipped()["bit-serial"])
        limits = (Constraint.parse("macs_ratio <= 0.5"),)
        space = Space(
            self.network, device, Costs(self.network, device), objectives=(Objective("accuracy"),), constraints=limits
        ).restricted("keep")
        chance = np.random.default_rng(0)
        return [space.project(space.decode(chance.random(space.size))) for _ in range(count)]

    @property
    def _place(self) -> dict[str, Any]:
        return {} if self.device == "cpu" else {"device": self.device}

    @cached_property
    def _evaluators(self) -> dict[int, Evaluator]:
        sizes = (*FEWER_ROWS, len(self.validation))
        return {n: Evaluator(self._compressor(), self.validation.take(np.arange(n)), "top1") for n in sizes}

    def _compressor(self, **options: Any) -> Compressor:
        return Compressor(self.imported, self.network, self.statistics, CompressorOptions(**options))

    def _scored(self, compressor: Compressor, rows: int) -> Callable[[Policy], float]:
        evaluator = self._evaluators[rows]
        return lambda policy: evaluator.accuracy(fold(compressor.compress(policy).module))

    def _foreseen(self, compressor: Compressor) -> Callable[[Policy], float]:
        damages = compressor.damages()

        def judged(policy: Policy) -> float:
            kept = self.network.kept_units(policy)
            return -sum(losses[self.network.group_by_name[name].units - kept[name]] for name, losses in damages.items())

        return judged


def _tensors(split: Split) -> TensorData:
    return TensorData(split.stored(), split.targets(), split.normalization)


def main() -> None:
    """Judge, fine-tune, print."""
    options = _options()
    path = options.keep or Path(tempfile.gettempdir()) / "paretrim-benchmarks" / _name(options)
    path.parent.mkdir(parents=True, exist_ok=True)
    known: dict[str, dict[str, float]] = json.loads(path.read_text()) if path.exists() else {}
    print(machine())
    print(
        f"ResNet-{options.depth}, half the multiply-adds, {options.policies} policies,"
        f" {options.epochs:g} epochs on {options.train_rows} images, fine-tuned on {options.device}\n",
        flush=True,
    )
    begun = time.monotonic()
    with single_thread():
        judge = Judge(options.depth, options.train_rows, options.epochs, options.device)
        policies = judge.policies(options.policies)
        for policy in policies:
            if policy.key not in known:
                figures = {name: proxy(policy) for name, proxy in judge.proxies.items()}
                known[policy.key] = figures | {"tuned": judge.tuned(policy)}
                path.write_text(json.dumps(known))
                print(", ".join(f"{name} {value:.4f}" for name, value in known[policy.key].items()), flush=True)
            if time.monotonic() - begun > options.seconds:
                break
    _print([known[policy.key] for policy in policies if policy.key in known])


def _print(judged: list[dict[str, float]]) -> None:
    tuned = [figures["tuned"] for figures in judged]
    print(f"\nAfter fine-tuning: {min(tuned):.2%} to {max(tuned):.2%}, {len(tuned)} policies.\n")
    print("| proxy | Kendall's tau | Spearman's rho |\n|---|---|---|")
    for name in judged[0]:
        if name != "tuned":
            figures = [one[name] for one in judged]
            tau, rho = kendalltau(figures, tuned).statistic, spearmanr(figures, tuned).statistic
            print(f"| {name} | {tau:.2f} | {rho:.2f} |")


def _name(options: argparse.Namespace) -> str:
    return f"fidelity-{options.depth}-{options.epochs:g}-{options.train_rows}-{options.device}.json"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--depth", type=int, default=20, choices=(20, 56))
    parser.add_argument("--policies", type=int, default=24)
    parser.add_argument("--epochs", type=float, default=1.0)
    parser.add_argument("--train-rows", type=int, default=5000)
    parser.add_argument("--seconds", type=float, default=float("inf"), help="no policy is begun after so many")
    parser.add_argument(
        "--device", choices=("cpu", "cuda", "auto"), default="cpu", help="where policies are fine-tuned"
    )
    parser.add_argument("--keep", type=Path, default=None, help="file for the figures; absent: in the temporary folder")
    return parser.parse_args()


if __name__ == "__main__":
    main()
