"""What 4-bit kernels for linear layers (MatMulNBits) are worth: three files of one network, timed in turn.

    OMP_NUM_THREADS=1 python -m benchmarks.four_bit_linear

Fully connected networks with random weights: MLPerf Tiny's anomaly detector, and a wide one whose weights do not fit the
caches. Weights of the layers inside are rounded to 4 bits, inputs stay floating point; the ends keep 8 bits, as in a
search. Baseline: the network as it was, in floating point. `rounded` is the same rounded network for ONNX Runtime's
floating-point kernels, so that the two differ in the kernels alone.
"""

from __future__ import annotations

import io
from itertools import pairwise

import torch
from torch import nn

from benchmarks.shared_data import machine
from compressors import Compressor, CompressorOptions, collect_statistics, describe, read_onnx, write_onnx
from hw_models.measure import time_together
from paretrim.problem import Bits, Policy

BATCHES = (1, 32)


def main() -> None:
    """Print the table."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    print(
        machine(),
        "\n\n| network | batch | file | bytes | ms | of the original's time |\n|---|---|---|---|---|---|",
        sep="",
    )
    for name, widths in {"anomaly detector": (640, 128, 128, 8, 128, 640), "wide": (1024, 4096, 4096, 1024)}.items():
        files = _files(widths)
        for batch in BATCHES:
            times = time_together(list(files.values()), batch=batch)
            for (file, content), timing in zip(files.items(), times, strict=True):
                share = timing.latency_ms / times[0].latency_ms
                print(
                    f"| {name} | {batch} | {file} | {len(content)} | {timing.latency_ms:.4f} | {share:.2f} |",
                    flush=True,
                )


def _files(widths: tuple[int, ...]) -> dict[str, bytes]:
    layers = [nn.Linear(before, after) for before, after in pairwise(widths)]
    module = nn.Sequential(*(part for layer in layers for part in (layer, nn.ReLU())))[:-1]
    file = io.BytesIO()
    torch.onnx.export(
        module.eval(),
        (torch.zeros(2, widths[0]),),
        file,  # type: ignore[arg-type]
        dynamo=False,
        dynamic_axes={"input": {0: "batch"}},
        input_names=["input"],
    )
    imported = read_onnx(file.getvalue())
    network = describe(imported)
    statistics = collect_statistics(imported, network, torch.randn(256, widths[0]))
    inside = [layer.name for layer in network.layers if layer.name not in network.end_layers]
    policy = Policy(bits={name: Bits(4, 32) for name in inside})
    rounded = Compressor(imported, network, statistics, CompressorOptions()).compress(policy).module
    return {
        "original": write_onnx(imported.module, imported),
        "4 bits, rounded": write_onnx(rounded, imported, policy=policy),
        "4 bits, MatMulNBits": write_onnx(rounded, imported, policy=policy, four_bit_linear=True),
    }


if __name__ == "__main__":
    main()
