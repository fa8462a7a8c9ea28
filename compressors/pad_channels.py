"""Zero filters and zero columns in a file that was exported, so that its layers have widths its runtime likes better.

What is added computes zeros, or values that only columns of zeros read, so the outputs are the same; `pad_channels`
runs both files and says so, or gives nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from torch import Tensor, nn

from compressors.cut import Cut, Piece
from compressors.imported import Imported
from compressors.operators.padding import Pad, shrink_pad
from compressors.parity import compare, open_session
from compressors.prune import ChannelMap, channel_map

Array = NDArray[np.generic]
Places = NDArray[np.int64]

#: largest difference of the outputs, relative to the largest of them: what another order of additions makes
TOLERANCE = 1e-5
_QUANTIZERS = ("QuantizeLinear", "DequantizeLinear")
#: of a batch norm: scale, shift, mean, variance of a channel that was added
_NORM = (0.0, 0.0, 0.0, 1.0)


class _CannotPad(Exception):
    """Why not."""


def widened(
    kept: Mapping[str, Sequence[int]], units: Mapping[str, int], widths: Mapping[str, int]
) -> dict[str, tuple[int, ...]]:
    """The units of every group when some groups are this wide: which units fill up does not matter, they are zero.

    kept: units that stay, by group; units: how many there are; widths: how many there are to be.
    """
    chosen = {name: tuple(kept.get(name, range(count))) for name, count in units.items()}
    for name, width in widths.items():
        spare = [unit for unit in range(units[name]) if unit not in set(chosen[name])]
        chosen[name] = tuple(sorted([*chosen[name], *spare[: width - len(chosen[name])]]))
    return chosen


def pad_channels(
    content: bytes,
    imported: Imported,
    kept: Mapping[str, Sequence[int]],
    widths: Mapping[str, int],
    inputs: Tensor,
) -> tuple[bytes, str]:
    """A file with these groups wider, or the reason why there is none (then the bytes are empty).

    content: an export of the network that keeps these units; inputs: (N, ...), on which both files are compared.
    """
    channels = channel_map(imported)
    wide = widened(kept, channels.groups, widths)
    try:
        padded = _Padder(content, channels, kept, wide).padded()
        name = onnx.load_model_from_string(content).graph.input[0].name
        outputs = [_run(file, name, inputs) for file in (content, padded)]
    except _CannotPad as reason:
        return b"", str(reason)
    except Exception as error:  # the runtime's exceptions share no base class but this
        return b"", f"an operation depends on the number of channels: {str(error).splitlines()[0][:200]}"
    if outputs[0].shape != outputs[1].shape:
        return b"", "the wider network has other outputs"
    off = compare(*outputs).max_rel_error
    return (padded, "") if off <= TOLERANCE else (b"", f"the wider network's outputs are off by {off:.1e}")


def _run(content: bytes, name: str, inputs: Tensor) -> Array:
    session = open_session(content, exact=True)
    extent = session.get_inputs()[0].shape[0]
    rows = torch.split(inputs, extent if isinstance(extent, int) else len(inputs))
    return np.concatenate([session.run(None, {name: some.numpy()})[0] for some in rows])


class _Padder:
    """Widens the constants of one file, each once."""

    def __init__(
        self,
        content: bytes,
        channels: ChannelMap,
        kept: Mapping[str, Sequence[int]],
        wide: Mapping[str, Sequence[int]],
    ) -> None:
        self.model = onnx.load_model_from_string(content)
        self.graph = self.model.graph
        self.channels = channels
        units = {name: tuple(kept.get(name, range(count))) for name, count in channels.groups.items()}
        self.narrow, self.wide = channels.looked_up(units), channels.looked_up(wide)
        self.constants = {tensor.name: tensor for tensor in self.graph.initializer}
        self.makers = {name: node for node in self.graph.node for name in node.output}
        self.done: dict[str, tuple[int, ...]] = {}

    def padded(self) -> bytes:
        """Raises _CannotPad."""
        for node in self.graph.node:
            if node.name in self.channels.traced.inputs:
                self._operation(node)
            if node.op_type in _QUANTIZERS and node.input[0] not in self.constants:
                self._steps(node)
        del self.graph.value_info[:]
        return bytes(self.model.SerializeToString())

    def _operation(self, node: onnx.NodeProto) -> None:
        module = self.channels.imported.module.get_submodule(node.name)
        if node.op_type in ("Conv", "Gemm", "MatMul"):
            into, out = self._of_layer(node.name)
            if into is None and out is None:
                return
            if not isinstance(module, nn.Conv1d | nn.Conv2d | nn.Linear):
                raise _CannotPad(f"{node.name} is written in a way that cannot be widened")
            self._layer(node, module, into, out)
        elif node.op_type == "BatchNormalization":
            along = self._along(node.name, 1)
            if along is not None:
                for name, value in zip(node.input[1:5], _NORM, strict=True):
                    self._widen(name, 0, along, value)
        elif isinstance(module, Pad):
            self._zeros_around(node, module)
        elif any(True for _ in (*module.parameters(), *module.buffers())) and self._changes(node.name):
            raise _CannotPad(f"{node.name} ({node.op_type}) cannot be widened")

    def _zeros_around(self, node: onnx.NodeProto, module: Pad) -> None:
        """Channels of zeros that a shortcut adds: as many as the wider network asks for."""
        traced = self.channels.traced
        before, after = (Piece(traced.outlines[name], self.wide) for name in (traced.inputs[node.name][0], node.name))
        wider = Pad(module.pads)
        shrink_pad(wider, Cut((before,), after))
        if list(wider.pads) != numpy_helper.to_array(self.constants[node.input[1]]).tolist():
            made = np.array(wider.pads, dtype=np.int64)
            self.constants[node.input[1]].CopyFrom(numpy_helper.from_array(made, node.input[1]))

    def _changes(self, operation: str) -> bool:
        """Whether what an operation reads or writes has other extents."""
        outlines = [
            self.channels.traced.outlines[name] for name in (operation, *self.channels.traced.inputs[operation])
        ]
        return any(Piece(one, self.narrow).extents != Piece(one, self.wide).extents for one in outlines)

    def _of_layer(self, name: str) -> tuple[tuple[Places, int] | None, tuple[Places, int] | None]:
        """Where the weight's inputs and outputs go among the wider ones, and how many these are; None: unchanged."""
        find = self.channels
        into = _places(find.weight_input(name, self.narrow), find.weight_input(name, self.wide))
        return into, _places(find.output_channels(name, self.narrow), find.output_channels(name, self.wide))

    def _layer(
        self,
        node: onnx.NodeProto,
        module: nn.Module,
        into: tuple[Places, int] | None,
        out: tuple[Places, int] | None,
    ) -> None:
        turned = node.op_type == "MatMul" or (node.op_type == "Gemm" and not _attribute(node, "transB"))
        along_out, along_in = (1, 0) if turned else (0, 1)
        self._values(node.input[1], {along_out: out, along_in: into})
        if node.op_type == "MatMul":
            if out is not None:
                raise _CannotPad(f"the bias of {node.name} stands alone")
        elif len(node.input) > 2 and node.input[2]:
            self._values(node.input[2], {0: out})
        if isinstance(module, nn.Conv1d | nn.Conv2d) and module.groups > 1 and module.groups == module.in_channels:
            for attribute in node.attribute:
                if attribute.name == "group":
                    attribute.i = len(self.channels.input_channels(node.name, self.wide))

    def _values(self, name: str, axes: Mapping[int, tuple[Places, int] | None]) -> None:
        """A weight or bias: zeros where it is widened. Codes: with steps like their neighbour's."""
        node = self.makers.get(name)
        if name in self.constants:
            for axis, places in axes.items():
                self._widen(name, axis, places, 0)
            return
        if node is None or node.op_type != "DequantizeLinear" or node.input[0] not in self.constants:
            raise _CannotPad(f"{name} is not held in a way that can be widened")
        if _attribute(node, "block_size"):
            raise _CannotPad(f"{name} has steps by block")
        axis = _attribute(node, "axis", 1)
        for along, places in axes.items():
            rest = [one for one in node.input[1:] if one and numpy_helper.to_array(self.constants[one]).ndim]
            zero = self._zero_code(node)
            self._widen(node.input[0], along, places, zero)
            if along == axis or len(axes) == 1:
                for one in rest:
                    self._widen(one, 0, places, None)

    def _zero_code(self, node: onnx.NodeProto) -> int:
        """The code of 0; codes of several zero points have none in common."""
        if len(node.input) < 3 or not node.input[2]:
            return 0
        zeros = np.unique(numpy_helper.to_array(self.constants[node.input[2]]))
        if len(zeros) != 1:
            raise _CannotPad(f"{node.name} has several zero points")
        return int(zeros[0])

    def _steps(self, node: onnx.NodeProto) -> None:
        """Steps of a tensor by channel, which keep the runtime from rounding the weights that read it."""
        for name in node.input[1:]:
            if name in self.constants and list(self.constants[name].dims) not in ([], [1]):
                source = node.output[0].removesuffix(".dequantize")
                if source in self.channels.traced.outlines:
                    self._widen(name, 0, self._along(source, 1), None)

    def _along(self, operation: str, axis: int) -> tuple[Places, int] | None:
        outline = self.channels.traced.outlines[operation]
        total = outline.extents[axis]
        before, after = (Piece(outline, kept).positions(axis) for kept in (self.narrow, self.wide))
        whole = torch.arange(total)
        return _places(whole if before is None else before, whole if after is None else after)

    def _widen(self, name: str, axis: int, places: tuple[Places, int] | None, value: float | None) -> None:
        """value: of what is added; None: that of the constant's last entry."""
        if places is None:
            return
        where, total = places
        held = numpy_helper.to_array(self.constants[name])
        if name in self.done and held.shape[axis] == total:
            return  # shared, and widened by who came before
        if held.shape[axis] != len(where):
            raise _CannotPad(f"{name} has {held.shape[axis]} channels, not {len(where)}")
        shape = [*held.shape]
        shape[axis] = total
        made = np.full(shape, held.take([-1], axis) if value is None else value, dtype=held.dtype)
        np.moveaxis(made, axis, 0)[where] = np.moveaxis(held, axis, 0)
        self.constants[name].CopyFrom(numpy_helper.from_array(made, name))
        self.done[name] = made.shape


def _places(narrow: Tensor, wide: Tensor) -> tuple[Places, int] | None:
    """Where some channels are among more of them, both rising; None if they are the same."""
    if len(narrow) == len(wide):
        return None
    return np.searchsorted(wide.numpy(), narrow.numpy()).astype(np.int64), len(wide)


def _attribute(node: onnx.NodeProto, name: str, default: int = 0) -> int:
    return next((int(one.i) for one in node.attribute if one.name == name), default)
