"""Operations that hand their input on: identity, dropout at inference, casts."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from onnx import TensorProto
from torch import Tensor, nn

from compressors.operators.operator import Operator
from compressors.reading import Builder, Node, Value
from compressors.writing import Writer

_TYPES: dict[int, torch.dtype] = {
    TensorProto.FLOAT: torch.float32,
    TensorProto.DOUBLE: torch.float32,  # networks are computed in single precision
    TensorProto.FLOAT16: torch.float32,
    TensorProto.INT64: torch.int64,
    TensorProto.INT32: torch.int32,
    TensorProto.UINT8: torch.uint8,
    TensorProto.BOOL: torch.bool,
}
_CODES = {torch.float32: TensorProto.FLOAT, torch.int64: TensorProto.INT64, torch.int32: TensorProto.INT32,
          torch.uint8: TensorProto.UINT8, torch.bool: TensorProto.BOOL}  # fmt: skip


class Cast(nn.Module):
    """Values in another type."""

    def __init__(self, dtype: torch.dtype) -> None:
        super().__init__()
        self.dtype = dtype

    def forward(self, x: Tensor) -> Tensor:
        """Any shape."""
        return x.to(self.dtype)


class Take(nn.Module):
    """One of several inputs as it is: what is left of a residual addition whose branch was removed."""

    def __init__(self, place: int) -> None:
        super().__init__()
        self.place = place

    def forward(self, *inputs: Tensor) -> Tensor:
        """The input at `place`."""
        return inputs[self.place]


def read_passing(node: Node, _: Builder) -> Value:
    """Identity, and Dropout as it is at inference, disappear."""
    return node.value()


def read_cast(node: Node, build: Builder) -> Value:
    """Cast -> Cast; one to the same type disappears."""
    x = node.value()
    wanted = _TYPES.get(int(node.attribute("to")))
    if wanted is None:
        raise node.refusal("it casts to a type that is not supported")
    return x if wanted == x.dtype else build.call(node, Cast(wanted), x)


def _write_cast(module: Cast, writer: Writer, name: str, inputs: Sequence[str]) -> str:
    return writer.node("Cast", [inputs[0]], name, to=_CODES[module.dtype])


OPERATORS = {
    nn.Identity: Operator(kind=lambda _: "identity", write=lambda _, __, ___, inputs: inputs[0]),
    nn.Dropout: Operator(kind=lambda _: "identity", write=lambda _, __, ___, inputs: inputs[0]),
    Take: Operator(kind=lambda _: "identity", write=lambda module, _, __, inputs: inputs[module.place]),
    Cast: Operator(kind=lambda _: "cast", write=_write_cast),
}
READERS = {"Identity": read_passing, "Dropout": read_passing, "Cast": read_cast}
