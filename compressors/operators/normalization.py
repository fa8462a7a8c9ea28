"""Normalisations: over the batch, over a layer's features, over positions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from compressors.cut import Cut
from compressors.flow import Flow, Labels, Traced
from compressors.graph import select
from compressors.operators.operator import Operator
from compressors.reading import Builder, Node, Value
from compressors.writing import Writer

BatchNorm = nn.BatchNorm1d | nn.BatchNorm2d


def read_batch_norm(node: Node, build: Builder) -> Value:
    """BatchNormalization -> nn.BatchNorm1d or nn.BatchNorm2d, with its running statistics."""
    x = node.value()
    weight, bias, mean, variance = (node.constant(index) for index in (1, 2, 3, 4))
    if len(x.shape) not in (2, 3, 4):
        raise node.refusal(f"its input has {len(x.shape)} axes; 2 to 4 are supported")
    # ONNX's momentum is the share of the old value, torch's that of the new one
    options = {"eps": float(node.attribute("epsilon", 1e-5)), "momentum": 1.0 - float(node.attribute("momentum", 0.9))}
    module = (nn.BatchNorm2d if len(x.shape) == 4 else nn.BatchNorm1d)(weight.size, **options)
    module.weight, module.bias = (nn.Parameter(_floats(values)) for values in (weight, bias))
    module.running_mean, module.running_var = _floats(mean), _floats(variance)
    return build.call(node, module, x, weight=1)


def _floats(values: np.ndarray[Any, Any]) -> Tensor:
    return torch.from_numpy(np.array(values, dtype=np.float32).reshape(-1))


def shrink_batch_norm(module: BatchNorm, cut: Cut) -> None:
    """Keep the channels that are left."""
    left = cut.output.positions(1)
    if left is None:
        return
    module.weight = select(module.weight, (0, left))
    module.bias = select(module.bias, (0, left))
    assert module.running_mean is not None
    assert module.running_var is not None
    module.running_mean = module.running_mean.index_select(0, left)
    module.running_var = module.running_var.index_select(0, left)
    module.num_features = left.numel()


def write_batch_norm(module: BatchNorm, writer: Writer, name: str, inputs: Sequence[str]) -> str:
    """nn.BatchNorm1d, nn.BatchNorm2d -> BatchNormalization."""
    held = [
        writer.constant(f"{name}.{key}", values)
        for key, values in (
            ("weight", module.weight),
            ("bias", module.bias),
            ("running_mean", module.running_mean),
            ("running_var", module.running_var),
        )
        if values is not None
    ]
    momentum = 0.9 if module.momentum is None else 1.0 - module.momentum
    return writer.node("BatchNormalization", [inputs[0], *held], name, epsilon=module.eps, momentum=momentum)


def flow_batch_norm(_: BatchNorm, flow: Flow, inputs: Sequence[Traced], __: Sequence[int]) -> Labels:
    """Channels pass, one by one."""
    if inputs[0].varying not in ((), (1,)):
        flow.freeze(inputs[0].labels, "a batch norm reads them as positions")
    return inputs[0].labels


_BATCH_NORM = Operator(
    kind=lambda _: "batch_norm",
    write=write_batch_norm,
    flow=flow_batch_norm,
    shrink=shrink_batch_norm,
    role="through",
)
OPERATORS = {nn.BatchNorm1d: _BATCH_NORM, nn.BatchNorm2d: _BATCH_NORM}
READERS = {"BatchNormalization": read_batch_norm}
