"""Operations that only rearrange axes: reshape, flatten, transpose, squeeze, unsqueeze, expand."""

from __future__ import annotations

import math
from collections.abc import Sequence

from torch import Tensor, nn

from compressors.cut import Cut
from compressors.flow import Flow, Labels, Traced, compact
from compressors.operators.operator import Operator
from compressors.reading import BATCH, Builder, Node, Value, batch_axis, extents
from compressors.writing import Writer


class Reshape(nn.Module):
    """The same values in another shape, of which one entry is -1: where the batch is."""

    def __init__(self, shape: Sequence[int]) -> None:
        super().__init__()
        self.shape = tuple(shape)

    def forward(self, x: Tensor) -> Tensor:
        """(N, ...) -> shape."""
        return x.reshape(self.shape)

    def extra_repr(self) -> str:
        """What is printed between the brackets."""
        return str(self.shape)


class Flatten(nn.Module):
    """(N, ...) -> (N, everything else)."""

    def forward(self, x: Tensor) -> Tensor:
        """One row per sample."""
        return x.flatten(1)


class Transpose(nn.Module):
    """Axes in another order."""

    def __init__(self, order: Sequence[int]) -> None:
        super().__init__()
        self.order = tuple(order)

    def forward(self, x: Tensor) -> Tensor:
        """Axis i of the result is axis order[i] of x."""
        return x.permute(self.order)

    def extra_repr(self) -> str:
        """What is printed between the brackets."""
        return str(self.order)


class Squeeze(nn.Module):
    """Without these axes of extent 1."""

    def __init__(self, axes: Sequence[int]) -> None:
        super().__init__()
        self.axes = tuple(axes)

    def forward(self, x: Tensor) -> Tensor:
        """Fewer axes."""
        return x.squeeze(self.axes)


class Unsqueeze(nn.Module):
    """With new axes of extent 1 at these places of the result."""

    def __init__(self, axes: Sequence[int]) -> None:
        super().__init__()
        self.axes = tuple(sorted(axes))

    def forward(self, x: Tensor) -> Tensor:
        """More axes."""
        for axis in self.axes:
            x = x.unsqueeze(axis)
        return x


def read_reshape(node: Node, build: Builder) -> Value:
    """Reshape, also where the exporter has baked its batch size into the shape."""
    x = node.value()
    wanted = [int(entry) for entry in node.constant(1).reshape(-1)]
    if not node.attribute("allowzero", 0):
        wanted = [x.shape[axis] if entry == 0 else entry for axis, entry in enumerate(wanted)]
    return reshape(node, build, x, wanted)


def reshape(node: Node, build: Builder, x: Value, wanted: Sequence[int]) -> Value:
    """Append a Reshape of `x` to `wanted`, with whatever stands for the batch made free."""
    shape = _with_free_batch(x.shape, list(wanted), build.batch)
    if shape is None:
        raise node.refusal(f"its shape {list(wanted)} does not keep the batch apart")
    free = batch_axis(shape)
    assert free is not None
    if shape == list(x.shape):
        return x
    target = [-1 if axis == free else extent for axis, extent in enumerate(shape)]
    if free == 0 and len(target) == 2 and x.batch_axis == 0 and shape[0] == x.shape[0]:
        return build.call(node, Flatten(), x)
    return build.call(node, Reshape(target), x)


def _with_free_batch(shape: Sequence[int], wanted: list[int], baked: int | None) -> list[int] | None:
    """The wanted shape with BATCH where the batch goes; None if there is no such place.

    baked: the batch size the file was exported with, if it is fixed.
    """
    total = math.prod(shape)
    if baked is not None and -1 in wanted[1:] and wanted[0] == baked and batch_axis(shape) == 0:
        wanted = [BATCH, *wanted[1:]]  # the first axis says how many samples there are, not the one to be worked out
    if -1 in wanted:
        at = wanted.index(-1)
        rest = math.prod(entry for entry in wanted if entry != -1)
        filled = [*wanted[:at], total // rest if rest else 0, *wanted[at + 1 :]]
        if rest and total % rest == 0 and batch_axis(filled) is not None and math.prod(filled) == total:
            return filled
        if baked is None or batch_axis(wanted) is not None:
            return None
        rest_of_one = math.prod(extents(shape)) * baked
        wanted = [*wanted[:at], rest_of_one // rest if rest else 0, *wanted[at + 1 :]]
    if math.prod(wanted) == total and batch_axis(wanted) is not None:
        return wanted
    return _unbaked(shape, wanted, baked if baked is not None else 1)


def _unbaked(shape: Sequence[int], wanted: Sequence[int], baked: int) -> list[int] | None:
    """Replace the exported batch size by BATCH, at the axis before which there are as many values as in the input."""
    at = batch_axis(shape)
    if at is None or math.prod(wanted) != math.prod(extents(shape)) * baked:
        return None
    before = math.prod(shape[:at])
    for axis, entry in enumerate(wanted):
        if math.prod(wanted[:axis]) == before and entry % baked == 0:
            return [*wanted[:axis], entry // baked * BATCH, *wanted[axis + 1 :]]
    return None


def read_flatten(node: Node, build: Builder) -> Value:
    """Flatten -> Flatten or Reshape."""
    x = node.value()
    axis = int(node.attribute("axis", 1))
    axis = axis + len(x.shape) if axis < 0 else axis
    return reshape(node, build, x, [math.prod(x.shape[:axis]), math.prod(x.shape[axis:])])


def read_transpose(node: Node, build: Builder) -> Value:
    """Transpose; one that changes nothing disappears."""
    x = node.value()
    order = list(node.attribute("perm") or reversed(range(len(x.shape))))
    return x if order == sorted(order) else build.call(node, Transpose(order), x)


def read_squeeze(node: Node, build: Builder) -> Value:
    """Squeeze."""
    x = node.value()
    axes = node.integers(1, "axes")
    if axes is None:
        axes = [axis for axis, extent in enumerate(x.shape) if extent == 1]
    axes = [axis % len(x.shape) for axis in axes]
    return build.call(node, Squeeze(axes), x) if axes else x


def read_unsqueeze(node: Node, build: Builder) -> Value:
    """Unsqueeze."""
    x = node.value()
    axes = node.integers(1, "axes") or []
    rank = len(x.shape) + len(axes)
    return build.call(node, Unsqueeze([axis % rank for axis in axes]), x)


def flow_reshape(_: nn.Module, __: Flow, inputs: Sequence[Traced], output: Sequence[int]) -> Labels:
    """The same labels in the new shape."""
    labels = inputs[0].labels
    if not inputs[0].varying:
        return labels.reshape((1,) * len(output))
    moved = _moved_axis(inputs[0], output)
    if moved is not None:
        shape = [1] * len(output)
        shape[moved] = labels.size
        return labels.reshape(shape)
    return compact(inputs[0].full().reshape(tuple(output)))


def _moved_axis(traced: Traced, output: Sequence[int]) -> int | None:
    """Where the one labelled axis goes, if it stays whole: the same count of values before and after it."""
    if len(traced.varying) != 1:
        return None
    axis = traced.varying[0]
    before, extent = math.prod(traced.extents[:axis]), traced.extents[axis]
    for candidate, length in enumerate(output):
        if length == extent and math.prod(output[:candidate]) == before:
            return candidate
    return None


def flow_transpose(module: Transpose, _: Flow, inputs: Sequence[Traced], __: Sequence[int]) -> Labels:
    """Labels turn with the axes."""
    return inputs[0].labels.transpose(module.order)


def shrink_reshape(module: Reshape, cut: Cut) -> None:
    """The shape of what is left."""
    module.shape = tuple(-1 if entry == -1 else cut.output.extent(axis) for axis, entry in enumerate(module.shape))


def _write_reshape(module: Reshape, writer: Writer, name: str, inputs: Sequence[str]) -> str:
    return writer.node("Reshape", [inputs[0], writer.constant(f"{name}.shape", module.shape)], name)


def _write_axes(operator: str) -> Operator:
    def write(module: Squeeze | Unsqueeze, writer: Writer, name: str, inputs: Sequence[str]) -> str:
        return writer.node(operator, [inputs[0], writer.constant(f"{name}.axes", module.axes)], name)

    return Operator(kind=lambda _: "reshape", write=write, flow=flow_reshape)


OPERATORS = {
    Reshape: Operator(kind=lambda _: "reshape", write=_write_reshape, flow=flow_reshape, shrink=shrink_reshape),
    Flatten: Operator(
        kind=lambda _: "flatten",
        flow=flow_reshape,
        write=lambda _, writer, name, inputs: writer.node("Flatten", [inputs[0]], name, axis=1),
    ),
    Transpose: Operator(
        kind=lambda _: "transpose",
        flow=flow_transpose,
        write=lambda module, writer, name, inputs: writer.node("Transpose", [inputs[0]], name, perm=list(module.order)),
    ),
    Squeeze: _write_axes("Squeeze"),
    Unsqueeze: _write_axes("Unsqueeze"),
}
READERS = {
    "Reshape": read_reshape,
    "Flatten": read_flatten,
    "Transpose": read_transpose,
    "Squeeze": read_squeeze,
    "Unsqueeze": read_unsqueeze,
}
