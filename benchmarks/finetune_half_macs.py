"""The CIFAR ResNets at half their multiply-adds, fine-tuned for at most 15 epochs: how far below the original?

    python -m benchmarks.finetune_half_macs --network resnet56 [--epochs 15] [--device auto] [--state FOLDER] [--trial]

1. What each choice for one residual block (a narrower width, or the block removed) costs is measured alone, as the
   divergence of the outputs from the original's on training images without their labels; the choices for all blocks are
   then picked together by a knapsack over multiply-adds. `--structure uniform` keeps the same share everywhere instead, and
   `--policy FILE` takes what a search has found.
2. The delivery recipe (sequential least squares) carries the policy out.
3. Distillation on the training split, from the original and, with `--also-taught-by`, a second trained network. Each is
   asked once for every image and its mirror image (`--answers fresh`: for every step).
4. The test split is read once, at the end, for the original and for the weights that did best on validation. With
   `--trial` it is not read: recipes are compared on validation, and the chosen one is run again without `--trial`.

What is done is kept in the state folder, the training after every epoch: started again with the same options, the
program goes on where it was stopped, and ends with the same weights. A finished run is printed, not judged anew.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from benchmarks.reconstruction import DELIVERY, SEARCH, Setting, cifar_setting
from benchmarks.shared_data import dataset, folder, machine
from compressors import FinetuneOptions, Progress, TensorData, TrainingState, finetune, fold, read_onnx
from compressors.teaching import remembered_answers
from hw_models.counts import macs
from paretrim.network import Network
from paretrim.problem import UNCHANGED, Policy
from search.memory import keep_freed_memory
from search.score import wilson

#: shares of a block's width that are tried; 0 removes the block
SHARES = (1.0, 0.875, 0.75, 0.625, 0.5, 0.375, 0.25, 0.0)
#: steps the multiply-adds are counted in by the knapsack
STEPS = 4000


@dataclass(frozen=True)
class Choice:
    """What can be done to one residual block."""

    keep: Mapping[str, float]
    removed: tuple[str, ...]
    saved: int  #: multiply-adds
    damage: float  #: divergence from the original's outputs, if nothing else is changed


def main() -> None:
    """Choose, compress, train on, judge, print."""
    options = _options()
    torch.set_num_threads(options.threads)
    keep_freed_memory()
    place = options.state / _run_name(options)
    place.mkdir(parents=True, exist_ok=True)
    print(machine(), f"{options.threads} threads, {_place(options)}", place, sep="\n", flush=True)
    finished = place / "result.json"
    if finished.exists() and not options.trial:
        print("finished before:")
        _print(json.loads(finished.read_text()))
        return
    setting = cifar_setting(int(options.network.removeprefix("resnet")), rows=5000)
    train = setting.train
    some = TensorData(train.inputs[: options.train_images], train.targets[: options.train_images], train.prepare)
    setting = Setting(**{**vars(setting), "train": some})
    policy = _policy(setting, options)
    result = _trained(setting, policy, options, place)
    if options.trial:
        print(json.dumps({"run": place.name, **result}), flush=True)
        return
    finished.write_text(json.dumps(result, indent=1))
    _print(result)


def _run_name(options: argparse.Namespace) -> str:
    """Of the options that change the weights: runs that differ in one of them do not share a folder."""
    structure = options.structure if options.policy is None else f"searched-{_read(options.policy).key[:12]}"
    parts = [options.network, structure, options.macs, options.epochs, options.learning_rate]
    parts += [options.train_images, options.distillation, options.temperature, options.weight_decay, options.batch_size]
    parts += [options.ema, options.answers, options.also_taught_by, options.seed]
    return "-".join(f"{part}" for part in parts)


def _place(options: argparse.Namespace) -> str:
    kind = FinetuneOptions(device=options.device).place.type
    return torch.cuda.get_device_name() if kind == "cuda" else "training on the CPU"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", choices=("resnet20", "resnet56"), default="resnet20")
    parser.add_argument("--epochs", type=float, default=15)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--macs", type=float, default=0.5, help="share of the original's multiply-adds")
    parser.add_argument("--structure", choices=("knapsack", "widths", "uniform"), default="knapsack")
    parser.add_argument("--policy", type=Path, help="a file with a policy, in place of a structure")
    parser.add_argument("--images", type=int, default=256, help="training images the damage of a choice is measured on")
    parser.add_argument("--learning-rate", type=float, default=0.05)
    parser.add_argument("--distillation", type=float, default=0.9, help="share of the teachers' loss")
    parser.add_argument("--temperature", type=float, default=4.0)
    parser.add_argument("--weight-decay", type=float, default=5e-4)
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--ema", type=float, default=0.999, help="average the weights with this decay; 0: do not")
    parser.add_argument("--answers", choices=("fresh", "remembered"), default="remembered", help="of the teachers")
    parser.add_argument("--also-taught-by", choices=("resnet20", "resnet56"), help="a teacher beside the original")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="where it trains")
    parser.add_argument("--trial", action="store_true", help="leave the test split alone, and print validation")
    parser.add_argument("--train-images", type=int, default=50_000, help="fewer for a trial of the program")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--state", type=Path, default=Path(tempfile.gettempdir()) / "paretrim-benchmarks" / "half-macs")
    options = parser.parse_args()
    if not 0 < options.epochs <= 15:
        parser.error("--epochs must be above 0 and at most 15")
    return options


def _policy(setting: Setting, options: argparse.Namespace) -> Policy:
    """Chosen once for all runs, and kept."""
    if options.policy is not None:
        return _read(options.policy)
    known = options.state / f"{options.network}-{options.structure}-{options.macs}.json"
    if known.exists():
        return Policy.from_json(json.loads(known.read_text()))
    start = time.process_time()
    network = setting.network
    limit = int(options.macs * macs(network.sized(UNCHANGED)))
    if options.structure == "uniform":
        policy = _uniform(network, limit)
    else:
        shares = SHARES if options.structure == "knapsack" else SHARES[:-1]
        policy = _knapsack(_choices(setting, shares, options.images), macs(network.sized(UNCHANGED)) - limit)
    known.write_text(json.dumps(policy.to_json(), indent=1))
    print(
        f"structure chosen in {time.process_time() - start:.0f} CPU seconds: {json.dumps(policy.to_json())}", flush=True
    )
    return policy


def _read(file: Path) -> Policy:
    return Policy.from_json(json.loads(file.read_text()))


def _uniform(network: Network, limit: int) -> Policy:
    """The largest share of every group that can shrink which meets the limit."""
    groups = [group.name for group in network.prunable_groups]
    for percent in range(100, 0, -1):
        policy = Policy(keep=dict.fromkeys(groups, percent / 100))
        if macs(network.sized(policy)) <= limit:
            return policy
    raise SystemExit("no uniform share meets the limit")


def _choices(setting: Setting, shares: tuple[float, ...], images: int) -> list[list[Choice]]:
    """For every residual block, what can be done to it and what that alone does to the outputs."""
    network, compressor = setting.network, setting.compressor(SEARCH)
    inputs, _ = setting.train.batch(slice(0, images))
    inputs = inputs.contiguous(memory_format=torch.channels_last)
    original = _log_probabilities(fold(setting.imported.module), inputs)
    whole = macs(network.sized(UNCHANGED))
    table = []
    for block in network.blocks:
        groups = [
            group.name
            for group in network.prunable_groups
            if group.kind == "channels" and set(group.producers) <= set(block.operations)
        ]
        row = [Choice({}, (), 0, 0.0)]
        for share in shares[1:]:
            policy = Policy(keep=dict.fromkeys(groups, share)) if share else Policy(removed=(block.name,))
            found = _log_probabilities(fold(compressor.compress(policy).module), inputs)
            damage = float((original.exp() * (original - found)).sum(1).mean())
            row.append(Choice(policy.keep, policy.removed, whole - macs(network.sized(policy)), damage))  # type: ignore[arg-type]
        table.append(row)
        print(f"{block.name}: " + ", ".join(f"{c.saved / 1e6:.2f} M {c.damage:.4f}" for c in row[1:]), flush=True)
    return table


def _log_probabilities(module: nn.Module, inputs: Tensor) -> Tensor:
    module = module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    with torch.inference_mode():
        return torch.cat([module(rows).log_softmax(1) for rows in torch.split(inputs, 128)]).double()


def _knapsack(table: list[list[Choice]], wanted: int) -> Policy:
    """The choices with the least damage in sum that save at least so many multiply-adds."""
    least = np.full(STEPS + 1, np.inf)
    least[0] = 0.0
    picks = []
    for row in table:
        steps = [
            min(STEPS, choice.saved * STEPS // wanted) for choice in row
        ]  # rounded down, so never too little saved
        reached = np.full((len(row), STEPS + 1), np.inf)
        for number, (choice, step) in enumerate(zip(row, steps, strict=True)):
            reached[number, step:] = least[: STEPS + 1 - step] + choice.damage
            if step:
                reached[number, STEPS] = min(reached[number, STEPS], least[STEPS - step :].min() + choice.damage)
        picks.append((reached.argmin(0), steps, least.copy()))
        least = reached.min(0)
    if not np.isfinite(least[STEPS]):
        raise SystemExit("the blocks alone cannot save so much")
    keep: dict[str, float] = {}
    removed: list[str] = []
    at = STEPS
    for row, (pick, steps, before) in zip(reversed(table), reversed(picks), strict=True):
        chosen, step = row[pick[at]], steps[pick[at]]
        keep |= chosen.keep
        removed += chosen.removed
        at = at - step if at < STEPS or not step else STEPS - step + int(before[STEPS - step :].argmin())
    return Policy(keep=keep, removed=tuple(removed))


def _trained(setting: Setting, policy: Policy, options: argparse.Namespace, place: Path) -> dict[str, object]:
    dense = fold(setting.imported.module)
    compressed = setting.compressor(DELIVERY).compress(policy)
    before = setting.accuracy(fold(compressed.module))
    print(f"validation: original {setting.accuracy(dense):.2%}, compressed {before:.2%}", flush=True)
    teachers = {options.network: dense}
    if options.also_taught_by:
        file = folder() / f"{options.also_taught_by}_cifar10.onnx"
        teachers[options.also_taught_by] = fold(read_onnx(file.read_bytes()).module)
    teacher: Tensor | list[nn.Module] = list(teachers.values())
    if options.answers == "remembered":
        teacher = torch.stack([_answers(setting, teachers[name], options.state, name) for name in teachers]).mean(0)
    saved = place / "training.safetensors"
    state = TrainingState.from_bytes(saved.read_bytes()) if saved.exists() else None
    start = time.monotonic()

    def keep(state: TrainingState) -> None:
        partial = saved.with_suffix(".partial")
        partial.write_bytes(state.to_bytes())
        partial.rename(saved)
        last = state.history[-1]
        rows = min(1.0, options.epochs) * len(setting.train)
        print(
            f"epoch {last.epoch}: loss {last.loss:.4f}, validation {last.validation:.2%}, {last.seconds:.0f} s,"
            f" {rows / last.seconds:.0f} images/s",
            flush=True,
        )

    def show(progress: Progress) -> None:
        if progress.step % 100 == 0:
            print(f"step {progress.step}/{progress.steps}: {progress.eta_seconds / 60:.0f} minutes left", flush=True)

    tuned = finetune(
        compressed,
        teacher,
        setting.train,
        setting.validation,
        _recipe(options),
        progress=show,
        resume=state,
        checkpoint=keep,
    )
    small = fold(tuned.module)
    return {
        "machine": f"{machine()}, {_place(options)}",
        "network": options.network,
        "structure": options.structure if options.policy is None else f"searched: {policy.key}",
        "epochs": options.epochs,
        "seed": options.seed,
        "macs": [macs(setting.network.sized(UNCHANGED)), macs(setting.network.sized(policy))],
        "parameters": [_parameters(dense), _parameters(small)],
        "validation": [setting.accuracy(dense), setting.accuracy(small)],
        "validation_before": before,
        "test": None if options.trial else _on_test(setting, dense, small),
        "seconds": sum(epoch.seconds for epoch in tuned.history),
        "this_run_seconds": time.monotonic() - start,
    }


def _recipe(options: argparse.Namespace) -> FinetuneOptions:
    return FinetuneOptions(
        epochs=options.epochs,
        seed=options.seed,
        learning_rate=options.learning_rate,
        batch_size=options.batch_size,
        weight_decay=options.weight_decay,
        distillation=options.distillation,
        temperature=options.temperature,
        ema_decay=options.ema or None,
        teacher_answers=options.answers,
        device=options.device,
    )


def _answers(setting: Setting, teacher: nn.Module, state: Path, name: str) -> Tensor:
    """A teacher's answers to all training images, worked out once for all runs."""
    saved = state / f"{name}-answers-{len(setting.train)}.safetensors"
    if not saved.exists():
        start = time.process_time()
        teacher = teacher.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        partial = saved.with_suffix(".partial")
        save_file({"answers": remembered_answers(teacher, setting.train, mirrored=True)}, partial)
        partial.rename(saved)
        print(f"{name} was asked in {time.process_time() - start:.0f} CPU seconds", flush=True)
    return load_file(saved)["answers"]


def _on_test(setting: Setting, *modules: nn.Module) -> list[dict[str, object]]:
    """Accuracy on the test split with its 95 % interval (Wilson): the only place that reads it."""
    with np.load(dataset("cifar10")) as data:
        test = TensorData(
            torch.from_numpy(data["test_x"]), torch.from_numpy(data["test_y"]), setting.validation.prepare
        )
    judged = Setting(**{**vars(setting), "validation": test})
    found = []
    for module in modules:
        accuracy = judged.accuracy(module)
        interval = wilson(accuracy, len(test))
        found.append({"accuracy": accuracy, "interval": [interval.low, interval.high]})
    return found


def _parameters(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def _print(result: Mapping[str, object]) -> None:
    print(result["machine"])
    print(f"\n{result['network']}, {result['structure']}, {result['epochs']:g} epochs, seed {result['seed']}\n")
    print("| network | MACs | parameters | validation | test (95 % interval) |")
    print("|---|---|---|---|---|")
    figures = zip(
        ("original", "half"),
        result["macs"],  # type: ignore[call-overload]
        result["parameters"],
        result["validation"],
        result["test"],
        strict=True,
    )
    for name, count, parameters, validation, test in figures:
        low, high = test["interval"]
        print(
            f"| {name} | {count / 1e6:.2f} M | {parameters:,} | {validation:.2%} "
            f"| {test['accuracy']:.2%} ({low:.2%}-{high:.2%}) |"
        )
    original, small = (test["accuracy"] for test in result["test"])  # type: ignore[attr-defined]
    print(
        f"\nBefore fine-tuning {result['validation_before']:.2%} on validation; training took {result['seconds']:.0f} s."
    )
    print(f"Test accuracy below the original: {(original - small) * 100:.2f} points.")


if __name__ == "__main__":
    main()
