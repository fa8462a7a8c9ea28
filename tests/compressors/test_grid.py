"""One arithmetic for rounding."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper

from compressors.grid import activation_grid, coarse, fixed_point, snap_weight, weight_codes, weight_scales
from compressors.parity import open_session

FINITE = st.floats(-100, 100, width=32)


@given(FINITE, FINITE, st.integers(1, 8))
def test_a_grid_covers_its_range_and_holds_zero(first: float, second: float, bits: int) -> None:
    low, high = min(first, second), max(first, second)
    grid = activation_grid(low, high, bits)
    snapped = grid.snap(torch.tensor([low, 0.0, high]))
    assert float(snapped[1]) == 0.0
    assert 0 <= grid.zero_point <= grid.top == 2**bits - 1
    assert abs(float(snapped[0]) - low) <= grid.scale * 1.01 or low > 0
    assert abs(float(snapped[2]) - high) <= grid.scale * 1.01 or high < 0


def test_codes_are_those_of_the_runtime() -> None:
    grid = activation_grid(-1.3, 2.6, 8)
    x = np.random.default_rng(0).normal(scale=2, size=(1, 5000)).astype(np.float32)
    nodes = [helper.make_node("QuantizeLinear", ["x", "s", "z"], ["y"])]
    graph = helper.make_graph(
        nodes, "g", [helper.make_tensor_value_info("x", 1, [1, 5000])], [helper.make_tensor_value_info("y", 2, [1, 5000])],  # noqa: E501
        [helper.make_tensor("s", TensorProto.FLOAT, [], [grid.scale]), helper.make_tensor("z", TensorProto.UINT8, [], [grid.zero_point])],  # noqa: E501
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    codes = open_session(model.SerializeToString()).run(None, {"x": x})[0]
    assert (codes == grid.encode(torch.from_numpy(x)).numpy()).all()


@pytest.mark.parametrize("bits", range(1, 9))
def test_weights_have_as_many_values_as_their_bits_allow(bits: int) -> None:
    weight = torch.randn(3, 4, 5, generator=torch.Generator().manual_seed(bits))
    for axis in (0, 1):
        codes = weight_codes(weight, weight_scales(weight, bits, axis), bits, axis)
        assert codes.unique().numel() <= 2**bits
        assert codes.abs().max() == max(1, 2 ** (bits - 1) - 1)
        assert weight_scales(weight, bits, axis).shape == (weight.shape[axis],)
    error = (snap_weight(weight, bits) - weight).abs().max()
    assert error <= weight.abs().max() / max(1, 2 ** (bits - 1) - 1)


def test_a_channel_of_zeros_stays_zero() -> None:
    assert snap_weight(torch.zeros(2, 3), 8).tolist() == [[0.0] * 3] * 2


@given(st.lists(FINITE, min_size=1, max_size=20), st.integers(1, 10))
def test_few_digits_are_the_nearest_there_are(numbers: list[float], digits: int) -> None:
    values = torch.tensor(numbers)
    kept = coarse(values, digits)
    assert ((kept - values).abs() <= values.abs() * 2.0 ** -(digits + 1)).all()
    assert torch.equal(coarse(kept, digits), kept)
    patterns = kept.numpy().view(np.uint32)
    assert (patterns[np.abs(kept.numpy()) > 1e-30] % 2 ** (23 - digits) == 0).all()


@given(st.lists(FINITE, min_size=1, max_size=20), st.integers(2, 10))
def test_fixed_point_numbers_share_a_power_of_two(numbers: list[float], digits: int) -> None:
    values = torch.tensor(numbers, dtype=torch.float64)
    kept = fixed_point(values, digits)
    step = 2.0 ** (float(torch.frexp(values.abs().max())[1]) - digits)
    assert ((kept - values).abs() <= step / 2).all()
    assert torch.equal(torch.round(kept / step), kept / step)
