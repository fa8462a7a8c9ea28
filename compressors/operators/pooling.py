"""Pooling over windows, and reductions over whole axes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from compressors.flow import NOBODY, Flow, Labels, Traced
from compressors.operators.convolution import pads_of, same_pads, torch_pads
from compressors.operators.operator import Geometry, Operator
from compressors.reading import Builder, Node, Value
from compressors.shapes import reduced
from compressors.writing import Writer

_MAX = {1: functional.max_pool1d, 2: functional.max_pool2d, 3: functional.max_pool3d}
_AVERAGE = {1: functional.avg_pool1d, 2: functional.avg_pool2d, 3: functional.avg_pool3d}
_REDUCE: dict[str, Callable[..., Tensor]] = {
    "ReduceMean": torch.mean,
    "ReduceSum": torch.sum,
    "ReduceMax": torch.amax,
    "ReduceMin": torch.amin,
    "ReduceL2": torch.linalg.vector_norm,
}


class MaxPool(nn.Module):
    """Largest value of each window. pads: (begins..., ends...), filled with minus infinity."""

    def __init__(
        self, kernel: Sequence[int], stride: Sequence[int], pads: Sequence[int], dilation: Sequence[int], ceil: bool
    ) -> None:
        super().__init__()
        self.kernel_size, self.stride, self.dilation = tuple(kernel), tuple(stride), tuple(dilation)
        self.pads = tuple(pads)
        self.ceil_mode = ceil

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, ...) -> (N, C, ...)."""
        if any(self.pads):
            x = functional.pad(x, torch_pads(self.pads), value=float("-inf"))
        pool = _MAX[len(self.kernel_size)]
        return pool(x, self.kernel_size, self.stride, 0, self.dilation, self.ceil_mode)

    def extra_repr(self) -> str:
        """What is printed between the brackets."""
        return f"{self.kernel_size}, stride={self.stride}, pads={self.pads}, ceil={self.ceil_mode}"


class AveragePool(nn.Module):
    """Mean of each window; padded zeros count only if `count_padding`. pads: (begins..., ends...)."""

    def __init__(self, kernel: Sequence[int], stride: Sequence[int], pads: Sequence[int], count_padding: bool) -> None:
        super().__init__()
        self.kernel_size, self.stride, self.dilation = tuple(kernel), tuple(stride), (1,) * len(kernel)
        self.pads = tuple(pads)
        self.count_padding = count_padding

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, ...) -> (N, C, ...)."""
        pool = _AVERAGE[len(self.kernel_size)]
        if not any(self.pads):
            return pool(x, self.kernel_size, self.stride)
        padding = torch_pads(self.pads)
        mean = pool(functional.pad(x, padding), self.kernel_size, self.stride)
        if self.count_padding:
            return mean
        inside = functional.pad(torch.ones_like(x[:1, :1]), padding)
        return mean / pool(inside, self.kernel_size, self.stride)

    def extra_repr(self) -> str:
        """What is printed between the brackets."""
        return f"{self.kernel_size}, stride={self.stride}, pads={self.pads}"


class GlobalAveragePool(nn.Module):
    """Mean over all positions, which stay as axes of extent 1."""

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, ...) -> (N, C, 1...)."""
        return x.mean(dim=tuple(range(2, x.dim())), keepdim=True)

    def output_shape(self, shape: tuple[int, ...]) -> tuple[int, ...] | None:
        """See `compressors.shapes.known_shape`."""
        return reduced(shape, range(2, len(shape)), keep=True)


class Reduce(nn.Module):
    """Reduction over axes. operator: ReduceMean, ReduceSum, ReduceMax, ReduceMin or ReduceL2."""

    def __init__(self, operator: str, axes: Sequence[int], keep: bool) -> None:
        super().__init__()
        self.operator = operator
        self.axes = tuple(axes)
        self.keep = keep

    def output_shape(self, shape: tuple[int, ...]) -> tuple[int, ...] | None:
        """See `compressors.shapes.known_shape`."""
        return reduced(shape, self.axes, keep=self.keep)

    def forward(self, x: Tensor) -> Tensor:
        """Reduced axes disappear, or stay with extent 1."""
        reduced: Tensor = _REDUCE[self.operator](x, dim=self.axes, keepdim=self.keep)
        return reduced

    def extra_repr(self) -> str:
        """What is printed between the brackets."""
        return f"{self.operator}, axes={self.axes}, keep={self.keep}"


def read_pool(node: Node, build: Builder) -> Value:
    """MaxPool, AveragePool."""
    x = node.value()
    kernel = list(node.attribute("kernel_shape"))
    if len(kernel) not in (1, 2, 3):
        raise node.refusal(f"it has {len(kernel)} spatial dimensions; 1 to 3 are supported")
    if len(node.proto.output) > 1 and node.proto.output[1]:
        raise node.refusal("its indices are used")
    stride = list(node.attribute("strides") or [1] * len(kernel))
    dilation = list(node.attribute("dilations") or [1] * len(kernel))
    pads = same_pads(node, x.shape, kernel, stride, dilation)
    ceil = bool(node.attribute("ceil_mode", 0))
    if node.op == "MaxPool":
        return build.call(node, MaxPool(kernel, stride, pads, dilation, ceil), x)
    if ceil and not _fits(x.shape[2:], kernel, stride, pads):
        raise node.refusal("ceil_mode with windows that reach over the end")
    if set(dilation) != {1}:
        raise node.refusal("it is dilated")
    whole = not any(pads) and tuple(kernel) == x.shape[2:]
    module = AveragePool(kernel, stride, pads, bool(node.attribute("count_include_pad", 0)))
    return build.call(node, GlobalAveragePool() if whole else module, x)


def _fits(extents: Sequence[int], kernel: Sequence[int], stride: Sequence[int], pads: Sequence[int]) -> bool:
    """Whether the last window ends where the padded input does, so that rounding up changes nothing."""
    rank = len(kernel)
    padded = [extent + pads[axis] + pads[rank + axis] for axis, extent in enumerate(extents)]
    return all((extent - window) % step == 0 for extent, window, step in zip(padded, kernel, stride, strict=True))


def read_global_pool(node: Node, build: Builder) -> Value:
    """GlobalAveragePool, GlobalMaxPool."""
    x = node.value()
    if node.op == "GlobalAveragePool":
        return build.call(node, GlobalAveragePool(), x)
    return build.call(node, Reduce("ReduceMax", range(2, len(x.shape)), keep=True), x)


def read_reduce(node: Node, build: Builder) -> Value:
    """ReduceMean and its relatives over fixed axes."""
    x = node.value()
    axes = node.integers(1, "axes")
    if not axes:
        if node.attribute("noop_with_empty_axes", 0):
            return x
        raise node.refusal("it reduces over the batch")
    axes = sorted(axis % len(x.shape) for axis in axes)
    if x.batch_axis in axes:
        raise node.refusal("it reduces over the batch")
    return build.call(node, Reduce(node.op, axes, bool(node.attribute("keepdims", 1))), x)


def flow_pool(module: MaxPool | AveragePool, flow: Flow, inputs: Sequence[Traced], _: Sequence[int]) -> Labels:
    """Channels pass; labels along a pooled axis are channels that look like positions, and cannot shrink."""
    labels = inputs[0].labels
    for axis, (kernel, stride) in enumerate(zip(module.kernel_size, module.stride, strict=True), start=2):
        if labels.shape[axis] > 1 and (kernel, stride) != (1, 1):
            flow.freeze(labels, "a pool runs over them")
            return np.full((1,) * inputs[0].rank, NOBODY, dtype=np.int64)
    return labels


def flow_reduce(module: Reduce, flow: Flow, inputs: Sequence[Traced], _: Sequence[int]) -> Labels:
    """Channels that are reduced away cannot shrink; others pass."""
    labels = inputs[0].labels
    if any(labels.shape[axis] > 1 for axis in module.axes):
        flow.freeze(labels, f"a reduction ({module.operator}) runs over them")
    for axis in reversed(module.axes):
        labels = labels.take([0], axis=axis)
    return labels if module.keep else labels.squeeze(module.axes)


def _write_pool(module: Any, writer: Writer, name: str, inputs: Sequence[str]) -> str:
    shared = {"kernel_shape": list(module.kernel_size), "strides": list(module.stride), "pads": list(module.pads)}
    if isinstance(module, MaxPool):
        more = {"dilations": list(module.dilation), "ceil_mode": int(module.ceil_mode)}
        return writer.node("MaxPool", [inputs[0]], name, **shared, **more)
    return writer.node("AveragePool", [inputs[0]], name, **shared, count_include_pad=int(module.count_padding))


def _write_reduce(module: Reduce, writer: Writer, name: str, inputs: Sequence[str]) -> str:
    axes, keep = list(module.axes), int(module.keep)
    if writer.opset >= 18 or module.operator == "ReduceSum":
        return writer.node(module.operator, [inputs[0], writer.constant(f"{name}.axes", axes)], name, keepdims=keep)
    return writer.node(module.operator, [inputs[0]], name, axes=axes, keepdims=keep)


def _geometry(module: Any) -> Geometry:
    return Geometry(kernel=module.kernel_size, stride=module.stride, padding=pads_of(module), dilation=module.dilation)


def _reduce_kind(module: Reduce) -> str:
    spatial = module.axes == tuple(range(2, 2 + len(module.axes)))
    return "global_avg_pool" if module.operator == "ReduceMean" and spatial and len(module.axes) > 1 else {
        "ReduceMean": "reduce_mean", "ReduceSum": "reduce_sum", "ReduceMax": "reduce_max",
        "ReduceMin": "reduce_min", "ReduceL2": "reduce_l2",
    }[module.operator]  # fmt: skip


OPERATORS = {
    MaxPool: Operator(kind=lambda _: "max_pool", write=_write_pool, flow=flow_pool, geometry=_geometry),
    AveragePool: Operator(kind=lambda _: "avg_pool", write=_write_pool, flow=flow_pool, geometry=_geometry),
    GlobalAveragePool: Operator(
        kind=lambda _: "global_avg_pool",
        write=lambda _, writer, name, inputs: writer.node("GlobalAveragePool", [inputs[0]], name),
    ),
    Reduce: Operator(kind=_reduce_kind, write=_write_reduce, flow=flow_reduce),
}
READERS = {
    "MaxPool": read_pool,
    "AveragePool": read_pool,
    "GlobalAveragePool": read_global_pool,
    "GlobalMaxPool": read_global_pool,
    **dict.fromkeys(_REDUCE, read_reduce),
}
