"""The memory layout that convolutions train fastest in: channels last, but for those that torch crashes on."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle


def train_channels_last(module: nn.Module) -> list[RemovableHandle]:
    """Lay out a network's two-dimensional convolutions so; what is returned is for `plain_again`.

    In torch 2.13 the backward pass of pointwise convolutions with a stride writes beyond its memory if its input or its
    weights are channels-last (found with random convolutions, each in a process of its own): those stay as they are.
    """
    handles = []
    for part in module.modules():
        if isinstance(part, nn.Conv2d | nn.ConvTranspose2d):
            if _crashes(part):
                handles.append(part.register_forward_pre_hook(_plain_input))
            else:
                part.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return handles


def plain_again(module: nn.Module, handles: Sequence[RemovableHandle]) -> None:
    """Undo `train_channels_last`."""
    for handle in handles:
        handle.remove()
    module.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]


def _crashes(part: nn.Conv2d | nn.ConvTranspose2d) -> bool:
    return all(extent == 1 for extent in part.kernel_size) and any(step > 1 for step in part.stride)


def _plain_input(_part: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    return (inputs[0].contiguous(), *inputs[1:])
