"""An image-to-image network is searched by how near its pictures stay to the original's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from paretrim.problem import Constraint, Objective
from search.plan import JobInputs
from search.run import run_job
from tests.search import tiny
from tests.search.records import MemoryRecorder

WIDTH = 12


def generator() -> tuple[nn.Sequential, bytes]:
    """(N, 1, 8, 8) -> (N, 1, 8, 8): down, up and out, as a module and as ONNX."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = nn.Sequential(
            nn.Conv2d(1, WIDTH, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.ConvTranspose2d(WIDTH, WIDTH, 2, stride=2),
            nn.ReLU(),
            nn.Conv2d(WIDTH, 1, 3, padding=1),
        ).eval()
    state = {name: value.numpy() for name, value in net.state_dict().items()}
    nodes = [
        helper.make_node(
            "Conv", ["x", "0.weight", "0.bias"], ["a"], name="down", kernel_shape=[3, 3], pads=[1] * 4, strides=[2, 2]
        ),
        helper.make_node("Relu", ["a"], ["b"], name="down_relu"),
        helper.make_node(
            "ConvTranspose", ["b", "2.weight", "2.bias"], ["c"], name="up", kernel_shape=[2, 2], strides=[2, 2]
        ),
        helper.make_node("Relu", ["c"], ["d"], name="up_relu"),
        helper.make_node("Conv", ["d", "4.weight", "4.bias"], ["y"], name="out", kernel_shape=[3, 3], pads=[1] * 4),
    ]
    shapes = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 1, 8, 8]) for name in ("x", "y")]
    weights = [numpy_helper.from_array(value, name) for name, value in state.items()]
    graph = helper.make_graph(nodes, "generator", shapes[:1], shapes[1:], weights)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(made)
    return net, made.SerializeToString()


def test_a_generator_is_searched_by_fidelity_and_delivered(tmp_path: Path) -> None:
    net, content = generator()
    arrays = {}
    for part in ("train", "validation", "test"):
        arrays[f"{part}_x"] = tiny.digits()[f"{part}_x"][:200]
        with torch.inference_mode():
            arrays[f"{part}_y"] = net(torch.from_numpy(arrays[f"{part}_x"])).numpy()
    np.savez(tmp_path / "pictures.npz", **arrays)
    plan = tiny.plan(
        ("random", "uniform"),
        candidates=6,
        metric="mse",
        objectives=(Objective("accuracy"),),
        constraints=(Constraint.parse("macs_ratio <= 0.6"),),
    )
    recorder = MemoryRecorder()
    run_job(plan, JobInputs(content, tmp_path / "pictures.npz", tiny.analytic()), recorder)
    assert recorder.original is not None
    assert recorder.original.value("accuracy") > 0.999  # the original is what it is compared with
    found = [c for c in recorder.recorded("s0").candidates if c.measurement is not None]
    assert len(found) == 6
    worths = [c.measurement.value("accuracy") for c in found if c.measurement is not None]
    assert len(set(worths)) > 1
    assert 0.0 < max(worths) < 1.0
    (made,) = recorder.made.values()
    assert made.measurement.value("macs") <= 0.6 * recorder.original.value("macs")
