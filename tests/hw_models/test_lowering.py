"""What the table thinks ONNX Runtime executes, against the graphs that ONNX Runtime really executes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import onnx
import pytest

from hw_models.families import FAMILIES, Precision, draw
from hw_models.fusion import Execution, Placed
from hw_models.graph import write_graph
from hw_models.lowering import lower
from hw_models.precision import at_kernel_bits
from hw_models.profiler.probes import check_int8, find_fusion, find_layout
from hw_models.sessions import optimised_graph
from hw_models.sketch import Sketch
from paretrim.network import SizedOperation
from paretrim.problem import FULL_PRECISION, Bits

NARROW = Bits(8, 8)
KINDS = {
    "QLinearConv": "conv2d int8",
    "FusedConv": "conv2d plain",
    "Gemm": "linear fp32",
    "FusedGemm": "linear fp32",
    "QGemm": "linear int8",
    "Add": "add fp32",
    "QLinearAdd": "add int8",
    "ReorderInput": "reorder_input",
    "ReorderOutput": "reorder_output",
    "QuantizeLinear": "quantize",
    "DequantizeLinear": "dequantize",
    "Transpose": "transpose",
    "GlobalAveragePool": "global_avg_pool",
    "QLinearGlobalAveragePool": "global_avg_pool",
    "AveragePool": "avg_pool",
    "QLinearAveragePool": "avg_pool",
    "MaxPool": "max_pool",
    "NhwcMaxPool": "max_pool",
    "Concat": "concat",
    "QLinearConcat": "concat",
    "Relu": "relu",
    "Flatten": "flatten",
}


@pytest.fixture(scope="module")
def execution() -> Execution:
    return Execution(kernels=(FULL_PRECISION, NARROW), fusion=find_fusion(), layout=find_layout())


def executed(operations: Sequence[SizedOperation], execution: Execution) -> Counter[str]:
    graph = optimised_graph(write_graph(at_kernel_bits(operations, execution)))
    return Counter(kind_of(node) for node in graph.node)


def kind_of(node: onnx.NodeProto) -> str:
    if node.op_type == "Conv":
        return "conv2d blocked" if node.domain.endswith("nchwc") else "conv2d plain"
    return KINDS.get(node.op_type, node.op_type)


def foreseen(placed: Sequence[Placed]) -> Counter[str]:
    return Counter(foreseen_kind(item) for item in placed)


def foreseen_kind(item: Placed) -> str:
    unit = item.unit
    narrow = unit.activation_bits <= 8
    if unit.kind == "conv2d":
        return f"conv2d {'int8' if narrow else unit.layout or 'plain'}"
    return f"{unit.kind} {'int8' if narrow else 'fp32'}" if unit.kind in ("linear", "add") else unit.kind


@pytest.mark.parametrize("family", sorted(FAMILIES))
@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_every_kernel_and_conversion_of_a_random_network_is_foreseen(
    family: str, precision: Precision, execution: Execution
) -> None:
    for seed in range(4):
        operations = draw(family, seed, precision=precision)
        assert foreseen(lower(operations, execution)) == executed(operations, execution), seed


def test_nearly_every_kernel_of_networks_with_mixed_bits_is_foreseen(execution: Execution) -> None:
    wrong = total = 0
    for family in FAMILIES:
        for seed in range(4):
            operations = draw(family, seed, precision="mixed")
            real, ours = executed(operations, execution), foreseen(lower(operations, execution))
            wrong += ((real - ours) + (ours - real)).total()
            total += real.total()
    assert wrong <= 0.03 * total


def test_eight_bit_layers_run_in_eight_bits_here() -> None:
    check_int8()


def test_a_layer_between_eight_bit_layers_is_executed_in_eight_bits_too(execution: Execution) -> None:
    sketch = Sketch(8, (8, 8), NARROW)
    x = sketch.relu(sketch.conv("input", 8))
    sketch.bits = FULL_PRECISION
    middle = sketch.conv(x, 8)
    x = sketch.relu(middle)
    sketch.bits = NARROW
    sketch.relu(sketch.conv(x, 8))
    unit = next(item.unit for item in lower(sketch.operations, execution) if middle in item.covers)
    assert (unit.weight_bits, unit.activation_bits) == (8, 8)


def test_every_change_of_precision_is_paid_for(execution: Execution) -> None:
    def conversions(pattern: str) -> int:
        sketch = Sketch(16, (8, 8))
        x = "input"
        for letter in pattern:
            sketch.bits = NARROW if letter == "8" else FULL_PRECISION
            x = sketch.relu(sketch.conv(x, 16))
        return sum(item.unit.kind in ("quantize", "dequantize") for item in lower(sketch.operations, execution))

    assert conversions("....") == 0
    assert conversions("8888") == 2  # in and out
    assert conversions("88..88") > conversions("8888..") == 2


def test_unaligned_channels_fall_back_to_plain_kernels(execution: Execution) -> None:
    layout = execution.layout
    if layout is None or not layout.block:
        pytest.skip("this processor has no blocked kernels")

    def layout_at(channels: int) -> str:
        sketch = Sketch(16, (8, 8))
        last = sketch.conv(sketch.relu(sketch.conv("input", channels)), 16)
        return next(item.unit.layout for item in lower(sketch.operations, execution) if last in item.covers)

    assert layout_at(2 * layout.block) == "blocked"
    assert layout_at(2 * layout.block + layout.align) == "blocked"
    assert layout_at(2 * layout.block + 1) == ""
