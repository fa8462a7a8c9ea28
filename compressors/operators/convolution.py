"""Convolutions in one and two dimensions, plain, grouped and depthwise, and transposed ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from compressors.cut import Cut
from compressors.flow import Flow, Labels, Traced, on_axis
from compressors.graph import select
from compressors.operators.channels import Slice
from compressors.operators.operator import Geometry, Operator
from compressors.reading import Builder, Node, Value
from compressors.writing import Writer

Conv = nn.Conv1d | nn.Conv2d
ConvTranspose = nn.ConvTranspose1d | nn.ConvTranspose2d


class PaddedConv1d(nn.Conv1d):
    """A convolution whose padding differs at the two ends. pads: (begin, end)."""

    pads: tuple[int, ...]

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, L) -> (N, C', L')."""
        return super().forward(functional.pad(x, torch_pads(self.pads)))


class PaddedConv2d(nn.Conv2d):
    """A convolution whose padding differs at opposite sides. pads: (top, left, bottom, right)."""

    pads: tuple[int, ...]

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C', H', W')."""
        return super().forward(functional.pad(x, torch_pads(self.pads)))


def torch_pads(pads: Sequence[int]) -> list[int]:
    """ONNX's (begins..., ends...) in the order of `torch.nn.functional.pad`: last axis first."""
    half = len(pads) // 2
    return [pads[axis + side * half] for axis in reversed(range(half)) for side in (0, 1)]


def pads_of(module: nn.Module) -> tuple[int, ...]:
    """Padding of a convolution or pooling as ONNX writes it: (begins..., ends...)."""
    own = getattr(module, "pads", None)
    if own is not None:
        return tuple(own)
    padding: Any = module.padding
    rank = len(module.kernel_size) if isinstance(module.kernel_size, tuple) else 1
    once = tuple(padding) if isinstance(padding, tuple) else (int(padding),) * rank
    return once + once


def pad_input(module: Conv, x: Tensor) -> Tensor:
    """The input as the convolution sees it: padded with its zeros."""
    return functional.pad(x, torch_pads(pads_of(module)))


def same_pads(
    node: Node, shape: Sequence[int], kernel: Sequence[int], stride: Sequence[int], dilation: Sequence[int]
) -> list[int]:
    """`pads`, or what `auto_pad` means for this input shape."""
    auto = node.attribute("auto_pad", "NOTSET")
    rank = len(kernel)
    if auto in ("NOTSET", ""):
        return list(node.attribute("pads") or [0] * 2 * rank)
    if auto == "VALID":
        return [0] * 2 * rank
    begins, ends = [], []
    for extent, window, step, spread in zip(shape[2:], kernel, stride, dilation, strict=True):
        total = max(0, (-(-extent // step) - 1) * step + (window - 1) * spread + 1 - extent)
        small, large = total // 2, total - total // 2
        begins.append(small if auto == "SAME_UPPER" else large)
        ends.append(large if auto == "SAME_UPPER" else small)
    return begins + ends


def read_conv(node: Node, build: Builder) -> Value:
    """Conv -> nn.Conv1d or nn.Conv2d."""
    x, weight = node.value(), torch.from_numpy(node.constant(1).copy())
    rank = weight.ndim - 2
    if rank not in (1, 2):
        raise node.refusal(f"it has {rank} spatial dimensions; 1 and 2 are supported")
    stride = list(node.attribute("strides") or [1] * rank)
    dilation = list(node.attribute("dilations") or [1] * rank)
    pads = same_pads(node, x.shape, weight.shape[2:], stride, dilation)
    symmetric = pads[:rank] == pads[rank:]
    plain, padded = ((nn.Conv1d, PaddedConv1d), (nn.Conv2d, PaddedConv2d))[rank - 1]
    groups = int(node.attribute("group", 1))
    if min(pads) < 0:
        raise node.refusal("it has negative padding")
    kind: Any = plain if symmetric else padded
    module = kind(
        weight.shape[1] * groups,
        weight.shape[0],
        tuple(weight.shape[2:]),
        stride=tuple(stride),
        padding=tuple(pads[:rank]) if symmetric else 0,
        dilation=tuple(dilation),
        groups=groups,
        bias=node.has(2),
        device="meta",
    )
    if not symmetric:
        module.pads = tuple(pads)
    _load(module, weight, node)
    return build.call(node, module, x, weight=1)


def read_conv_transpose(node: Node, build: Builder) -> Value:
    """ConvTranspose -> nn.ConvTranspose1d or nn.ConvTranspose2d."""
    x, weight = node.value(), torch.from_numpy(node.constant(1).copy())
    rank = weight.ndim - 2
    if rank not in (1, 2):
        raise node.refusal(f"it has {rank} spatial dimensions; 1 and 2 are supported")
    stride = list(node.attribute("strides") or [1] * rank)
    dilation = list(node.attribute("dilations") or [1] * rank)
    pads, extra, surplus = _transposed_pads(node, x.shape, weight.shape[2:], stride, dilation)
    groups = int(node.attribute("group", 1))
    kind: Any = (nn.ConvTranspose1d, nn.ConvTranspose2d)[rank - 1]
    module = kind(
        weight.shape[0],
        weight.shape[1] * groups,
        tuple(weight.shape[2:]),
        stride=tuple(stride),
        padding=tuple(pads),
        output_padding=tuple(extra),
        dilation=tuple(dilation),
        groups=groups,
        bias=node.has(2),
        device="meta",
    )
    _load(module, weight, node)
    made = build.call(node, module, x, weight=1)
    for axis, more in enumerate(surplus, start=2):
        if more:
            made = build.call(node, Slice(axis, 0, made.shape[axis] - more), made, part=f"cut{axis}")
    return made


def _transposed_pads(
    node: Node, shape: Sequence[int], kernel: Sequence[int], stride: Sequence[int], dilation: Sequence[int]
) -> tuple[list[int], list[int], list[int]]:
    """(padding, output padding, surplus): torch pads both ends alike.

    What is cut less at the end goes into the output padding; what is cut more there is left for a Slice.
    """
    rank = len(kernel)
    extra = list(node.attribute("output_padding") or [0] * rank)
    pads = list(node.attribute("pads") or [0] * 2 * rank)
    auto = node.attribute("auto_pad", "NOTSET")
    wanted = node.attribute("output_shape")
    if auto in ("SAME_UPPER", "SAME_LOWER") or wanted:
        sizes = list(wanted)[-rank:] if wanted else [n * s for n, s in zip(shape[2:], stride, strict=True)]
        for axis in range(rank):
            grown = (shape[2 + axis] - 1) * stride[axis] + extra[axis] + (kernel[axis] - 1) * dilation[axis] + 1
            total = grown - sizes[axis]
            small = total // 2
            begin = small if auto == "SAME_UPPER" else total - small
            pads[axis], pads[rank + axis] = begin, total - begin
    if min(pads) < 0:
        raise node.refusal("it has negative padding")
    more = [pads[rank + axis] - pads[axis] for axis in range(rank)]
    return pads[:rank], [own + max(0, -m) for own, m in zip(extra, more, strict=True)], [max(0, m) for m in more]


def _load(module: Any, weight: Tensor, node: Node) -> None:
    module.weight = nn.Parameter(weight.float())
    if node.has(2):
        module.bias = nn.Parameter(torch.from_numpy(node.constant(2).copy()).float())


def write_conv(module: Conv, writer: Writer, name: str, inputs: Sequence[str]) -> str:
    """nn.Conv1d, nn.Conv2d -> Conv."""
    return writer.node(
        "Conv", [inputs[0], *write_weights(module, writer, name)], name,
        kernel_shape=list(module.kernel_size), strides=list(module.stride), dilations=list(module.dilation),
        pads=list(pads_of(module)), group=module.groups,
    )  # fmt: skip


def write_conv_transpose(module: ConvTranspose, writer: Writer, name: str, inputs: Sequence[str]) -> str:
    """nn.ConvTranspose1d, nn.ConvTranspose2d -> ConvTranspose."""
    return writer.node(
        "ConvTranspose", [inputs[0], *write_weights(module, writer, name)], name,
        kernel_shape=list(module.kernel_size), strides=list(module.stride), dilations=list(module.dilation),
        pads=list(pads_of(module)), group=module.groups, output_padding=list(module.output_padding),
    )  # fmt: skip


def write_weights(module: Any, writer: Writer, name: str) -> list[str]:
    """Weight and, if there is one, bias. Returns the names of the tensors."""
    outputs = 1 if isinstance(module, nn.ConvTranspose1d | nn.ConvTranspose2d) else 0
    names = [writer.weight(f"{name}.weight", module.weight, outputs)]
    if module.bias is not None:
        names.append(writer.bias(f"{name}.bias", module.bias))
    return names


def flow_conv(module: Conv | ConvTranspose, flow: Flow, inputs: Sequence[Traced], output: Sequence[int]) -> Labels:
    """Fresh labels; depthwise ones keep the input's; in a grouped one, equal positions of all groups are tied."""
    read = flow.along(inputs[0], 1)
    if is_depthwise(module):
        return on_axis(np.repeat(read, module.out_channels // module.groups), 1, len(output))
    made = flow.fresh(module.out_channels // module.groups)
    if module.groups > 1:
        flow.tie_along(read.reshape(module.groups, -1), 0)
    return on_axis(np.tile(made, module.groups), 1, len(output))


def is_depthwise(module: Conv | ConvTranspose) -> bool:
    """One filter, or several, per input channel."""
    return module.groups > 1 and module.groups == module.in_channels


def shrink_conv(module: Conv | ConvTranspose, cut: Cut) -> None:
    """Keep the weights between channels that are left."""
    into, out = cut.inputs[0].positions(1), cut.output.positions(1)
    transposed = isinstance(module, nn.ConvTranspose1d | nn.ConvTranspose2d)
    if is_depthwise(module):
        first = into if transposed else out
        module.weight = select(module.weight, (0, first))
        module.groups = cut.inputs[0].extent(1)
    elif transposed:
        inner = _within_group(out, module.out_channels, module.groups)
        module.weight = select(module.weight, (0, into), (1, inner))
    else:
        inner = _within_group(into, module.in_channels, module.groups)
        module.weight = select(module.weight, (0, out), (1, inner))
    if module.bias is not None:
        module.bias = select(module.bias, (0, out))
    module.in_channels, module.out_channels = cut.inputs[0].extent(1), cut.output.extent(1)


def _within_group(positions: Tensor | None, channels: int, groups: int) -> Tensor | None:
    """Positions inside the first convolution group; the other groups keep the same."""
    if positions is None or groups == 1:
        return positions
    return positions[positions < channels // groups]


def geometry(module: Any) -> Geometry:
    """Window of a convolution."""
    extra = {"output_padding": max(module.output_padding)} if any(getattr(module, "output_padding", ())) else {}
    return Geometry(
        kernel=tuple(module.kernel_size), stride=tuple(module.stride), padding=pads_of(module),
        dilation=tuple(module.dilation), groups=module.groups, bias=module.bias is not None, extra=extra,
    )  # fmt: skip


def _convolution(kind: str, write: Any) -> Operator:
    return Operator(
        kind=lambda _: kind, write=write, flow=flow_conv, shrink=shrink_conv, geometry=geometry, role="layer", in_axis=1
    )


OPERATORS = {
    nn.Conv1d: _convolution("conv1d", write_conv),
    nn.Conv2d: _convolution("conv2d", write_conv),
    nn.ConvTranspose1d: _convolution("conv_transpose2d", write_conv_transpose),
    nn.ConvTranspose2d: _convolution("conv_transpose2d", write_conv_transpose),
}
READERS = {"Conv": read_conv, "ConvTranspose": read_conv_transpose}
