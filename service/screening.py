"""A first look at an uploaded model, before anything heavy is loaded: is it of a kind that is taken at all?

What cannot carry code is taken: ONNX in a single file, and safetensors of a registered architecture. The network itself
is read by `compressors`, later and in the same jail.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator

import onnx
from google.protobuf.message import DecodeError

from paretrim.errors import InvalidModel

MOST_DEPTH = 8  #: of graphs within graphs, looked through before they are refused
MOST_ELEMENTS = 2**28  #: of one tensor
MOST_EXTENT = 2**24  #: of one axis of an input or output
MOST_SAFETENSORS_HEADER_BYTES = 8 * 2**20

_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"PK\x03\x04", "a zip archive (.pt, .pth, .pt2, .npz, .keras or TorchScript)"),
    (b"\x80\x02", "a pickle"),
    (b"\x80\x03", "a pickle"),
    (b"\x80\x04", "a pickle"),
    (b"\x80\x05", "a pickle"),
    (b"\x89HDF", "an HDF5 file"),
    (b"\x93NUMPY", "a numpy array"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
    (b"#!", "a script"),
    (b"\x1f\x8b", "a gzip file"),
    (b"\xfd7zXZ", "an xz file"),
    (b"BZh", "a bzip2 file"),
    (b"\x28\xb5\x2f\xfd", "a zstandard file"),
    (b"Rar!", "a rar file"),
    (b"7z\xbc\xaf", "a 7z file"),
    (b"\x89PNG", "an image"),
    (b"\xff\xd8\xff", "an image"),
    (b"GIF8", "an image"),
    (b"%PDF", "a PDF"),
    (b"GGUF", "a GGUF file"),
    (b"{", "JSON"),
    (b"<", "markup"),
)
_TYPES = frozenset(onnx.TensorProto.DataType.values())
_NUMBERS = _TYPES - {onnx.TensorProto.UNDEFINED, onnx.TensorProto.STRING}
_TAKEN = "upload a single-file ONNX model (torch.onnx.export(..., external_data=False))"


def screen_model(content: bytes, architecture: str | None) -> None:
    """Raise InvalidModel for what is not even to be read."""
    if architecture is not None:
        _screen_safetensors(content)
        return
    if _looks_like_safetensors(content):
        raise _refused("this is a safetensors file; name the `architecture` it belongs to when uploading it")
    for magic, what in _MAGIC:
        if content.startswith(magic):
            raise _refused(f"this is {what}; formats that may carry code are not taken; {_TAKEN}")
    _screen_onnx(content)


def _screen_onnx(content: bytes) -> None:
    try:
        model = onnx.load_model_from_string(content)
    except (DecodeError, ValueError, RecursionError) as error:
        raise _refused(f"this is not an ONNX file; {_TAKEN}") from error
    if not model.graph.node:
        raise _refused(f"there is no network in this file; {_TAKEN}")
    for graph in _graphs(model):
        for tensor in _tensors(graph):
            _screen_tensor(tensor)
    if len(model.functions):
        raise _refused("it defines functions of its own; inline them (onnx.inliner.inline_local_functions)")
    if len(model.training_info):
        raise _refused("it holds training graphs; export it for inference")
    for entry in (*model.graph.input, *model.graph.output):
        _screen_value(entry)
    _screen_names(model.graph)


def _screen_names(graph: onnx.GraphProto) -> None:
    """Every value is made once, as the format demands: no two readers may take one name for different things."""
    weights = {tensor.name for tensor in graph.initializer}
    made = Counter(entry.name for entry in graph.input if entry.name not in weights)
    made.update(tensor.name for tensor in graph.initializer)
    made.update(name for node in graph.node for name in node.output if name)
    twice = next((name for name, count in made.items() if count > 1), None)
    if twice is not None:
        raise _refused(f"the value {twice[:80]!r} is made twice; this is not a valid ONNX graph")


def _graphs(model: onnx.ModelProto) -> Iterator[onnx.GraphProto | onnx.FunctionProto]:
    """Every graph of the model: nested ones, functions, training graphs. Nothing may hide in any of them."""
    waiting: list[tuple[onnx.GraphProto | onnx.FunctionProto, int]] = [(model.graph, 0)]
    waiting += [(function, 0) for function in model.functions]
    for info in model.training_info:
        waiting += [(info.initialization, 0), (info.algorithm, 0)]
    while waiting:
        graph, depth = waiting.pop()
        if depth > MOST_DEPTH:
            raise _refused("graphs are nested too deeply; control flow (If, Loop, Scan) cannot be imported")
        yield graph
        for node in graph.node:
            for attribute in node.attribute:
                inner = [attribute.g] if attribute.HasField("g") else []
                waiting += [(nested, depth + 1) for nested in (*inner, *attribute.graphs)]


def _tensors(graph: onnx.GraphProto | onnx.FunctionProto) -> Iterator[onnx.TensorProto]:
    if isinstance(graph, onnx.GraphProto):
        yield from graph.initializer
        for sparse in graph.sparse_initializer:
            yield from (sparse.values, sparse.indices)
    attributes = [attribute for node in graph.node for attribute in node.attribute]
    if isinstance(graph, onnx.FunctionProto):
        attributes += list(graph.attribute_proto)
    for attribute in attributes:
        if attribute.HasField("t"):
            yield attribute.t
        yield from attribute.tensors
        sparse_tensors = [attribute.sparse_tensor] if attribute.HasField("sparse_tensor") else []
        for sparse in (*sparse_tensors, *attribute.sparse_tensors):
            yield from (sparse.values, sparse.indices)


def _screen_tensor(tensor: onnx.TensorProto) -> None:
    name = tensor.name[:80]
    if tensor.data_location == onnx.TensorProto.EXTERNAL or len(tensor.external_data):
        raise _refused(f"the tensor {name!r} is kept in another file; {_TAKEN}")
    if tensor.data_type not in _NUMBERS:
        kind = onnx.TensorProto.DataType.Name(tensor.data_type) if tensor.data_type in _TYPES else tensor.data_type
        raise _refused(f"the tensor {name!r} holds {kind}; only numbers are taken")
    elements = 1
    for extent in tensor.dims:
        elements *= extent if 0 <= extent <= MOST_ELEMENTS else MOST_ELEMENTS + 1
        if elements > MOST_ELEMENTS:
            raise _refused(f"the tensor {name!r} claims the shape {list(tensor.dims)[:8]}; that is too large")
    if tensor.raw_data and len(tensor.raw_data) * 8 < elements:
        raise _refused(f"the tensor {name!r} claims {elements} elements, but has {len(tensor.raw_data)} bytes")


def _screen_value(entry: onnx.ValueInfoProto) -> None:
    for dimension in entry.type.tensor_type.shape.dim:
        if dimension.HasField("dim_value") and not -1 <= dimension.dim_value <= MOST_EXTENT:
            raise _refused(f"{entry.name[:80]!r} has an axis of {dimension.dim_value}")


def _looks_like_safetensors(content: bytes) -> bool:
    length = int.from_bytes(content[:8], "little")
    return len(content) > 9 and length <= len(content) - 8 and content[8:9] == b"{"


def _screen_safetensors(content: bytes) -> None:
    length = int.from_bytes(content[:8], "little")
    if not _looks_like_safetensors(content) or length > MOST_SAFETENSORS_HEADER_BYTES:
        raise _refused("this is not a safetensors file; leave out `architecture` for an ONNX model")
    try:
        header = json.loads(content[8 : 8 + length])
    except (ValueError, RecursionError):
        raise _refused("this is not a safetensors file: its header is not JSON") from None
    room = len(content) - 8 - length
    for name, entry in header.items() if isinstance(header, dict) else ():
        if name != "__metadata__" and not _is_within(entry, room):
            raise _refused(f"the tensor {name[:80]!r} lies outside of the file")


def _is_within(entry: object, room: int) -> bool:
    offsets = entry.get("data_offsets") if isinstance(entry, dict) else None
    if not isinstance(offsets, list) or len(offsets) != 2 or not all(type(offset) is int for offset in offsets):
        return False
    return bool(0 <= offsets[0] <= offsets[1] <= room)


def _refused(why: str) -> InvalidModel:
    return InvalidModel(why, field="model")
