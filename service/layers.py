"""A candidate layer by layer: what is left, at how many bits, and what it costs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from hw_models.counts import operation_bytes, operation_macs
from hw_models.devices import load_device
from paretrim import wire
from paretrim.errors import NotMeasured
from paretrim.network import Network, SizedOperation
from paretrim.problem import UNCHANGED, Policy


def table(
    network_json: Mapping[str, Any],
    document: bytes,
    preparation: Mapping[str, Any] | None,
    policy_json: Mapping[str, Any],
) -> wire.LayerTable:
    """All layers under a policy, beside the original's."""
    network = Network.from_json(network_json)
    policy = Policy.from_json(policy_json)
    # a job may have measured what its device's table lacked: then it used the document it prepared
    used = (preparation or {}).get("device") or json.loads(document)
    before = _figures(network, UNCHANGED, used)
    after = _figures(network, policy, used)
    gone = wire.LayerFigures(in_channels=0, out_channels=0, weight_bits=32, activation_bits=32, macs=0, size_bytes=0)
    return wire.LayerTable(
        layers=[
            wire.LayerView(
                name=layer.name,
                kind=layer.kind,
                removed=layer.name not in after,
                original=before[layer.name],
                **after.get(layer.name, gone).model_dump(),
            )
            for layer in network.layers
        ]
    )


def _figures(network: Network, policy: Policy, document: Mapping[str, Any]) -> dict[str, wire.LayerFigures]:
    times = _times(network, policy, document)
    names = {layer.name for layer in network.layers}
    figures: dict[str, wire.LayerFigures] = {}
    for op in network.sized(policy):
        if not op.is_layer:
            continue
        owner = op.name if op.name in names else op.name.rpartition(".part")[0]  # a layer of lower rank is several
        own = _layer(op, times.get(op.name))
        figures[owner] = _together(figures[owner], own) if owner in figures else own
    return figures


def _together(before: wire.LayerFigures, behind: wire.LayerFigures) -> wire.LayerFigures:
    """Of two operations in a row that stand for one layer."""
    times = (before.latency_ms, behind.latency_ms)
    return before.model_copy(
        update={
            "out_channels": behind.out_channels,
            "macs": before.macs + behind.macs,
            "size_bytes": before.size_bytes + behind.size_bytes,
            "latency_ms": None if times[0] is None or times[1] is None else times[0] + times[1],
        }
    )


def _times(network: Network, policy: Policy, document: Mapping[str, Any]) -> Mapping[str, float]:
    try:
        return load_device(document).predict(network, policy).by_operation
    except NotMeasured:
        return {}


def _layer(operation: SizedOperation, latency_ms: float | None) -> wire.LayerFigures:
    return wire.LayerFigures(
        in_channels=operation.in_channels,
        out_channels=operation.out_channels,
        weight_bits=operation.weight_bits,
        activation_bits=operation.activation_bits,
        macs=operation_macs(operation),
        size_bytes=operation_bytes(operation, bias=operation.bias),
        latency_ms=latency_ms,
    )
