"""A `torch.nn.Module` in the user's process becomes ONNX there: no code of the user's ever travels.

The service wants the network as it was trained. So batch normalisation is exported in its evaluation form and *not*
folded into the convolution before it, weights keep their names and are not shared between layers by accident, and
the file is whole: no external data.
"""

from __future__ import annotations

import io
import warnings
from importlib import import_module
from typing import Any

from paretrim.errors import InvalidModel, ParetrimError

OPSET = 17  # the lowest that holds every operator the importer knows; the exporter is most tried there


def export_module(module: Any, example_input: Any) -> bytes:
    """A module as the bytes of an ONNX file, its batch dimension free.

    example_input: a tensor (n, *shape) the module takes; or an array, which becomes one. The module is left as it
    was, its training mode included. Raises InvalidModel.
    """
    torch = _torch()
    if not isinstance(module, torch.nn.Module):
        raise InvalidModel(
            f"{type(module).__name__} is neither a path, nor the bytes of a file, nor a torch.nn.Module", field="model"
        )
    if example_input is None:
        raise InvalidModel(
            "a torch.nn.Module needs an example of its input: upload(module, example_input=x)", field="example_input"
        )
    modes = {name: part.training for name, part in module.named_modules()}
    module.eval()
    fused = torch.backends.mha.get_fastpath_enabled()  # attention in one operation has no form in ONNX
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with torch.no_grad():
            content = _export(torch, module, _on_device_of(torch, module, example_input))
    finally:
        torch.backends.mha.set_fastpath_enabled(fused)
        for name, part in module.named_modules():
            part.training = modes[name]
    return _with_own_weights(content)


def _export(torch: Any, module: Any, example: Any) -> bytes:
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        # The exporter that traces is deprecated, but the newer one needs onnxscript and renames the weights.
        warnings.simplefilter("ignore", DeprecationWarning)
        try:
            torch.onnx.export(
                module,
                (example,),
                buffer,
                dynamo=False,
                training=torch.onnx.TrainingMode.PRESERVE,  # EVAL would fold batch normalisation into convolutions
                do_constant_folding=False,
                opset_version=OPSET,
                input_names=["input"],
                output_names=["output"],
                dynamic_axes={"input": {0: "batch"}, "output": {0: "batch"}},
            )
        except Exception as error:
            line = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
            raise InvalidModel(f"torch could not export the module to ONNX: {line}", field="model") from error
    return buffer.getvalue()


def _on_device_of(torch: Any, module: Any, example: Any) -> Any:
    tensor = torch.as_tensor(example)
    weights = next(iter(module.parameters()), None)
    return tensor if weights is None else tensor.to(weights.device)


def _with_own_weights(content: bytes) -> bytes:
    """Give every layer its own copy of its weights.

    The exporter keeps one of several equal tensors (two fresh batch normalisations, say) and puts Identity nodes
    before the others, as if the layers shared them by intention.
    """
    import onnx

    proto = onnx.load_model_from_string(content)
    graph = proto.graph
    weights = {tensor.name: tensor for tensor in graph.initializer}
    outputs = {value.name for value in graph.output}
    for node in list(graph.node):
        if node.op_type == "Identity" and node.input[0] in weights and node.output[0] not in outputs:
            copy = graph.initializer.add()
            copy.CopyFrom(weights[node.input[0]])
            copy.name = node.output[0]
            graph.node.remove(node)
    written: bytes = proto.SerializeToString()
    return written


def _torch() -> Any:
    """torch, if the user has it: it is theirs, and nothing here depends on it."""
    try:
        import_module("onnx")  # wanted a little later; better to say so before the long export
        return import_module("torch")
    except ImportError as error:
        raise ParetrimError(f"uploading a module needs {error.name}: pip install 'paretrim[torch]'") from None
