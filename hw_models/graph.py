"""A network of given shapes as an ONNX file with random weights, in the precisions its layers ask for.

Made by hand with onnx.helper, so that a device can be profiled where there is neither torch nor a trained network.
Layers of 8 bits or fewer are written as QDQ: unsigned 8-bit activations, signed 8-bit weights with a scale per channel,
32-bit biases whose scale is the product of both, which is what ONNX Runtime fuses into integer kernels.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from hw_models.counts import VIEWS, consumers, external
from hw_models.precision import OUTPUT, Precision, plan_precision
from paretrim.errors import NotMeasured
from paretrim.network import SizedOperation

OPSET = 17
#: any scale will do for timing; these keep values in range
_ACTIVATION_SCALE, _WEIGHT_SCALE = 0.05, 0.01
_RECTIFIED = frozenset({"relu", "relu6", "clip", "sigmoid", "hard_sigmoid", "softmax"})
_PASSES = frozenset({"max_pool", "avg_pool", "global_avg_pool", "pad", "slice", "concat"}) | VIEWS

_PLAIN: Mapping[str, str] = {
    "relu": "Relu",
    "leaky_relu": "LeakyRelu",
    "sigmoid": "Sigmoid",
    "hard_sigmoid": "HardSigmoid",
    "tanh": "Tanh",
    "hard_swish": "HardSwish",
    "elu": "Elu",
    "softplus": "Softplus",
    "softmax": "Softmax",
    "identity": "Identity",
    "dropout": "Identity",
    "add": "Add",
    "mul": "Mul",
    "sub": "Sub",
    "matmul": "MatMul",
    "global_max_pool": "GlobalMaxPool",
}


class GraphWriter:
    """Writes operations one after another as ONNX nodes."""

    def __init__(
        self, operations: Sequence[SizedOperation], precision: Precision, *, narrow_inputs: Collection[str], seed: int
    ) -> None:
        self._operations = operations
        self._precision = precision
        self._narrow_inputs = narrow_inputs
        self._random = np.random.default_rng(seed)
        self._nodes: list[onnx.NodeProto] = []
        self._initializers: list[onnx.TensorProto] = []
        self._readers = consumers(operations)
        self._by_name = {operation.name: operation for operation in operations}
        self._views: dict[tuple[str, bool], str] = {}  # (result, 8-bit) -> tensor name

    def write(self) -> bytes:
        """The serialized model: its inputs have their names, the batch is free."""
        values = [self._input(name, *shape) for name, shape in external(self._operations).items()]
        for operation in self._operations:
            self._write(operation)
        ends = [operation.name for operation in self._operations if not self._readers[operation.name]]
        results = [helper.make_tensor_value_info(self._read(OUTPUT, name), TensorProto.FLOAT, None) for name in ends]
        graph = helper.make_graph(self._nodes, "network", values, results, self._initializers)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=9)
        return bytes(onnx.shape_inference.infer_shapes(model).SerializeToString())

    def _input(self, name: str, channels: int, hw: tuple[int, ...]) -> onnx.ValueInfoProto:
        narrow = name in self._narrow_inputs
        if narrow:
            scale = self._constant(f"{name}.scale", np.array(_ACTIVATION_SCALE, np.float32))
            point = self._constant(f"{name}.zero", np.array(128, np.uint8))
            self._node("DequantizeLinear", [name, scale, point], f"{name}.dq", name=f"{name}:dequantize")
        self._views[name, narrow] = f"{name}.dq" if narrow else name
        kind = TensorProto.UINT8 if narrow else TensorProto.FLOAT
        return helper.make_tensor_value_info(name, kind, ["batch", channels, *hw])

    def _write(self, operation: SizedOperation) -> None:
        sources = [self._read(operation.name, name) for name in operation.inputs]
        writer = _WRITERS.get(operation.kind)
        if writer is not None:
            writer(self, operation, sources)
        elif operation.kind in _PLAIN:
            self._node(_PLAIN[operation.kind], sources, operation.name, name=operation.name)
        else:
            raise NotMeasured(f"operation {operation.name!r} of kind {operation.kind!r} cannot be timed on its own")
        self._views[operation.name, False] = operation.name

    def _read(self, reader: str, name: str) -> str:
        """The tensor an operation reads: a result, or what is left of it after a quantize/dequantize pair."""
        if not self._precision.quantized(reader, name):
            return self._views[name, False]
        if (name, True) not in self._views:
            self._views[name, True] = self._quantized(self._views[name, False], name, *self._range(name))
        return self._views[name, True]

    def _range(self, name: str) -> tuple[float, int]:
        """Scale and zero point: of what was clamped, within the clamp, so that the clamp itself is superfluous."""
        operation = self._by_name.get(name)
        while operation is not None and operation.kind in _PASSES:
            operation = self._by_name.get(operation.inputs[0])
        if operation is None or operation.kind not in _RECTIFIED:
            return _ACTIVATION_SCALE, 128
        return (6.0 / 255 if operation.kind in ("clip", "relu6") else _ACTIVATION_SCALE), 0

    def _quantized(self, tensor: str, name: str, scale_value: float, zero: int) -> str:
        scale = self._constant(f"{name}.scale", np.array(scale_value, np.float32))
        point = self._constant(f"{name}.zero", np.array(zero, np.uint8))
        self._node("QuantizeLinear", [tensor, scale, point], f"{name}.q", name=f"{name}:quantize")
        self._node("DequantizeLinear", [f"{name}.q", scale, point], f"{name}.dq", name=f"{name}:dequantize")
        return f"{name}.dq"

    def _weights(self, operation: SizedOperation, shape: Sequence[int], axis: int) -> list[str]:
        """Weight and bias tensors of a layer at its bits; axis: of the output channels."""
        fan_in = max(1, math.prod(shape) // shape[axis])
        if operation.weight_bits > 8 or operation.activation_bits > 8:
            weight = self._random.standard_normal(shape).astype(np.float32) / math.sqrt(fan_in)
            bias = self._random.standard_normal(operation.out_channels).astype(np.float32) * 0.1
            return [
                self._constant(f"{operation.name}.weight", weight),
                self._constant(f"{operation.name}.bias", bias),
            ]
        channels = operation.out_channels
        whole = self._random.integers(-127, 128, shape, dtype=np.int8)
        scales = np.full(channels, _WEIGHT_SCALE / math.sqrt(fan_in), np.float32)
        weight_names = [
            self._constant(f"{operation.name}.weight_q", whole),
            self._constant(f"{operation.name}.weight_scale", scales),
            self._constant(f"{operation.name}.weight_zero", np.zeros(channels, np.int8)),
        ]
        weight_name = f"{operation.name}.weight"
        self._node("DequantizeLinear", weight_names, weight_name, name=f"{weight_name}:dequantize", axis=axis)
        bias_q = self._random.integers(-100, 100, channels, dtype=np.int32)
        bias_names = [
            self._constant(f"{operation.name}.bias_q", bias_q),
            self._constant(f"{operation.name}.bias_scale", scales * np.float32(self._range(operation.inputs[0])[0])),
            self._constant(f"{operation.name}.bias_zero", np.zeros(channels, np.int32)),
        ]
        bias_name = f"{operation.name}.bias"
        self._node("DequantizeLinear", bias_names, bias_name, name=f"{bias_name}:dequantize", axis=0)
        return [weight_name, bias_name]

    def _constant(self, name: str, value: NDArray[np.generic]) -> str:
        self._initializers.append(numpy_helper.from_array(value, name))
        return name

    def _node(self, kind: str, inputs: Sequence[str], output: str, *, name: str, **attributes: Any) -> None:
        self._nodes.append(helper.make_node(kind, list(inputs), [output], name=name, **attributes))

    def convolution(self, operation: SizedOperation, sources: Sequence[str]) -> None:
        """Conv, of one or two dimensions."""
        shape = (operation.out_channels, operation.in_channels // operation.groups, *operation.kernel)
        self._node(
            "Conv",
            [sources[0], *self._weights(operation, shape, 0)],
            operation.name,
            name=operation.name,
            kernel_shape=list(operation.kernel),
            strides=list(operation.stride),
            pads=list(operation.padding),
            dilations=list(operation.dilation),
            group=operation.groups,
        )

    def linear(self, operation: SizedOperation, sources: Sequence[str]) -> None:
        """Gemm for vectors, MatMul and Add for sequences."""
        if not operation.in_hw:
            weights = self._weights(operation, (operation.out_channels, operation.in_channels), 0)
            self._node("Gemm", [sources[0], *weights], operation.name, name=operation.name, transB=1)
            return
        weight, bias = self._weights(operation, (operation.in_channels, operation.out_channels), 1)
        product = f"{operation.name}.product"
        self._node("MatMul", [sources[0], weight], product, name=f"{operation.name}.matmul")
        self._node("Add", [product, bias], operation.name, name=operation.name)

    def batch_norm(self, operation: SizedOperation, sources: Sequence[str]) -> None:
        """BatchNormalization that could not be folded."""
        channels = operation.out_channels
        values = {"scale": 1.0, "shift": 0.1, "mean": 0.0, "variance": 1.0}
        names = [
            self._constant(f"{operation.name}.{part}", np.full(channels, value, np.float32))
            for part, value in values.items()
        ]
        self._node("BatchNormalization", [sources[0], *names], operation.name, name=operation.name)

    def clip(self, operation: SizedOperation, sources: Sequence[str]) -> None:
        """ReLU6 and other clips."""
        bounds = [
            self._constant(f"{operation.name}.{side}", np.array(value, np.float32))
            for side, value in (("low", 0.0), ("high", 6.0))
        ]
        self._node("Clip", [sources[0], *bounds], operation.name, name=operation.name)

    def pool(self, operation: SizedOperation, sources: Sequence[str]) -> None:
        """Pooling over windows."""
        kind = "MaxPool" if operation.kind == "max_pool" else "AveragePool"
        self._node(
            kind,
            sources,
            operation.name,
            name=operation.name,
            kernel_shape=list(operation.kernel),
            strides=list(operation.stride),
            pads=list(operation.padding) or [0] * (2 * len(operation.kernel)),
        )

    def concat(self, operation: SizedOperation, sources: Sequence[str]) -> None:
        """Concatenation of channels."""
        self._node("Concat", sources, operation.name, name=operation.name, axis=1)

    def flatten(self, operation: SizedOperation, sources: Sequence[str]) -> None:
        """All but the batch in one axis."""
        self._node("Flatten", sources, operation.name, name=operation.name, axis=1)

    def global_average(self, operation: SizedOperation, sources: Sequence[str]) -> None:
        """Mean over positions; where these disappear, as the exporter writes it."""
        if operation.out_hw:
            self._node("GlobalAveragePool", sources, operation.name, name=operation.name)
        elif operation.name not in self._precision.narrow:
            axes = list(range(2, 2 + len(operation.in_hw)))
            self._node("ReduceMean", sources, operation.name, name=operation.name, axes=axes, keepdims=0)
        else:
            pooled = f"{operation.name}.pooled"
            self._node("GlobalAveragePool", sources, pooled, name=operation.name)
            rounded = self._quantized(pooled, pooled, *self._range(operation.name))
            self._node("Flatten", [rounded], operation.name, name=f"{operation.name}:flatten", axis=1)

    def pad(self, operation: SizedOperation, sources: Sequence[str]) -> None:
        """Zeros before and after channels and positions, as many as the shapes ask for."""
        extents = zip(
            (operation.in_channels, *operation.in_hw), (operation.out_channels, *operation.out_hw), strict=True
        )
        missing = [after - before for before, after in extents]
        pads = [0, *(count // 2 for count in missing), 0, *(count - count // 2 for count in missing)]
        name = self._constant(f"{operation.name}.pads", np.array(pads, np.int64))
        self._node("Pad", [sources[0], name], operation.name, name=operation.name)

    def slice(self, operation: SizedOperation, sources: Sequence[str]) -> None:
        """The first channels, every n-th position."""
        steps = [max(1, before // after) for before, after in zip(operation.in_hw, operation.out_hw, strict=True)]
        rank = 1 + len(steps)
        values = {
            "starts": [0] * rank,
            "ends": [operation.out_channels, *operation.in_hw],
            "axes": list(range(1, rank + 1)),
            "steps": [1, *steps],
        }
        names = [
            self._constant(f"{operation.name}.{part}", np.array(value, np.int64)) for part, value in values.items()
        ]
        self._node("Slice", [sources[0], *names], operation.name, name=operation.name)


_WRITERS: Mapping[str, Callable[[GraphWriter, SizedOperation, Sequence[str]], None]] = {
    "conv1d": GraphWriter.convolution,
    "conv2d": GraphWriter.convolution,
    "linear": GraphWriter.linear,
    "batch_norm": GraphWriter.batch_norm,
    "relu6": GraphWriter.clip,
    "clip": GraphWriter.clip,
    "max_pool": GraphWriter.pool,
    "avg_pool": GraphWriter.pool,
    "global_avg_pool": GraphWriter.global_average,
    "concat": GraphWriter.concat,
    "flatten": GraphWriter.flatten,
    "pad": GraphWriter.pad,
    "slice": GraphWriter.slice,
}


def write_graph(
    operations: Sequence[SizedOperation],
    *,
    precision: Precision | None = None,
    narrow_inputs: Collection[str] = (),
    seed: int = 0,
) -> bytes:
    """An ONNX file with random weights and a free batch, of operations at their kernels' bits.

    precision: where tensors are quantized, by default as the exporter does. narrow_inputs: those that are integers.
    Raises NotMeasured for a kind of operation that it cannot write.
    """
    plan = plan_precision(operations) if precision is None else precision
    return GraphWriter(operations, plan, narrow_inputs=narrow_inputs, seed=seed).write()
