"""Files that mean harm, or lie: every one of them has to be refused, quickly, in little memory, and with a reason."""

from __future__ import annotations

import gzip
import io
import json
import struct
import zipfile
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

Maker = Callable[[], bytes]
MODELS: dict[str, Maker] = {}
DATASETS: dict[str, Maker] = {}
WEIGHTS: dict[str, Maker] = {}  #: uploaded as safetensors of an architecture


def model(make: Maker) -> Maker:
    """Add a file that is uploaded as a model."""
    MODELS[make.__name__] = make
    return make


def dataset(make: Maker) -> Maker:
    """Add a file that is uploaded as a dataset."""
    DATASETS[make.__name__] = make
    return make


def weights(make: Maker) -> Maker:
    """Add a file that is uploaded as weights."""
    WEIGHTS[make.__name__] = make
    return make


# --- not networks at all

_DISGUISES = {
    "empty": b"\x00",
    "text": b"hello, world" * 10,
    "pickle_2": b"\x80\x02cposix\nsystem\nX\x02\x00\x00\x00id\x85R.",
    "pickle_4": b"\x80\x04\x95\x1b\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x8c\x06system\x93\x8c\x02id\x85R.",
    "pickle_0": b"cos\nsystem\n(S'id'\ntR.",
    "elf": b"\x7fELF\x02\x01\x01" + bytes(57),
    "script": b"#!/bin/sh\nid\n",
    "windows_program": b"MZ" + bytes(62),
    "gzip": gzip.compress(bytes(1000)),
    "hdf5": b"\x89HDF\r\n\x1a\n" + bytes(100),
    "html": b"<script>alert(1)</script>",
    "json": b'{"graph": {"node": []}}',
    "gguf": b"GGUF" + bytes(100),
    "pdf": b"%PDF-1.7\n",
    "only_zeros": bytes(4096),
    "only_ones": b"\xff" * 4096,
    "npy": b"\x93NUMPY\x01\x00" + bytes(100),
}
for _name, _content in _DISGUISES.items():
    MODELS[f"disguised_{_name}"] = lambda content=_content: content
    DATASETS[f"disguised_{_name}"] = lambda content=_content: content


def _zipped(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


@model
def torch_checkpoint() -> bytes:
    return _zipped({"archive/data.pkl": _DISGUISES["pickle_2"], "archive/version": b"3"})


@model
def torch_export_archive() -> bytes:
    return _zipped({"archive_format": b"pt2", "data/weights/weight_0": b"x", "models/model.json": b"{}"})


@model
def torchscript() -> bytes:
    return _zipped({"model/code/__torch__.py": b"import os", "model/constants.pkl": _DISGUISES["pickle_2"]})


# --- networks that lie or blow up


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


# --- datasets


def npz(**arrays: Any) -> bytes:
    """A file that numpy itself writes."""
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def npy(header: str, data: bytes = b"", version: tuple[int, int] = (1, 0)) -> bytes:
    """An array with any header."""
    text = header.encode("latin-1") + b"\n"
    length = struct.pack("<H" if version == (1, 0) else "<I", len(text))
    return b"\x93NUMPY" + bytes(version) + length + text + data


def _described(descr: str, shape: str) -> str:
    return f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}"


LABELS = np.zeros(20, np.int64)


def _with_x(content: bytes, name: str = "train_x.npy") -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, LABELS)
    return _zipped({name: content, "train_y.npy": buffer.getvalue()}, zipfile.ZIP_STORED)


@dataset
def objects() -> bytes:
    return npz(train_x=np.array([{"a": 1}] * 20, dtype=object), train_y=LABELS)


@dataset
def objects_by_header() -> bytes:
    return _with_x(npy(_described("'|O'", "(20, 4)"), _DISGUISES["pickle_2"]))


@dataset
def structured_objects() -> bytes:
    return _with_x(npy(_described("[('a', '|O'), ('b', '<f4')]", "(20,)"), bytes(240)))


@dataset
def zeros_that_unpack_a_thousandfold() -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, train_x=np.zeros((20, 50_000_00), np.uint8), train_y=LABELS)
    return buffer.getvalue()


@dataset
def header_of_terabytes() -> bytes:
    return _with_x(npy(_described("'<f4'", f"({2**40}, 8)"), bytes(64)))


@dataset
def header_with_a_negative_extent() -> bytes:
    return _with_x(npy(_described("'<f4'", "(-20, -4)"), bytes(320)))


@dataset
def header_that_claims_less_than_there_is() -> bytes:
    return _with_x(npy(_described("'<f4'", "(20, 4)"), bytes(4000)))


@dataset
def header_that_is_a_program() -> bytes:
    return _with_x(npy("__import__('os').system('id')"))


@dataset
def header_that_is_nested_beyond_reason() -> bytes:
    return _with_x(npy("{'descr': '<f4', 'fortran_order': False, 'shape': " + "(" * 3000 + ")" * 3000 + "}"))


@dataset
def header_of_megabytes() -> bytes:
    return _with_x(npy(_described("'<f4'", "(20, 4)") + " " * 5_000_000, bytes(320), version=(2, 0)))


@dataset
def header_of_an_unknown_version() -> bytes:
    return _with_x(npy(_described("'<f4'", "(20, 4)"), bytes(320), version=(9, 9)))


@dataset
def shape_that_is_no_shape() -> bytes:
    return _with_x(npy(_described("'<f4'", "('20', 4)"), bytes(320)))


@dataset
def dtype_that_is_no_dtype() -> bytes:
    return _with_x(npy(_described("'<f99999999'", "(20, 4)"), bytes(320)))


@dataset
def dtype_of_text() -> bytes:
    return npz(train_x=np.array([["a" * 100]] * 20), train_y=LABELS)


for _how, _path in {
    "up": "../../../tmp/evil.npy",
    "absolute": "/tmp/evil.npy",
    "drive": "C:evil.npy",
    "backslash": "..\\evil.npy",
    "hidden": ".npy",
    "folder": "a/train_x.npy",
    "program": "train_x.py",
    "pickle": "train_x.pkl",
}.items():
    DATASETS[f"member_named_{_how}"] = lambda path=_path: _with_x(npy(_described("'<f4'", "(20, 4)"), bytes(320)), path)


@dataset
def a_link() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        entry = zipfile.ZipInfo("train_x.npy")
        entry.external_attr = 0o120777 << 16
        archive.writestr(entry, "/etc/passwd")
    return buffer.getvalue()


@dataset
def a_zip_within_a_zip() -> bytes:
    return _zipped({"train_x.npy": _zipped({"x": bytes(100)}), "train_y.npy": b""})


@dataset
def ten_thousand_members() -> bytes:
    return _zipped({f"a{i}.npy": b"" for i in range(10_000)}, zipfile.ZIP_STORED)


@dataset
def the_same_member_twice() -> bytes:
    buffer = io.BytesIO()
    array = io.BytesIO()
    np.save(array, np.ones((20, 4), np.float32))
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in ("train_x.npy", "train_y.npy"):
            archive.writestr(name, array.getvalue())
    content = buffer.getvalue()
    return content.replace(b"train_y.npy", b"train_x.npy")


@dataset
def members_that_overlap() -> bytes:
    """Both entries of the directory lead to the same bytes."""
    content = bytearray(_with_x(npy(_described("'<f4'", "(20, 4)"), bytes(320))))
    first = content.index(b"PK\x01\x02")
    second = content.index(b"PK\x01\x02", first + 4)
    content[second + 42 : second + 46] = content[first + 42 : first + 46]
    return bytes(content)


@dataset
def directory_that_claims_a_larger_member() -> bytes:
    content = bytearray(_with_x(npy(_described("'<f4'", "(20, 4)"), bytes(320))))
    first = content.index(b"PK\x01\x02")
    content[first + 24 : first + 28] = struct.pack("<I", 2**31)
    return bytes(content)


@dataset
def wrong_checksum() -> bytes:
    content = bytearray(_with_x(npy(_described("'<f4'", "(20, 4)"), b"\x01" * 320)))
    at = content.index(b"\x01" * 320)
    content[at + 5] = 7
    return bytes(content)


@dataset
def broken_compression() -> bytes:
    content = bytearray(_zipped({"train_x.npy": npy(_described("'<f4'", "(20, 400)"), bytes(range(250)) * 128)}))
    for at in range(80, 120):
        content[at] ^= 0xFF
    return bytes(content)


@dataset
def packed_in_a_way_numpy_does_not_use() -> bytes:
    return _zipped({"train_x.npy": npy(_described("'<f4'", "(20, 4)"), bytes(320))}, zipfile.ZIP_LZMA)


@dataset
def encrypted() -> bytes:
    content = bytearray(_with_x(npy(_described("'<f4'", "(20, 4)"), bytes(320))))
    for magic, offset in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        content[content.index(magic) + offset] |= 1
    return bytes(content)


@dataset
def cut_off_archive() -> bytes:
    return _with_x(npy(_described("'<f4'", "(20, 4)"), bytes(320)))[:-40]


@dataset
def values_that_are_not_finite() -> bytes:
    return npz(train_x=np.full((20, 4), np.inf, np.float32), train_y=LABELS)


@dataset
def labels_that_are_negative() -> bytes:
    return npz(train_x=np.ones((20, 4), np.float32), train_y=LABELS - 1)


@dataset
def labels_of_complex_numbers() -> bytes:
    return npz(train_x=np.ones((20, 4), np.float32), train_y=LABELS.astype(np.complex128))


@dataset
def nothing_of_use() -> bytes:
    return npz(a=np.zeros(3))


# --- weights


def _safetensors(header: bytes, length: int | None = None, data: bytes = b"") -> bytes:
    return struct.pack("<Q", len(header) if length is None else length) + header + data


def _entry(**changes: Any) -> bytes:
    return json.dumps({"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]} | changes}).encode()


@weights
def safetensors_with_a_header_of_exabytes() -> bytes:
    return _safetensors(_entry(), length=2**60, data=bytes(8))


@weights
def safetensors_beyond_the_end() -> bytes:
    return _safetensors(_entry(data_offsets=[0, 2**40], shape=[2**38]), data=bytes(8))


@weights
def safetensors_before_the_beginning() -> bytes:
    return _safetensors(_entry(data_offsets=[-8, 0]), data=bytes(8))


@weights
def safetensors_that_lie_about_their_shape() -> bytes:
    return _safetensors(_entry(shape=[2**20]), data=bytes(8))


@weights
def safetensors_nested_beyond_reason() -> bytes:
    return _safetensors(b'{"w":' + b"[" * 100_000 + b"]" * 100_000 + b"}")


@weights
def safetensors_without_json() -> bytes:
    return _safetensors(b"{not json}", data=bytes(8))


@weights
def pickle_as_weights() -> bytes:
    return _DISGUISES["pickle_2"]


@weights
def compressed_weights() -> bytes:
    return zlib.compress(bytes(1000))
