"""Units of a runtime whose kernels all hold images channels last (OpenVINO): conversions are where it puts them."""

from __future__ import annotations

from hw_models.fusion import Execution, Layout
from hw_models.lowering import lower
from hw_models.sketch import Sketch
from paretrim.problem import FULL_PRECISION, Bits

NARROW = Bits(8, 8)
CHAINS = frozenset({"conv2d+relu", "conv2d+add", "conv2d+add+relu"})
EVERYWHERE = Execution(
    kernels=(FULL_PRECISION, NARROW),
    fusion={"fp32": CHAINS, "int8": CHAINS},
    layout=Layout(channels_last=True, everywhere=True),
)


def units(sketch: Sketch) -> list[str]:
    """Names of the units, in order; conversions as `NAME:kind`."""
    return [item.name for item in lower(sketch.operations, EVERYWHERE)]


def test_only_the_inputs_and_results_of_a_network_are_reordered() -> None:
    sketch = Sketch(3, (8, 8))
    x = sketch.relu(sketch.conv("input", 5))
    sketch.conv(x, 7)
    assert units(sketch) == ["input:reorder_input", "conv2d.0", "conv2d.2", "conv2d.2:reorder_output"]


def test_a_vector_is_not_reordered_but_what_is_flattened_is() -> None:
    sketch = Sketch(3, (4, 4))
    x = sketch.relu(sketch.conv("input", 5))
    flat = sketch.append("flatten", [x], 80, ())
    sketch.linear(flat, 10)
    assert units(sketch) == ["input:reorder_input", "conv2d.0", "relu.1:reorder_output", "flatten.2", "linear.3"]


def test_a_rectified_8_bit_result_is_written_in_floating_point_at_no_cost() -> None:
    def between(rectified: bool) -> list[str]:
        sketch = Sketch(16, (8, 8), NARROW)
        x = sketch.conv("input", 16)
        x = sketch.relu(x) if rectified else x
        sketch.bits = FULL_PRECISION
        sketch.relu(sketch.conv(x, 16))
        return [name for name in units(sketch) if "dequantize" in name]

    assert between(rectified=True) == []
    assert between(rectified=False) == ["conv2d.0:dequantize"]


def test_a_clamp_between_two_8_bit_layers_is_not_quantized_again() -> None:
    sketch = Sketch(16, (8, 8), NARROW)
    sketch.conv(sketch.relu(sketch.conv("input", 16)), 16)
    assert [name for name in units(sketch) if ":quantize" in name] == ["input:quantize"]


def test_the_first_of_two_convolutions_takes_in_their_sum() -> None:
    sketch = Sketch(16, (8, 8))
    x = sketch.relu(sketch.conv("input", 16))
    first, second = sketch.conv(x, 16), sketch.conv(x, 16, 1)
    sketch.conv(sketch.relu(sketch.add(first, second)), 16)
    covers = {item.name: item.covers for item in lower(sketch.operations, EVERYWHERE)}
    assert covers[first] == (first, "add.4", "relu.5")
    assert covers[second] == (second,)
