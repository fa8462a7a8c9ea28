"""The baseline of the evaluation engine's benchmark: candidates scored as the published AMC code scores them.

A straightforward re-implementation from the description of that code (He et al. 2018, arXiv 1802.03494, and its
released evaluation): for every layer of an episode the kept input channels are the largest by sum of |W|, the weights
are refitted by scikit-learn's LinearRegression on 30,000 rows sampled from the original network (60 batches x 50 images
x 10 points), channels are zeroed rather than removed, and the whole validation split of 5,000 images runs through the
network in eager mode. One process. Adapted to 3x3 layers by unfolding, as its users had to do. Only block-internal
widths are pruned.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file
from sklearn.linear_model import LinearRegression
from torch import Tensor, nn
from torch.nn import functional as F

BATCHES, BATCH, POINTS = 60, 50, 10
VALIDATION_BATCH = 250


class _Block(nn.Module):
    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.stride, self.pad = stride, (outputs - inputs) // 2

    def forward(self, x: Tensor) -> Tensor:
        shortcut = x[:, :, :: self.stride, :: self.stride]
        if self.pad:
            shortcut = F.pad(shortcut, (0, 0, 0, 0, self.pad, self.pad))
        y = F.relu(self.bn1(self.conv1(x)))
        return F.relu(shortcut + self.bn2(self.conv2(y)))


class CifarResNet(nn.Module):
    """ResNet-(6n+2) for 32x32 images with option-A shortcuts (arXiv 1512.03385, section 4.2)."""

    def __init__(self, depth: int) -> None:
        super().__init__()
        n = (depth - 2) // 6
        self.conv1 = nn.Conv2d(3, 16, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        widths = [16, *[16] * n, *[32] * n, *[64] * n]
        blocks = [_Block(a, b, 1 if a == b else 2) for a, b in pairwise(widths)]
        self.layer1, self.layer2, self.layer3 = (nn.Sequential(*blocks[i * n : (i + 1) * n]) for i in range(3))
        self.linear = nn.Linear(64, 10)

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.bn1(self.conv1(x)))
        y = self.layer3(self.layer2(self.layer1(y)))
        logits: Tensor = self.linear(y.mean((2, 3)))
        return logits


@dataclass(frozen=True)
class _Sampled:
    """Rows of one layer's input patches and outputs, taken from the original network."""

    x: NDArray[np.float32]  # (30000, C, 9)
    y: NDArray[np.float32]  # (30000, O)


class PublishedAmc:
    """Scores keep ratios of block-internal widths: {name of conv2: share of its input channels kept}."""

    def __init__(
        self, weights: Path, depth: int, calibration: Tensor, images: Tensor, labels: Tensor, *, seed: int
    ) -> None:
        self.net = CifarResNet(depth).eval()
        self.net.load_state_dict(load_file(weights))
        self.images, self.labels = images, labels
        self.layers = {name: m for name, m in self.net.named_modules() if name.endswith("conv2")}
        self._original = {name: layer.weight.detach().clone() for name, layer in self.layers.items()}
        self._sampled = self._sample(calibration, np.random.default_rng(seed))

    def score(self, keep: Mapping[str, float]) -> float:
        """One episode: refit every layer on its kept channels, then accuracy over all validation images."""
        for name, layer in self.layers.items():
            layer.weight.data.copy_(self._refitted(name, keep.get(name, 1.0)))
        correct = 0
        with torch.no_grad():
            for x, y in zip(
                torch.split(self.images, VALIDATION_BATCH), torch.split(self.labels, VALIDATION_BATCH), strict=True
            ):
                correct += int((self.net(x).argmax(1) == y).sum())
        return correct / len(self.labels)

    def _refitted(self, name: str, ratio: float) -> Tensor:
        weight: Tensor = self._original[name]  # (O, C, 3, 3)
        channels = weight.shape[1]
        count = max(1, round(channels * ratio))
        if count == channels:
            return weight
        kept = weight.abs().sum((0, 2, 3)).argsort(descending=True)[:count].sort().values.numpy()
        rows = self._sampled[name]
        x = rows.x[:, kept].reshape(len(rows.x), -1)
        fitted = LinearRegression(fit_intercept=False).fit(x, rows.y).coef_  # (O, count x 9)
        refitted = torch.zeros_like(weight)
        refitted[:, kept] = torch.from_numpy(fitted.reshape(len(weight), count, 3, 3).astype(np.float32))
        return refitted

    def _sample(self, calibration: Tensor, random: np.random.Generator) -> dict[str, _Sampled]:
        inputs: dict[str, Tensor] = {}
        hooks = [
            layer.register_forward_pre_hook(lambda _, args, name=name: inputs.__setitem__(name, args[0]))
            for name, layer in self.layers.items()
        ]
        rows: dict[str, list[NDArray[np.float32]]] = {name: [] for name in self.layers}
        with torch.no_grad():
            for batch in torch.split(calibration[: BATCHES * BATCH], BATCH):
                self.net(batch)
                for name, x in inputs.items():
                    patches = F.unfold(x, 3, padding=1).transpose(1, 2)  # (50, H x W, C x 9)
                    places = torch.from_numpy(random.integers(0, patches.shape[1], POINTS))
                    rows[name].append(patches[:, places].reshape(-1, patches.shape[2]).numpy())
        for hook in hooks:
            hook.remove()
        sampled = {}
        for name, parts in rows.items():
            taken = np.concatenate(parts)
            weight = self._original[name]
            y = taken @ weight.flatten(1).numpy().T
            by_channel = taken.reshape(len(taken), weight.shape[1], 9)
            sampled[name] = _Sampled(by_channel, y.astype(np.float32))
        return sampled
