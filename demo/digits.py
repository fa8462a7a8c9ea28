"""scikit-learn's handwritten digits (1,797 real 8x8 images) and a small residual network trained on them in seconds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.nn import functional as F

from search.evaluate import single_thread

Arrays = dict[str, NDArray[np.generic]]


class Block(nn.Module):
    """Two 3x3 convolutions beside a shortcut (He et al. 2015, arXiv 1512.03385, figure 5 left)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C, H, W)."""
        y = F.relu(self.norm1(self.conv1(x)))
        return F.relu(x + self.norm2(self.conv2(y)))


class DigitsNet(nn.Module):
    """(N, 1, 8, 8) -> (N, 10) logits."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(1, 32, 3, padding=1, bias=False), nn.BatchNorm2d(32), nn.ReLU())
        self.stage1 = nn.Sequential(Block(32), Block(32))
        self.down = nn.Sequential(nn.Conv2d(32, 64, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(64), nn.ReLU())
        self.stage2 = nn.Sequential(Block(64), Block(64))
        self.classify = nn.Linear(64, 10)

    def forward(self, x: Tensor) -> Tensor:
        """Images with pixels in [0, 1]."""
        y = self.stage2(self.down(self.stage1(self.stem(x))))
        logits: Tensor = self.classify(y.mean(dim=(2, 3)))
        return logits


def arrays(seed: int) -> Arrays:
    """The digits in the upload format: 60 % train, 20 % validation, 20 % test, pixels in [0, 1]."""
    digits = load_digits()
    x = (digits.images[:, None] / 16.0).astype(np.float32)  # (1797, 1, 8, 8)
    y = digits.target.astype(np.int64)
    order = np.random.default_rng(seed).permutation(len(x))
    train, validation, test = np.split(order, [int(0.6 * len(x)), int(0.8 * len(x))])
    return {
        "train_x": x[train],
        "train_y": y[train],
        "validation_x": x[validation],
        "validation_y": y[validation],
        "test_x": x[test],
        "test_y": y[test],
    }


def train(data: Arrays, *, epochs: int, seed: int) -> DigitsNet:
    """A trained network, in evaluation mode. The same seed gives the same network."""
    torch.manual_seed(seed)
    net = DigitsNet()
    x, y = torch.from_numpy(data["train_x"]), torch.from_numpy(data["train_y"])
    steps = epochs * -(-len(x) // 64)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4, nesterov=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.1, total_steps=steps)
    shuffle = torch.Generator().manual_seed(seed)
    for _ in range(epochs):
        for batch in torch.randperm(len(x), generator=shuffle).split(64):
            optimizer.zero_grad()
            F.cross_entropy(net(_shifted(x[batch], shuffle)), y[batch]).backward()
            optimizer.step()
            schedule.step()
    return net.eval()


def _shifted(images: Tensor, generator: torch.Generator) -> Tensor:
    """Each batch moved by at most one pixel, so that the network does not learn the training set by heart."""
    down, right = torch.randint(-1, 2, (2,), generator=generator).tolist()
    return torch.roll(images, (down, right), dims=(2, 3))


def accuracy(net: nn.Module, x: NDArray[np.generic], y: NDArray[np.generic]) -> float:
    """Share of images classified right."""
    with torch.inference_mode():
        return float((net(torch.from_numpy(x)).argmax(1) == torch.from_numpy(y)).float().mean())


def write(folder: Path, *, seed: int = 0, epochs: int = 12) -> tuple[DigitsNet, Path]:
    """Train, and write `digits.npz`. Returns the network and the dataset's path."""
    data = arrays(seed)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "digits.npz"
    np.savez_compressed(path, **data)  # type: ignore[arg-type]
    with single_thread():  # its tensors are so small that threads wait for each other longer than they compute
        return train(data, epochs=epochs, seed=seed), path
