"""Looks into an uploaded model. Runs in the inspector's jail; the web process never imports this."""

from __future__ import annotations

import math
from typing import Any

from paretrim.errors import InvalidModel
from service.screening import screen_model

MOST_MACS = 10**13


def inspect_model(content: bytes, architecture: str | None) -> dict[str, Any]:
    """What the network is, as JSON. Raises InvalidModel with the reason why it is not taken."""
    screen_model(content, architecture)
    import torch

    from compressors import describe, read_onnx
    from hw_models.counts import macs, operation_weights
    from paretrim.problem import UNCHANGED

    torch.set_num_threads(1)
    if architecture is None:
        imported = read_onnx(content)
    else:
        from compressors import read_safetensors

        imported = read_safetensors(content, architecture)
    network = describe(imported)
    sized = network.sized(UNCHANGED)
    if not any(operation.is_layer for operation in sized):
        raise InvalidModel("the network has no layer that holds weights", field="model")
    work = macs(sized)
    if work > MOST_MACS:
        raise InvalidModel(f"one input takes {work} multiply-adds; at most {MOST_MACS} are taken", field="model")
    return {
        "input_name": imported.input_name,
        "input_shape": list(imported.input_shape),
        "output_name": imported.output_name,
        "output_shape": list(imported.output_shape),
        "classes": imported.output_shape[-1] if len(imported.output_shape) == 1 else None,
        "parameters": sum(math.prod(weight.shape) for weight in imported.module.parameters()),
        "macs": work,
        "layers": [
            {"name": op.name, "kind": op.kind, "in_channels": op.in_channels, "out_channels": op.out_channels}
            | {"weights": operation_weights(op)}
            for op in sized
            if op.is_layer
        ],
        "groups": [
            {"name": group.name, "units": group.units, "producers": list(group.producers), "frozen": group.frozen}
            for group in network.groups
        ],
        "network": network.to_json(),
        "opset": imported.opset,
        "warnings": list(imported.warnings),
    }
