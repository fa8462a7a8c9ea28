"""Arithmetic and comparisons between two tensors, or between a tensor and a constant."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from compressors.cut import Cut
from compressors.flow import NOBODY, Flow, Labels, Traced
from compressors.graph import select
from compressors.operators.operator import Operator
from compressors.reading import BATCH, Builder, Const, Node, Value
from compressors.writing import Writer

_ARITHMETIC: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "add": torch.add,
    "sub": torch.sub,
    "mul": torch.mul,
    "div": torch.div,
    "pow": torch.pow,
    "min": torch.minimum,
    "max": torch.maximum,
}
_COMPARISONS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "greater": torch.gt,
    "greater_or_equal": torch.ge,
    "less": torch.lt,
    "less_or_equal": torch.le,
    "equal": torch.eq,
    "and": torch.logical_and,
    "or": torch.logical_or,
}
_FUNCTIONS = _ARITHMETIC | _COMPARISONS
_ONNX = {name: name.title().replace("_", "") for name in _FUNCTIONS}
_BY_ONNX = {onnx: name for name, onnx in _ONNX.items()} | {"Sum": "add"}
#: operations whose result does not depend on the order of their operands
_SYMMETRIC = frozenset({"add", "mul"})


class Pairwise(nn.Module):
    """`x <operation> y`, or with one operand constant."""

    constant: Tensor | None

    def __init__(self, operation: str, constant_first: bool) -> None:
        super().__init__()
        self.operation = operation
        self.constant_first = constant_first

    def forward(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        """Broadcast as in ONNX and torch."""
        other = self.constant if y is None else y
        assert other is not None
        first, second = (other, x) if self.constant_first else (x, other)
        return _FUNCTIONS[self.operation](first, second)

    def extra_repr(self) -> str:
        """What is printed between the brackets."""
        return self.operation if self.constant is None else f"{self.operation}, {tuple(self.constant.shape)}"


class Arithmetic(Pairwise):
    """operation: add, sub, mul, div, pow, min, max."""

    is_elementwise = True  #: of two tensors of the same shape and type, it gives another

    def __init__(self, operation: str, constant: Tensor | None = None, *, constant_first: bool = False) -> None:
        super().__init__(operation, constant_first)
        if constant is not None and constant.numel() > 1 and constant.is_floating_point():
            self.constant = nn.Parameter(constant)  # a scale, a shift, a position embedding: can be trained
        else:
            self.register_buffer("constant", constant)


class Comparison(Pairwise):
    """operation: greater, less, either `_or_equal`, equal; and, or. The result is bool."""

    def __init__(self, operation: str, constant: Tensor | None = None, *, constant_first: bool = False) -> None:
        super().__init__(operation, constant_first)
        self.register_buffer("constant", constant)  # nothing flows back through a comparison: it is not trained


def read_pairwise(node: Node, build: Builder) -> Value:
    """Add, Sub, Mul, Div, Pow, Min, Max, Sum, and comparisons; an Add behind a MatMul layer becomes its bias."""
    operation = _BY_ONNX[node.op]
    if len(node.inputs) == 1:
        return node.value()
    result = node.inputs[0]
    for index, given in enumerate(node.inputs[1:], start=1):
        part = f"{index}" if index > 1 else ""
        result = _combine(node, build, operation, result, given, part)
    assert isinstance(result, Value)
    return result


def _combine(
    node: Node, build: Builder, operation: str, left: Value | Const | None, right: Value | Const | None, part: str
) -> Value:
    kind = Arithmetic if operation in _ARITHMETIC else Comparison
    if isinstance(left, Value) and isinstance(right, Value):
        return build.call(node, kind(operation), left, right, part=part)
    if isinstance(left, Value) and isinstance(right, Const):
        if operation == "add" and _becomes_bias(build, left, right):
            return left
        return build.call(node, kind(operation, constant(node, right, left)), left, part=part)
    if isinstance(left, Const) and isinstance(right, Value):
        if operation == "add" and _becomes_bias(build, right, left):
            return right
        module = kind(operation, constant(node, left, right), constant_first=operation not in _SYMMETRIC)
        return build.call(node, module, right, part=part)
    raise node.refusal("none of its inputs depends on the network's input")


def constant(node: Node, const: Const, beside: Value) -> Tensor:
    """A constant operand, in the type of the other one. A wider constant than operand is refused."""
    array = const.array
    if array.dtype.kind in "iu" and array.size and (np.abs(array) >= BATCH).any():
        raise node.refusal("it computes with the batch size")
    return torch.from_numpy(np.array(array)).to(beside.dtype)


def _becomes_bias(build: Builder, value: Value, const: Const) -> bool:
    """Give the constant to the bias-less linear layer that makes `value`, if nobody else reads that."""
    module = build.modules.get(str(value.node.target))
    alone = build.uses.get(value.node, 0) <= 1
    if not (isinstance(module, nn.Linear) and module.bias is None and alone):
        return False
    if const.array.size != module.out_features or const.array.shape[-1:] != (module.out_features,):
        return False
    module.bias = nn.Parameter(torch.from_numpy(np.array(const.array, dtype=np.float32).reshape(-1)))
    return True


def write_pairwise(module: Pairwise, writer: Writer, name: str, inputs: Sequence[str]) -> str:
    """The operator of the same name."""
    operands = list(inputs)
    if module.constant is not None:
        operands.insert(0 if module.constant_first else 1, writer.constant(f"{name}.constant", module.constant))
    return writer.node(_ONNX[module.operation], operands, name)


def flow_pairwise(_: Pairwise, flow: Flow, inputs: Sequence[Traced], output: Sequence[int]) -> Labels:
    """Tie what meets; a side with extent 1 is spread and ties nothing."""
    if len(inputs) == 1:
        labels = inputs[0].labels
        return labels.reshape((1,) * (len(output) - labels.ndim) + labels.shape)
    return tie_elementwise(flow, inputs, output)


def tie_elementwise(flow: Flow, inputs: Sequence[Traced], output: Sequence[int]) -> Labels:
    """Labels of an elementwise result of several tensors, whose own labels are tied where they meet."""
    rank = len(output)
    aligned = [_aligned(traced, rank) for traced in inputs]
    result = aligned[0][1]
    for extents, labels in aligned[1:]:
        result = meet(flow, aligned[0][0], result, extents, labels)
    return result


def _aligned(traced: Traced, rank: int) -> tuple[tuple[int, ...], Labels]:
    missing = (1,) * (rank - traced.rank)
    return missing + traced.extents, traced.labels.reshape(missing + traced.labels.shape)


def meet(flow: Flow, left_extents: Sequence[int], left: Labels, right_extents: Sequence[int], right: Labels) -> Labels:
    """Labels where two tensors meet."""
    of_left, of_right = _varying(left), _varying(right)
    spread_left = [axis for axis in of_right if left_extents[axis] == 1]  # one value of the left serves many channels
    spread_right = [axis for axis in of_left if right_extents[axis] == 1]
    if of_right and not of_left and len(spread_left) == len(of_right):
        return right
    if of_left and not of_right and len(spread_right) == len(of_left):
        return left
    left, right = np.broadcast_arrays(left, right)
    if spread_left or spread_right:
        for labels in (left, right):
            flow.freeze(labels, "every one of them meets every one of others")
        return left
    flow.freeze(left[right == NOBODY], "they meet values that are nobody's channels")
    flow.freeze(right[left == NOBODY], "they meet values that are nobody's channels")
    flow.tie(left, right)
    return np.where(left == NOBODY, right, left)


def _varying(labels: Labels) -> list[int]:
    return [axis for axis, extent in enumerate(labels.shape) if extent > 1]


def shrink_pairwise(module: Pairwise, cut: Cut) -> None:
    """Keep the part of the constant that stands for what is left."""
    held = module.constant
    if held is None or held.dim() == 0:
        return
    rank = len(cut.output.outline.extents)
    cuts = [
        (axis, cut.output.positions(rank - held.dim() + axis)) for axis in range(held.dim()) if held.shape[axis] > 1
    ]
    if isinstance(held, nn.Parameter):
        module.constant = select(held, *cuts)
    elif cuts:
        module.register_buffer("constant", select(held, *cuts).detach())


def _kind(module: Any) -> str:
    return str(module.operation)


OPERATORS = {
    Arithmetic: Operator(kind=_kind, write=write_pairwise, flow=flow_pairwise, shrink=shrink_pairwise, role="through"),
    Comparison: Operator(kind=_kind, write=write_pairwise, flow=flow_pairwise, shrink=shrink_pairwise),
}
READERS = dict.fromkeys(_BY_ONNX, read_pairwise)
