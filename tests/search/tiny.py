"""A small trained network with a residual block, its data, and plans for jobs on them: real, and over in seconds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.nn import functional as F

from hw_models.devices import shipped
from paretrim.problem import Budget, Constraint, Objective
from search.evaluate import single_thread
from search.plan import JobInputs, JobPlan, SearchPlan

CHANNELS = 12


class TinyNet(nn.Module):
    """(N, 1, 8, 8) -> (N, 10): a stem, a residual block, a strided convolution, a classifier."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, CHANNELS, 3, padding=1)
        self.first = nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1)
        self.second = nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1)
        self.down = nn.Conv2d(CHANNELS, 2 * CHANNELS, 3, stride=2, padding=1)
        self.classify = nn.Linear(2 * CHANNELS, 10)

    def forward(self, x: Tensor) -> Tensor:
        """Logits."""
        y = F.relu(self.stem(x))
        y = F.relu(y + self.second(F.relu(self.first(y))))
        logits: Tensor = self.classify(F.relu(self.down(y)).mean(dim=(2, 3)))
        return logits


@cache
def digits() -> dict[str, np.ndarray]:
    """scikit-learn's handwritten digits, in the upload format: 1,000 / 400 / 397 rows."""
    loaded = load_digits()
    x = (loaded.images[:, None] / 16.0).astype(np.float32)
    y = loaded.target.astype(np.int64)
    order = np.random.default_rng(0).permutation(len(x))
    parts = zip(("train", "validation", "test"), np.split(order, [1000, 1400]), strict=True)
    return {f"{name}_{part}": values[rows] for name, rows in parts for part, values in (("x", x), ("y", y))}


@cache
def trained() -> TinyNet:
    """Some 95 % right after a second of training."""
    with single_thread(), torch.random.fork_rng():
        torch.manual_seed(0)
        net = TinyNet()
        optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
        x, y = (torch.from_numpy(digits()[f"train_{part}"]) for part in "xy")
        for _ in range(16):
            for rows in torch.randperm(len(x)).split(50):
                optimizer.zero_grad()
                F.cross_entropy(net(x[rows]), y[rows]).backward()
                optimizer.step()
    return net.eval()


def _conv(name: str, source: str, out: str, stride: int = 1) -> onnx.NodeProto:
    inputs = [source, f"{name}.weight", f"{name}.bias"]
    return helper.make_node(
        "Conv", inputs, [out], name=name, kernel_shape=[3, 3], pads=[1, 1, 1, 1], strides=[stride, stride]
    )


@cache
def model() -> bytes:
    """The trained network as ONNX."""
    nodes = [
        _conv("stem", "x", "a"),
        helper.make_node("Relu", ["a"], ["b"], name="stem_relu"),
        _conv("first", "b", "c"),
        helper.make_node("Relu", ["c"], ["d"], name="first_relu"),
        _conv("second", "d", "e"),
        helper.make_node("Add", ["b", "e"], ["f"], name="join"),
        helper.make_node("Relu", ["f"], ["g"], name="join_relu"),
        _conv("down", "g", "h", stride=2),
        helper.make_node("Relu", ["h"], ["i"], name="down_relu"),
        helper.make_node("GlobalAveragePool", ["i"], ["j"], name="pool"),
        helper.make_node("Flatten", ["j"], ["k"], name="flatten"),
        helper.make_node("Gemm", ["k", "classify.weight", "classify.bias"], ["logits"], name="classify", transB=1),
    ]
    weights = [numpy_helper.from_array(value.numpy(), name) for name, value in trained().state_dict().items()]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 1, 8, 8])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", 10])],
        weights,
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(made)
    return made.SerializeToString()


def dataset(folder: Path) -> Path:
    """The digits as a file."""
    path = folder / "digits.npz"
    if not path.exists():
        np.savez(path, **digits())
    return path


def racing_dataset(folder: Path) -> Path:
    """The digits with 800 validation rows: enough for candidates to race."""
    path = folder / "racing.npz"
    if not path.exists():
        parts = digits()
        both = {part: np.concatenate([parts[f"train_{part}"], parts[f"validation_{part}"]]) for part in "xy"}
        rows = {"train": slice(0, 600), "validation": slice(600, 1400)}
        cut = {f"{name}_{part}": both[part][taken] for part in "xy" for name, taken in rows.items()}
        np.savez(path, **cut, test_x=parts["test_x"], test_y=parts["test_y"])
    return path


def inputs(folder: Path, device: Mapping[str, Any] | None = None) -> JobInputs:
    """The network, the digits, and a device that needs no measuring."""
    return JobInputs(model(), dataset(folder), device or analytic())


def analytic() -> Mapping[str, Any]:
    """A device that ships, with 8-bit kernels."""
    return shipped()["mcu-m4"]


def plan(algorithms: Sequence[str] = ("random", "uniform"), candidates: int = 12, **changes: Any) -> JobPlan:
    """A job of some searches; `changes` are fields of JobPlan."""
    searches = tuple(
        SearchPlan(f"s{position}", position, name, {}, seed=3, baseline=name in ("random", "uniform"))
        for position, name in enumerate(algorithms)
    )
    made = JobPlan(
        id="job",
        searches=searches,
        objectives=(Objective("accuracy"), Objective("latency_ms")),
        constraints=(Constraint.parse("latency_ratio <= 0.6"),),
        budget=Budget(candidates),
        seed=1,
        window=4,
        finetune_epochs=0.0,
        deliver=1,
        validation_samples=200,
    )
    return replace(made, **changes)
