"""Timing of ONNX files: in turn, on the thread's own clock."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from hw_models.measure import time_onnx, time_together
from paretrim.errors import InvalidModel


def _matmuls(count: int, width: int = 256) -> bytes:
    """A chain of `count` matrix products."""
    weights = np.random.default_rng(0).normal(size=(width, width)).astype(np.float32) / width
    nodes = [helper.make_node("MatMul", [f"x{i}", "w"], [f"x{i + 1}"]) for i in range(count)]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", width]) for name in ("x0", f"x{count}")]
    graph = helper.make_graph(nodes, "chain", ends[:1], ends[1:], [numpy_helper.from_array(weights, "w")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    return bytes(onnx.ModelProto.SerializeToString(model))


def test_ten_times_the_work_takes_longer() -> None:
    little, much = time_together([_matmuls(2), _matmuls(20)], rounds=20)
    assert much.latency_ms > 2 * little.latency_ms
    assert little.clock == "thread_cpu"


def test_percentiles_rise() -> None:
    timing = time_onnx(_matmuls(3), rounds=20)
    assert 0 < timing.p10_ms <= timing.latency_ms <= timing.p50_ms <= timing.p90_ms
    assert timing.samples == 20


def test_a_file_that_does_not_load_is_refused() -> None:
    with pytest.raises(InvalidModel):
        time_onnx(b"no network")
