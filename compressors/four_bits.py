"""Linear layers for ONNX Runtime's 4-bit kernels: MatMulNBits, an operator of its own domain `com.microsoft`."""

from __future__ import annotations

import numpy as np
from torch import nn

from compressors.grid import weight_codes
from compressors.rounding import WeightRounding, stored_rounding
from compressors.writing import Writer

#: weights that share a scale; a row's own scale is repeated
BLOCK = 32
#: what is stored for 0
_ZERO = 8


def fits_four_bits(module: nn.Module) -> bool:
    """Whether a layer's weights are integers from -8 to 7 times a step for each output."""
    rounding = stored_rounding(module)
    return isinstance(module, nn.Linear) and isinstance(rounding, WeightRounding) and rounding.bits <= 4


def write_four_bits(writer: Writer, name: str, module: nn.Module, read: str) -> str:
    """nn.Linear with rounded weights -> MatMulNBits, and Add for the bias. Two weights to a byte, the first one low."""
    rounding = stored_rounding(module)
    assert isinstance(module, nn.Linear)
    assert isinstance(rounding, WeightRounding)
    steps = rounding.steps
    codes = weight_codes(module.weight.detach(), steps, rounding.bits).numpy().astype(np.int64) + _ZERO
    blocks = -(-module.in_features // BLOCK)
    padded = np.full((module.out_features, blocks * BLOCK), _ZERO, np.uint8)
    padded[:, : module.in_features] = codes
    packed = (padded[:, 0::2] | (padded[:, 1::2] << 4)).reshape(module.out_features, blocks, BLOCK // 2)
    scales = np.repeat(steps.numpy()[:, None], blocks, axis=1).astype(np.float32)
    names = [writer.constant(f"{name}.weight", packed), writer.constant(f"{name}.weight.scale", scales.reshape(-1))]
    attributes = {"K": module.in_features, "N": module.out_features, "bits": 4, "block_size": BLOCK}
    product = writer.node("MatMulNBits", [read, *names], name, domain="com.microsoft", **attributes)
    if module.bias is None:
        return product
    return writer.node("Add", [product, writer.constant(f"{name}.bias", module.bias)], f"{name}.add_bias")
