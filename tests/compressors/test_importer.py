"""What comes in, how it is called, and what is refused."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from compressors import Imported, describe, read_onnx, slice_module, write_onnx
from compressors.importer import SUPPORTED
from compressors.parity import check_parity, open_session
from paretrim.errors import InvalidModel, UnsupportedOperation
from tests.compressors.networks import export

Array = np.ndarray


def random(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def model(
    nodes: Sequence[onnx.NodeProto],
    shape: Sequence[Any],
    constants: dict[str, Array],
    *,
    opset: int = 17,
    out: Sequence[Any] = ("n", None),
    dtype: int = TensorProto.FLOAT,
    name: str = "x",
) -> bytes:
    """A file with one input, `x`, and one output `y`."""
    graph = helper.make_graph(
        list(nodes),
        "written by hand",
        [helper.make_tensor_value_info(name, dtype, list(shape))],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, list(out))],
        [numpy_helper.from_array(values, name) for name, values in constants.items()],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
    made.ir_version = 8
    return bytes(made.SerializeToString())


def same_as_runtime(content: bytes, x: Array) -> Imported:
    """Reads a file and checks that it computes what ONNX Runtime computes."""
    found = read_onnx(content)
    expected = open_session(content).run(None, {"x": x})[0]
    with torch.no_grad():
        y = found.module(torch.from_numpy(x)).numpy()
    np.testing.assert_allclose(y, expected, rtol=1e-4, atol=1e-5)
    return found


def keras_classifier(opset: int, *, batch: str | int = "n") -> bytes:
    """As tf2onnx writes a Keras network: NHWC outside, NCHW around convolutions, padding to the same size, decomposed
    batch norm, flatten by a constant shape with the batch in it, Gemm as MatMul and Add."""
    node = helper.make_node
    nodes = [
        node("Transpose", ["x"], ["x_nchw"], "model/conv2d/Conv2D__6", perm=[0, 3, 1, 2]),
        node(
            "Conv", ["x_nchw", "w1", "b1"], ["c1"], "model/conv2d/Conv2D",
            auto_pad="SAME_UPPER", kernel_shape=[3, 3], strides=[2, 2],
        ),
        node("Relu", ["c1"], ["r1"], "model/conv2d/Relu"),
        node(
            "Conv", ["r1", "dw"], ["d1"], "model/depthwise/depthwise",
            group=6, auto_pad="SAME_LOWER", kernel_shape=[2, 2], strides=[1, 1],
        ),
        node("Transpose", ["d1"], ["d1_nhwc"], "model/depthwise/depthwise__9", perm=[0, 2, 3, 1]),
        node("Mul", ["d1_nhwc", "scale"], ["m1"], "model/bn/mul"),
        node("Add", ["m1", "shift"], ["a1"], "model/bn/add"),
        node("Clip", ["a1", "zero", "six"], ["r2"], "model/relu6/Relu6"),
        node("Transpose", ["r2"], ["r2_nchw"], "model/pool__1", perm=[0, 3, 1, 2]),
        node("AveragePool", ["r2_nchw"], ["p1"], "model/pool", auto_pad="SAME_UPPER", kernel_shape=[3, 3], strides=[2, 2]),  # noqa: E501
        node("Transpose", ["p1"], ["p1_nhwc"], "model/pool__2", perm=[0, 2, 3, 1]),
        node("Reshape", ["p1_nhwc", "flat"], ["f1"], "model/flatten/Reshape"),
        node("MatMul", ["f1", "w2"], ["mm"], "model/dense/MatMul"),
        node("Add", ["mm", "b2"], ["logits"], "model/dense/BiasAdd"),
        node("Softmax", ["logits"], ["y"], "model/dense/Softmax"),
    ]  # fmt: skip
    constants = {
        "w1": random(6, 2, 3, 3), "b1": random(6, seed=1), "dw": random(6, 1, 2, 2, seed=2), "scale": random(6, seed=3),
        "shift": random(1, 1, 1, 6, seed=4), "zero": np.float32(0).reshape(()), "six": np.float32(6).reshape(()),
        "flat": np.array([-1 if batch == "n" else batch, 54], dtype=np.int64), "w2": random(54, 5, seed=5), "b2": random(5, seed=6),  # noqa: E501
    }  # fmt: skip
    return model(nodes, [batch, 9, 9, 2], constants, opset=opset, out=[batch, 5])


@pytest.mark.parametrize("opset", range(11, 22))
def test_a_keras_network_comes_in_under_every_opset(opset: int) -> None:
    found = same_as_runtime(keras_classifier(opset), random(4, 9, 9, 2))
    network = describe(found)
    group = network.group_by_name["model.conv2d"]
    assert (group.units, group.consumers) == (6, ("model.depthwise", "model.dense"))
    small = slice_module(found, network, {"model.conv2d": [1, 4, 5]})
    x = torch.from_numpy(random(3, 9, 9, 2, seed=9))
    assert check_parity(small, write_onnx(small, found), x).max_rel_error < 1e-5


def test_a_batch_size_that_was_baked_in_becomes_free() -> None:
    content = keras_classifier(13, batch=1)
    found = read_onnx(content)
    x = random(4, 9, 9, 2)
    session = open_session(content)
    expected = np.concatenate([session.run(None, {"x": row[None]})[0] for row in x])
    with torch.no_grad():
        np.testing.assert_allclose(found.module(torch.from_numpy(x)).numpy(), expected, rtol=1e-4, atol=1e-6)
    again = open_session(write_onnx(found.module, found))
    np.testing.assert_allclose(again.run(None, {"x": x})[0], expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", ["input.1", "onnx::Conv_0", "x/y:0", "class", "1"])
def test_an_input_may_have_any_name(name: str) -> None:
    nodes = [helper.make_node("Relu", [name], ["r"]), helper.make_node("MatMul", ["r", "w"], ["y"])]
    content = model(nodes, ["n", 6], {"w": random(6, 4)}, out=["n", 4], name=name)
    found = read_onnx(content)
    assert found.input_name == name
    x = random(3, 6)
    expected = open_session(content).run(None, {name: x})[0]
    np.testing.assert_allclose(found.module(torch.from_numpy(x)).detach().numpy(), expected, rtol=1e-4, atol=1e-6)
    again = open_session(write_onnx(found.module, found))
    np.testing.assert_allclose(again.run(None, {name: x})[0], expected, rtol=1e-4, atol=1e-6)


def test_a_row_written_out_beside_a_baked_in_batch_becomes_free() -> None:
    """`x.view(1, -1)`, exported for one sample."""
    nodes = [
        helper.make_node("Relu", ["x"], ["r"]),
        helper.make_node("Reshape", ["r", "flat"], ["f"]),
        helper.make_node("MatMul", ["f", "w"], ["y"]),
    ]
    content = model(nodes, [1, 2, 3], {"flat": np.array([1, -1]), "w": random(6, 4)}, out=[1, 4])
    found = read_onnx(content)
    x = random(5, 2, 3)
    expected = np.concatenate([open_session(content).run(None, {"x": row[None]})[0] for row in x])
    np.testing.assert_allclose(found.module(torch.from_numpy(x)).detach().numpy(), expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("opset", [12, 17, 21])
@pytest.mark.parametrize(
    ("comparison", "other", "flipped"),
    [("Greater", "limit", False), ("Less", "limit", True), ("GreaterOrEqual", "v", False), ("LessOrEqual", "v", True)],
)
def test_a_function_spelled_out_in_pieces_runs_and_its_channels_can_go(
    opset: int, comparison: str, other: str, flipped: bool
) -> None:
    """Softplus is written so by torch's newer exporter: x above a limit, log(1 + e^x) below."""
    node = helper.make_node
    nodes = [
        node("Gemm", ["x", "first"], ["h"], "first"),
        node("Gemm", ["x", "second"], ["v"], "second"),
        node("Exp", ["h"], ["e"]),
        node("Add", ["e", "one"], ["p"]),
        node("Log", ["p"], ["l"]),
        node(comparison, [other, "h"] if flipped else ["h", other], ["c"]),
        node("Where", ["c", "h", "l"], ["w"]),
        node("Add", ["w", "v"], ["s"]),
        node("Gemm", ["s", "last"], ["y"], "last"),
    ]
    constants = {"first": 3 * random(6, 8), "second": random(6, 8, seed=1), "last": random(8, 4, seed=2)}
    constants |= {"one": np.float32(1), "limit": np.linspace(0, 2, 8, dtype=np.float32)}
    found = same_as_runtime(model(nodes, ["n", 6], constants, opset=opset, out=["n", 4]), random(5, 6))
    network = describe(found)
    assert [group.units for group in network.prunable_groups] == [8]
    small = slice_module(found, network, {network.prunable_groups[0].name: torch.tensor([0, 3, 4, 7])})
    assert check_parity(small, write_onnx(small, found), torch.from_numpy(random(3, 6))).max_rel_error < 1e-5
    small(torch.from_numpy(random(3, 6))).sum().backward()
    assert all(parameter.grad is not None for parameter in small.parameters())


def test_conditions_may_be_joined() -> None:
    """Hard shrink: what is near 0 becomes 0."""
    node = helper.make_node
    nodes = [
        node("Gemm", ["x", "first"], ["h"], "first"),
        node("Greater", ["h", "high"], ["a"]),
        node("Less", ["h", "low"], ["b"]),
        node("Or", ["a", "b"], ["c"]),
        node("Where", ["c", "h", "zero"], ["y"]),
    ]
    constants = {"first": random(6, 4), "high": np.float32(0.5), "low": np.float32(-0.5), "zero": np.float32(0)}
    found = same_as_runtime(model(nodes, ["n", 6], constants, out=["n", 4]), random(5, 6))
    again = write_onnx(found.module, found)
    assert check_parity(found.module, again, torch.from_numpy(random(3, 6))).max_rel_error < 1e-5


def test_weights_that_the_file_works_out_are_worked_out_on_reading() -> None:
    """Classes compared by angle: rows of a weight divided by their length, in the file."""
    node = helper.make_node
    nodes = [
        node("ReduceL2", ["w"], ["length"], axes=[1], keepdims=1),
        node("Clip", ["length", "least"], ["safe"]),
        node("Div", ["w", "safe"], ["unit"]),
        node("MatMul", ["unit", "turn"], ["turned"]),
        node("Tanh", ["turned"], ["bent"]),
        node("Transpose", ["bent"], ["across"], perm=[1, 0]),
        node("MatMul", ["x", "across"], ["y"]),
    ]
    constants = {"w": random(4, 6), "turn": random(6, 6, seed=1), "least": np.float32(1e-12)}
    found = same_as_runtime(model(nodes, ["n", 6], constants, out=["n", 4]), random(5, 6))
    assert [layer.kind for layer in describe(found).layers] == ["linear"]


def test_heads_beside_a_baked_in_batch_become_free() -> None:
    """(1, T, W) -> (T, 1 x heads, W / heads), as older exporters write attention."""
    node = helper.make_node
    nodes = [
        node("Transpose", ["x"], ["t"], perm=[1, 0, 2]),
        node("Reshape", ["t", "split"], ["s"]),
        node("Transpose", ["s"], ["h"], perm=[1, 0, 2]),
        node("Transpose", ["h"], ["k"], perm=[0, 2, 1]),
        node("MatMul", ["h", "k"], ["scores"]),
        node("MatMul", ["scores", "h"], ["mixed"]),
        node("Transpose", ["mixed"], ["u"], perm=[1, 0, 2]),
        node("Reshape", ["u", "join"], ["j"]),
        node("Transpose", ["j"], ["y"], perm=[1, 0, 2]),
    ]
    shapes = {"split": np.array([5, 2, 4]), "join": np.array([5, 1, 8])}
    content = model(nodes, [1, 5, 8], shapes, out=[1, 5, 8])
    found = read_onnx(content)
    x = random(3, 5, 8)
    session = open_session(content)
    expected = np.concatenate([session.run(None, {"x": row[None]})[0] for row in x])
    with torch.no_grad():
        np.testing.assert_allclose(found.module(torch.from_numpy(x)).numpy(), expected, rtol=1e-4, atol=1e-4)


def attributes(**given: Any) -> dict[str, Any]:
    return given


#: operators with less usual settings: (operator, attributes, shape of the input, constants behind it)
SINGLE: list[tuple[str, dict[str, Any], tuple[int, ...], list[Array]]] = [
    ("Conv", attributes(pads=[1, 0, 2, 1], strides=[2, 1]), (3, 9, 8), [random(4, 3, 3, 2)]),
    ("Conv", attributes(auto_pad="VALID", dilations=[2, 2]), (3, 9, 8), [random(4, 3, 3, 3), random(4)]),
    ("Conv", attributes(pads=[2, 1]), (3, 9), [random(4, 3, 3)]),
    ("ConvTranspose", attributes(strides=[2, 2], pads=[1, 1, 1, 1], output_padding=[1, 1]), (4, 5, 5), [random(4, 3, 3, 3)]),  # noqa: E501
    ("ConvTranspose", attributes(strides=[2, 2], pads=[1, 1, 0, 0]), (4, 5, 5), [random(4, 3, 3, 3), random(3)]),
    ("ConvTranspose", attributes(strides=[2, 2], auto_pad="SAME_UPPER"), (4, 5, 5), [random(4, 3, 3, 3)]),
    ("ConvTranspose", attributes(strides=[2], group=2), (4, 5), [random(4, 3, 3)]),
    ("MaxPool", attributes(kernel_shape=[3, 3], strides=[2, 2], pads=[0, 1, 1, 0]), (3, 7, 8), []),
    ("MaxPool", attributes(kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1), (3, 8, 8), []),
    ("MaxPool", attributes(kernel_shape=[2, 2], dilations=[2, 2]), (3, 7, 7), []),
    ("AveragePool", attributes(kernel_shape=[3, 3], pads=[1, 0, 1, 1], strides=[2, 2]), (3, 7, 8), []),
    ("AveragePool", attributes(kernel_shape=[3, 3], pads=[1, 1, 1, 1], count_include_pad=1), (3, 7, 8), []),
    ("GlobalMaxPool", {}, (3, 7, 8), []),
    ("PRelu", {}, (3, 4, 4), [random(3, 1, 1)]),
    ("LeakyRelu", attributes(alpha=0.3), (6,), []),
    ("HardSigmoid", {}, (6,), []),
    ("HardSigmoid", attributes(alpha=1 / 6, beta=0.5), (6,), []),
    ("Elu", attributes(alpha=0.7), (6,), []),
    ("Selu", {}, (6,), []),
    ("Celu", attributes(alpha=1.5), (6,), []),
    ("Softplus", {}, (6,), []),
    ("Softsign", {}, (6,), []),
    ("LogSoftmax", attributes(axis=-1), (6,), []),
    ("Softmax", attributes(axis=1), (3, 4), []),
    ("LRN", attributes(size=3, alpha=0.01, bias=2.0), (5, 4, 4), []),
    ("InstanceNormalization", {}, (3, 4, 4), [random(3), random(3)]),
    ("LayerNormalization", attributes(axis=-2), (3, 4, 5), [random(4, 5), random(4, 5)]),
    ("DepthToSpace", attributes(blocksize=2), (8, 3, 3), []),
    ("DepthToSpace", attributes(blocksize=2, mode="CRD"), (8, 3, 3), []),
    ("SpaceToDepth", attributes(blocksize=2), (2, 4, 6), []),
    ("Pad", attributes(mode="reflect"), (3, 5, 5), [np.array([0, 0, 1, 2, 0, 0, 2, 1])]),
    ("Pad", attributes(mode="edge"), (3, 5, 5), [np.array([0, 0, 1, 0, 0, 0, 0, 1])]),
    ("Pad", {}, (3, 5, 5), [np.array([0, 1, 0, 2, 0, 0, 1, 0]), np.float32(0.5).reshape(())]),
    ("Resize", attributes(mode="nearest"), (2, 4, 5), [np.zeros(0, np.float32), np.array([1, 1, 2, 3], np.float32)]),
    ("Resize", attributes(mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor"), (2, 4, 5),
     [np.zeros(0, np.float32), np.array([1, 1, 1.5, 2], np.float32)]),
    ("Resize", attributes(mode="linear"), (2, 4, 6), [np.zeros(0, np.float32), np.array([1, 1, 2, 0.5], np.float32)]),
    ("Resize", attributes(mode="linear", coordinate_transformation_mode="align_corners"), (2, 4, 6),
     [np.zeros(0, np.float32), np.array([1, 1, 2, 2], np.float32)]),
    ("Slice", {}, (8, 6), [np.array([-1, 1]), np.array([-100, 100]), np.array([1, 2]), np.array([-2, 2])]),
    ("Gather", attributes(axis=1), (8, 6), [np.array([5, 0, -1])]),
    ("Gather", attributes(axis=-1), (8, 6), [np.array(-2)]),
    ("ReduceL2", attributes(axes=[2], keepdims=0), (3, 5), []),
    ("ReduceMax", attributes(axes=[-1]), (3, 5), []),
    ("Sub", {}, (3, 5), [random(5)]),
    ("Pow", {}, (3, 5), [np.float32(2.0).reshape(())]),
    ("Min", {}, (3, 5), [random(3, 1), random(5)]),
    ("MatMul", {}, (2, 3, 5), [random(2, 5, 4)]),
    ("Expand", {}, (1, 5), [np.array([1, 3, 1])]),
    ("Flatten", attributes(axis=-2), (3, 4), []),
    ("Transpose", attributes(perm=[0, 2, 1]), (3, 5), []),
]  # fmt: skip


@pytest.mark.parametrize("place", range(len(SINGLE)))
def test_every_setting_of_an_operator_is_read_and_written(place: int) -> None:
    operator, given, shape, behind = SINGLE[place]
    constants = {f"c{index}": values for index, values in enumerate(behind)}
    names = ["x", *(name if constants[name].size else "" for name in constants)]
    content = model([helper.make_node(operator, names, ["y"], "it", **given)], ["n", *shape], constants, out=None or [])
    content = _without_output_shape(content)
    x = random(2, *shape)
    found = same_as_runtime(content, x)
    again = open_session(write_onnx(found.module, found)).run(None, {"x": x})[0]
    with torch.no_grad():
        np.testing.assert_allclose(again, found.module(torch.from_numpy(x)).numpy(), rtol=1e-4, atol=1e-5)


def _without_output_shape(content: bytes) -> bytes:
    made = onnx.load_model_from_string(content)
    made.graph.output[0].type.tensor_type.ClearField("shape")
    return bytes(made.SerializeToString())


@pytest.mark.parametrize("direction", ["forward", "reverse", "bidirectional"])
@pytest.mark.parametrize(("operator", "given"), [("LSTM", {}), ("GRU", {}), ("GRU", {"linear_before_reset": 1})])
def test_recurrent_layers_run_in_every_direction(operator: str, given: dict[str, int], direction: str) -> None:
    turns, gates, hidden = (2 if direction == "bidirectional" else 1), (4 if operator == "LSTM" else 3), 5
    node = helper.make_node
    nodes = [
        node("Transpose", ["x"], ["t"], perm=[1, 0, 2]),
        node(
            operator, ["t", "w", "r", "b"], ["steps", "last"], "cell", hidden_size=hidden, direction=direction, **given
        ),
        node("Transpose", ["last"], ["l"], perm=[1, 0, 2]),
        node("Flatten", ["l"], ["f"]),
        node("Transpose", ["steps"], ["s"], perm=[2, 0, 1, 3]),
        node("Flatten", ["s"], ["g"]),
        node("Concat", ["f", "g"], ["y"], axis=1),
    ]
    constants = {
        "w": random(turns, gates * hidden, 3), "r": random(turns, gates * hidden, hidden, seed=1),
        "b": random(turns, 2 * gates * hidden, seed=2),
    }  # fmt: skip
    content = _without_output_shape(model(nodes, ["n", 4, 3], constants))
    x = random(2, 4, 3, seed=3)
    found = same_as_runtime(content, x)
    again = open_session(write_onnx(found.module, found)).run(None, {"x": x})[0]
    with torch.no_grad():
        np.testing.assert_allclose(again, found.module(torch.from_numpy(x)).numpy(), rtol=1e-4, atol=1e-5)


def test_names_are_those_of_the_users_modules() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.stage = nn.Sequential(nn.Conv2d(3, 4, 1), nn.ReLU())
            self.training_head = nn.Linear(4, 2)
            self.input = nn.Conv2d(4, 4, 1)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            x = torch.relu(self.input(self.stage(x)))
            return self.training_head(x.mean((2, 3)))

    found = read_onnx(export(Net(), torch.zeros(2, 3, 4, 4)))
    names = [operation.name for operation in describe(found).operations]
    assert names == ["stage.0", "stage.1.Relu", "input_", "Relu", "ReduceMean", "training_head"]
    assert describe(found).operations[0].inputs == ("input",)


def linear_with(nodes: Sequence[onnx.NodeProto], **more: Any) -> bytes:
    last = helper.make_node("Gemm", ["h", "w"], ["y"], "last")
    return model([*nodes, last], ["n", 4], {"w": random(4, 2), **more})


def test_an_unknown_operator_is_refused_with_its_name_and_what_is_supported() -> None:
    content = linear_with([helper.make_node("Hardmax", ["x"], ["h"], "the_node")])
    with pytest.raises(UnsupportedOperation, match="'the_node' is a Hardmax") as caught:
        read_onnx(content)
    assert (caught.value.operator, caught.value.node) == ("Hardmax", "the_node")
    assert caught.value.supported == SUPPORTED
    assert "Conv" in SUPPORTED
    assert "LSTM" in str(caught.value)


def external() -> bytes:
    made = onnx.load_model_from_string(linear_with([helper.make_node("Relu", ["x"], ["h"])]))
    tensor = made.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../../etc/passwd")
    return bytes(made.SerializeToString())


def external_in_a_branch() -> bytes:
    tensor = TensorProto(data_type=TensorProto.FLOAT, dims=[1], data_location=TensorProto.EXTERNAL, name="hidden")
    tensor.external_data.add(key="location", value="/etc/shadow")
    branch = helper.make_graph(
        [helper.make_node("Constant", [], ["z"], value=tensor)], "b", [], [helper.make_tensor_value_info("z", 1, [1])]
    )
    made = helper.make_node("If", ["c"], ["h"], then_branch=branch, else_branch=branch)
    return linear_with([made], c=np.array(True))


def loop() -> bytes:
    body = helper.make_graph([], "body", [], [])
    return linear_with([helper.make_node("Loop", ["", "", "x"], ["h"], "round", body=body)])


def with_function() -> bytes:
    made = onnx.load_model_from_string(linear_with([helper.make_node("Relu", ["x"], ["h"])]))
    made.functions.add(name="f", domain="own")
    return bytes(made.SerializeToString())


def doubling(times: int, *, constant: bool) -> bytes:
    """Every node puts its input beside itself: 2^times."""
    first = (
        helper.make_node("ConstantOfShape", ["shape"], ["v0"]) if constant else helper.make_node("Relu", ["x"], ["v0"])
    )
    steps = [
        helper.make_node("Concat", [f"v{i}", f"v{i}"], [f"v{i + 1}"], axis=0 if constant else 1) for i in range(times)
    ]
    last = helper.make_node("ReduceMean", [f"v{times}"], ["m"], axes=[0 if constant else 1], keepdims=1)
    add = helper.make_node("Add", ["x", "m"], ["h"])
    return linear_with([first, *steps, last, add], shape=np.array([4]))


HOSTILE: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "not an ONNX file"),
    "not ONNX": (b"\x89PNG\r\n\x1a\n" + b"\x00" * 100, "not an ONNX file"),
    "a pickle": (b"\x80\x04\x95\x10\x00\x00\x00\x00\x00\x00\x00}\x94.", "not an ONNX file"),
    "cut off": (linear_with([helper.make_node("Relu", ["x"], ["h"])])[:-40], "not an ONNX file|nothing before it"),
    "external data": (external(), "single file"),
    "external data in a branch": (external_in_a_branch(), "single file"),
    "a loop": (loop(), "Loop"),
    "functions": (with_function(), "inline"),
    "too old": (model([helper.make_node("Relu", ["x"], ["y"])], ["n", 4], {}, opset=9), "opset 9"),
    "foreign": (linear_with([helper.make_node("Secret", ["x"], ["h"], domain="com.example")]), "com.example"),
    "doubling": (doubling(60, constant=False), "values per sample"),
    "doubling constants": (doubling(60, constant=True), "cannot be worked out"),
    "a huge constant": (
        linear_with([helper.make_node("ConstantOfShape", ["s"], ["v"]), helper.make_node("Add", ["x", "v"], ["h"])], s=np.array([2**40, 4])),  # noqa: E501
        "cannot be worked out",
    ),
    "a long product": (
        linear_with([
            helper.make_node("ConstantOfShape", ["s"], ["a"]),
            helper.make_node("MatMul", ["a", "a"], ["p"]),
            helper.make_node("ReduceMean", ["p"], ["m"], keepdims=0),
            helper.make_node("Add", ["x", "m"], ["h"]),
        ], s=np.array([4096, 4096])),
        "multiplications",
    ),
    "a huge pad": (linear_with([helper.make_node("Pad", ["x", "p"], ["h"])], p=np.array([0, 0, 0, 2**30])), "values per sample"),  # noqa: E501
    "a free extent": (model([helper.make_node("Relu", ["x"], ["y"])], ["n", "m"], {}), "fixed other extents"),
    "a huge extent": (model([helper.make_node("Relu", ["x"], ["y"])], ["n", 2**33], {}), "too large"),
    "no batch": (model([helper.make_node("ReduceSum", ["x"], ["y"], keepdims=0)], ["n", 4], {}, out=[]), "over the batch"),  # noqa: E501
    "text": (model([helper.make_node("Identity", ["x"], ["y"])], ["n", 4], {}, dtype=TensorProto.STRING), "STRING"),
    "half precision": (model([helper.make_node("Relu", ["x"], ["y"])], ["n", 4], {}, dtype=TensorProto.FLOAT16), "float32"),  # noqa: E501
    "unmade": (linear_with([helper.make_node("Add", ["x", "nobody"], ["h"])]), "nobody"),
    "in a circle": (linear_with([helper.make_node("Add", ["x", "b"], ["a"]), helper.make_node("Relu", ["a"], ["b"]), helper.make_node("Relu", ["b"], ["h"])]), "'b'"),  # noqa: E501
    "wrong shape": (linear_with([helper.make_node("Relu", ["x"], ["h"])], w=random(9, 2)), "do not fit"),
    "batch mixed": (linear_with([helper.make_node("Softmax", ["x"], ["h"], axis=0)]), "batch"),
    "unused input": (model([helper.make_node("Constant", [], ["y"], value_floats=[1.0])], ["n", 4], {}), "does not depend"),  # noqa: E501
}  # fmt: skip


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_or_broken_file_is_refused_quickly_and_with_the_reason(case: str) -> None:
    content, says = HOSTILE[case]
    begin = time.perf_counter()
    with pytest.raises(InvalidModel, match=says):
        read_onnx(content)
    assert time.perf_counter() - begin < 3.0


def test_two_inputs_are_refused() -> None:
    made = onnx.load_model_from_string(linear_with([helper.make_node("Add", ["x", "z"], ["h"])]))
    made.graph.input.append(helper.make_tensor_value_info("z", TensorProto.FLOAT, ["n", 4]))
    with pytest.raises(InvalidModel, match="2 inputs and 1 outputs"):
        read_onnx(made.SerializeToString())
