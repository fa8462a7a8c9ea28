"""Padding: of positions in every way ONNX has, and of channels with constants."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from torch import Tensor, nn
from torch.nn import functional

from compressors.cut import Cut
from compressors.flow import Flow, Labels, Traced
from compressors.operators.operator import Operator
from compressors.reading import Builder, Node, Value
from compressors.writing import Writer


class Pad(nn.Module):
    """More positions at both ends of the axes. pads: (begins..., ends...) over all axes. mode as in ONNX."""

    def __init__(self, pads: Sequence[int], mode: str = "constant", value: float = 0.0) -> None:
        super().__init__()
        self.pads = tuple(pads)
        self.mode = mode
        self.value = value

    def forward(self, x: Tensor) -> Tensor:
        """Larger along the padded axes."""
        half = len(self.pads) // 2
        ends = [self.pads[axis + side * half] for axis in reversed(range(half)) for side in (0, 1)]
        if self.mode == "constant":
            return functional.pad(x, ends, value=self.value)
        while len(ends) > 2 * (x.dim() - 2):  # torch reflects and repeats trailing axes only
            ends = ends[:-2]
        return functional.pad(x, ends, mode={"edge": "replicate", "reflect": "reflect"}[self.mode])

    def extra_repr(self) -> str:
        """What is printed between the brackets."""
        return f"{self.pads}, {self.mode}"


def read_pad(node: Node, build: Builder) -> Value:
    """Pad with a constant, by reflection or by repeating the edge."""
    x = node.value()
    given = node.integers(1, "pads") or []
    mode = str(node.attribute("mode", "constant"))
    value = float(node.constant(2).reshape(-1)[0]) if node.has(2) and node.constant(2).size else 0.0
    if mode not in ("constant", "reflect", "edge"):
        raise node.refusal(f"its mode is {mode!r}")
    rank = len(x.shape)
    axes = [axis % rank for axis in node.integers(3, "axes") or range(rank)]
    pads = [0] * 2 * rank
    for place, axis in enumerate(axes):
        pads[axis], pads[rank + axis] = given[place], given[len(axes) + place]
    if min(pads) < 0:
        raise node.refusal("it has negative padding; use Slice")
    at = x.batch_axis
    if at is not None and (pads[at] or pads[rank + at]):
        raise node.refusal("it pads the batch")
    if mode != "constant" and any(pads[axis] or pads[rank + axis] for axis in (0, 1)):
        raise node.refusal(f"it pads channels by {mode}")
    return build.call(node, Pad(pads, mode, value), x) if any(pads) else x


def flow_pad(module: Pad, flow: Flow, inputs: Sequence[Traced], _: Sequence[int]) -> Labels:
    """Fresh labels for channels that are added; padding of other axes changes nothing."""
    labels, rank = inputs[0].labels, inputs[0].rank
    for axis in range(rank):
        before, after = module.pads[axis], module.pads[rank + axis]
        if (before or after) and labels.shape[axis] > 1:
            if labels.size != labels.shape[axis]:
                flow.freeze(labels, "they are padded along several axes")
                continue
            shape = [1] * rank
            parts = [flow.fresh(before), labels.reshape(-1), flow.fresh(after)]
            shape[axis] = sum(part.size for part in parts)
            labels = np.concatenate(parts).reshape(shape)
    return labels


def shrink_pad(module: Pad, cut: Cut) -> None:
    """Fewer channels to add where those they are added to have gone."""
    pads, rank = list(module.pads), len(cut.output.outline.extents)
    for axis in range(rank):
        left = cut.output.positions(axis)
        if left is not None and (pads[axis] or pads[rank + axis]):
            length = cut.inputs[0].outline.extents[axis]
            before = module.pads[axis]
            pads[axis] = int((left < before).sum())
            pads[rank + axis] = int((left >= before + length).sum())
    module.pads = tuple(pads)


def _write_pad(module: Pad, writer: Writer, name: str, inputs: Sequence[str]) -> str:
    operands = [inputs[0], writer.constant(f"{name}.pads", module.pads)]
    if module.mode == "constant" and module.value:
        operands.append(writer.constant(f"{name}.value", np.float32(module.value).reshape(())))
    return writer.node("Pad", operands, name, mode=module.mode)


OPERATORS = {Pad: Operator(kind=lambda _: "pad", write=_write_pad, flow=flow_pad, shrink=shrink_pad)}
READERS = {"Pad": read_pad}
