"""A small residual network trained on scikit-learn's digits, as it is imported; made once per test run."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.nn import functional

from compressors import Imported, Statistics, collect_statistics, describe, read_onnx
from compressors.training import TensorData
from paretrim._torch_export import export_module
from paretrim.network import Network


class Block(nn.Module):
    """Two convolutions beside a shortcut."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        y = functional.relu(self.norm1(self.conv1(x)))
        return functional.relu(x + self.norm2(self.conv2(y)))


class SmallNet(nn.Module):
    """(N, 1, 8, 8) -> (N, 10)."""

    def __init__(self, width: int = 16) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(1, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU())
        self.block1, self.block2 = Block(width), Block(width)
        self.classify = nn.Linear(4 * width, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = functional.max_pool2d(self.block1(self.stem(x)), 2)
        logits: Tensor = self.classify(functional.max_pool2d(self.block2(x), 2).flatten(1))
        return logits


@dataclass(frozen=True, eq=False)
class Trained:
    """What most tests begin with."""

    imported: Imported
    network: Network
    statistics: Statistics
    train: TensorData
    validation: TensorData

    def accuracy(self, module: nn.Module) -> float:
        """On the validation rows."""
        with torch.inference_mode():
            return float((module(self.validation.inputs).argmax(1) == self.validation.targets).float().mean())


def export(module: nn.Module, example: Tensor) -> bytes:
    """A module as a user would upload it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter's chatter
        return export_module(module.eval(), example)


def imported_from(module: nn.Module, *shape: int) -> Imported:
    """A module as a user's upload would be imported."""
    return read_onnx(export(module, torch.randn(1, *shape)))


@cache
def digits() -> tuple[TensorData, TensorData]:
    """1,200 training and 597 validation images, pixels in [0, 1]."""
    data = load_digits()
    images = torch.from_numpy((data.images[:, None] / 16.0).astype(np.float32))
    labels = torch.from_numpy(data.target.astype(np.int64))
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(0))
    rows, held = order[:1200], order[1200:]
    return TensorData(images[rows], labels[rows]), TensorData(images[held], labels[held])


@cache
def trained() -> Trained:
    """Trained to about 98 % in a second or two."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    net, (train, validation) = SmallNet(), digits()
    steps = 8 * -(-len(train) // 64)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4, nesterov=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.1, total_steps=steps)
    shuffle = torch.Generator().manual_seed(0)
    for _ in range(8):
        for rows in torch.split(torch.randperm(len(train), generator=shuffle), 64):
            optimizer.zero_grad()
            functional.cross_entropy(net(train.inputs[rows]), train.targets[rows]).backward()
            optimizer.step()
            schedule.step()
    imported = imported_from(net, 1, 8, 8)
    network = describe(imported)
    statistics = collect_statistics(imported, network, train.inputs[:400])
    return Trained(imported, network, statistics, train, validation)
