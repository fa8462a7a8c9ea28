"""Bits layer by layer against the same bits everywhere, at the same packed size.

    python -m benchmarks.mixed_bits --network resnet20|kws [--seeds 3] [--candidates 200] [--finetune-epochs 2]

For each uniform width (weights 3 and 4 bits, activations 8, first and last layer 8/8) the agent HAQ and other
algorithms search the bits of weights, under the packed size that the uniform network has. With --score fidelity they
see how near a network's outputs are to the original's on inputs without labels (the job's metric `mse`, with the
original's outputs as targets), with --score accuracy the accuracy on the first validation rows; the figures are of the
validation rows they did not see. With --finetune-epochs, uniform and found networks are trained on with distillation,
from each seed. Margins are printed with their spread over seeds.

Every finished search and training is kept in the state folder: started again, the program goes on there.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.networks import Subject, subject
from benchmarks.shared_data import machine
from compressors import (
    Compressor,
    CompressorOptions,
    FinetuneOptions,
    PackedSizes,
    TensorData,
    evaluate,
    finetune,
    fold,
    learn_packed_sizes,
    pack,
    write_onnx,
)
from compressors.rounding import drop_relus
from paretrim.algorithms import check_options
from paretrim.errors import SearchExhausted
from paretrim.network import Network, Operation
from paretrim.problem import UNCHANGED, Bits, Budget, Candidate, Constraint, Measurement, Objective, Policy
from search.algorithm import Algorithm, Task
from search.algorithms import ALGORITHMS
from search.score import score
from search.space import Space

WIDTHS = tuple(Bits(weight, 8) for weight in range(2, 9))
#: policies asked for before any is told, as in a job
WINDOW = 4


class Storage:
    """Implements `BitsDevice`: any width of weights, activations of 8 bits."""

    def legal_bits(self, operation: Operation) -> tuple[Bits, ...]:
        """2 to 8 bits."""
        del operation
        return WIDTHS

    def channel_step(self, operation: Operation, bits: Bits) -> int:
        """Widths are not searched."""
        del operation, bits
        return 1


@dataclass(frozen=True, eq=False)
class SizeCosts:
    """Implements `CostModel`: the packed size, nothing else."""

    network: Network
    sizes: PackedSizes

    @property
    def original(self) -> Measurement:
        """Of the network as it is."""
        return self.measure(UNCHANGED)

    def measure(self, policy: Policy) -> Measurement:
        """Predicted."""
        return Measurement(size_bytes=self.sizes.predict(self.network.sized(policy)))

    def figures(self, policy: Policy, metrics: Collection[str]) -> Measurement:
        """There is only one figure."""
        del metrics
        return self.measure(policy)


@dataclass(frozen=True, eq=False)
class Bench:
    """A network with the rows searches see, and those they are judged on."""

    given: Subject
    compressor: Compressor
    costs: SizeCosts
    seen: TensorData
    held: TensorData
    options: argparse.Namespace
    known: dict[str, float]

    def score(self, policy: Policy) -> float:
        """On the rows searches see; worked out once."""
        if policy.key not in self.known:
            module = self.ready(policy)
            self.known[policy.key] = evaluate(module, self.seen) if self.labels else self._fidelity(module)
        return self.known[policy.key]

    @property
    def labels(self) -> bool:
        """Whether searches see labels."""
        return bool(self.options.score == "accuracy")

    def _fidelity(self, module: nn.Module) -> float:
        return score("mse", _outputs(module, self.seen), self.seen.targets, self.seen.inputs)

    def ready(self, policy: Policy) -> nn.Module:
        """The network of a policy, to be run."""
        module = fold(self.compressor.compress(policy).module, copy=False)
        drop_relus(module)
        return module.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]

    def uniform(self, width: int) -> Policy:
        """First and last layer keep 8/8."""
        ends = self.given.network.end_layers
        names = [layer.name for layer in self.given.network.layers]
        return Policy(bits={name: Bits(8 if name in ends else width, 8) for name in names})

    def real_bytes(self, policy: Policy) -> int:
        """Of the packed file."""
        module = self.compressor.compress(policy).module
        return len(pack(write_onnx(module, self.given.imported, policy=policy)).content)


def main() -> None:
    """Search, train, print."""
    options = _options()
    torch.set_num_threads(options.threads)
    named = (options.network, options.score, options.candidates, options.search_rows, options.rows)
    place = options.state / "-".join(map(str, named))
    place.mkdir(parents=True, exist_ok=True)
    print(machine(), f"{options.threads} threads, {options.device}", place, sep="\n", flush=True)
    bench = _bench(options, place)
    plain = fold(bench.given.imported.module)
    print(f"{options.network}: {len(bench.seen)} rows for the search ({options.score}), {len(bench.held)} to judge on;")
    print(f"32 bits: {evaluate(plain, bench.held):.2%}", flush=True)
    for width in map(int, options.widths.split(",")):
        _compare(bench, width, place)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", choices=("kws", "resnet20", "resnet56"), default="resnet20")
    parser.add_argument("--widths", default="3,4", help="uniform widths that are compared with")
    parser.add_argument("--algorithms", default="haq,ilp")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--candidates", type=int, default=200, help="of each search")
    parser.add_argument("--score", choices=("fidelity", "accuracy"), default="fidelity", help="what searches see")
    parser.add_argument("--search-rows", type=int, default=1000, help="rows that searches see")
    parser.add_argument("--rows", type=int, default=5000, help="validation rows in all")
    parser.add_argument("--finetune-epochs", type=float, default=0.0)
    parser.add_argument("--train-rows", type=int, default=50_000)
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="cpu", help="where fine-tuning runs")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--state", type=Path, default=Path(tempfile.gettempdir()) / "paretrim-benchmarks" / "mixed")
    options = parser.parse_args()
    if options.network == "kws":
        options.search_rows = min(options.search_rows, 250 if options.score == "fidelity" else 125)
        if options.finetune_epochs:
            parser.error("kws comes without training data")
    return options


def _bench(options: argparse.Namespace, place: Path) -> Bench:
    given = subject(options.network, options.rows)
    how = CompressorOptions()
    choices = {layer.name: WIDTHS for layer in given.network.layers}

    def learn() -> Any:
        return learn_packed_sizes(given.imported, given.network, given.statistics, how, choices).to_json()

    sizes = PackedSizes.from_json(_kept(place / "sizes.json", learn))
    known = place / "scores.json"
    seen, held = _rows(given, options)
    return Bench(
        given,
        Compressor(given.imported, given.network, given.statistics, how),
        SizeCosts(given.network, sizes),
        seen,
        held,
        options,
        json.loads(known.read_text()) if known.exists() else {},
    )


def _rows(given: Subject, options: argparse.Namespace) -> tuple[TensorData, TensorData]:
    """What searches see, and what is judged on: labelled rows of the validation split, apart from each other."""
    judged, at = given.judged, options.search_rows
    if options.score == "accuracy" or given.train is not None:
        seen = TensorData(judged.inputs[:at], judged.targets[:at], judged.prepare)
        held = TensorData(judged.inputs[at:], judged.targets[at:], judged.prepare)
    else:  # what it was calibrated on will do, for no label is looked at
        inputs = given.calibration[:at]
        seen, held = TensorData(inputs, torch.zeros(len(inputs))), judged
    if options.score == "fidelity":
        seen = TensorData(seen.inputs, _outputs(fold(given.imported.module), seen), seen.prepare)
    return seen, held


def _outputs(module: nn.Module, rows: TensorData) -> Tensor:
    with torch.inference_mode():
        return torch.cat([module(inputs) for inputs, _ in rows.batches(250)])


def _kept(place: Path, compute: Callable[[], Any]) -> Any:
    """A JSON value worked out once."""
    if not place.exists():
        partial = place.with_suffix(".partial")
        partial.write_text(json.dumps(compute()))
        partial.rename(place)
    return json.loads(place.read_text())


def _compare(bench: Bench, width: int, place: Path) -> None:
    uniform = bench.uniform(width)
    limit = bench.costs.sizes.predict(bench.given.network.sized(uniform))
    print(
        f"\nAs large as {width} bits everywhere: {limit} bytes predicted, {bench.real_bytes(uniform)} packed",
        flush=True,
    )
    rows: dict[str, list[tuple[Policy, int]]] = {"uniform": [(uniform, seed) for seed in range(bench.options.seeds)]}
    for name in bench.options.algorithms.split(","):
        rows[name] = []
        for seed in range(bench.options.seeds):
            kept = _kept(
                place / f"{width}-{name}-{seed}.json",
                lambda name=name, seed=seed: _search(bench, name, seed, limit).to_json(),  # type: ignore[misc]
            )
            (place / "scores.json").write_text(json.dumps(bench.known))
            rows[name].append((Policy.from_json(kept), seed))
            words = " ".join(str(bits.weight) for bits in rows[name][-1][0].bits.values())
            print(f"{name}, seed {seed}: {bench.score(rows[name][-1][0]):.2%} on the rows it saw; {words}", flush=True)
    _table(bench, rows, width, place)


def _search(bench: Bench, name: str, seed: int, limit: int) -> Policy:
    """The most accurate policy of at most so many packed bytes."""
    objectives, constraints = (Objective("accuracy"),), (Constraint.parse(f"size_bytes <= {limit}"),)
    space = Space(bench.given.network, Storage(), bench.costs, objectives=objectives, constraints=constraints)
    original = Measurement(accuracy=bench.score(UNCHANGED), size_bytes=bench.costs.original.size_bytes)
    task = Task(space, objectives, constraints, original, Budget(bench.options.candidates))
    given = {} if name == "haq" else {"genome": "bits"}
    algorithm: Algorithm = ALGORITHMS[name](task, check_options(name, given), seed)
    best, accuracy, told = space.anchor, -1.0, 0
    while told < bench.options.candidates:
        policies = _window(algorithm, min(WINDOW, bench.options.candidates - told))
        if not policies:
            break
        for policy in policies:
            found = bench.score(policy)
            size = bench.costs.measure(policy).size_bytes
            algorithm.tell(Candidate(told, policy, Measurement(accuracy=found, size_bytes=size)))
            told += 1
            if found > accuracy:
                best, accuracy = policy, found
    return best


def _window(algorithm: Algorithm, size: int) -> list[Policy]:
    policies: list[Policy] = []
    try:
        for _ in range(size):
            policies.append(algorithm.ask())
    except SearchExhausted:
        pass
    return policies


def _table(bench: Bench, rows: dict[str, list[tuple[Policy, int]]], width: int, place: Path) -> None:
    before: dict[str, list[float]] = {}
    after: dict[str, list[float]] = {}
    print("\n| bits of weights | packed bytes | before training | margin | after training | margin |", flush=True)
    print("|---|---|---|---|---|---|", flush=True)
    for name, found in rows.items():
        before[name] = [evaluate(bench.ready(policy), bench.held) for policy, _ in found]
        sizes = [bench.real_bytes(policy) for policy, _ in found]
        if bench.options.finetune_epochs:
            after[name] = [
                _kept(
                    place / f"{width}-{name}-{seed}-{bench.options.finetune_epochs:g}-{bench.options.train_rows}.json",
                    lambda policy=policy, seed=seed: _trained(bench, policy, seed),  # type: ignore[misc]
                )
                for policy, seed in found
            ]
        cells = [_spread(before[name]), _margin(before, name), _spread(after.get(name)), _margin(after, name)]
        print(f"| {name} | {statistics.mean(sizes):.0f} | {' | '.join(cells)} |", flush=True)


def _trained(bench: Bench, policy: Policy, seed: int) -> float:
    """Accuracy on the rows to judge on, after fine-tuning; the others choose the best epoch."""
    train, judged = bench.given.train, bench.given.judged
    assert train is not None
    count, at = bench.options.train_rows, bench.options.search_rows
    tuned = finetune(
        bench.compressor.compress(policy),
        fold(bench.given.imported.module),
        TensorData(train.inputs[:count], train.targets[:count], train.prepare),
        TensorData(judged.inputs[:at], judged.targets[:at], judged.prepare),
        FinetuneOptions(epochs=bench.options.finetune_epochs, seed=seed, device=bench.options.device),
    )
    return evaluate(tuned.module, bench.held)


def _spread(values: Sequence[float] | None) -> str:
    if not values:
        return "-"
    return f"{statistics.mean(values):.2%} +- {statistics.stdev(values) if len(values) > 1 else 0.0:.2%}"


def _margin(table: dict[str, list[float]], name: str) -> str:
    """Mean and standard deviation over seeds of the difference from uniform, in points."""
    if name == "uniform" or name not in table:
        return "-"
    margins = [(mine - plain) * 100 for mine, plain in zip(table[name], table["uniform"], strict=True)]
    spread = statistics.stdev(margins) if len(margins) > 1 else 0.0
    return f"{statistics.mean(margins):+.2f} +- {spread:.2f} points"


if __name__ == "__main__":
    main()
