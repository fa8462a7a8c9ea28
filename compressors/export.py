"""Torch to ONNX: an own writer, so that names, batch size and integer operations come out as they should."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper
from torch import Tensor, fx, nn

from compressors.fold import fold
from compressors.four_bits import fits_four_bits, write_four_bits
from compressors.grid import ActivationGrid, activation_grid, fixed_point, weight_codes, weight_scales
from compressors.imported import Imported
from compressors.operators import operator_of
from compressors.operators.passing import Take
from compressors.operators.pooling import Reduce
from compressors.placement import OUTPUT, Edge, Placement, placement
from compressors.provenance import INPUT, operations, output_of
from compressors.reading import BATCH, extents, run_on_shapes
from compressors.rounding import (
    OUTPUT_PLACE,
    WeightRounding,
    runs_in_floating_point,
    stored_grid,
    stored_rounding,
    stored_steps,
)
from compressors.weight_tables import OffsetRounding
from compressors.writing import Writer
from paretrim.errors import InvalidInput
from paretrim.problem import UNCHANGED, Policy

Range = tuple[float, float]

#: lowest opset written
OPSET = 17
_TYPES = {"torch.float32": TensorProto.FLOAT, "torch.int64": TensorProto.INT64, "torch.int32": TensorProto.INT32,
          "torch.uint8": TensorProto.UINT8}  # fmt: skip


def write_onnx(
    module: fx.GraphModule,
    imported: Imported,
    *,
    policy: Policy = UNCHANGED,
    ranges: Mapping[str, Range] | None = None,
    four_bit_linear: bool = False,
) -> bytes:
    """The network as a single ONNX file with the names and the free batch of the file it came from.

    Layers to which the policy gives 8 bits or fewer are written with integer weights and, if their activations have 8
    bits or fewer, between QuantizeLinear and DequantizeLinear, so that the runtime computes them in int8; batch norms
    are folded first. four_bit_linear: write linear layers whose weights have 4 bits or fewer, and whose inputs are not
    rounded, for ONNX Runtime's 4-bit kernels (MatMulNBits) instead. ranges: (low, high) of the output of each
    operation, `input` for the network's own input. Raises
    InvalidInput if a range that is needed is missing.
    """
    quantized = any(bits.weight <= 8 or bits.activation <= 8 for bits in policy.bits.values())
    if quantized:
        module = fold(module)
    plan = _plan(module, policy) if quantized else Placement({}, {}, {})
    writer = _Exporter(max(OPSET, imported.opset), (imported.input_name, imported.output_name), plan, ranges or {})
    writer.four_bit_linear = four_bit_linear
    names = {INPUT: imported.input_name}
    shapes = {INPUT: ((BATCH, *imported.input_shape), imported.input_dtype)}
    writer.shapes[imported.input_name] = (-1, *imported.input_shape)
    for name, reads in operations(module):
        held = module.get_submodule(name)
        shapes[name] = run_on_shapes(held, [shapes[read] for read in reads])
        names[name] = writer.operation(name, held, [names[read] for read in reads], shapes[name][0])
    last = output_of(module)
    result = writer.finished(names[last], module.get_submodule(last))
    return bytes(_model(writer, imported, result).SerializeToString())


def integer_layers(module: fx.GraphModule, policy: Policy) -> frozenset[str]:
    """The layers that are to be computed in integers; `int8_layers` tells which of them are."""
    return frozenset(_plan(module, policy).layers)


def _plan(module: fx.GraphModule, policy: Policy) -> Placement:
    floating = [name for name in policy.bits if runs_in_floating_point(module.get_submodule(name))]
    return placement(module, policy.bits, floating)


#: layers whose weights ONNX Runtime may round although nobody asked for it
_GUARDED = (nn.Conv1d, nn.Conv2d, nn.ConvTranspose1d, nn.ConvTranspose2d, nn.Linear)


class _Exporter(Writer):
    """A writer that quantizes what the plan says."""

    four_bit_linear = False

    def __init__(self, opset: int, reserved: Sequence[str], plan: Placement, ranges: Mapping[str, Range]) -> None:
        super().__init__(opset, reserved)
        self.plan = plan
        self.ranges = ranges
        self._rounded: dict[tuple[str, ActivationGrid, bool], str] = {}
        self._codes: dict[tuple[str, ActivationGrid], str] = {}

    def operation(self, name: str, module: nn.Module, inputs: Sequence[str], shape: Sequence[int]) -> str:
        """Write one operation. Returns the name of its output tensor."""
        edges = [self.plan.edges.get((name, place)) for place in range(len(inputs))]
        grids = [self.grid(edge, module, place) if edge else None for place, edge in enumerate(edges)]
        if not isinstance(module, Take):
            whole = isinstance(module, _GUARDED) and name not in self.plan.layers
            inputs = [
                self.rounded(read, grid, guarded=whole) if grid else read
                for read, grid in zip(inputs, grids, strict=True)
            ]
        self.module_grid = grids[0] if grids and name in self.plan.layers else None
        self._layer, self._rounding = module, stored_rounding(module)
        self.weight_bits, self._steps = self.plan.weights.get(name), stored_steps(module)
        if isinstance(self._rounding, WeightRounding):
            self.weight_bits = self._rounding.bits
        if self.four_bit_linear and not any(grids) and fits_four_bits(module):
            written = write_four_bits(self, name, module, inputs[0])
        elif any(grids) and isinstance(module, Reduce) and not module.keep:
            written = _write_mean(self, name, inputs, self.grid(Edge(name, name, 8), module, OUTPUT_PLACE))
        else:
            written = operator_of(module).write(module, self, name, inputs)
        self.shapes[written] = tuple(
            -1 if extent % BATCH == 0 and extent == BATCH else one
            for extent, one in zip(shape, extents(shape), strict=True)
        )
        return written

    def finished(self, tensor: str, module: nn.Module) -> str:
        """The tensor that the network gives, made by the module."""
        edge = self.plan.edges.get((OUTPUT, 0))
        return self.rounded(tensor, self.grid(edge, module, OUTPUT_PLACE)) if edge else tensor

    def grid(self, edge: Edge, module: nn.Module, place: int) -> ActivationGrid:
        """Grid of a quantized edge: the one the module rounds to, or one that covers the range of the edge's source."""
        stored = stored_grid(module, place)
        if stored is not None:
            return stored
        if edge.source not in self.ranges:
            raise InvalidInput(f"no range is known for the output of {edge.source!r}; calibrate it", field="ranges")
        return activation_grid(*self.ranges[edge.source], edge.bits)

    def rounded(self, tensor: str, grid: ActivationGrid, *, guarded: bool = False) -> str:
        """The tensor behind QuantizeLinear and DequantizeLinear; written once for each grid.

        guarded: for a layer whose weights are not rounded. Between DequantizeLinear and QuantizeLinear, ONNX Runtime
        would round its weights itself (WeightBiasQuantization), unless the former has one scale for each channel.
        """
        key = (tensor, grid, guarded)
        if guarded and self.shapes[tensor][1] == 1:
            return self._rounded_by_hand(tensor, grid)
        if key not in self._rounded:
            shape = (self.shapes[tensor][1],) if guarded else ()
            steps = "channel_scale" if guarded else "scale", "channel_zero_point" if guarded else "zero_point"
            scale = self.constant(f"{tensor}.{steps[0]}", np.full(shape, grid.scale, np.float32))
            zero = self.constant(f"{tensor}.{steps[1]}", np.full(shape, grid.zero_point, np.uint8))
            codes = [self._encoded(tensor, grid), scale, zero]
            self._rounded[key] = self.node("DequantizeLinear", codes, f"{tensor}.dequantize", axis=1)
            self.shapes[self._rounded[key]] = self.shapes[tensor]
        return self._rounded[key]

    def _rounded_by_hand(self, tensor: str, grid: ActivationGrid) -> str:
        """Rounded without QuantizeLinear: one scale for the only channel would not keep the runtime from fusing."""
        key = (tensor, grid, True)
        if key not in self._rounded:
            scale = self.constant(f"{tensor}.scale", np.float32(grid.scale).reshape(()))
            ends = {"low": -grid.zero_point, "high": grid.top - grid.zero_point}
            bounds = [self.constant(f"{tensor}.code_{name}", np.float32(end).reshape(())) for name, end in ends.items()]
            codes = self.node("Round", [self.node("Div", [tensor, scale], f"{tensor}.divide")], f"{tensor}.round")
            clipped = self.node("Clip", [codes, *bounds], f"{tensor}.saturate")
            self._rounded[key] = self.node("Mul", [clipped, scale], f"{tensor}.multiply")
            self.shapes[self._rounded[key]] = self.shapes[tensor]
        return self._rounded[key]

    def _encoded(self, tensor: str, grid: ActivationGrid) -> str:
        """Codes of a tensor; written once for each grid."""
        key = (tensor, grid)
        if key not in self._codes:
            shown = tensor
            if grid.top < 255:  # codes beyond the top would not saturate in uint8
                low, high = (np.float32(grid.scale * (end - grid.zero_point)).reshape(()) for end in (0, grid.top))
                bounds = [self.constant(f"{tensor}.low", low), self.constant(f"{tensor}.high", high)]
                shown = self.node("Clip", [tensor, *bounds], f"{tensor}.clip")
            scale = self.constant(f"{tensor}.scale", np.float32(grid.scale).reshape(()))
            zero = self.constant(f"{tensor}.zero_point", np.uint8(grid.zero_point).reshape(()))
            self._codes[key] = self.node("QuantizeLinear", [shown, scale, zero], f"{tensor}.quantize")
        return self._codes[key]

    def weight(self, name: str, values: Tensor, axis: int) -> str:
        """A layer's weight: an initializer, or int8 codes behind DequantizeLinear with one scale per output channel."""
        if self.weight_bits is None:
            return self.constant(name, values)
        if self._rounding is not None and not isinstance(self._rounding, WeightRounding):
            return self._floating(name, axis)
        scales = weight_scales(values, self.weight_bits, axis) if self._steps is None else self._steps
        codes = weight_codes(values.detach(), scales, self.weight_bits, axis)
        self._scales = scales
        return self._dequantized(name, codes.numpy().astype(np.int8), scales.numpy(), axis)

    def _floating(self, name: str, axis: int) -> str:
        """A weight on a grid that is not of integers: codes with zero points, or the values themselves."""
        weight: Tensor = self._layer.weight.detach()  # type: ignore[operator]
        rounding = self._rounding
        if isinstance(rounding, OffsetRounding):
            codes = rounding.codes(weight).numpy().astype(np.uint8)
            zeros = rounding.zeros.numpy().astype(np.uint8)
            held = codes.T if axis == 1 else codes
            return self._dequantized(name, held, rounding.weight_step.detach().numpy(), axis, zeros)
        assert rounding is not None
        values = rounding(weight).detach()
        return self.constant(name, values.T if axis == 1 else values)

    def bias(self, name: str, values: Tensor) -> str:
        """A layer's bias: an initializer, or int32 codes on the grid of input scale times weight scale."""
        if self.module_grid is None:
            digits = getattr(self._layer, "bias_digits", None)
            return self.constant(name, values if digits is None else fixed_point(values.detach(), digits))
        scales = (np.float32(self.module_grid.scale) * self._scales.numpy()).astype(np.float32)
        codes = np.rint(values.detach().numpy().astype(np.float64) / scales)
        limit = np.iinfo(np.int32)
        return self._dequantized(name, np.clip(codes, limit.min, limit.max).astype(np.int32), scales, 0)

    def _dequantized(
        self, name: str, codes: np.ndarray, scales: np.ndarray, axis: int, offsets: np.ndarray | None = None
    ) -> str:
        """Codes behind DequantizeLinear. Zero points of zero may be left out, but where there are rounded activations
        too, ONNX Runtime 1.32 puts one scalar in their place, which it then refuses.
        """
        held = self.constant(name, codes)
        inputs = [held]
        if offsets is not None or self.plan.edges:
            points = np.zeros(scales.shape, dtype=codes.dtype) if offsets is None else offsets
            inputs.append(self.constant(f"{name}.zero_point", points))
        inputs.insert(1, self.constant(f"{name}.scale", scales))
        return self.node("DequantizeLinear", inputs, f"{name}.dequantize", axis=axis)


def _write_mean(writer: _Exporter, name: str, inputs: Sequence[str], grid: ActivationGrid) -> str:
    """A mean over positions as the pooling that the runtime has in int8."""
    pooled = writer.node("GlobalAveragePool", [inputs[0]], name)
    writer.shapes[pooled] = writer.shapes[inputs[0]]
    return writer.node("Flatten", [writer.rounded(pooled, grid)], f"{name}.flatten", axis=1)


def _model(writer: Writer, imported: Imported, result: str) -> onnx.ModelProto:
    for node in writer.nodes:
        for names in (node.input, node.output):
            for place, tensor in enumerate(names):
                if tensor == result:
                    names[place] = imported.output_name
    inputs = [
        helper.make_tensor_value_info(
            imported.input_name, _TYPES[str(imported.input_dtype)], ["batch", *imported.input_shape]
        )
    ]
    outputs = [
        helper.make_tensor_value_info(imported.output_name, TensorProto.FLOAT, ["batch", *writer.shapes[result][1:]])
    ]
    graph = helper.make_graph(writer.nodes, "paretrim", inputs, outputs, list(writer.initializers.values()))
    opsets = [helper.make_opsetid("", writer.opset)]
    if any(node.domain for node in writer.nodes):
        opsets.append(helper.make_opsetid("com.microsoft", 1))
    model = helper.make_model(graph, opset_imports=opsets, producer_name="paretrim")
    model.ir_version = max(8, helper.find_min_ir_version_for(opsets[:1]))
    onnx.checker.check_model(model)
    return model


def int8_layers(content: bytes) -> frozenset[str]:
    """Names of the operations that ONNX Runtime really computes in integers, read from its optimised graph."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "optimised.onnx"
        options.optimized_model_filepath = str(path)
        onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        optimised = onnx.load(str(path))
    return frozenset(
        re.sub(r"_token_\d+$", "", node.name)  # what ONNX Runtime appends when it changes the layout
        for node in optimised.graph.node
        if node.op_type.startswith(("QLinear", "QGemm", "MatMulInteger"))
    )
