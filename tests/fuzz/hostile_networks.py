"""Networks that lie or blow up."""

from __future__ import annotations

import json
import struct
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from tests.fuzz.hostile import MODELS, Maker, model


def network(
    nodes: list[onnx.NodeProto] | None = None,
    tensors: list[TensorProto] | None = None,
    shape: tuple[int | str, ...] = ("n", 4),
    output: str = "y",
    **more: Any,
) -> bytes:
    """A file that onnx itself can write."""
    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)
    result = helper.make_tensor_value_info(output, TensorProto.FLOAT, None)
    nodes = nodes if nodes is not None else [helper.make_node("MatMul", ["x", "w"], ["y"], name="m")]
    graph = helper.make_graph(nodes, "g", [value], [result], tensors if tensors is not None else [weight()])
    opsets = more.pop("opsets", [helper.make_opsetid("", 17)])
    return helper.make_model(graph, opset_imports=opsets, ir_version=9, **more).SerializeToString()


def weight(name: str = "w", rows: int = 4, columns: int = 4) -> TensorProto:
    """A small tensor."""
    return numpy_helper.from_array(np.ones((rows, columns), np.float32), name)


def _external(location: str, name: str = "w", **entries: str) -> TensorProto:
    tensor = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=[4, 4], data_location=TensorProto.EXTERNAL)
    for key, value in {"location": location, **entries}.items():
        tensor.external_data.add(key=key, value=value)
    return tensor


for _where, _location in {
    "beside": "weights.bin",
    "absolute": "/etc/passwd",
    "above": "../../../../etc/passwd",
    "device": "/dev/zero",
    "nothing": "",
    "web": "http://169.254.169.254/",
}.items():
    MODELS[f"external_data_{_where}"] = lambda location=_location: network(tensors=[_external(location)])


@model
def external_data_of_petabytes() -> bytes:
    return network(tensors=[_external("w", offset="0", length=str(2**50))])


@model
def external_data_without_the_flag() -> bytes:
    tensor = weight()
    tensor.external_data.add(key="location", value="/etc/passwd")
    return network(tensors=[tensor])


@model
def external_data_in_an_attribute() -> bytes:
    constant = helper.make_node("Constant", [], ["w"], value=_external("/etc/passwd"))
    return network([constant, helper.make_node("MatMul", ["x", "w"], ["y"])], [])


def _inner(tensors: list[TensorProto]) -> onnx.GraphProto:
    result = helper.make_tensor_value_info("z", TensorProto.FLOAT, None)
    return helper.make_graph([helper.make_node("Identity", ["w"], ["z"])], "inner", [], [result], tensors)


@model
def external_data_in_a_subgraph() -> bytes:
    inner = _inner([_external("/etc/passwd")])
    node = helper.make_node("If", ["c"], ["y"], then_branch=inner, else_branch=inner)
    return network([node])


@model
def external_data_in_a_function() -> bytes:
    body = [helper.make_node("Constant", [], ["y"], value=_external("/etc/passwd"))]
    function = helper.make_function("local", "f", ["x"], ["y"], body, [helper.make_opsetid("", 17)])
    node = helper.make_node("f", ["x"], ["y"], domain="local")
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("local", 1)]
    return network([node], functions=[function], opsets=opsets)


@model
def external_data_in_a_sparse_tensor() -> bytes:
    proto = onnx.load_model_from_string(network())
    sparse = proto.graph.sparse_initializer.add()
    sparse.values.CopyFrom(_external("/etc/passwd", "s"))
    sparse.dims.extend([4])
    return proto.SerializeToString()


@model
def external_data_in_a_training_graph() -> bytes:
    proto = onnx.load_model_from_string(network())
    proto.training_info.add().algorithm.CopyFrom(_inner([_external("/etc/passwd")]))
    return proto.SerializeToString()


@model
def four_terabytes_in_68_bytes() -> bytes:
    shape = numpy_helper.from_array(np.array([2**40], np.int64), "s")
    return network([helper.make_node("ConstantOfShape", ["s"], ["y"])], [shape])


def _blown_up(operator: str, *sizes: int, **attributes: Any) -> Maker:
    def make() -> bytes:
        by = numpy_helper.from_array(np.array(sizes, np.int64), "by")
        start = numpy_helper.from_array(np.ones(1, np.float32), "one")
        bomb = helper.make_node(operator, ["one", "by"], ["big"], **attributes)
        return network([bomb, helper.make_node("Add", ["x", "big"], ["y"])], [by, start])

    return make


MODELS["expand_bomb"] = _blown_up("Expand", 2**20, 2**20)
MODELS["tile_bomb"] = _blown_up("Tile", 2**40)
MODELS["pad_bomb"] = _blown_up("Pad", 0, 2**40)
MODELS["reshape_lie"] = _blown_up("Reshape", 2**20, 2**20)


@model
def range_bomb() -> bytes:
    ends = [numpy_helper.from_array(np.array(v, np.int64), n) for n, v in (("a", 0), ("b", 2**50), ("c", 1))]
    nodes = [helper.make_node("Range", ["a", "b", "c"], ["r"]), helper.make_node("Add", ["x", "r"], ["y"])]
    return network(nodes, ends)


@model
def tensor_of_petabytes() -> bytes:
    return network(tensors=[TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[2**40, 2**10])])


@model
def tensor_with_a_negative_extent() -> bytes:
    return network(tensors=[TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[-4, -4], raw_data=bytes(64))])


@model
def tensor_that_overflows() -> bytes:
    return network(tensors=[TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[2**32, 2**32, 2**32])])


@model
def tensor_with_too_few_bytes() -> bytes:
    return network(tensors=[TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[1000, 1000], raw_data=bytes(8))])


@model
def tensor_of_strings() -> bytes:
    return network(tensors=[TensorProto(name="w", data_type=TensorProto.STRING, dims=[1], string_data=[b"x"])])


@model
def input_of_terabytes() -> bytes:
    return network(shape=("n", 2**40))


@model
def wide_layer_of_terabytes() -> bytes:
    conv = helper.make_node("ConvTranspose", ["x", "k"], ["y"], strides=[2**20, 2**20])
    kernel = numpy_helper.from_array(np.ones((1, 1, 3, 3), np.float32), "k")
    return network([conv], [kernel], shape=("n", 1, 2**12, 2**12))


@model
def loop_for_ever() -> bytes:
    body = helper.make_graph([helper.make_node("Identity", ["c"], ["d"])], "body", [], [], [])
    return network([helper.make_node("Loop", ["", "c"], ["y"], body=body)])


@model
def scan() -> bytes:
    return network([helper.make_node("Scan", ["x"], ["y"], body=_inner([weight()]), num_scan_inputs=1)])


@model
def graphs_within_graphs() -> bytes:
    inner = _inner([weight()])
    for _ in range(20):
        node = helper.make_node("If", ["c"], ["z"], then_branch=inner, else_branch=_inner([weight()]))
        result = helper.make_tensor_value_info("z", TensorProto.FLOAT, None)
        inner = helper.make_graph([node], "deep", [], [result])
    return network([helper.make_node("If", ["c"], ["y"], then_branch=inner, else_branch=inner)])


@model
def protobuf_nested_beyond_reason() -> bytes:
    """Field 7 (graph) holding field 7 holding ...: 20,000 deep."""
    content = b""
    for _ in range(20_000):
        content = b"\x3a" + _varint(len(content)) + content
        if len(content) > 200_000:
            break
    return content


def _varint(value: int) -> bytes:
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


@model
def operator_of_another_domain() -> bytes:
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    return network([helper.make_node("FusedMatMul", ["x", "w"], ["y"], domain="com.microsoft")], opsets=opsets)


@model
def unknown_operator() -> bytes:
    return network([helper.make_node("RunProgram", ["x", "w"], ["y"], command="id")])


@model
def operator_with_a_name_full_of_markup() -> bytes:
    return network([helper.make_node("<img src=x onerror=alert(1)>", ["x", "w"], ["y"])])


@model
def no_nodes() -> bytes:
    return network([], [])


@model
def a_circle() -> bytes:
    nodes = [helper.make_node("Add", ["x", "b"], ["a"]), helper.make_node("Add", ["x", "a"], ["b"])]
    return network([*nodes, helper.make_node("Relu", ["b"], ["y"])], [])


@model
def output_from_nowhere() -> bytes:
    return network([helper.make_node("MatMul", ["x", "w"], ["a"])], output="nowhere")


@model
def two_tensors_of_one_name() -> bytes:
    return network([helper.make_node("MatMul", ["x", "w"], ["x"])], output="x")


@model
def opset_of_the_future() -> bytes:
    return network(opsets=[helper.make_opsetid("", 2**31 - 1)])


@model
def cut_off() -> bytes:
    return network(tensors=[weight(rows=4, columns=400)])[:-800]


@model
def a_hundred_thousand_nodes() -> bytes:
    names = ["x", *(f"n{i}" for i in range(100_000))]
    nodes = [helper.make_node("Relu", [names[i]], [names[i + 1]]) for i in range(100_000)]
    return network(nodes, [], output=names[-1])


@model
def safetensors_without_an_architecture() -> bytes:
    header = json.dumps({"w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
    return struct.pack("<Q", len(header)) + header + bytes(4)
