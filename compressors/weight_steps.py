"""How far apart the grid points of a weight are: one step per output channel, from the weights alone."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from compressors.grid import weight_codes, weight_scales

StepMethod = Literal["max", "mse"]

#: shares of the largest weight that are tried
_SHRINK = tuple(1.0 - 0.02 * index for index in range(36))


def weight_steps(weight: Tensor, bits: int, *, axis: int = 0, method: StepMethod = "mse") -> Tensor:
    """(output channels,) float32.

    `max`: the largest weight of the channel is the largest code. `mse`: the share of that, of a fixed list, with the
    least squared error of the weights. One bit always means the mean magnitude (XNOR-Net, eq. 6).
    """
    widest = weight_scales(weight, bits, axis)
    if method == "max" or bits == 1:
        return widest
    rows = weight.detach().transpose(0, axis).flatten(1)
    best, steps = torch.full_like(widest, torch.inf), widest.clone()
    for share in _SHRINK:
        tried = widest * share
        error = (weight_codes(rows, tried, bits) * tried[:, None] - rows).square().sum(1)
        better = error < best
        best, steps = torch.where(better, error, best), torch.where(better, tried, steps)
    return steps
