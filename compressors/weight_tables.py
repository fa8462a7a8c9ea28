"""Rounding of weights to other than symmetric integer grids: tables of values or vectors, and grids with an offset.

No kernel computes with these: the exported file holds the values they stand for, the packed file table and places.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from compressors.rounding import pass_through, round_through, scaled_gradient


class TableRounding(nn.Module):
    """A weight out of a table; every place keeps its entry, training learns the entries.

    That is the centroid fine-tuning of Deep Compression (Han et al. 2016, section 3), and of TTQ's two scales (Zhu et
    al. 2017) where one entry is 0 and stays so. table: (K,) values, or (K, d) vectors that lie along the rows of the
    flattened weight; places: (output channels, row length / d, rounded up) int64; fixed: (K,) entries that stay.
    """

    weight_table: nn.Parameter
    places: Tensor
    fixed: Tensor

    def __init__(self, table: Tensor, places: Tensor, fixed: Tensor | None = None) -> None:
        super().__init__()
        self.weight_table = nn.Parameter(table.detach().clone().float())
        self.register_buffer("places", places)
        self.register_buffer("fixed", torch.zeros(len(table), dtype=torch.bool) if fixed is None else fixed)

    def forward(self, weight: Tensor) -> Tensor:
        """The weight that the table stands for, in the shape of the one given, whose values do not count."""
        table: Tensor = self.weight_table
        if self.training:
            each = self.places.numel() / len(table)
            table = scaled_gradient(table, 1.0 / math.sqrt(max(1.0, each)))
            fixed = self.fixed if table.ndim == 1 else self.fixed[:, None]
            table = torch.where(fixed, table.detach(), table)
        else:
            table = table.detach()
        rows = table[self.places].reshape(len(weight), -1)
        return rows[:, : weight[0].numel()].reshape(weight.shape)


class NearestRounding(nn.Module):
    """Every weight becomes the nearest of a few fixed values; gradients pass through. values: (K,), rising."""

    values: Tensor

    def __init__(self, values: Tensor) -> None:
        super().__init__()
        self.register_buffer("values", values.detach().clone().float())

    def forward(self, weight: Tensor) -> Tensor:
        """Same shape."""
        nearest = nearest_values(weight.detach(), self.values)
        return pass_through(weight.clamp(float(self.values[0]), float(self.values[-1])), nearest)


class OffsetRounding(nn.Module):
    """Rounds a weight to grids with a zero point, one per output channel: step x (code - zero)."""

    weight_step: nn.Parameter
    zeros: Tensor

    def __init__(self, steps: Tensor, zeros: Tensor, bits: int) -> None:
        super().__init__()
        self.weight_step = nn.Parameter(steps.detach().clone().float())
        self.register_buffer("zeros", zeros.detach().clone())
        self.bits = bits

    def forward(self, weight: Tensor) -> Tensor:
        """Same shape, values on their channel's grid."""
        shape = [-1] + [1] * (weight.ndim - 1)
        top, zeros = 2**self.bits - 1, self.zeros.reshape(shape)
        step: Tensor = self.weight_step.reshape(shape)
        step = scaled_gradient(step, 1.0 / math.sqrt(weight[0].numel() * top)) if self.training else step.detach()
        return (round_through(weight / step) + zeros).clamp(0, top).sub(zeros) * step

    def codes(self, weight: Tensor) -> Tensor:
        """(output channels, ...) codes as floats, of a weight as it is."""
        shape = [-1] + [1] * (weight.ndim - 1)
        codes = torch.round(weight / self.weight_step.detach().reshape(shape)) + self.zeros.reshape(shape)
        return codes.clamp(0, 2**self.bits - 1)


def nearest_values(weight: Tensor, values: Tensor) -> Tensor:
    """Every number replaced by the nearest of `values`, which rise; ties go to the lower one."""
    return values[nearest_places(weight, values)]


def nearest_places(weight: Tensor, values: Tensor) -> Tensor:
    """Index of the nearest of `values`, which rise."""
    middles = (values[1:] + values[:-1]) / 2
    return torch.bucketize(weight.contiguous(), middles)
