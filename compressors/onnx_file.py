"""Opens an ONNX file somebody has sent: bounds first, then the parser, then everything that is refused on sight."""

from __future__ import annotations

import onnx
from google.protobuf.message import DecodeError

from paretrim.errors import InvalidModel

#: limits on an uploaded model
MOST_BYTES = 1 << 30
MOST_NODES = 20_000
MOST_INITIALIZERS = 50_000
DEEPEST = 4  #: of conditions within conditions
OPSETS = range(11, 24)  #: of the default operator set


def open_onnx(content: bytes) -> onnx.ModelProto:
    """Parse and check. Raises InvalidModel saying what is wrong and what to do."""
    if len(content) > MOST_BYTES:
        raise _refused(f"the file has {len(content)} bytes; at most {MOST_BYTES} are taken")
    try:
        model = onnx.load_model_from_string(content)
    except (DecodeError, ValueError) as error:
        raise _refused("this is not an ONNX file; export the network to ONNX and upload that") from error
    _check_graph(model)
    return model


def opset_of(model: onnx.ModelProto) -> int:
    """Version of the default operator set. Raises InvalidModel if it is not one that can be read."""
    foreign = sorted({entry.domain for entry in model.opset_import} - {"", "ai.onnx"})
    used = {node.domain for node in model.graph.node} - {"", "ai.onnx"}
    if used:
        raise _refused(
            f"it uses operators of the domain {', '.join(sorted(used))}; only standard ONNX operators can be imported"
        )
    versions = [entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")]
    if not versions:
        raise _refused(f"it names no version of the ONNX operators (only {', '.join(foreign) or 'nothing'})")
    if versions[0] not in OPSETS:
        raise _refused(f"it uses opset {versions[0]}; opsets {OPSETS[0]} to {OPSETS[-1]} can be imported")
    return int(versions[0])


def _check_graph(model: onnx.ModelProto) -> None:
    graph = model.graph
    if not graph.node:
        raise _refused("this is not an ONNX file with a network in it; export the network to ONNX and upload that")
    if len(model.functions):
        raise _refused("it defines functions of its own; inline them (onnx.inliner.inline_local_functions)")
    nodes = len(graph.node)
    if nodes > MOST_NODES:
        raise _refused(f"it has {nodes} nodes; at most {MOST_NODES} can be imported")
    if len(graph.initializer) > MOST_INITIALIZERS:
        raise _refused(f"it has {len(graph.initializer)} initializers; at most {MOST_INITIALIZERS} can be imported")
    if len(graph.sparse_initializer):
        raise _refused("it holds sparse tensors; store them dense")
    _check_parts(graph, depth=0)


def _check_parts(graph: onnx.GraphProto, depth: int) -> None:
    if depth > DEEPEST:
        raise _refused(f"its conditions are nested more than {DEEPEST} deep")
    for tensor in graph.initializer:
        _check_tensor(tensor)
    for node in graph.node:
        for attribute in node.attribute:
            _check_attribute(node, attribute, depth)


def _check_attribute(node: onnx.NodeProto, attribute: onnx.AttributeProto, depth: int) -> None:
    if attribute.HasField("g") or len(attribute.graphs):
        if node.op_type != "If" or len(attribute.graphs):
            raise _refused(
                f"node {node.name or node.op_type!r} ({node.op_type}) holds a graph of its own; "
                "loops (Loop, Scan) cannot be imported"
            )
        _check_parts(attribute.g, depth + 1)
    if attribute.HasField("sparse_tensor") or len(attribute.sparse_tensors):
        raise _refused(f"node {node.name or node.op_type!r} holds a sparse tensor; store it dense")
    if attribute.ref_attr_name:
        raise _refused(f"node {node.name or node.op_type!r} refers to an attribute of a function")
    for tensor in (attribute.t, *attribute.tensors):
        _check_tensor(tensor)


def _check_tensor(tensor: onnx.TensorProto) -> None:
    if tensor.data_location == onnx.TensorProto.EXTERNAL or len(tensor.external_data):
        raise _refused(
            f"the tensor {tensor.name!r} is kept in another file; save the model as a single file "
            "(torch.onnx.export(..., external_data=False))"
        )
    elements = 1
    for extent in tensor.dims:
        if extent < 0:
            raise _refused(f"the tensor {tensor.name!r} has a negative extent")
        elements *= extent
    if elements > MOST_BYTES:
        raise _refused(f"the tensor {tensor.name!r} claims {elements} elements")


def _refused(why: str) -> InvalidModel:
    return InvalidModel(f"the model cannot be taken: {why}", field="model")
