"""Reading ONNX nodes: the values that flow between them, and the torch graph they are turned into."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import torch
from onnx import helper
from torch import fx, nn
from torch.func import functional_call

from compressors.naming import Names
from compressors.shapes import known_shape
from paretrim.errors import InvalidModel, UnsupportedOperation

#: Stands for the batch size while shapes are worked out. It is a large prime, so that any extent or shape constant that
#: was computed from the batch is recognised by being a multiple of it.
BATCH = 1_000_003

#: a tensor may not have more elements than this for one sample
MOST_ELEMENTS = 2**28


@dataclass(frozen=True, eq=False)
class Value:
    """A tensor that depends on the network's input. `shape` has multiples of BATCH where the batch is."""

    node: fx.Node
    shape: tuple[int, ...]
    dtype: torch.dtype

    @property
    def batch_axis(self) -> int | None:
        """The axis that holds the batch, alone or times something."""
        return batch_axis(self.shape)


@dataclass(frozen=True, eq=False)
class Const:
    """A tensor that does not depend on the network's input. Where it was as long as the batch, its extent is 1."""

    array: npt.NDArray[Any]
    name: str = ""


def batch_axis(shape: Sequence[int]) -> int | None:
    """The axis whose extent is a multiple of BATCH."""
    return next((axis for axis, extent in enumerate(shape) if extent and extent % BATCH == 0), None)


def extents(shape: Sequence[int]) -> tuple[int, ...]:
    """The shape for a batch of 1."""
    return tuple(extent // BATCH if extent and extent % BATCH == 0 else extent for extent in shape)


@dataclass(frozen=True, eq=False)
class Node:
    """An ONNX node with its inputs resolved."""

    proto: onnx.NodeProto
    inputs: tuple[Value | Const | None, ...]
    opset: int
    supported: tuple[str, ...] = field(repr=False)
    read: frozenset[str] = field(default=frozenset(), repr=False)  #: names of all tensors that anything reads

    @property
    def op(self) -> str:
        """ONNX operator."""
        return self.proto.op_type

    def attribute(self, name: str, default: Any = None) -> Any:
        """An attribute's value; texts as str."""
        for attribute in self.proto.attribute:
            if attribute.name == name:
                value = helper.get_attribute_value(attribute)
                return value.decode() if isinstance(value, bytes) else value
        return default

    def has(self, index: int) -> bool:
        """Whether input `index` is given."""
        return index < len(self.inputs) and self.inputs[index] is not None

    def value(self, index: int = 0) -> Value:
        """An input that depends on the network's input."""
        given = self.inputs[index] if index < len(self.inputs) else None
        if not isinstance(given, Value):
            raise self.refusal(f"its input {index} must depend on the network's input")
        return given

    def constant(self, index: int) -> npt.NDArray[Any]:
        """An input that must be constant."""
        given = self.inputs[index] if index < len(self.inputs) else None
        if not isinstance(given, Const):
            raise self.refusal(f"its input {index} must be a constant")
        return given.array

    def integers(self, index: int, name: str) -> list[int] | None:
        """Integers that newer opsets give as input `index` and older ones as attribute `name`."""
        if self.has(index):
            return [int(entry) for entry in self.constant(index).reshape(-1)]
        given = self.attribute(name)
        return None if given is None else [int(entry) for entry in np.atleast_1d(given)]

    def refusal(self, why: str) -> UnsupportedOperation:
        """The error that says what is wrong with this node."""
        return UnsupportedOperation(
            f"node {self.proto.name or self.proto.output[0]!r} ({self.op}) cannot be imported: {why}. "
            f"Operators that can be imported: {', '.join(self.supported)}",
            operator=self.op,
            node=self.proto.name or self.proto.output[0],
            supported=self.supported,
        )


class Builder:
    """The torch graph in the making: appends modules and works out the shapes they give."""

    def __init__(self, names: Names) -> None:
        self.graph = fx.Graph()
        self.modules: dict[str, nn.Module] = {}
        self.names = names
        self.warnings: list[str] = []
        self.batch: int | None = None  #: the batch size the file was exported with, if it is fixed
        self.extents: dict[fx.Node, tuple[int, ...]] = {}  #: of what a node makes, with the batch as 1
        self.uses: dict[fx.Node, int] = {}  #: how often the file reads what a node makes

    def input(self, shape: Sequence[int], dtype: torch.dtype) -> Value:
        """The network's input; shape has BATCH where the batch is."""
        node = self.graph.placeholder("input")  # its own name may be none in Python: exporters write `input.1`
        self.extents[node] = extents(shape)
        return Value(node, tuple(shape), dtype)

    def call(self, node: Node, module: nn.Module, *inputs: Value, part: str = "", weight: int | None = None) -> Value:
        """Append a module to the graph.

        part: what this is of a node that becomes several modules. weight: the input that holds a layer's weights, whose
        name tells how the user calls the layer.
        """
        held = node.inputs[weight] if weight is not None else None
        name = self.names.operation(node.proto, held.name if isinstance(held, Const) else None, part)
        return self.add(name, module, *inputs, refuse=node.refusal)

    def add(self, name: str, module: nn.Module, *inputs: Value, refuse: Any = None) -> Value:
        """Append a module under a name of its own."""
        module.eval()
        try:
            shape, dtype = run_on_shapes(module, [(value.shape, value.dtype) for value in inputs])
        except (RuntimeError, IndexError, ValueError, NotImplementedError, TypeError) as error:
            why = f"its inputs {[_readable(value.shape) for value in inputs]} do not fit it ({error})"
            raise (refuse(why) if refuse else InvalidModel(f"{name}: {why}", field="model")) from error
        per_sample = int(np.prod([float(extent) for extent in extents(shape)], dtype=np.float64))
        if per_sample > MOST_ELEMENTS:
            raise InvalidModel(
                f"{name} makes {per_sample} values per sample; at most {MOST_ELEMENTS} can be handled", field="model"
            )
        if batch_axis(shape) is None:
            raise InvalidModel(f"{name} loses the batch dimension: it gives {_readable(shape)}", field="model")
        self.modules[name] = module
        node = self.graph.call_module(name, tuple(value.node for value in inputs))
        self.extents[node] = extents(shape)
        return Value(node, shape, dtype)


def run_on_shapes(
    module: nn.Module, inputs: Sequence[tuple[tuple[int, ...], torch.dtype]]
) -> tuple[tuple[int, ...], torch.dtype]:
    """Shape and type of a module's output, without computing it."""
    known = known_shape(module, inputs)
    if known is not None:
        return known, inputs[0][1]
    tensors = [torch.empty(shape, dtype=dtype, device="meta") for shape, dtype in inputs]
    state = {
        name: torch.empty_like(tensor, device="meta")
        for entries in (module.named_parameters(), module.named_buffers())
        for name, tensor in entries
    }
    with torch.no_grad():
        output = functional_call(module, state, tuple(tensors)) if state else module(*tensors)
    return tuple(output.shape), output.dtype


def _readable(shape: Sequence[int]) -> str:
    """A shape with the batch as B."""
    parts = []
    for extent in shape:
        times, rest = divmod(extent, BATCH)
        parts.append(str(extent) if rest or not extent else "B" if times == 1 else f"{times}*B")
    return "(" + ", ".join(parts) + ")"
