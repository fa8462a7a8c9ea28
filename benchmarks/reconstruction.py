"""Criterion x reconstruction x batch-norm re-estimation on the CIFAR ResNets, and what it foretells of fine-tuning.

    python -m benchmarks.reconstruction [--depth 20|56] [--ratio 0.5] [--groups internal|all] [--rows 5000]
        [--fine-tune 24] [--epochs 1] [--device cpu|cuda] [--parts table,recipes,ranks] [--state FOLDER]

Every group keeps the same share of its units. Accuracy is on the validation split; calibration uses training images
without their labels. With --fine-tune N, N random policies are carried out by both recipes, each network is fine-tuned
on all training images (or --train-images), and Kendall's tau of accuracy before with accuracy after is printed for each
recipe, with a 95 % interval from resampling the policies. Compression runs on the CPU; --device says where networks are
fine-tuned and judged.

Every figure is kept in the state folder: started again with the same options, the program goes on where it was stopped.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.stats import kendalltau
from torch import Tensor, nn

from benchmarks.shared_data import dataset, folder, machine
from compressors import (
    Compressor,
    CompressorOptions,
    FinetuneOptions,
    Imported,
    Statistics,
    TensorData,
    collect_statistics,
    describe,
    finetune,
    fold,
    read_onnx,
)
from compressors.batch_norms import reestimate
from compressors.criteria import CRITERIA
from compressors.training import Device
from hw_models.counts import macs
from paretrim.network import Network
from paretrim.problem import UNCHANGED, Policy

SEARCH = CompressorOptions()
DELIVERY = CompressorOptions(reconstruction="sequential")
RECIPES = {"search": SEARCH, "delivery": DELIVERY}
PARTS = ("table", "recipes", "ranks")


@dataclass(frozen=True, eq=False)
class Setting:
    """The network and what it is judged on."""

    imported: Imported
    network: Network
    statistics: Statistics
    calibration: Tensor
    train: TensorData
    validation: TensorData
    device: Device = "cpu"  #: where networks are judged and fine-tuned

    def accuracy(self, module: nn.Module) -> float:
        """On the validation rows."""
        right = 0
        module = module.to(self.device)
        with torch.inference_mode():
            for inputs, targets in self.validation.batches(250):
                right += int((module(inputs.to(self.device)).argmax(1).cpu() == targets).sum())
        module.to("cpu")
        return right / len(self.validation)

    def compressor(self, options: CompressorOptions) -> Compressor:
        """A fresh one, with nothing cached."""
        return Compressor(self.imported, self.network, self.statistics, options, calibration=self.calibration)


@dataclass(frozen=True)
class Kept:
    """Figures by name, each in the file as soon as it is known."""

    path: Path

    def get(self, name: str, work: Callable[[], Any]) -> Any:
        """What is known under a name, worked out if nothing is."""
        held = json.loads(self.path.read_text()) if self.path.exists() else {}
        if name not in held:
            held[name] = work()
            partial = self.path.with_suffix(".partial")
            partial.write_text(json.dumps(held, indent=1))
            partial.rename(self.path)
        return held[name]


def main() -> None:
    """Print the tables."""
    options = _options()
    torch.set_num_threads(options.threads)
    setting = cifar_setting(options.depth, options.rows, device=options.device)
    groups = [
        group.name for group in setting.network.prunable_groups if options.groups == "all" or group.kind == "channels"
    ]
    policy = Policy(keep=dict.fromkeys(groups, options.ratio))
    kept = _kept(options)
    print(machine(), f"fine-tuned and judged on {_named(options.device)}; {kept.path}", sep="\n")
    dense = kept.get("original", lambda: setting.accuracy(fold(setting.imported.module)))
    print(f"ResNet-{options.depth}, {options.groups} groups at {options.ratio:.0%}; original {dense:.2%}\n", flush=True)
    if "table" in options.parts:
        _table(setting, policy, kept)
    if "recipes" in options.parts:
        _recipes(setting, policy, dense, kept)
    if "ranks" in options.parts and options.fine_tune:
        _ranks(setting, groups, options, kept)


def _kept(options: argparse.Namespace) -> Kept:
    """The file of runs with these options; how many policies are fine-tuned, and which parts, may differ."""
    named = (options.depth, options.ratio, options.groups, options.rows, options.epochs, options.train_images)
    name = "-".join(f"{part}" for part in (*named, options.learning_rate, options.device))
    options.state.mkdir(parents=True, exist_ok=True)
    return Kept(options.state / f"{name}.json")


def _named(device: str) -> str:
    return device if device == "cpu" else f"{torch.cuda.get_device_name(device)} ({device})"


def _table(setting: Setting, policy: Policy, kept: Kept) -> None:
    print("| criterion | weights kept | + BN | least squares | + BN | + variance matched |")
    print("|---|---|---|---|---|---|")
    for criterion in CRITERIA:
        row = kept.get(f"criterion {criterion}", partial(_criterion_row, setting, policy, criterion))
        print(f"| {criterion} | {' | '.join(f'{accuracy:.1%}' for accuracy in row)} |", flush=True)


def _criterion_row(setting: Setting, policy: Policy, criterion: str) -> list[float]:
    row = []
    for reconstruction, matched in (("none", False), ("gram", False), ("gram", True)):
        options = CompressorOptions(
            criterion=criterion,  # type: ignore[arg-type]
            reconstruction=reconstruction,  # type: ignore[arg-type]
            match_variance=matched,
        )
        module = setting.compressor(options).compress(policy).module
        row.append(setting.accuracy(fold(module)))
        if not matched:
            row.append(setting.accuracy(fold(reestimate(module, setting.calibration))))
    return row


def _recipes(setting: Setting, policy: Policy, dense: float, kept: Kept) -> None:
    print("\n| recipe | first time | again, other widths | accuracy | below the original |")
    print("|---|---|---|---|---|")
    for name in RECIPES:
        found = kept.get(f"recipe {name}", partial(_recipe_row, setting, policy, name))
        print(
            f"| {name} | {found['first_ms']:.0f} ms | {found['again_ms']:.0f} ms | {found['accuracy']:.2%} "
            f"| {(dense - found['accuracy']) * 100:.1f} points |",
            flush=True,
        )
    start = time.perf_counter()
    setting.accuracy(fold(setting.imported.module))
    print(f"\nFor comparison, one pass over the validation rows takes {time.perf_counter() - start:.2f} s.")


def _recipe_row(setting: Setting, policy: Policy, name: str) -> dict[str, float]:
    maker = setting.compressor(RECIPES[name])
    start = time.perf_counter()
    module = maker.compress(policy).module
    first = time.perf_counter() - start
    others = Policy(keep={group: float(keep) * 0.9 for group, keep in policy.keep.items()})  # type: ignore[arg-type]
    start = time.perf_counter()
    maker.compress(others)
    again = time.perf_counter() - start
    return {"first_ms": first * 1e3, "again_ms": again * 1e3, "accuracy": setting.accuracy(fold(module))}


def _ranks(setting: Setting, groups: list[str], options: argparse.Namespace, kept: Kept) -> None:
    """Every policy by both recipes, before and after fine-tuning; then how well one foretells the other."""
    makers = {name: setting.compressor(chosen) for name, chosen in RECIPES.items()}
    generator = np.random.default_rng(0)
    policies = [
        Policy(keep={group: float(generator.uniform(0.3, 0.8)) for group in groups}) for _ in range(options.fine_tune)
    ]
    whole = macs(setting.network.sized(UNCHANGED))
    found: list[dict[str, dict[str, float]]] = []
    print(f"\nPolicies with every group at 30 % to 80 %, fine-tuned for {options.epochs:g} epochs")
    for number, policy in enumerate(policies):
        found.append({})
        for name, maker in makers.items():
            found[-1][name] = kept.get(
                f"policy {number} {name}",
                partial(_tuned, setting, policy, maker, options, number),
            )
        share = macs(setting.network.sized(policy)) / whole
        said = ", ".join(f"{name} {held['before']:.2%} then {held['after']:.2%}" for name, held in found[-1].items())
        print(f"policy {number}, {share:.0%} of the MACs: {said}", flush=True)
    _correlations(found)


def _tuned(
    setting: Setting, policy: Policy, maker: Compressor, options: argparse.Namespace, seed: int
) -> dict[str, float]:
    """Accuracy of one policy as compressed, and after fine-tuning with distillation."""
    compressed = maker.compress(policy)
    before = setting.accuracy(fold(compressed.module))
    rows = slice(0, options.train_images)
    train = TensorData(setting.train.inputs[rows], setting.train.targets[rows], setting.train.prepare)
    start = time.perf_counter()
    tuned = finetune(
        compressed,
        setting.imported.module,
        train,
        setting.validation,
        FinetuneOptions(epochs=options.epochs, seed=seed, learning_rate=options.learning_rate, device=setting.device),
    )
    seconds = time.perf_counter() - start
    return {"before": before, "after": setting.accuracy(fold(tuned.module)), "seconds": seconds}


def _correlations(found: list[dict[str, dict[str, float]]]) -> None:
    if len(found) < 2:
        print("no rank correlation of fewer than two policies")
        return
    print(
        "\n| accuracy before fine-tuning, recipe | accuracy after it, recipe | Kendall's tau (95 % interval) | policies |"
    )
    print("|---|---|---|---|")
    for before, after in (("search", "search"), ("search", "delivery"), ("delivery", "delivery")):
        pairs = np.array([(policy[before]["before"], policy[after]["after"]) for policy in found])
        low, high = _interval(pairs)
        tau = kendalltau(pairs[:, 0], pairs[:, 1]).statistic
        print(f"| {before} | {after} | {tau:.3f} ({low:.3f} to {high:.3f}) | {len(pairs)} |")
    spread = np.std([policy["delivery"]["after"] for policy in found])
    seconds = sum(held["seconds"] for policy in found for held in policy.values())
    print(f"\nAccuracies after fine-tuning have a standard deviation of {spread * 100:.2f} points.")
    print(f"Fine-tuning took {seconds:.0f} s in all, {seconds / (2 * len(found)):.1f} s each.")


def _interval(pairs: np.ndarray) -> tuple[float, float]:
    """Percentiles of tau over 2,000 resamplings of the policies."""
    generator = np.random.default_rng(0)
    taus = []
    for _ in range(2000):
        drawn = pairs[generator.integers(len(pairs), size=len(pairs))]
        taus.append(kendalltau(drawn[:, 0], drawn[:, 1]).statistic)
    low, high = np.nanpercentile(taus, [2.5, 97.5])
    return float(low), float(high)


def cifar_setting(depth: int, rows: int, device: Device = "cpu") -> Setting:
    """A ResNet of the shared data, its statistics, training and validation rows."""
    imported = read_onnx((folder() / f"resnet{depth}_cifar10.onnx").read_bytes())
    network = describe(imported)
    with np.load(dataset("cifar10")) as data:
        arrays = {name: torch.from_numpy(data[name]) for name in data.files}
    mean, std = (arrays[name].reshape(1, -1, 1, 1) for name in ("mean", "std"))

    def prepare(images: Tensor) -> Tensor:
        return (images.float() / 255.0 - mean.to(images.device)) / std.to(images.device)

    calibration = prepare(arrays["train_x"][:512])
    return Setting(
        imported,
        network,
        collect_statistics(imported, network, calibration),
        calibration,
        TensorData(arrays["train_x"], arrays["train_y"], prepare),
        TensorData(arrays["validation_x"][:rows], arrays["validation_y"][:rows], prepare),
        device,
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--depth", type=int, default=20, choices=(20, 56))
    parser.add_argument("--ratio", type=float, default=0.5)
    parser.add_argument("--groups", choices=("internal", "all"), default="internal")
    parser.add_argument("--rows", type=int, default=5000, help="validation rows")
    parser.add_argument("--parts", type=_parts, default=PARTS, help="what is printed, by commas: table, recipes, ranks")
    parser.add_argument("--fine-tune", type=int, default=0, help="policies fine-tuned for the rank correlation")
    parser.add_argument("--epochs", type=float, default=1.0, help="of fine-tuning")
    parser.add_argument("--train-images", type=int, default=50_000, help="fewer for a trial of the program")
    parser.add_argument("--learning-rate", type=float, default=None)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu", help="where networks are tuned and judged")
    parser.add_argument("--threads", type=int, default=1, help="of the processor")
    parser.add_argument(
        "--state", type=Path, default=Path(tempfile.gettempdir()) / "paretrim-benchmarks" / "reconstruction"
    )
    return parser.parse_args()


def _parts(text: str) -> tuple[str, ...]:
    chosen = tuple(part.strip() for part in text.split(",") if part.strip())
    unknown = [part for part in chosen if part not in PARTS]
    if unknown or not chosen:
        raise argparse.ArgumentTypeError(f"parts are {', '.join(PARTS)}, not {text!r}")
    return chosen


if __name__ == "__main__":
    main()
