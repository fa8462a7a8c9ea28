"""Accuracy after quantization without training, by widths and method, beside ONNX Runtime's own static quantization.

    python -m benchmarks.post_training [--network kws|resnet20|resnet56] [--rows 1000]

First and last layer keep 8/8, as in a search. Every figure is of the validation rows named in the first lines.
"""

from __future__ import annotations

import argparse
import logging
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from torch import fx, nn

from benchmarks.networks import Subject, subject
from benchmarks.shared_data import machine
from compressors import Compressor, CompressorOptions, collect_statistics, describe, equalize, fold
from compressors.kernels import saturates
from compressors.parity import open_session
from paretrim.problem import Bits, Policy

WIDTHS = ((8, 8), (4, 8), (4, 4), (3, 8), (2, 8))
METHODS = {
    "nearest": CompressorOptions(weight_rounding="nearest", activation_range="min_max"),
    "nearest, ranges by error": CompressorOptions(weight_rounding="nearest", weight_range="mse"),
    "GPTQ": CompressorOptions(),
    "stepwise": CompressorOptions(weight_rounding="stepwise"),
    "k-means, GPTQ": CompressorOptions(weight_quantizer="kmeans"),
}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", choices=("kws", "resnet20", "resnet56"), default="kws")
    parser.add_argument("--rows", type=int, default=1000)
    options = parser.parse_args()
    logging.disable(logging.WARNING)  # ONNX Runtime's quantizer advises to fold batch norms first
    torch.set_num_threads(1)
    torch.manual_seed(0)
    print(machine(), flush=True)
    given = subject(options.network, options.rows)
    even = equalize(given.imported)
    even_statistics = collect_statistics(even, describe(even), given.calibration)
    print(
        f"{options.network}, {len(given.judged)} validation rows; 32 bits: {given.accuracy(fold(given.imported.module)):.1%}"
    )
    print(f"8-bit kernels saturate on this machine: {saturates()}; then 8-bit weights keep to 7 bits\n")
    print(f"| method | {' | '.join(f'W{w}A{a}' for w, a in WIDTHS)} | CPU time |")
    print(f"|---|{'---|' * (len(WIDTHS) + 1)}", flush=True)
    for name, how in METHODS.items():
        _row(name, given, Compressor(given.imported, given.network, given.statistics, how))
    _row("equalised, GPTQ", given, Compressor(even, given.network, even_statistics, CompressorOptions()))
    for reduced in (False, True):
        print(
            f"| ONNX Runtime static{', reduce_range' if reduced else ''} | {_theirs(given, reduced):.1%} |"
            + " - |" * 5,
            flush=True,
        )


def _row(name: str, given: Subject, compressor: Compressor) -> None:
    start = time.process_time()
    print(f"| {name} |", end="", flush=True)
    for weight, activation in WIDTHS:
        bits = {
            layer.name: Bits(8, 8) if layer.name in given.network.end_layers else Bits(weight, activation)
            for layer in given.network.layers
        }
        print(f" {given.accuracy(_fast(compressor.compress(Policy(bits=bits)).module)):.1%} |", end="", flush=True)
    print(f" {time.process_time() - start:.0f} s |", flush=True)


def _fast(module: fx.GraphModule) -> nn.Module:
    return fold(module).to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


class _Rows(CalibrationDataReader):  # type: ignore[misc]
    """Hands ONNX Runtime's quantizer the calibration inputs."""

    def __init__(self, name: str, given: Subject) -> None:
        self._batches = iter([{name: rows.numpy()} for rows in torch.split(given.calibration, 64)])

    def get_next(self) -> dict[str, np.ndarray] | None:
        """The next batch, None at the end."""
        return next(self._batches, None)


def _theirs(given: Subject, reduced: bool) -> float:
    """Accuracy of ONNX Runtime's QDQ file in ONNX Runtime here."""
    with tempfile.TemporaryDirectory() as place:
        source, target = Path(place) / "model.onnx", Path(place) / "quantized.onnx"
        source.write_bytes(given.content)
        reader = _Rows(given.imported.input_name, given)
        quantize_static(
            str(source), str(target), reader, quant_format=QuantFormat.QDQ, per_channel=True, reduce_range=reduced,
            activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8,
        )  # fmt: skip
        session = open_session(target.read_bytes())
    right = 0
    for inputs, targets in given.judged.batches(250):
        outputs = session.run(None, {given.imported.input_name: inputs.numpy()})[0]
        right += int((outputs.argmax(1) == targets.numpy()).sum())
    return right / len(given.judged)


if __name__ == "__main__":
    main()
