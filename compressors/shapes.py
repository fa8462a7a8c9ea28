"""Output shapes of everyday operations by arithmetic.

Asking torch (on its meta device) gives the same answers, but the first question about a convolution, a batch norm, a
sum or a mean makes it load its compiler: seconds, before a job has done anything.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

Shape = tuple[int, ...]


def known_shape(module: nn.Module, inputs: Sequence[tuple[Shape, torch.dtype]]) -> Shape | None:
    """The shape of what the module gives, in the type of its input; None if torch has to be asked.

    inputs: shape and type of each. Operations of ours may say it themselves: `is_elementwise`, of tensors of one shape
    and type, gives another; `output_shape` answers for one input.
    """
    shape, dtype = inputs[0]
    if dtype != torch.float32 or any(other != inputs[0] for other in inputs):
        return None
    if len(inputs) > 1:
        return shape if getattr(module, "is_elementwise", False) else None
    if isinstance(module, nn.ReLU | nn.Identity):
        return shape
    if type(module) in (nn.BatchNorm1d, nn.BatchNorm2d):
        return _normalized(module, shape)
    if type(module) in (nn.Conv1d, nn.Conv2d):
        return _convolved(module, shape)
    if type(module) is nn.Linear:
        return (*shape[:-1], module.out_features) if shape[-1] == module.in_features else None
    own = getattr(module, "output_shape", None)
    return None if own is None else own(shape)


def _normalized(norm: nn.Module, shape: Shape) -> Shape | None:
    ranks = (4,) if isinstance(norm, nn.BatchNorm2d) else (2, 3)
    return shape if len(shape) in ranks and shape[1] == norm.num_features else None


def _convolved(layer: nn.Module, shape: Shape) -> Shape | None:
    """(N, C, ...) -> (N, C', ...); None if it does not fit, so that torch says why."""
    assert isinstance(layer, nn.Conv1d | nn.Conv2d)
    if len(shape) != 2 + len(layer.kernel_size) or shape[1] != layer.in_channels or isinstance(layer.padding, str):
        return None
    numbers = zip(shape[2:], layer.kernel_size, layer.stride, layer.padding, layer.dilation, strict=True)
    extents = tuple((n + 2 * pad - spread * (taps - 1) - 1) // step + 1 for n, taps, step, pad, spread in numbers)
    return (shape[0], layer.out_channels, *extents) if min(extents) > 0 else None


def reduced(shape: Shape, axes: Sequence[int], *, keep: bool) -> Shape | None:
    """The shape without these axes, or with extent 1 there; None if it has not all of them."""
    if not axes or any(not -len(shape) <= axis < len(shape) for axis in axes):
        return None
    gone = {axis % len(shape) for axis in axes}
    if len(gone) != len(axes):
        return None
    return tuple(1 if place in gone else n for place, n in enumerate(shape) if keep or place not in gone)
