"""Operations that put tensors together and take them apart along an axis: concat, split, slice, gather."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from compressors.cut import Cut
from compressors.flow import NOBODY, Flow, Labels, Traced, compact
from compressors.graph import select
from compressors.operators.operator import Operator
from compressors.reading import Builder, Const, Node, Value
from compressors.writing import Writer


class Concat(nn.Module):
    """Tensors one behind the other along an axis; constants among them are repeated for every sample.

    constants: by place in the list of operands, a tensor with extent 1 where the batch is.
    """

    def __init__(self, axis: int, operands: int, constants: dict[int, Tensor] | None = None) -> None:
        super().__init__()
        self.axis = axis
        self.operands = operands
        self.places = tuple(sorted(constants or {}))
        for place, values in (constants or {}).items():
            floating = values.is_floating_point()
            self.register_parameter(f"constant_{place}", nn.Parameter(values) if floating else None)
            if not floating:
                del self._parameters[f"constant_{place}"]
                self.register_buffer(f"constant_{place}", values)

    def forward(self, *inputs: Tensor) -> Tensor:
        """Extents along the axis add up."""
        if not self.places:
            return torch.cat(inputs, self.axis)
        given = iter(inputs)
        parts = [None if place in self.places else next(given) for place in range(self.operands)]
        beside = inputs[0]
        filled = [
            self._spread(getattr(self, f"constant_{place}"), beside) if part is None else part
            for place, part in enumerate(parts)
        ]
        return torch.cat(filled, self.axis)

    def _spread(self, values: Tensor, beside: Tensor) -> Tensor:
        shape = [
            own if axis == self.axis else other
            for axis, (own, other) in enumerate(zip(values.shape, beside.shape, strict=True))
        ]
        return values.expand(shape)

    def extra_repr(self) -> str:
        """What is printed between the brackets."""
        return f"axis={self.axis}"


class Slice(nn.Module):
    """Every step-th position from start up to stop (not included) along an axis."""

    def __init__(self, axis: int, start: int, stop: int, step: int = 1) -> None:
        super().__init__()
        self.axis, self.start, self.stop, self.step = axis, start, stop, step

    def forward(self, x: Tensor) -> Tensor:
        """Shorter along the axis."""
        if self.step == 1:
            return x.narrow(self.axis, self.start, self.stop - self.start)
        return x.index_select(self.axis, torch.arange(self.start, self.stop, self.step, device=x.device))

    def extra_repr(self) -> str:
        """What is printed between the brackets."""
        return f"axis={self.axis}, {self.start}:{self.stop}:{self.step}"


class Pick(nn.Module):
    """These positions along an axis, in this order; drop: a single one, and the axis disappears."""

    indices: Tensor

    def __init__(self, axis: int, indices: Tensor, *, drop: bool = False) -> None:
        super().__init__()
        self.axis = axis
        self.drop = drop
        self.register_buffer("indices", indices)

    def forward(self, x: Tensor) -> Tensor:
        """Another extent along the axis."""
        picked = x.index_select(self.axis, self.indices)
        return picked.squeeze(self.axis) if self.drop else picked

    def extra_repr(self) -> str:
        """What is printed between the brackets."""
        return f"axis={self.axis}, {self.indices.numel()} positions"


def read_concat(node: Node, build: Builder) -> Value:
    """Concat, of tensors and constants."""
    values = [given for given in node.inputs if isinstance(given, Value)]
    axis = int(node.attribute("axis")) % len(values[0].shape)
    if len(node.inputs) == 1:
        return values[0]
    if axis == values[0].batch_axis:
        raise node.refusal("it puts samples of the batch together")
    constants = {
        place: torch.from_numpy(np.array(given.array)).to(values[0].dtype)
        for place, given in enumerate(node.inputs)
        if isinstance(given, Const)
    }
    return build.call(node, Concat(axis, len(node.inputs), constants), *values)


def read_split(node: Node, build: Builder) -> list[Value]:
    """Split -> one Slice for each part."""
    x = node.value()
    axis = int(node.attribute("axis", 0)) % len(x.shape)
    if axis == x.batch_axis:
        raise node.refusal("it splits the batch")
    sizes = node.integers(1, "split")
    parts = len(node.proto.output)
    if sizes is None:
        each = -(-x.shape[axis] // parts)
        sizes = [min(each, x.shape[axis] - each * part) for part in range(parts)]
    if min(sizes) < 1 or sum(sizes) != x.shape[axis]:
        raise node.refusal(f"its parts {sizes} do not make up the {x.shape[axis]} positions")
    ends = np.cumsum(sizes)
    return [
        build.call(node, Slice(axis, int(end - size), int(end)), x, part=str(part))
        for part, (size, end) in enumerate(zip(sizes, ends, strict=True))
    ]


def read_slice(node: Node, build: Builder) -> Value:
    """Slice -> one Slice for each axis; one that takes everything disappears."""
    x = node.value()
    starts, stops = node.integers(1, "starts") or [], node.integers(2, "ends") or []
    axes = node.integers(3, "axes") or list(range(len(starts)))
    steps = node.integers(4, "steps") or [1] * len(starts)
    for start, stop, axis, step in zip(starts, stops, axes, steps, strict=True):
        axis %= len(x.shape)
        first, last, stride = slice(start, stop, step).indices(x.shape[axis])
        if (first, last, stride) == (0, x.shape[axis], 1):
            continue
        if axis == x.batch_axis:
            raise node.refusal("it slices the batch")
        positions = range(first, last, stride)
        if not positions:
            raise node.refusal("it leaves nothing")
        part = f"axis{axis}" if len(starts) > 1 else ""
        if stride < 0:
            x = build.call(node, Pick(axis, torch.tensor(list(positions))), x, part=part)
        else:
            x = build.call(node, Slice(axis, first, positions[-1] + 1, stride), x, part=part)
    return x


def read_gather(node: Node, build: Builder) -> Value:
    """Gather of fixed positions -> Pick; of rows of a constant table by the input -> an embedding."""
    if isinstance(node.inputs[0], Const):
        from compressors.operators.embedding import read_embedding

        return read_embedding(node, build)
    x, indices = node.value(), node.constant(1)
    axis = int(node.attribute("axis", 0)) % len(x.shape)
    if axis == x.batch_axis:
        raise node.refusal("it picks samples of the batch")
    if indices.ndim > 1:
        raise node.refusal(f"its indices have {indices.ndim} axes; at most 1 is supported")
    positions = torch.from_numpy(indices.reshape(-1).astype(np.int64)) % x.shape[axis]
    if indices.size and np.abs(indices).max() > x.shape[axis]:
        raise node.refusal("its indices are out of range")
    return build.call(node, Pick(axis, positions, drop=indices.ndim == 0), x)


def flow_concat(module: Concat, flow: Flow, inputs: Sequence[Traced], output: Sequence[int]) -> Labels:
    """Labels one behind the other; where parts are labelled along other axes, those are tied."""
    axis, given = module.axis, iter(inputs)
    parts = [None if place in module.places else next(given) for place in range(module.operands)]
    across = [part.labels for part in parts if part is not None and any(other != axis for other in part.varying)]
    along = any(part is not None and _labelled_along(part, axis) for part in parts)
    if across:
        rows = [labels.take([0], axis=axis) for labels in across]
        for part in parts:
            if part is not None and not any(other != axis for other in part.varying):
                flow.freeze(across[0], "they are put beside values that are nobody's channels")
        for row in rows[1:]:
            flow.tie(rows[0], row)
        if not any(axis in part.varying for part in parts if part is not None):
            return rows[0]
    if not along:
        return np.full((1,) * len(output), NOBODY, dtype=np.int64)
    shape = [
        1 if other == axis else max((row.shape[other] for row in across), default=1) for other in range(len(output))
    ]
    columns = []
    for place, part in enumerate(parts):
        if part is None:
            columns.append(
                np.full([*shape[:axis], getattr(module, f"constant_{place}").shape[axis], *shape[axis + 1 :]], NOBODY)
            )
            continue
        columns.append(np.broadcast_to(part.labels, [*shape[:axis], part.extents[axis], *shape[axis + 1 :]]))
    return compact(np.concatenate(columns, axis=axis).astype(np.int64))


def _labelled_along(part: Traced, axis: int) -> bool:
    return axis in part.varying or (not part.varying and bool((part.labels != NOBODY).any()))


def flow_slice(module: Slice, _: Flow, inputs: Sequence[Traced], __: Sequence[int]) -> Labels:
    """Labels of the positions taken."""
    labels = inputs[0].labels
    if labels.shape[module.axis] == 1:
        return labels
    return labels.take(range(module.start, module.stop, module.step), axis=module.axis)


def flow_pick(module: Pick, _: Flow, inputs: Sequence[Traced], __: Sequence[int]) -> Labels:
    """Labels of the positions picked."""
    labels = inputs[0].labels
    if labels.shape[module.axis] > 1:
        labels = labels.take(module.indices.numpy(), axis=module.axis)
    return labels.squeeze(module.axis) if module.drop else labels


def shrink_concat(module: Concat, cut: Cut) -> None:
    """Cut the constants along the other axes."""
    for place in module.places:
        held = getattr(module, f"constant_{place}")
        cuts = [
            (axis, cut.output.positions(axis))
            for axis in range(held.dim())
            if axis != module.axis and held.shape[axis] > 1
        ]
        setattr(
            module,
            f"constant_{place}",
            select(held, *cuts) if isinstance(held, nn.Parameter) else select(held, *cuts).detach(),
        )


def _kept_before(cut: Cut, axis: int, place: int) -> int:
    """How many of the first `place` positions of the input are left."""
    left = cut.inputs[0].positions(axis)
    return place if left is None else int((left < place).sum())


def shrink_slice(module: Slice, cut: Cut) -> nn.Module | None:
    """Where the range begins and ends among the positions that are left."""
    left = cut.inputs[0].positions(module.axis)
    if left is None:
        return None
    if module.step > 1:
        wanted = torch.arange(module.start, module.stop, module.step)
        return Pick(module.axis, torch.isin(left, wanted).nonzero().flatten())
    module.start = _kept_before(cut, module.axis, module.start)
    module.stop = _kept_before(cut, module.axis, module.stop)
    return None


def shrink_pick(module: Pick, cut: Cut) -> None:
    """The places that the picked positions have among those that are left."""
    left = cut.inputs[0].positions(module.axis)
    if left is None:
        return
    place = torch.full((cut.inputs[0].outline.extents[module.axis],), -1)
    place[left] = torch.arange(left.numel())
    new = place[module.indices]
    module.indices = new[new >= 0]


def _write_concat(module: Concat, writer: Writer, name: str, inputs: Sequence[str]) -> str:
    given = iter(inputs)
    parts = [
        _write_repeated(module, writer, f"{name}.constant_{place}", place, inputs[0])
        if place in module.places
        else next(given)
        for place in range(module.operands)
    ]
    return writer.node("Concat", parts, name, axis=module.axis)


def _write_repeated(module: Concat, writer: Writer, name: str, place: int, beside: str) -> str:
    """A constant repeated for every sample: only the running network knows how many there are."""
    held = getattr(module, f"constant_{place}")
    at = writer.shapes[beside].index(-1)
    batch = writer.node("Shape", [beside], f"{name}.batch", start=at, end=at + 1)
    before = writer.constant(f"{name}.before", list(held.shape[:at]))
    after = writer.constant(f"{name}.after", list(held.shape[at + 1 :]))
    shape = writer.node("Concat", [before, batch, after], f"{name}.shape", axis=0)
    return writer.node("Expand", [writer.constant(name, held), shape], f"{name}.repeated")


def _write_slice(module: Slice, writer: Writer, name: str, inputs: Sequence[str]) -> str:
    bounds = [
        writer.constant(f"{name}.{key}", [value])
        for key, value in (
            ("start", module.start),
            ("stop", module.stop),
            ("axis", module.axis),
            ("step", module.step),
        )
    ]
    return writer.node("Slice", [inputs[0], *bounds], name)


def _write_pick(module: Pick, writer: Writer, name: str, inputs: Sequence[str]) -> str:
    indices: Any = module.indices.reshape(()) if module.drop else module.indices
    return writer.node("Gather", [inputs[0], writer.constant(f"{name}.indices", indices)], name, axis=module.axis)


OPERATORS = {
    Concat: Operator(kind=lambda _: "concat", write=_write_concat, flow=flow_concat, shrink=shrink_concat),
    Slice: Operator(kind=lambda _: "slice", write=_write_slice, flow=flow_slice, shrink=shrink_slice),
    Pick: Operator(kind=lambda _: "gather", write=_write_pick, flow=flow_pick, shrink=shrink_pick),
}
READERS = {
    "Concat": read_concat,
    "Split": read_split,
    "Slice": read_slice,
    "Gather": read_gather,
}
