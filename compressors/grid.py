"""The grids numbers are rounded to. One arithmetic for the simulation in torch and for the exported file.

Activations: asymmetric and unsigned, one grid per tensor. Weights: symmetric, one scale per output channel. Rounding is
half to even everywhere, as ONNX's QuantizeLinear does it (Jacob et al., CVPR 2018, eq. 1).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class ActivationGrid:
    """real = scale * (code - zero_point), code in 0..top. scale is exactly a single-precision number."""

    scale: float
    zero_point: int
    top: int

    def encode(self, values: Tensor) -> Tensor:
        """Codes as floats."""
        return (torch.round(values / self.scale) + self.zero_point).clamp(0, self.top)

    def snap(self, values: Tensor) -> Tensor:
        """Every value replaced by the nearest one on the grid."""
        return (self.encode(values) - self.zero_point) * self.scale


def activation_grid(low: float, high: float, bits: int) -> ActivationGrid:
    """The grid that covers [low, high] and holds 0 exactly."""
    low, high, top = min(low, 0.0), max(high, 0.0), 2**bits - 1
    scale = float(np.float32((high - low) / top)) or 1.0
    zero_point = int(np.clip(np.rint(-low / scale), 0, top))
    return ActivationGrid(scale, zero_point, top)


def weight_scales(weight: Tensor, bits: int, axis: int = 0) -> Tensor:
    """Scale of each output channel, (channels,) single precision.

    One bit means -1 and +1 times the mean magnitude (Rastegari et al., XNOR-Net, ECCV 2016, eq. 6).
    """
    flat = weight.detach().transpose(0, axis).flatten(1).abs()
    scales = flat.mean(dim=1) if bits == 1 else flat.amax(dim=1) / weight_top(bits)
    return torch.where(scales > 0, scales, torch.ones_like(scales)).float()


def coarse(values: Tensor, digits: int) -> Tensor:
    """Numbers with so many binary digits behind the leading one, the nearest there are; 0 stays 0. Same shape."""
    share, exponent = torch.frexp(values)
    return torch.ldexp(torch.round(share * 2.0 ** (digits + 1)), exponent - digits - 1)


def fixed_point(values: Tensor, digits: int) -> Tensor:
    """Multiples of one power of two, of which the largest number takes so many binary digits. Same shape."""
    _, exponent = torch.frexp(values.abs().max())
    return torch.ldexp(torch.round(torch.ldexp(values, digits - exponent)), exponent - digits)


def weight_top(bits: int) -> int:
    """Largest code of a weight."""
    return max(1, (1 << (bits - 1)) - 1)


def weight_codes(weight: Tensor, scales: Tensor, bits: int, axis: int = 0) -> Tensor:
    """Codes as floats, in the weight's shape."""
    shape = [1] * weight.dim()
    shape[axis] = -1
    if bits == 1:
        return torch.where(weight < 0, -1.0, 1.0)
    top = weight_top(bits)
    return torch.round(weight / scales.reshape(shape)).clamp(-top, top)


def snap_weight(weight: Tensor, bits: int, axis: int = 0) -> Tensor:
    """The weight with every value on its channel's grid."""
    scales = weight_scales(weight, bits, axis)
    shape = [1] * weight.dim()
    shape[axis] = -1
    return weight_codes(weight, scales, bits, axis) * scales.reshape(shape)
