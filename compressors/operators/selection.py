"""Choosing between values and spreading them: Where, Expand, comparisons with a constant."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from compressors.cut import Cut
from compressors.flow import Flow, Labels, Traced
from compressors.operators.elementwise import constant, tie_elementwise
from compressors.operators.operator import Operator
from compressors.reading import BATCH, Builder, Const, Node, Value
from compressors.writing import Writer


class Where(nn.Module):
    """`yes` where the condition holds, else `no`; some of the three may be constants, known by their place 0, 1, 2."""

    def __init__(self, constants: dict[int, Tensor]) -> None:
        super().__init__()
        self.places = tuple(sorted(constants))
        for place, values in constants.items():
            self.register_buffer(f"constant_{place}", values)

    def forward(self, *inputs: Tensor) -> Tensor:
        """Broadcast."""
        given = iter(inputs)
        condition, yes, no = (
            getattr(self, f"constant_{place}") if place in self.places else next(given) for place in range(3)
        )
        return torch.where(condition.bool(), yes, no)


class Expand(nn.Module):
    """Axes of extent 1 repeated; -1 leaves an axis as it is."""

    def __init__(self, shape: Sequence[int]) -> None:
        super().__init__()
        self.shape = tuple(shape)

    def forward(self, x: Tensor) -> Tensor:
        """Larger where the shape says."""
        return x.expand(self.shape)


class IsNaN(nn.Module):
    """Where values are not a number."""

    def forward(self, x: Tensor) -> Tensor:
        """Same shape, bool."""
        return torch.isnan(x)


def read_where(node: Node, build: Builder) -> Value:
    """Where with at least one operand that depends on the input."""
    values = [given for given in node.inputs if isinstance(given, Value)]
    floats = next((value for value in values if value.dtype != torch.bool), None)
    if floats is None:
        raise node.refusal("both of its choices are constant")
    constants = {
        place: torch.from_numpy(np.array(given.array)) if place == 0 else constant(node, given, floats)
        for place, given in enumerate(node.inputs)
        if isinstance(given, Const)
    }
    return build.call(node, Where(constants), *values)


def read_expand(node: Node, build: Builder) -> Value:
    """Expand; one that changes nothing disappears."""
    x = node.value()
    wanted = [int(entry) for entry in node.constant(1).reshape(-1)]
    wanted = [1] * (len(x.shape) - len(wanted)) + wanted
    own = (1,) * (len(wanted) - len(x.shape)) + x.shape
    shape = [
        have if want == 1 or (have % BATCH == 0 and want == build.batch) else want
        for have, want in zip(own, wanted, strict=True)
    ]
    if tuple(shape) == x.shape:
        return x
    if any(want % BATCH == 0 and have != want for have, want in zip(own, shape, strict=True)):
        raise node.refusal("it repeats values as often as the batch is large")
    target = [-1 if extent % BATCH == 0 else extent for extent in shape]
    return build.call(node, Expand(target), x)


def _flow_where(_: Where, flow: Flow, inputs: Sequence[Traced], output: Sequence[int]) -> Labels:
    return tie_elementwise(flow, inputs, output)


def _shrink_where(module: Where, cut: Cut) -> None:
    rank = len(cut.output.outline.extents)
    for place in module.places:
        held = getattr(module, f"constant_{place}")
        first = rank - held.dim()
        cuts = [(axis, cut.output.positions(first + axis)) for axis in range(held.dim()) if held.shape[axis] > 1]
        for axis, positions in cuts:
            held = held if positions is None else held.index_select(axis, positions)
        setattr(module, f"constant_{place}", held)


def _write_where(module: Where, writer: Writer, name: str, inputs: Sequence[str]) -> str:
    given = iter(inputs)
    operands = [
        writer.constant(f"{name}.constant_{place}", getattr(module, f"constant_{place}"))
        if place in module.places
        else next(given)
        for place in range(3)
    ]
    return writer.node("Where", operands, name)


def _flow_expand(_: Expand, __: Flow, inputs: Sequence[Traced], output: Sequence[int]) -> Labels:
    labels = inputs[0].labels
    return labels.reshape((1,) * (len(output) - labels.ndim) + labels.shape)


def _shrink_expand(module: Expand, cut: Cut) -> None:
    module.shape = tuple(entry if entry == -1 else cut.output.extent(axis) for axis, entry in enumerate(module.shape))


def _write_expand(module: Expand, writer: Writer, name: str, inputs: Sequence[str]) -> str:
    shape = [1 if entry == -1 else entry for entry in module.shape]
    return writer.node("Expand", [inputs[0], writer.constant(f"{name}.shape", shape)], name)


OPERATORS = {
    Where: Operator(kind=lambda _: "where", write=_write_where, flow=_flow_where, shrink=_shrink_where),
    Expand: Operator(kind=lambda _: "expand", write=_write_expand, flow=_flow_expand, shrink=_shrink_expand),
    IsNaN: Operator(
        kind=lambda _: "is_nan", write=lambda _, writer, name, inputs: writer.node("IsNaN", [inputs[0]], name)
    ),
}
READERS = {
    "Where": read_where,
    "Expand": read_expand,
    "IsNaN": lambda node, build: build.call(node, IsNaN(), node.value()),
}
