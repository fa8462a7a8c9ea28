"""What three choices about memory are worth in passes and in training, against none of them.

    python -m benchmarks.passes [--networks resnet20_cifar,tiny_person_detection] [--rounds 5]

`rows`: as many at once as the largest activation allows, else 250; `kept`: freed memory is kept; `layout`: training is
channels-last (passes always are). Networks of the registry with random weights, on random images, one thread. Every
setting runs in a process of its own, as what the C library was told cannot be taken back, and the settings take turns;
CPU seconds, the least of all repetitions and rounds, as whatever else runs can only add to them. `passes` are those of
the evaluation of candidates, `training` are steps of 128 rows.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import time
from collections import defaultdict
from collections.abc import Sequence

import torch
from torch.nn import functional

from benchmarks.shared_data import machine
from compressors import rows_at_once
from compressors.architectures import ARCHITECTURES
from compressors.layout import plain_again, train_channels_last
from search.memory import keep_freed_memory

BASELINE_ROWS, TRAINING_ROWS = 250, 128
REPEATS = 4
#: what is compared
SETTINGS = {
    "baseline": (),
    "rows": ("rows",),
    "kept": ("kept",),
    "layout": ("layout",),
    "all": ("rows", "kept", "layout"),
}


def main() -> None:
    """One line for each network and setting."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", default="resnet20_cifar,tiny_person_detection,tiny_keyword_spotting")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    print(
        f"{machine()}, one thread\n\n| network | setting | rows at once | passes | training | peak MB |\n|---|---|---|---|---|---|"
    )
    for network in options.networks.split(","):
        found: dict[str, list[tuple[float, float, int, int]]] = defaultdict(list)
        for _ in range(options.rounds):
            for setting in SETTINGS:
                with multiprocessing.get_context("spawn").Pool(1) as process:
                    found[setting].append(process.apply(measure, (network, setting)))
        base = [min(column) for column in zip(*found["baseline"], strict=True)]
        for setting, rounds in found.items():
            passes, training, rows, megabytes = (min(column) for column in zip(*rounds, strict=True))
            ratios = f"{base[0] / passes:.2f}x | {base[1] / training:.2f}x"
            print(f"| {network} | {setting} | {rows:.0f} | {ratios} | {megabytes:.0f} |", flush=True)


def measure(name: str, setting: str) -> tuple[float, float, int, int]:
    """CPU seconds of passes over 500 rows and of a training step, the rows at once, the peak of memory in MB."""
    torch.set_num_threads(1)
    chosen = SETTINGS[setting]
    if "kept" in chosen and not keep_freed_memory():
        raise SystemExit("this C library cannot be told to keep memory, or MALLOC_ variables are set")
    architecture = ARCHITECTURES[name]
    torch.manual_seed(0)
    module = architecture.build(10).eval()
    inputs = torch.randn(500, *architecture.input_shape)
    at_once = rows_at_once(module, inputs[:1]) if "rows" in chosen else BASELINE_ROWS
    batches = [rows.contiguous(memory_format=torch.channels_last) for rows in torch.split(inputs, at_once)]
    module = module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    with torch.inference_mode():
        passes = min(_passes(module, batches) for _ in range(REPEATS))
    return passes, _training(module.train(), inputs[:TRAINING_ROWS], "layout" in chosen), at_once, _peak_mb()


def _passes(module: torch.nn.Module, batches: Sequence[torch.Tensor]) -> float:
    start = time.process_time()
    for rows in batches:
        module(rows)
    return time.process_time() - start


def _training(module: torch.nn.Module, rows: torch.Tensor, channels_last: bool) -> float:
    if channels_last:
        train_channels_last(module)
        rows = rows.contiguous(memory_format=torch.channels_last)
    else:
        plain_again(module, [])
    targets = torch.zeros(len(rows), dtype=torch.int64)
    optimizer = torch.optim.SGD(module.parameters(), 1e-3)
    spent = []
    for _ in range(REPEATS):
        start = time.process_time()
        optimizer.zero_grad()
        functional.cross_entropy(module(rows), targets).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        spent.append(time.process_time() - start)
    return min(spent)


def _peak_mb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


if __name__ == "__main__":
    main()
