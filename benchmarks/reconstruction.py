"""Criterion x reconstruction x batch-norm re-estimation on the CIFAR ResNets, without fine-tuning.

    python -m benchmarks.reconstruction [--depth 20] [--ratio 0.5] [--groups internal|all] [--rows 5000] [--fine-tune 0]

Every group keeps the same share of its units. Accuracy is on the validation split; calibration uses training images
without their labels. With --fine-tune N, N random policies are fine-tuned for one epoch each, and the rank correlation
of both recipes' accuracy with the accuracy after fine-tuning is printed.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass

import numpy as np
import torch
from scipy.stats import spearmanr
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
from paretrim.network import Network
from paretrim.problem import Policy

SEARCH = CompressorOptions()
DELIVERY = CompressorOptions(reconstruction="sequential")


@dataclass(frozen=True, eq=False)
class Setting:
    """The network and what it is judged on."""

    imported: Imported
    network: Network
    statistics: Statistics
    calibration: Tensor
    train: TensorData
    validation: TensorData

    def accuracy(self, module: nn.Module) -> float:
        """On the validation rows."""
        right = 0
        with torch.inference_mode():
            for inputs, targets in self.validation.batches(250):
                right += int((module(inputs).argmax(1) == targets).sum())
        return right / len(self.validation)

    def compressor(self, options: CompressorOptions) -> Compressor:
        """A fresh one, with nothing cached."""
        return Compressor(self.imported, self.network, self.statistics, options, calibration=self.calibration)


def main() -> None:
    """Print the tables."""
    torch.set_num_threads(1)
    options = _options()
    setting = cifar_setting(options.depth, options.rows)
    groups = [
        group.name for group in setting.network.prunable_groups if options.groups == "all" or group.kind == "channels"
    ]
    policy = Policy(keep=dict.fromkeys(groups, options.ratio))
    dense = setting.accuracy(fold(setting.imported.module))
    print(machine())
    print(f"ResNet-{options.depth}, {options.groups} groups at {options.ratio:.0%}; original {dense:.2%}\n")
    _table(setting, policy)
    _recipes(setting, policy, dense)
    if options.fine_tune:
        _rank_correlation(setting, groups, options.fine_tune)


def _table(setting: Setting, policy: Policy) -> None:
    print("| criterion | weights kept | + BN | least squares | + BN | + variance matched |")
    print("|---|---|---|---|---|---|")
    for criterion in CRITERIA:
        row = []
        for reconstruction, matched in (("none", False), ("gram", False), ("gram", True)):
            options = CompressorOptions(
                criterion=criterion,
                reconstruction=reconstruction,
                match_variance=matched,  # type: ignore[arg-type]
            )
            module = setting.compressor(options).compress(policy).module
            row.append(f"{setting.accuracy(fold(module)):.1%}")
            if not matched:
                row.append(f"{setting.accuracy(fold(reestimate(module, setting.calibration))):.1%}")
        print(f"| {criterion} | {' | '.join(row)} |", flush=True)


def _recipes(setting: Setting, policy: Policy, dense: float) -> None:
    print("\n| recipe | first time | again, other widths | accuracy | below the original |")
    print("|---|---|---|---|---|")
    for name, options in (("search", SEARCH), ("delivery", DELIVERY)):
        maker = setting.compressor(options)
        start = time.perf_counter()
        module = maker.compress(policy).module
        first = time.perf_counter() - start
        others = Policy(keep={group: float(keep) * 0.9 for group, keep in policy.keep.items()})  # type: ignore[arg-type]
        start = time.perf_counter()
        maker.compress(others)
        again = time.perf_counter() - start
        accuracy = setting.accuracy(fold(module))
        print(
            f"| {name} | {first * 1e3:.0f} ms | {again * 1e3:.0f} ms | {accuracy:.2%} "
            f"| {(dense - accuracy) * 100:.1f} points |"
        )
    start = time.perf_counter()
    setting.accuracy(fold(setting.imported.module))
    print(f"\nFor comparison, one pass over the validation rows takes {time.perf_counter() - start:.2f} s.")


def _rank_correlation(setting: Setting, groups: list[str], count: int) -> None:
    generator = np.random.default_rng(0)
    makers = {"search": setting.compressor(SEARCH), "delivery": setting.compressor(DELIVERY)}
    before: dict[str, list[float]] = {name: [] for name in makers}
    after: list[float] = []
    for number in range(count):
        policy = Policy(keep={group: float(generator.uniform(0.3, 0.8)) for group in groups})
        for name, maker in makers.items():
            before[name].append(setting.accuracy(fold(maker.compress(policy).module)))
        tuned = finetune(
            makers["search"].compress(policy),
            setting.imported.module,
            setting.train,
            setting.validation,
            FinetuneOptions(epochs=1, seed=number),
        )
        after.append(setting.accuracy(fold(tuned.module)))
        print(f"policy {number}: " + ", ".join(f"{name} {held[-1]:.2%}" for name, held in before.items()), end="")
        print(f", fine-tuned {after[-1]:.2%}", flush=True)
    for name, held in before.items():
        print(
            f"Spearman's rank correlation of {name} with fine-tuned, {count} policies: {spearmanr(held, after)[0]:.3f}"
        )


def cifar_setting(depth: int, rows: int) -> Setting:
    """A ResNet of the shared data, its statistics, training and validation rows."""
    imported = read_onnx((folder() / f"resnet{depth}_cifar10.onnx").read_bytes())
    network = describe(imported)
    with np.load(dataset("cifar10")) as data:
        arrays = {name: torch.from_numpy(data[name]) for name in data.files}
    mean, std = (arrays[name].reshape(1, -1, 1, 1) for name in ("mean", "std"))

    def prepare(images: Tensor) -> Tensor:
        return (images.float() / 255.0 - mean) / std

    calibration = prepare(arrays["train_x"][:512])
    return Setting(
        imported,
        network,
        collect_statistics(imported, network, calibration),
        calibration,
        TensorData(arrays["train_x"], arrays["train_y"], prepare),
        TensorData(arrays["validation_x"][:rows], arrays["validation_y"][:rows], prepare),
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--depth", type=int, default=20, choices=(20, 56))
    parser.add_argument("--ratio", type=float, default=0.5)
    parser.add_argument("--groups", choices=("internal", "all"), default="internal")
    parser.add_argument("--rows", type=int, default=5000, help="validation rows")
    parser.add_argument("--fine-tune", type=int, default=0, help="policies fine-tuned for the rank correlation")
    return parser.parse_args()


if __name__ == "__main__":
    main()
