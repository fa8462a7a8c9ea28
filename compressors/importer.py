"""ONNX to torch: walks the file's nodes in order, works out constants, and turns the rest into modules."""

from __future__ import annotations

from collections import Counter

import onnx
import torch
from onnx import helper, numpy_helper
from torch import fx

from compressors.constants import FOLDED, fold
from compressors.imported import Imported
from compressors.naming import Names
from compressors.onnx_file import open_onnx, opset_of
from compressors.operators import READERS
from compressors.reading import BATCH, Builder, Const, Node, Value, extents
from compressors.simplify import simplify
from paretrim.errors import InvalidModel, UnsupportedOperation

_INPUT_TYPES: dict[int, torch.dtype] = {
    onnx.TensorProto.FLOAT: torch.float32,
    onnx.TensorProto.INT64: torch.int64,
    onnx.TensorProto.INT32: torch.int32,
    onnx.TensorProto.UINT8: torch.uint8,
}
SUPPORTED = tuple(sorted({*READERS, *FOLDED, "If"}))


def read_onnx(content: bytes) -> Imported:
    """A single-file ONNX network as a trainable torch graph; its batch size becomes free.

    Raises InvalidModel if the file cannot be taken, UnsupportedOperation if it holds an operator that cannot be
    imported.
    """
    model = open_onnx(content)
    opset = opset_of(model)
    graph = model.graph
    tensors: dict[str, Value | Const] = {t.name: Const(numpy_helper.to_array(t), t.name) for t in graph.initializer}
    given = [entry for entry in graph.input if entry.name not in tensors]
    if len(given) != 1 or len(graph.output) != 1:
        raise InvalidModel(
            f"the network has {len(given)} inputs and {len(graph.output)} outputs; it must have one of each",
            field="model",
        )
    build = Builder(Names())
    build.names.reserve(graph.node, tensors)
    shape, dtype, build.batch = _input(given[0])
    source = build.input(shape, dtype)
    tensors[given[0].name] = source
    _walk(graph, opset, tensors, build)
    result = tensors.get(graph.output[0].name)
    if not isinstance(result, Value) or result is source:
        raise InvalidModel("the network's output does not depend on its input", field="model")
    if result.batch_axis != 0 or result.shape[0] != BATCH:
        raise InvalidModel("the first axis of the network's output must be the batch", field="model")
    build.graph.output(result.node)
    simplify(build)
    return Imported(
        module=finish(build),
        input_name=given[0].name,
        input_shape=tuple(shape[1:]),
        output_name=graph.output[0].name,
        output_shape=extents(result.shape)[1:],
        opset=opset,
        input_dtype=dtype,
        warnings=tuple(build.warnings),
    )


def finish(build: Builder) -> fx.GraphModule:
    """The graph as a module; operations nobody reads are dropped."""
    for node in reversed(build.graph.nodes):
        if node.op == "call_module" and not node.users:
            build.graph.erase_node(node)
    used = {str(node.target) for node in build.graph.nodes if node.op == "call_module"}
    module = fx.GraphModule({name: held for name, held in build.modules.items() if name in used}, build.graph)
    return module.eval()


def _input(entry: onnx.ValueInfoProto) -> tuple[list[int], torch.dtype, int | None]:
    """Shape with BATCH in front, type, and the batch size if the file fixes it."""
    tensor = entry.type.tensor_type
    dtype = _INPUT_TYPES.get(tensor.elem_type)
    if dtype is None:
        kind = helper.tensor_dtype_to_string(tensor.elem_type) if tensor.elem_type else "no tensor"
        raise InvalidModel(f"the input {entry.name!r} is {kind}; use float32, int64, int32 or uint8", field="model")
    dims = [dim.dim_value if dim.HasField("dim_value") else -1 for dim in tensor.shape.dim]
    if len(dims) < 2:
        raise InvalidModel(f"the input {entry.name!r} needs a batch axis and at least one other", field="model")
    if any(extent < 1 for extent in dims[1:]):
        raise InvalidModel(
            f"the input {entry.name!r} has shape {['?' if extent < 1 else extent for extent in dims]}; only its first "
            "axis, the batch, may be free: export the network with fixed other extents",
            field="model",
        )
    if max(dims) >= BATCH:
        raise InvalidModel(f"the input {entry.name!r} has shape {dims}; an extent is too large", field="model")
    return [BATCH, *dims[1:]], dtype, dims[0] if dims[0] > 0 else None


def _walk(graph: onnx.GraphProto, opset: int, tensors: dict[str, Value | Const], build: Builder) -> None:
    uses = _uses(graph)
    needed, read = _needed(graph), frozenset(uses)
    for proto in graph.node:
        if not any(name in needed for name in proto.output):
            continue
        missing = [name for name in proto.input if name and name not in tensors]
        if missing:
            what = proto.name or proto.op_type
            raise InvalidModel(f"node {what!r} reads {missing[0]!r}, which nothing before it makes", field="model")
        given = tuple(tensors[name] if name else None for name in proto.input)
        node = Node(proto, given, opset, SUPPORTED, read)
        made = _branch(node, tensors, build) if proto.op_type == "If" else _make(node, build)
        for name, value in zip(proto.output, made, strict=False):
            tensors[name] = value
            if isinstance(value, Value):
                build.uses[value.node] = build.uses.get(value.node, 0) + uses[name]


def _uses(graph: onnx.GraphProto) -> Counter[str]:
    """How often each tensor is read, by nodes, by branches inside them, and as the graph's output."""
    uses = Counter(name for node in graph.node for name in node.input)
    uses.update(entry.name for entry in graph.output)
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("g"):
                uses.update(_uses(attribute.g))
    return uses


def _branch(node: Node, tensors: dict[str, Value | Const], build: Builder) -> list[Value | Const]:
    """An If whose condition is known by now: what its branch makes."""
    if not isinstance(node.inputs[0], Const):
        raise node.refusal("its condition depends on the network's input")
    wanted = "then_branch" if bool(node.constant(0).reshape(-1)[0]) else "else_branch"
    graph = next(attribute.g for attribute in node.proto.attribute if attribute.name == wanted)
    inner = dict(tensors)
    inner.update((t.name, Const(numpy_helper.to_array(t), t.name)) for t in graph.initializer)
    _walk(graph, node.opset, inner, build)
    return [inner[entry.name] for entry in graph.output]


def _needed(graph: onnx.GraphProto) -> set[str]:
    """Names of the tensors that the output depends on."""
    needed = {entry.name for entry in graph.output}
    for proto in reversed(graph.node):
        if any(name in needed for name in proto.output):
            needed.update(proto.input)
            for attribute in proto.attribute:
                if attribute.HasField("g"):
                    needed.update(_uses(attribute.g))
    return needed


def _make(node: Node, build: Builder) -> list[Value] | list[Const]:
    folded = fold(node)
    if folded is not None:
        return folded
    reader = READERS.get(node.op)
    if reader is None:
        raise UnsupportedOperation(
            f"node {node.proto.name or node.proto.output[0]!r} is a {node.op}, which cannot be imported. "
            f"Operators that can be imported: {', '.join(SUPPORTED)}",
            operator=node.op,
            node=node.proto.name or node.proto.output[0],
            supported=SUPPORTED,
        )
    made = reader(node, build)
    return made if isinstance(made, list) else [made]
