"""What paretrim sees in a model file, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from compressors import describe
from hw_models.advice import Advice, advise
from hw_models.cost import Costs, counts, macs
from hw_models.device import claims
from hw_models.devices import load_device
from hw_models.profiler.host import outdated
from paretrim.network import axis_channels
from paretrim.problem import UNCHANGED
from search.basis import read_model


def inspect_model(content: bytes, architecture: str | None, device: Mapping[str, Any] | None) -> dict[str, Any]:
    """Input, output, costs, layers and groups; on a device also latency, as a whole and by operation.

    Raises InvalidModel, InvalidTable, NotMeasured.
    """
    imported = read_model(content, architecture)
    network = describe(imported)
    operations = network.sized(UNCHANGED)
    loaded = load_device(device) if device is not None else None
    prediction = Costs(network, loaded).predict(UNCHANGED) if loaded is not None else None
    times = prediction.by_operation if prediction is not None else {}
    layers = [
        {
            "layer": layer.name,
            "kind": layer.kind,
            "in": axis_channels(layer.in_axis),
            "out": axis_channels(layer.out_axis),
            "kernel": list(layer.kernel),
            "macs": macs([operation]),
            **({"latency_ms": times.get(layer.name)} if prediction is not None else {}),
        }
        for layer, operation in ((network.by_name[o.name], o) for o in operations if o.is_layer)
    ]
    return {
        "input": f"{imported.input_name} {imported.input_shape}",
        "output": f"{imported.output_name} {imported.output_shape}",
        **counts(operations),
        "latency_ms": prediction.latency_ms if prediction is not None else None,
        "energy_mj": prediction.energy_mj if prediction is not None else None,
        "claims": "; ".join(claims(device)) or "predicted from measured operations" if device is not None else None,
        "advice": advise(network, loaded).to_json() if loaded is not None else None,
        "layers": layers,
        "groups": [
            {"group": group.name, "units": group.units, "kind": group.kind, "frozen": group.frozen or ""}
            for group in network.groups
        ],
        "warnings": [*imported.warnings, *(outdated(device) if device is not None else ())],
    }


def advice_for(content: bytes, architecture: str | None, device: Mapping[str, Any]) -> Advice:
    """What binds a model on a device, and what that suggests. Raises InvalidModel, InvalidTable, NotMeasured."""
    return advise(describe(read_model(content, architecture)), load_device(device))
