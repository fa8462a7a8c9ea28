"""Collects ONNX nodes and initializers while a network is written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper, numpy_helper
from torch import Tensor


class Writer:
    """An ONNX graph in the making. Tensors are known by name."""

    def __init__(self, opset: int, reserved: Sequence[str] = ()) -> None:
        """reserved: names of tensors that others use."""
        self.opset = opset
        self.shapes: dict[str, tuple[int, ...]] = {}  #: of the operations' outputs, with -1 for the batch
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: dict[str, onnx.TensorProto] = {}
        self._taken: set[str] = set(reserved)
        self._titles: set[str] = set()

    def node(self, operator: str, inputs: Sequence[str], name: str, **attributes: Any) -> str:
        """Append a node with one output, named after its operation. Returns the output's name."""
        return self.nodes_with(operator, inputs, name, 1, **attributes)[0]

    def nodes_with(self, operator: str, inputs: Sequence[str], name: str, outputs: int, **attributes: Any) -> list[str]:
        """Append a node with several outputs. Returns their names."""
        names = [self.unique(name if index == 0 else f"{name}.{index}") for index in range(outputs)]
        title = _unused(name, self._titles)
        self.nodes.append(helper.make_node(operator, list(inputs), names, name=title, **attributes))
        return names

    def weight(self, name: str, values: Tensor, axis: int) -> str:
        """Add a layer's weight; axis: of its output channels. Returns the name of the tensor."""
        del axis
        return self.constant(name, values)

    def bias(self, name: str, values: Tensor) -> str:
        """Add the bias of the layer whose weight was added last. Returns the name of the tensor."""
        return self.constant(name, values)

    def constant(self, name: str, values: Tensor | npt.NDArray[Any] | np.generic | Sequence[int]) -> str:
        """Add an initializer: a tensor as it is, a sequence as int64. Returns its name."""
        if isinstance(values, Tensor):
            values = values.detach().cpu().contiguous().numpy()
        array = np.asarray(values, dtype=None if isinstance(values, np.ndarray | np.generic) else np.int64)
        known = self.initializers.get(name)
        proto = numpy_helper.from_array(np.ascontiguousarray(array).reshape(array.shape), name)
        if known is not None and known.SerializeToString() == proto.SerializeToString():
            return name
        name = self.unique(name)
        proto.name = name
        self.initializers[name] = proto
        return name

    def unique(self, name: str) -> str:
        """The name for a tensor, with a number behind it if it is taken."""
        return _unused(name, self._taken)


def _unused(name: str, taken: set[str]) -> str:
    candidate, number = name, 0
    while candidate in taken:
        number += 1
        candidate = f"{name}_{number}"
    taken.add(candidate)
    return candidate
