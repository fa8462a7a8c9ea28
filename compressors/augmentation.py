"""Random changes to training images that do not change what they show."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

Augmentation = Literal["auto", "flip_crop", "none"]


def wanted(augmentation: Augmentation, inputs: Tensor) -> bool:
    """Whether a batch is to be flipped and cropped; `auto` says so for square colour images of 24 to 256 pixels."""
    if augmentation != "auto":
        return augmentation == "flip_crop"
    return (
        inputs.ndim == 4
        and inputs.shape[1] == 3
        and inputs.shape[2] == inputs.shape[3]
        and 24 <= inputs.shape[2] <= 256
    )


def flip_crop(images: Tensor, generator: torch.Generator) -> Tensor:
    """Mirror half of the images, and shift each by up to an eighth of its side, zeros moving in.

    images: (N, C, H, W). The usual augmentation of CIFAR (Lee et al., 2015): pad by 4, crop 32 of 40.
    """
    count, _, height, width = images.shape
    margin = max(1, height // 8)
    padded = functional.pad(images, (margin,) * 4)
    top, left = torch.randint(0, 2 * margin + 1, (2, count), generator=generator)
    mirrored = torch.rand(count, generator=generator) < 0.5
    rows = top[:, None] + torch.arange(height)  # (N, H)
    columns = left[:, None] + torch.where(mirrored[:, None], torch.arange(width).flip(0), torch.arange(width))  # (N, W)
    batch = torch.arange(count)
    places = [places.to(images.device) for places in (batch[:, None, None], rows[:, :, None], columns[:, None, :])]
    return padded.permute(0, 2, 3, 1)[tuple(places)].permute(0, 3, 1, 2)
