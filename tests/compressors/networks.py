"""Random networks: any mixture of the operations that move, join and tie channels."""

from __future__ import annotations

import random
import warnings

import torch
from torch import Tensor, nn
from torch.nn import functional

from compressors import Imported, read_onnx
from paretrim._torch_export import export_module

SHAPE = (3, 8, 8)
_JOINING = ("concat", "slice", "pad", "shuffle", "add", "add")


class RandomNetwork(nn.Module):
    """Steps drawn by chance; each reads results of earlier steps and gives one more. All have the same resolution."""

    def __init__(self, seed: int, length: int = 9) -> None:
        super().__init__()
        self.chance = random.Random(seed)
        self.layers = nn.ModuleList()
        self.steps: list[tuple[str, tuple[int, ...], object]] = []
        self.channels = [SHAPE[0]]
        self._add("conv", (0,), nn.Conv2d(SHAPE[0], self._width(), 3, padding=1), None)
        for _ in range(length):
            self._draw()
        self.unused = [place for place in range(1, len(self.channels)) if not self._is_read(place)]
        features = sum(self.channels[place] for place in self.unused)
        self.flat = self.chance.random() < 0.5
        self.out = nn.Linear(features * (16 if self.flat else 1), 4)

    def _width(self) -> int:
        return self.chance.choice([4, 6, 8, 12])

    def _is_read(self, place: int) -> bool:
        return any(place in reads for _, reads, _ in self.steps)

    def _add(
        self, kind: str, reads: tuple[int, ...], layer: nn.Module | None, extra: object, channels: int = 0
    ) -> None:
        if layer is not None:
            extra = len(self.layers)
            self.layers.append(layer)
        self.steps.append((kind, reads, extra))
        made = getattr(layer, "out_channels", None)
        self.channels.append(int(made) if made is not None else channels or self.channels[reads[0]])

    def _draw(self) -> None:
        at = self.chance.randrange(1, len(self.channels))
        kind = self.chance.choice(("conv", "grouped", "depthwise", "norm", "act", "excite", *_JOINING))
        if kind in _JOINING:
            self._draw_joining(kind, at, self.channels[at])
        else:
            self._draw_layer(kind, at, self.channels[at])

    def _draw_layer(self, kind: str, at: int, c: int) -> None:
        if kind == "conv":
            kernel = self.chance.choice([1, 3])
            self._add(kind, (at,), nn.Conv2d(c, self._width(), kernel, padding="same", bias=False), None)
        elif kind == "grouped" and c % 2 == 0:
            self._add("conv", (at,), nn.Conv2d(c, self._width(), 3, padding=1, groups=2), None)
        elif kind == "depthwise":
            multiplier = self.chance.choice([1, 2]) if c < 16 else 1
            self._add("conv", (at,), nn.Conv2d(c, c * multiplier, 3, padding=1, groups=c), None)
        elif kind == "norm":
            self._add("conv", (at,), nn.BatchNorm2d(c), None)
        elif kind == "act":
            self._add(
                "conv", (at,), self.chance.choice([nn.ReLU, nn.Hardswish, nn.Sigmoid, lambda: nn.PReLU(c)])(), None
            )
        elif kind == "excite":
            self._add(kind, (at,), nn.Linear(c, c), None)

    def _draw_joining(self, kind: str, at: int, c: int) -> None:
        twins = [place for place in range(1, len(self.channels)) if self.channels[place] == c and place != at]
        if kind == "concat" and c < 24:
            other = self.chance.randrange(1, len(self.channels))
            self._add(kind, (at, other), None, None, c + self.channels[other])
        elif kind == "slice" and c > 2:
            start = self.chance.randrange(c - 2)
            stop = self.chance.randrange(start + 2, c + 1)
            self._add(kind, (at,), None, (start, stop), stop - start)
        elif kind == "pad":
            self._add(kind, (at,), None, (1, 2), c + 3)
        elif kind == "shuffle" and c % 2 == 0:
            self._add(kind, (at,), None, None, c)
        elif kind == "add" and twins:
            self._add(kind, (at, self.chance.choice(twins)), None, None, c)

    def forward(self, x: Tensor) -> Tensor:
        values = [x]
        for kind, reads, extra in self.steps:
            values.append(self._step(kind, [values[place] for place in reads], extra))
        x = torch.cat([values[place] for place in self.unused], 1)
        x = functional.avg_pool2d(x, 2).flatten(1) if self.flat else x.mean((2, 3))
        return self.out(x)

    def _step(self, kind: str, given: list[Tensor], extra: object) -> Tensor:
        x = given[0]
        n, c, h, w = x.shape
        if kind == "conv":
            return self.layers[extra](x)  # type: ignore[index]
        if kind == "excite":
            return x * torch.sigmoid(self.layers[extra](x.mean((2, 3)))).reshape(n, c, 1, 1)  # type: ignore[index]
        if kind == "concat":
            return torch.cat(given, 1)
        if kind == "slice":
            return x[:, extra[0] : extra[1]]  # type: ignore[index]
        if kind == "pad":
            return functional.pad(x, (0, 0, 0, 0, *extra))  # type: ignore[misc]
        if kind == "shuffle":
            return x.reshape(n, 2, c // 2, h, w).transpose(1, 2).reshape(n, c, h, w)
        return given[0] + given[1]


def random_network(seed: int) -> Imported:
    """A random network as it comes in from a file."""
    torch.manual_seed(seed)
    module = RandomNetwork(seed).eval()
    return read_onnx(export(module, torch.randn(2, *SHAPE)))


def export(module: nn.Module, x: Tensor) -> bytes:
    """A module as a client sends it; torch's exporter warns of what it does not fold."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return export_module(module, x)
