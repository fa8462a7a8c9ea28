"""What a candidate costs that changes nothing but bits, against one forward pass of the network as it was.

    python -m benchmarks.bits_only_candidate [--network kws|resnet20|resnet56] [--rows 500]

Processor time of the thread, the median of several candidates, each evaluated for the first time; every layer has been
at each of its widths before, as in a search that has run for a while.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from benchmarks.networks import subject
from benchmarks.shared_data import machine
from compressors import Compressor, fold
from compressors.rounding import drop_relus
from paretrim.problem import Bits, Policy

CANDIDATES = 7


def main() -> None:
    """Print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", choices=("kws", "resnet20", "resnet56"), default="resnet20")
    parser.add_argument("--rows", type=int, default=500)
    options = parser.parse_args()
    torch.set_num_threads(1)
    given = subject(options.network, options.rows)
    compressor = Compressor(given.imported, given.network, given.statistics)
    batches = [inputs.contiguous(memory_format=torch.channels_last) for inputs, _ in given.judged.batches(250)]
    layers = [layer.name for layer in given.network.layers]
    widths = (Bits(8, 8), Bits(6, 6), Bits(4, 4))
    for bits in widths:  # every rounded weight is known from here on
        compressor.compress(Policy(bits=dict.fromkeys(layers, bits)))

    def forward(module: nn.Module) -> None:
        with torch.inference_mode():
            for inputs in batches:
                module(inputs)

    plain = fold(given.imported.module).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    forward(plain)
    generator = np.random.default_rng(0)
    making, whole, base = [], [], []
    for _ in range(CANDIDATES):
        policy = Policy(bits={name: widths[generator.integers(len(widths))] for name in layers})
        base.append(_seconds(lambda: forward(plain)))
        start = time.thread_time()
        module = fold(compressor.compress(policy).module, copy=False)
        drop_relus(module)
        module = module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        making.append(time.thread_time() - start)
        whole.append(making[-1] + _seconds(lambda module=module: forward(module)))  # type: ignore[misc]
    one, made, total = (statistics.median(each) for each in (base, making, whole))
    print(machine())
    print(f"{options.network}, {len(given.judged)} rows: one forward pass {one * 1e3:.0f} ms of processor time")
    print(f"a candidate that changes bits only: {made * 1e3:.0f} ms to make, {total * 1e3:.0f} ms in all")
    print(f"ratio {total / one:.2f}")


def _seconds(run: Callable[[], None]) -> float:
    start = time.thread_time()
    run()
    return time.thread_time() - start


if __name__ == "__main__":
    main()
