"""Gram matrices of layer inputs: everything least squares, greedy elimination and GPTQ need to know about the data.

A layer computes Y = [X, 1] [W, b]^T. Over the calibration rows only [X, 1]^T [X, 1] enters the normal equations, and it
does not change during a search: it is summed up once, in double precision, and sliced for every candidate.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from compressors.operators.convolution import pad_input, pads_of
from compressors.operators.recurrent import Recurrent

Columns = Literal["patches", "channels"]

#: layer types that read channels through weights, so that lost channels can be made up for
RECONSTRUCTABLE = (nn.Conv1d, nn.Conv2d, nn.Linear)


@dataclass(frozen=True, slots=True)
class Gram:
    """Second moments of what one layer reads.

    matrix: (convolution groups, d + 1, d + 1) float64, the mean over rows of [x, 1]^T [x, 1]; the last column of each
    matrix holds the means of the columns and, in its corner, 1.
    With `patches`, d = channels per convolution group x kernel positions, in the order of `weight.flatten(1)`; with
    `channels`, d = channels per convolution group, and all kernel positions share the matrix.
    """

    matrix: Tensor
    rows: int
    columns: Columns
    columns_per_channel: int

    @property
    def channels(self) -> int:
        """Input channels of the layer."""
        return int(self.matrix.shape[0]) * ((int(self.matrix.shape[1]) - 1) // self.columns_per_channel)


class GramSum:
    """Adds up the Gram matrix of one layer batch by batch.

    Holds 8 (convolution groups) (d + 1)^2 bytes, and during `add` one batch's sampled rows in double precision.
    """

    def __init__(self, layer: nn.Module, *, columns_limit: int, rows_per_column: int) -> None:
        self._layer = layer
        self._positions = kernel_positions(layer)
        per_group = channels_per_group(layer)
        fits = per_group * self._positions <= columns_limit and isinstance(layer, RECONSTRUCTABLE)
        self._columns: Columns = "patches" if fits else "channels"
        self._width = per_group * (self._positions if fits else 1)
        self.rows_wanted = max(4096, rows_per_column * self._width)
        self._sum = torch.zeros(convolution_groups(layer), self._width + 1, self._width + 1, dtype=torch.float64)
        self._rows = 0

    def add(self, inputs: Tensor, rows: int, generator: torch.Generator) -> None:
        """Add the rows of a batch; at most `rows` of them, at positions drawn from the generator."""
        for matrix, part in zip(self._sum, self._sampled(inputs, rows, generator), strict=True):
            part = part.float()  # products of one batch in single precision, twice as fast; sums of batches in double
            matrix[:-1, :-1] += part.T @ part
            matrix[:-1, -1] += part.sum(0, dtype=torch.float64)
            matrix[-1, -1] += len(part)
        self._rows = int(self._sum[0, -1, -1])

    def result(self) -> Gram:
        """What was added, as means. Raises ValueError if nothing was."""
        if self._rows == 0:
            raise ValueError("no calibration rows were added to a Gram matrix")
        matrix = self._sum / self._rows
        matrix[:, -1, :-1] = matrix[:, :-1, -1]
        per_channel = self._positions if self._columns == "patches" else 1
        return Gram(matrix, self._rows, self._columns, per_channel)

    def _sampled(self, inputs: Tensor, rows: int, generator: torch.Generator) -> Tensor:
        if self._columns == "patches":
            return patches(self._layer, inputs, rows, generator)
        return channel_rows(self._layer, inputs, rows, generator)


def patches(layer: nn.Module, inputs: Tensor, rows: int, generator: torch.Generator) -> Tensor:
    """What the layer multiplies with its weights, one row per output position: (convolution groups, rows, d).

    Of each sample the same randomly drawn output positions are taken (im2col of those only), so many that there are at
    most about `rows` rows.
    """
    return patches_at(layer, inputs, draw_positions(layer, inputs, rows, generator))


def draw_positions(layer: nn.Module, inputs: Tensor, rows: int, generator: torch.Generator) -> Tensor:
    """Output positions of a convolution, flat; for a fully connected layer, rows of the flattened input."""
    if isinstance(layer, nn.Linear):
        return _drawn(inputs.shape[:-1].numel(), rows, generator)
    extent = _out_extent(layer, inputs)
    return _drawn(extent[0] * extent[1], max(1, -(-rows // len(inputs))), generator)


def patches_at(layer: nn.Module, inputs: Tensor, positions: Tensor) -> Tensor:
    """Like `patches`, at given positions."""
    if isinstance(layer, nn.Linear):
        return inputs.reshape(-1, inputs.shape[-1])[positions][None]
    assert isinstance(layer, nn.Conv1d | nn.Conv2d)
    kernel, stride, dilation = (_pair(getattr(layer, name)) for name in ("kernel_size", "stride", "dilation"))
    padded = pad_input(layer, inputs)
    padded = padded[:, :, None, :] if padded.ndim == 3 else padded
    width = _out_extent(layer, inputs)[1]
    top, left = positions // width * stride[0], positions % width * stride[1]
    down = top[:, None, None] + torch.arange(kernel[0])[None, :, None] * dilation[0]  # (positions, kh, 1)
    right = left[:, None, None] + torch.arange(kernel[1])[None, None, :] * dilation[1]  # (positions, 1, kw)
    places = (down * padded.shape[3] + right).flatten()
    samples, channels, count = *padded.shape[:2], len(positions)
    taken = padded.flatten(2).index_select(2, places)  # (samples, channels, positions x kh x kw)
    grouped = taken.reshape(samples, layer.groups, channels // layer.groups, count, -1).permute(1, 0, 3, 2, 4)
    return grouped.reshape(layer.groups, samples * count, -1)


def outputs_at(layer: nn.Module, outputs: Tensor, positions: Tensor) -> Tensor:
    """(rows, channels): a layer's outputs, in the order of the rows of `patches_at`."""
    if isinstance(layer, nn.Linear):
        return outputs.reshape(-1, outputs.shape[-1])[positions]
    return outputs.flatten(2)[:, :, positions].transpose(1, 2).flatten(0, 1)


def _out_extent(layer: nn.Module, inputs: Tensor) -> tuple[int, int]:
    """Height and width of a convolution's output; height 1 in one dimension."""
    assert isinstance(layer, nn.Conv1d | nn.Conv2d)
    pads = pads_of(layer)
    half = len(pads) // 2
    sizes = [
        (size + pads[axis] + pads[axis + half] - spread * (taps - 1) - 1) // jump + 1
        for axis, (size, taps, jump, spread) in enumerate(
            zip(inputs.shape[2:], layer.kernel_size, layer.stride, layer.dilation, strict=True)
        )
    ]
    return (1, sizes[0]) if len(sizes) == 1 else (sizes[0], sizes[1])


def channel_rows(layer: nn.Module, inputs: Tensor, rows: int, generator: torch.Generator) -> Tensor:
    """The input's channels, one row per input position: (convolution groups, rows, channels per group)."""
    groups = convolution_groups(layer)
    last = not isinstance(layer, nn.modules.conv._ConvNd)
    flat = inputs.reshape(-1, inputs.shape[-1]) if last else inputs.movedim(1, -1).reshape(-1, inputs.shape[1])
    flat = _pick(flat, rows, generator)
    return flat.reshape(len(flat), groups, -1).transpose(0, 1)


def kernel_positions(layer: nn.Module) -> int:
    """Weights of one output channel per input channel it reads."""
    weight = getattr(layer, "weight", None)
    return int(weight[0, 0].numel()) if isinstance(weight, Tensor) and weight.ndim > 1 else 1


def convolution_groups(layer: nn.Module) -> int:
    """Groups of a convolution; 1 for anything else."""
    return int(getattr(layer, "groups", 1))


def channels_per_group(layer: nn.Module) -> int:
    """Input channels that one output channel reads."""
    if isinstance(layer, nn.Linear):
        return layer.in_features
    if isinstance(layer, Recurrent):
        return layer.input_size
    return int(layer.in_channels) // convolution_groups(layer)  # type: ignore[arg-type]


def _drawn(count: int, wanted: int, generator: torch.Generator) -> Tensor:
    """`wanted` of 0..count-1, rising; all of them if there are no more."""
    if count <= wanted:
        return torch.arange(count)
    return torch.randperm(count, generator=generator)[:wanted].sort().values


def _pick(rows: Tensor, wanted: int, generator: torch.Generator) -> Tensor:
    return rows if len(rows) <= wanted else rows[_drawn(len(rows), wanted, generator)]


def _pair(value: tuple[int, ...]) -> tuple[int, int]:
    return (1, value[0]) if len(value) == 1 else (value[0], value[1])
