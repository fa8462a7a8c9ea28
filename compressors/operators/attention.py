"""Products of two tensors, as attention has them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from torch import Tensor, nn

from compressors.cut import Cut
from compressors.flow import NOBODY, Flow, Labels, Traced
from compressors.graph import select
from compressors.operators.elementwise import constant, meet
from compressors.operators.linear import is_weighted, read_weighted_matmul
from compressors.operators.operator import Operator
from compressors.reading import Builder, Const, Node, Value
from compressors.writing import Writer


class MatMul(nn.Module):
    """Matrix product of two tensors over their last two axes; one of them may be constant."""

    constant: Tensor | None

    def __init__(self, constant: Tensor | None = None, *, constant_first: bool = False) -> None:
        super().__init__()
        self.constant = None if constant is None else nn.Parameter(constant)
        self.constant_first = constant_first

    def forward(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        """(..., M, K) and (..., K, N) -> (..., M, N)."""
        other = self.constant if y is None else y
        assert other is not None
        return other @ x if self.constant_first else x @ other


def read_matmul(node: Node, build: Builder) -> Value:
    """MatMul -> nn.Linear where the right side is a constant matrix, else MatMul."""
    if is_weighted(node):
        return read_weighted_matmul(node, build)
    left, right = node.inputs[0], node.inputs[1]
    if isinstance(left, Value) and isinstance(right, Value):
        return build.call(node, MatMul(), left, right)
    if isinstance(left, Value) and isinstance(right, Const):
        return build.call(node, MatMul(constant(node, right, left)), left)
    assert isinstance(left, Const)
    value = node.value(1)
    return build.call(node, MatMul(constant(node, left, value), constant_first=True), value)


def flow_matmul(module: MatMul, flow: Flow, inputs: Sequence[Traced], output: Sequence[int]) -> Labels:
    """Contracted channels are tied pair by pair; with heads, everything in a head is tied and the head passes."""
    rank = len(output)
    if module.constant is not None:
        held = Traced(tuple(module.constant.shape), np.full((1,) * module.constant.dim(), NOBODY, dtype=np.int64))
        inputs = (held, inputs[0]) if module.constant_first else (inputs[0], held)
    if min(traced.rank for traced in inputs) < 2:
        for traced in inputs:
            flow.freeze(traced.labels, "a matrix product reads them as a vector")
        return np.full((1,) * rank, NOBODY, dtype=np.int64)
    left, right = (_aligned(traced, rank) for traced in inputs)
    if any(traced.labels.shape[axis] > 1 for traced in (left, right) for axis in range(rank - 2)):
        return _flow_heads(flow, left, right)
    return _flow_matrices(flow, left, right)


def _aligned(traced: Traced, rank: int) -> Traced:
    missing = (1,) * (rank - traced.rank)
    return Traced(missing + traced.extents, traced.labels.reshape(missing + traced.labels.shape))


def _flow_heads(flow: Flow, left: Traced, right: Traced) -> Labels:
    """(heads, M, K) times (heads, K, N)."""
    heads = []
    for traced in (left, right):
        for axis in (-2, -1):
            flow.tie_along(traced.labels, axis)
        heads.append(traced.labels[..., :1, :1])
    return meet(flow, (*left.extents[:-2], 1, 1), heads[0], (*right.extents[:-2], 1, 1), heads[1])


def _flow_matrices(flow: Flow, left: Traced, right: Traced) -> Labels:
    """(M, K) times (K, N), neither labelled along the batch axes."""
    rank = left.rank
    for traced in (left, right):
        if len(traced.varying) == 2:
            flow.freeze(traced.labels, "a matrix product mixes them with positions")
    contracted = [left.labels[..., :1, :].reshape(-1), right.labels[..., :, :1].reshape(-1)]
    if contracted[0].size > 1 or contracted[1].size > 1:
        for mine, others in (contracted, contracted[::-1]):
            if (others == NOBODY).all():
                flow.freeze(mine, "they are multiplied with nobody's channels")
        flow.tie(*contracted)
    rows, columns = left.labels[..., :, :1], right.labels[..., :1, :]
    rows = rows if rows.shape[-2] > 1 else np.full((1,) * rank, NOBODY, dtype=np.int64)
    columns = columns if columns.shape[-1] > 1 else np.full((1,) * rank, NOBODY, dtype=np.int64)
    if rows.size > 1 and columns.size > 1:
        flow.freeze(rows, "every one of them meets every one of others")
        flow.freeze(columns, "every one of them meets every one of others")
        return np.full((1,) * rank, NOBODY, dtype=np.int64)
    return rows if rows.size > 1 else columns


def shrink_matmul(module: MatMul, cut: Cut) -> None:
    """A constant side keeps what faces the rows and columns that are left."""
    held = module.constant
    if held is None:
        return
    outside = -2 if module.constant_first else -1
    rank = held.dim()
    keep_out = cut.output.positions(outside) if held.shape[outside] > 1 else None
    keep_in = cut.inputs[0].positions(-2 if module.constant_first else -1)
    inside = -3 - outside
    module.constant = select(held, (rank + outside, keep_out), (rank + inside, keep_in))


def write_matmul(module: MatMul, writer: Writer, name: str, inputs: Sequence[str]) -> str:
    """MatMul."""
    operands = list(inputs)
    if module.constant is not None:
        operands.insert(0 if module.constant_first else 1, writer.constant(f"{name}.constant", module.constant))
    return writer.node("MatMul", operands, name)


OPERATORS = {
    MatMul: Operator(kind=lambda _: "matmul", write=write_matmul, flow=flow_matmul, shrink=shrink_matmul),
}
READERS = {"MatMul": read_matmul}
