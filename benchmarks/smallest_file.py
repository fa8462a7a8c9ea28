"""The smallest packed file (`.ptz`) of a network that loses at most half a point of accuracy.

    python -m benchmarks.smallest_file --network resnet20|kws [--device cpu|cuda] [--epochs 10] [--state FOLDER]

1. What each narrower width of each layer, and each narrower group of channels, costs alone is measured once: the
   divergence of the outputs from the original's on calibration inputs, without labels. What a policy's file will take
   is predicted (`learn_packed_sizes`). Then the cheapest step in damage per byte is taken again and again.
2. For a ratio (original's parameters in single precision / packed file) the first policy that reaches it is rounded,
   with few digits for steps and biases (`compact`), and trained on with distillation, weights and steps together.
3. The ratios of the ladder are gone through by halves: up where validation stays within the loss allowed, else down.
4. The test split is read once, at the end, through the unpacked file in ONNX Runtime.

ResNet-20 learns from its training split and is judged on the validation split. Keyword spotting comes without training
data: every second validation clip, without its label, is varied (shifted, blended with another, noise) and learnt from
by distillation alone; the other half, with labels, chooses the rung.

What is done is kept in the state folder, the training after every epoch: started again, the program goes on.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch
from torch import Tensor, fx, nn

from benchmarks.networks import Subject, subject
from benchmarks.shared_data import dataset, folder, machine
from compressors import (
    Compressor,
    CompressorOptions,
    FinetuneOptions,
    PackedSizes,
    TensorData,
    TrainingState,
    finetune,
    fold,
    learn_packed_sizes,
    pack,
    unpack,
    write_onnx,
)
from compressors.kernels import exact_session_options
from paretrim.problem import Bits, Policy
from search.score import wilson

WIDTHS = (8, 6, 5, 4, 3, 2)
SHARES = (1.0, 0.875, 0.75, 0.625, 0.5)
#: ratios that are tried
LADDER = {"resnet20": (10, 12, 14, 16, 18, 20, 22, 25, 28, 32), "kws": (8, 9, 10, 11, 12, 13, 14, 15, 16, 18)}
#: share of the bytes allowed that a policy may take before training, which makes codes a little less alike
LEFT = 0.985
#: variants of each clip
VARIANTS = 48


@dataclass(frozen=True, eq=False)
class Case:
    """A network, what it is trained and judged on, and how."""

    given: Subject
    train: TensorData
    distillation: float
    options: argparse.Namespace
    place: Path

    @property
    def compress(self) -> CompressorOptions:
        """How policies are carried out."""
        return CompressorOptions(weight_range="mse", compact=True)


def main() -> None:
    """Climb the ladder, print."""
    options = _options()
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    given = subject(options.network, options.rows)
    named = (options.network, float(options.epochs), options.learning_rate, options.ema, options.activations,
             options.rows, options.train_rows, options.seed)  # fmt: skip
    place = options.state / "-".join(map(str, named))
    place.mkdir(parents=True, exist_ok=True)
    print(machine(), f"{options.threads} threads, {options.device}", place, sep="\n", flush=True)
    train = _variants(given, options.seed) if given.train is None else given.train
    train = TensorData(train.inputs[: options.train_rows], train.targets[: options.train_rows], train.prepare)
    case = Case(given, train, 1.0 if given.train is None else 0.5, options, place)
    original = given.accuracy(fold(given.imported.module))
    whole = sum(parameter.numel() for parameter in given.imported.module.parameters()) * 4
    print(f"{options.network}: {whole} bytes of parameters, {len(given.content)} of ONNX; {original:.2%} on")
    print(f"{len(given.judged)} validation rows; trained on {len(train)} rows, {options.epochs:g} epochs", flush=True)
    path = _path(case)
    found = _climb(case, path, whole, original)
    _report(case, found, whole, original)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", choices=tuple(LADDER), default="kws")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="cpu", help="where it trains")
    parser.add_argument("--epochs", type=float, default=10)
    parser.add_argument("--learning-rate", type=float, default=0.004)
    parser.add_argument("--ema", type=float, default=0.0, help="decay of the average of weights that is kept; 0: none")
    parser.add_argument("--activations", type=int, choices=(8, 32), default=32, help="bits of activations")
    parser.add_argument("--ladder", type=str, default="", help="ratios instead of the built-in ones: 10,15,20")
    parser.add_argument("--points", type=float, default=0.5, help="accuracy on validation that may be lost")
    parser.add_argument("--rows", type=int, default=5000, help="validation rows, fewer for a trial of the program")
    parser.add_argument("--train-rows", type=int, default=50_000, help="fewer for a trial of the program")
    parser.add_argument("--trial", action="store_true", help="do not read the test split")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--state", type=Path, default=Path(tempfile.gettempdir()) / "paretrim-benchmarks" / "smallest")
    options = parser.parse_args()
    return options


def _variants(given: Subject, seed: int) -> TensorData:
    """Clips of the calibration half, shifted in time, blended, with noise: (250 x VARIANTS, 1, 49, 10), no labels."""
    generator = torch.Generator().manual_seed(seed)
    made = [given.calibration]
    spread = given.calibration.std(0, keepdim=True)
    for _ in range(VARIANTS - 1):
        clips = given.calibration
        by = int(torch.randint(-8, 9, (), generator=generator))
        shifted = clips.roll(by, 2)
        others = clips[torch.randperm(len(clips), generator=generator)]
        share = torch.rand(len(clips), 1, 1, 1, generator=generator).square() * 0.6
        noise = torch.randn(clips.shape, generator=generator) * spread
        loud = torch.rand(len(clips), 1, 1, 1, generator=generator) * 0.3
        made.append((1 - share) * shifted + share * others + loud * noise)
    inputs = torch.cat(made)
    return TensorData(inputs, torch.zeros(len(inputs), dtype=torch.int64))


def _kept(place: Path, compute: Callable[[], Any]) -> Any:
    """A JSON value worked out once."""
    if not place.exists():
        value = compute()
        partial = place.with_suffix(".partial")
        partial.write_text(json.dumps(value))
        partial.rename(place)
    return json.loads(place.read_text())


def _path(case: Case) -> list[tuple[int, Policy]]:
    """Policies from the least compressed one on, each with its predicted bytes."""
    given, start = case.given, time.process_time()
    bits = {layer.name: [Bits(width, case.options.activations) for width in WIDTHS] for layer in given.network.layers}

    def predictor() -> Any:
        return learn_packed_sizes(given.imported, given.network, given.statistics, case.compress, bits).to_json()

    shared = case.options.state / f"{case.options.network}-{case.options.activations}"
    sizes = PackedSizes.from_json(_kept(shared.with_suffix(".sizes.json"), predictor))
    damages = _kept(shared.with_suffix(".damages.json"), lambda: _damages(case))
    policy = Policy(bits={name: each[0] for name, each in bits.items()})
    path = [(sizes.predict(given.network.sized(policy)), policy)]
    while steps := list(_steps(path[-1][1], damages, case.options.activations)):
        now = path[-1][0]
        sized = [(sizes.predict(given.network.sized(one)), harm, one) for harm, one in steps]
        smaller = [(max(harm, 1e-9) / (now - size), size, one) for size, harm, one in sized if size < now]
        if not smaller:
            break
        _, size, best = min(smaller, key=lambda entry: entry[:2])
        path.append((size, best))
    print(f"{len(path)} policies laid out in {time.process_time() - start:.0f} CPU seconds", flush=True)
    return path


def _damages(case: Case) -> dict[str, dict[str, float]]:
    """By layer and width, by group and share: divergence from the original's outputs if nothing else is changed."""
    given = case.given
    compressor = Compressor(given.imported, given.network, given.statistics, case.compress)
    inputs = given.calibration[:256]
    plain = _log_probabilities(fold(given.imported.module), inputs)

    def damage(policy: Policy) -> float:
        found = _log_probabilities(fold(compressor.compress(policy).module), inputs)
        return max(0.0, float((plain.exp() * (plain - found)).sum(1).mean()))

    found: dict[str, dict[str, float]] = {}
    for layer in given.network.layers:
        found[layer.name] = {str(w): damage(Policy(bits={layer.name: Bits(w, 32)})) for w in WIDTHS}
        print(f"{layer.name}: " + ", ".join(f"{w} bits {d:.4f}" for w, d in found[layer.name].items()), flush=True)
    for group in given.network.prunable_groups:
        name = f"group {group.name}"
        found[name] = {str(share): damage(Policy(keep={group.name: share})) for share in SHARES}
        print(f"{name}: " + ", ".join(f"{s} {d:.4f}" for s, d in found[name].items()), flush=True)
    return found


def _steps(policy: Policy, damages: Mapping[str, Mapping[str, float]], activations: int) -> list[tuple[float, Policy]]:
    """Every policy that is one step narrower in one place, with what that step adds to the damage."""
    made = []
    for name, known in damages.items():
        ladder = list(known)
        if name.startswith("group "):
            group = name.removeprefix("group ")
            held = str(policy.keep.get(group, 1.0))
        else:
            held = str(policy.bits[name].weight)
        at = ladder.index(held)
        for after in ladder[at + 1 :]:
            added = known[after] - known[held]
            if name.startswith("group "):
                made.append((added, Policy(keep={**policy.keep, group: float(after)}, bits=policy.bits)))
            else:
                bits = {**policy.bits, name: Bits(int(after), activations)}
                made.append((added, Policy(keep=policy.keep, bits=bits)))
    return made


def _log_probabilities(module: nn.Module, inputs: Tensor) -> Tensor:
    with torch.inference_mode():
        return torch.cat([module(rows).log_softmax(1) for rows in torch.split(inputs, 128)]).double()


def _climb(case: Case, path: list[tuple[int, Policy]], whole: int, original: float) -> dict[int, dict[str, Any]]:
    """By ratio that was tried, what came of it."""
    named = case.options.ladder
    ladder = [int(each) for each in named.split(",")] if named else list(LADDER[case.options.network])
    low, high, found = 0, len(ladder), {}
    while low < high:
        middle = (low + high) // 2
        ratio = ladder[middle]
        found[ratio] = result = _kept(case.place / f"{ratio}.json", partial(_rung, case, path, ratio, whole))
        lost = (original - result["validation"]) * 100
        print(
            f"ratio {ratio}: {result['bytes']} bytes, {result['validation']:.2%} on validation"
            f" ({result['before']:.2%} before training), {lost:.2f} points lost, {result['seconds']:.0f} s",
            flush=True,
        )
        if lost <= case.options.points + 1e-9:
            low = middle + 1
        else:
            high = middle
    return found


def _rung(case: Case, path: list[tuple[int, Policy]], ratio: int, whole: int) -> dict[str, Any]:
    """The first policy on the path whose file is small enough, trained and packed."""
    given, limit = case.given, whole / ratio
    compressor = Compressor(given.imported, given.network, given.statistics, case.compress)
    for size, policy in path:
        if size > 1.05 * limit:
            continue
        compressed = compressor.compress(policy)
        if len(pack(write_onnx(compressed.module, given.imported, policy=policy)).content) <= LEFT * limit:
            break
    before = given.accuracy(compressed.module)
    print(f"ratio {ratio}: {_in_words(policy)}; {before:.2%} before training", flush=True)
    saved, start = case.place / f"{ratio}.training.safetensors", time.monotonic()
    state = TrainingState.from_bytes(saved.read_bytes()) if saved.exists() else None
    history = [] if state is None else list(state.history)

    def keep(state: TrainingState) -> None:
        partial = saved.with_suffix(".partial")
        partial.write_bytes(state.to_bytes())
        partial.rename(saved)
        history[:] = state.history
        last = state.history[-1]
        print(
            f"  epoch {last.epoch}: loss {last.loss:.4f}, validation {last.validation:.2%}, {last.seconds:.0f} s",
            flush=True,
        )

    settings = FinetuneOptions(
        epochs=case.options.epochs,
        seed=case.options.seed,
        learning_rate=case.options.learning_rate,
        distillation=case.distillation,
        ema_decay=case.options.ema or None,
        optimizer="sgd",
        weight_decay=1e-4,
        device=case.options.device,
    )
    tuned = finetune(
        compressed, fold(given.imported.module), case.train, given.judged, settings, resume=state, checkpoint=keep
    )
    return {
        **_packed(case, tuned.module, policy, ratio),
        "policy": policy.to_json(),
        "before": before,
        "epochs": len(history),
        "seconds": sum(epoch.seconds for epoch in history),
        "this_run_seconds": time.monotonic() - start,
    }


def _packed(case: Case, module: fx.GraphModule, policy: Policy, ratio: int) -> dict[str, Any]:
    """The file, its parts, and what it answers on the validation rows once it is unpacked."""
    packed = pack(write_onnx(module, case.given.imported, policy=policy))
    (case.place / f"{ratio}.ptz").write_bytes(packed.content)
    return {
        "bytes": len(packed.content),
        "validation": _accuracy(packed.content, case, case.given.judged),
        "in_torch": case.given.accuracy(module),
        "overhead": packed.overhead_bytes,
        "by_layer": packed.by_layer(),
        "by_part": _by_part(packed.tensors),
    }


def _by_part(tensors: Any) -> dict[str, int]:
    parts = {"weights": 0, "scales and zero points": 0, "biases": 0, "other": 0}
    for tensor in tensors:
        ends = tensor.name.rpartition(".")[2].rstrip("0123456789_")
        part = {"weight": "weights", "bias": "biases"}.get(ends, "other")
        part = "scales and zero points" if ends.endswith(("scale", "zero_point")) else part
        parts[part] += tensor.packed_bytes
    return parts


def _accuracy(content: bytes, case: Case, data: TensorData) -> float:
    """Of a packed file, unpacked, in ONNX Runtime."""
    session = onnxruntime.InferenceSession(unpack(content), exact_session_options(), providers=["CPUExecutionProvider"])
    right = 0
    for inputs, targets in data.batches(250):
        outputs = session.run(None, {case.given.imported.input_name: inputs.numpy()})[0]
        right += int((outputs.argmax(1) == targets.numpy()).sum())
    return right / len(data)


def _in_words(policy: Policy) -> str:
    widths = ", ".join(f"{name} {bits.weight}" for name, bits in policy.bits.items())
    shares = ", ".join(f"{name} {share}" for name, share in policy.keep.items())
    return f"bits {widths}; units kept {shares or 'all'}"


def _report(case: Case, found: Mapping[int, Mapping[str, Any]], whole: int, original: float) -> None:
    good = [each for each in found.values() if (original - each["validation"]) * 100 <= case.options.points + 1e-9]
    print("\n| ratio aimed at | bytes | parameters / file | ONNX / file | before training | validation | lost |")
    print("|---|---|---|---|---|---|---|")
    for ratio, each in sorted(found.items()):
        size = each["bytes"]
        print(
            f"| {ratio} | {size} | {whole / size:.2f} | {len(case.given.content) / size:.2f} | {each['before']:.2%}"
            f" | {each['validation']:.2%} | {(original - each['validation']) * 100:.2f} |"
        )
    if not good:
        print(f"\nNo file of the ladder loses at most {case.options.points} points on validation.")
        return
    best = min(good, key=lambda each: each["bytes"])
    ratio = next(ratio for ratio, each in found.items() if each is best)
    for line in _limits(best, case, whole):
        print(line)
    if case.options.trial:
        return
    test = _kept(case.place / f"{ratio}.test.json", lambda: _on_test(case, (case.place / f"{ratio}.ptz").read_bytes()))
    for name, (accuracy, low, high) in test.items():
        print(f"test, {name}: {accuracy:.2%} (95 % interval {low:.2%} to {high:.2%})")


def _limits(best: Mapping[str, Any], case: Case, whole: int) -> Iterator[str]:
    """What the smallest file is, and where its bytes are."""
    size, content = best["bytes"], len(case.given.content)
    yield f"\nThe smallest within {case.options.points} points: {size} bytes, {whole / size:.2f} times fewer than the"
    yield f"parameters in single precision, {content / size:.2f} times fewer than the ONNX file."
    yield _in_words(Policy.from_json(best["policy"]))
    yield "bytes by layer: " + ", ".join(f"{name} {count}" for name, count in best["by_layer"].items() if count)
    parts = {**best["by_part"], "graph, names, codings, checksum": best["overhead"]}
    yield "what limits it: " + ", ".join(f"{name} {count} ({count / size:.0%})" for name, count in parts.items())


def _on_test(case: Case, content: bytes) -> dict[str, tuple[float, float, float]]:
    """Accuracy of original and file with 95 % intervals: the only place that reads the test split."""
    kws = case.options.network == "kws"
    with np.load(folder() / "kws.npz" if kws else dataset("cifar10")) as data:
        x, y = torch.from_numpy(data["test_x"]), torch.from_numpy(data["test_y"]).long()
    test = TensorData(x, y, case.given.judged.prepare)
    plain = write_onnx(case.given.imported.module, case.given.imported)
    found = {}
    for name, accuracy in (
        ("original", _accuracy(pack(plain).content, case, test)),
        ("packed", _accuracy(content, case, test)),
    ):
        interval = wilson(accuracy, len(test))
        found[name] = (accuracy, interval.low, interval.high)
    return found


if __name__ == "__main__":
    main()
