"""Normalisations: over the batch, over a layer's features, over positions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from compressors.cut import Cut
from compressors.flow import Flow, Labels, Traced, on_axis
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
    epsilon, momentum = float(node.attribute("epsilon", 1e-5)), 1.0 - float(node.attribute("momentum", 0.9))
    module: Any = (nn.BatchNorm2d if len(x.shape) == 4 else nn.BatchNorm1d)(weight.size, epsilon, momentum)
    module.weight, module.bias = (nn.Parameter(_floats(values)) for values in (weight, bias))
    module.running_mean, module.running_var = _floats(mean), _floats(variance)
    module.rank = len(x.shape)  # a batch norm over features can be folded into a linear layer, one over positions not
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


def flow_per_channel(_: nn.Module, flow: Flow, inputs: Sequence[Traced], __: Sequence[int]) -> Labels:
    """Channels pass, one by one; the operation treats all positions alike."""
    return on_axis(np.array(flow.along(inputs[0], 1)), 1, inputs[0].rank)


_BATCH_NORM = Operator(
    kind=lambda _: "batch_norm",
    write=write_batch_norm,
    flow=flow_per_channel,
    shrink=shrink_batch_norm,
    role="through",
)


def read_layer_norm(node: Node, build: Builder) -> Value:
    """LayerNormalization over the last axes -> nn.LayerNorm."""
    x, scale = node.value(), node.constant(1)
    axis = int(node.attribute("axis", -1)) % len(x.shape)
    shape = x.shape[axis:]
    if any(node.proto.output[1:]):
        raise node.refusal("its mean or deviation is used")
    module = nn.LayerNorm(shape, eps=float(node.attribute("epsilon", 1e-5)), bias=node.has(2), device="meta")
    module.weight = nn.Parameter(torch.from_numpy(np.broadcast_to(scale, shape).astype(np.float32)))
    if node.has(2):
        module.bias = nn.Parameter(torch.from_numpy(np.broadcast_to(node.constant(2), shape).astype(np.float32)))
    return build.call(node, module, x, weight=1)


def flow_layer_norm(module: nn.LayerNorm, flow: Flow, inputs: Sequence[Traced], _: Sequence[int]) -> Labels:
    """What is normalised over cannot shrink: the others' mean and deviation would change."""
    labels = inputs[0].labels
    if any(labels.shape[axis - len(module.normalized_shape)] > 1 for axis in range(len(module.normalized_shape))):
        flow.freeze(labels, "a layer norm runs over them")
    return labels


def write_layer_norm(module: nn.LayerNorm, writer: Writer, name: str, inputs: Sequence[str]) -> str:
    """nn.LayerNorm -> LayerNormalization."""
    held = [writer.constant(f"{name}.weight", module.weight)]
    if module.bias is not None:
        held.append(writer.constant(f"{name}.bias", module.bias))
    axis = -len(module.normalized_shape)
    return writer.node("LayerNormalization", [inputs[0], *held], name, axis=axis, epsilon=module.eps)


def read_instance_norm(node: Node, build: Builder) -> Value:
    """InstanceNormalization -> nn.InstanceNorm1d or nn.InstanceNorm2d."""
    x = node.value()
    if len(x.shape) not in (3, 4):
        raise node.refusal(f"its input has {len(x.shape)} axes; 3 and 4 are supported")
    kind = nn.InstanceNorm1d if len(x.shape) == 3 else nn.InstanceNorm2d
    module = kind(x.shape[1], eps=float(node.attribute("epsilon", 1e-5)), affine=True)
    module.weight, module.bias = (nn.Parameter(_floats(node.constant(index))) for index in (1, 2))
    return build.call(node, module, x, weight=1)


def shrink_instance_norm(module: Any, cut: Cut) -> None:
    """Keep the channels that are left."""
    left = cut.output.positions(1)
    module.weight, module.bias = select(module.weight, (0, left)), select(module.bias, (0, left))
    module.num_features = module.weight.numel()


def write_instance_norm(module: Any, writer: Writer, name: str, inputs: Sequence[str]) -> str:
    """nn.InstanceNorm1d, nn.InstanceNorm2d -> InstanceNormalization."""
    held = [writer.constant(f"{name}.{key}", getattr(module, key)) for key in ("weight", "bias")]
    return writer.node("InstanceNormalization", [inputs[0], *held], name, epsilon=module.eps)


def read_group_norm(node: Node, build: Builder) -> Value:
    """GroupNormalization -> nn.GroupNorm; before opset 21 it has one scale for each group of channels."""
    x, groups = node.value(), int(node.attribute("num_groups"))
    module = nn.GroupNorm(groups, x.shape[1], eps=float(node.attribute("epsilon", 1e-5)))
    for key, index in (("weight", 1), ("bias", 2)):
        values = _floats(node.constant(index))
        if values.numel() == groups != x.shape[1]:
            values = values.repeat_interleave(x.shape[1] // groups)
        setattr(module, key, nn.Parameter(values))
    return build.call(node, module, x, weight=1)


def flow_group_norm(_: nn.Module, flow: Flow, inputs: Sequence[Traced], __: Sequence[int]) -> Labels:
    """Channels that are normalised together, or with their neighbours, cannot shrink."""
    flow.freeze(inputs[0].labels, "they are normalised together with their neighbours")
    return inputs[0].labels


def write_group_norm(module: nn.GroupNorm, writer: Writer, name: str, inputs: Sequence[str]) -> str:
    """One node from opset 21 on; before, an instance norm over reshaped channels, then scale and shift."""
    held = [writer.constant(f"{name}.{key}", getattr(module, key)) for key in ("weight", "bias")]
    if writer.opset >= 21:
        return writer.node(
            "GroupNormalization", [inputs[0], *held], name, num_groups=module.num_groups, epsilon=module.eps
        )
    shape = writer.shapes[inputs[0]]
    apart = writer.constant(f"{name}.groups", [0, module.num_groups, -1])
    together = writer.constant(f"{name}.shape", [0, *shape[1:]])
    one, zero = (np.full(module.num_groups, value, np.float32) for value in (1.0, 0.0))
    plain = [writer.constant(f"{name}.ones", one), writer.constant(f"{name}.zeros", zero)]
    split = writer.node("Reshape", [inputs[0], apart], f"{name}.split")
    normal = writer.node("InstanceNormalization", [split, *plain], f"{name}.normal", epsilon=module.eps)
    joined = writer.node("Reshape", [normal, together], f"{name}.joined")
    per_channel = (-1, *(1,) * (len(shape) - 2))
    scale = writer.constant(f"{name}.scale", module.weight.reshape(per_channel))
    shift = writer.constant(f"{name}.shift", module.bias.reshape(per_channel))
    return writer.node("Add", [writer.node("Mul", [joined, scale], f"{name}.scaled"), shift], name)


def read_local_response(node: Node, build: Builder) -> Value:
    """LRN -> nn.LocalResponseNorm."""
    module = nn.LocalResponseNorm(
        int(node.attribute("size")),
        alpha=node.attribute("alpha", 1e-4),
        beta=node.attribute("beta", 0.75),
        k=node.attribute("bias", 1.0),
    )
    return build.call(node, module, node.value())


def write_local_response(module: nn.LocalResponseNorm, writer: Writer, name: str, inputs: Sequence[str]) -> str:
    """nn.LocalResponseNorm -> LRN."""
    return writer.node("LRN", [inputs[0]], name, size=module.size, alpha=module.alpha, beta=module.beta, bias=module.k)


_INSTANCE_NORM = Operator(
    kind=lambda _: "instance_norm",
    write=write_instance_norm,
    flow=flow_per_channel,
    shrink=shrink_instance_norm,
    role="through",
)
OPERATORS: dict[type[nn.Module], Operator] = {
    nn.BatchNorm1d: _BATCH_NORM,
    nn.BatchNorm2d: _BATCH_NORM,
    nn.InstanceNorm1d: _INSTANCE_NORM,
    nn.InstanceNorm2d: _INSTANCE_NORM,
    nn.LayerNorm: Operator(kind=lambda _: "layer_norm", write=write_layer_norm, flow=flow_layer_norm, role="through"),
    nn.GroupNorm: Operator(kind=lambda _: "group_norm", write=write_group_norm, flow=flow_group_norm, role="through"),
    nn.LocalResponseNorm: Operator(
        kind=lambda _: "local_response_norm", write=write_local_response, flow=flow_group_norm
    ),
}
READERS = {
    "BatchNormalization": read_batch_norm,
    "LayerNormalization": read_layer_norm,
    "InstanceNormalization": read_instance_norm,
    "GroupNormalization": read_group_norm,
    "LRN": read_local_response,
}
