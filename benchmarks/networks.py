"""The two small networks that benchmarks of quantization use, with what they are calibrated and judged on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.shared_data import dataset, folder
from compressors import Imported, Statistics, TensorData, collect_statistics, describe, read_onnx
from paretrim.network import Network

CALIBRATION_ROWS = 256


@dataclass(frozen=True, eq=False)
class Subject:
    """A network and its data.

    calibration: inputs without labels; train: None where there is no training data; judged: validation rows.
    """

    content: bytes
    imported: Imported
    network: Network
    statistics: Statistics
    calibration: Tensor
    train: TensorData | None
    judged: TensorData

    def accuracy(self, module: nn.Module) -> float:
        """On the judged rows."""
        right = 0
        with torch.inference_mode():
            for inputs, targets in self.judged.batches(250):
                right += int((module(inputs).argmax(1) == targets).sum())
        return right / len(self.judged)


def subject(name: str, rows: int) -> Subject:
    """`kws`, `resnet20` or `resnet56`. rows: of validation that are judged on.

    Keyword spotting comes without training data, so it is calibrated on every second of its validation clips and judged
    on the others.
    """
    if name == "kws":
        content = (folder() / "kws_dscnn.onnx").read_bytes()
        with np.load(folder() / "kws.npz") as data:
            x, y = torch.from_numpy(data["validation_x"]), torch.from_numpy(data["validation_y"]).long()
        return _made(content, x[1::2], None, TensorData(x[::2][:rows], y[::2][:rows]))
    content = (folder() / f"{name}_cifar10.onnx").read_bytes()
    with np.load(dataset("cifar10")) as data:
        arrays = {key: torch.from_numpy(data[key]) for key in data.files}
    mean, std = (arrays[key].reshape(1, -1, 1, 1) for key in ("mean", "std"))

    def prepare(images: Tensor) -> Tensor:
        return (images.float() / 255.0 - mean) / std

    judged = TensorData(arrays["validation_x"][:rows], arrays["validation_y"][:rows], prepare)
    train = TensorData(arrays["train_x"], arrays["train_y"], prepare)
    return _made(content, prepare(arrays["train_x"][:CALIBRATION_ROWS]), train, judged)


def _made(content: bytes, calibration: Tensor, train: TensorData | None, judged: TensorData) -> Subject:
    imported = read_onnx(content)
    network = describe(imported)
    statistics = collect_statistics(imported, network, calibration)
    return Subject(content, imported, network, statistics, calibration, train, judged)
