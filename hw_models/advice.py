"""Where a network's time, energy, memory and storage go on a device, what binds it, and what to do about that."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hw_models.cost import counts
from hw_models.counts import (
    folded_batch_norms,
    operation_bytes,
    operation_macs,
    tensor_bits,
)
from hw_models.device import Device, UnitCost
from hw_models.fusion import CONVERSIONS, Placed
from hw_models.limits import exceeded, limits
from hw_models.lowering import lower
from hw_models.table import TableDevice
from hw_models.units import Unit
from paretrim.network import Network, SizedOperation
from paretrim.problem import UNCHANGED

#: a share of the time from which a kind of cost is worth naming
NOTABLE = 0.15
#: share of a device's memory or flash from which on it binds
NEARLY_FULL = 0.8
RESOURCES = ("compute", "bandwidth", "peak memory", "storage")
_WORDS = {"memory": "bandwidth", "storage": "storage", "compute": "compute", "overhead": "overhead"}


@dataclass(frozen=True, slots=True)
class Advice:
    """What binds a network on a device, and what that suggests."""

    binds: str  #: one of `RESOURCES`
    why: str
    objectives: tuple[str, ...]
    actions: tuple[str, ...]
    time_shares: Mapping[str, float]  #: of the time, by compute, bandwidth, storage, overhead, conversions
    layers: tuple[Mapping[str, Any], ...]  #: by operation: time, energy, macs, parameters, activations, what binds it
    infeasible: tuple[str, ...]  #: why it cannot run there at all

    def __str__(self) -> str:
        return f"{self.binds} binds: {self.why}. Suggested: {'; '.join(self.actions)}"

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "binds": self.binds,
            "why": self.why,
            "objectives": list(self.objectives),
            "actions": list(self.actions),
            "time_shares": {name: round(share, 4) for name, share in self.time_shares.items()},
            "infeasible": list(self.infeasible),
            "layers": [dict(layer) for layer in self.layers],
        }


def advise(network: Network, device: Device) -> Advice:
    """The advice for a network as it is, at the bits its layers would run at. Raises NotMeasured."""
    operations = network.sized(UNCHANGED)
    placed = lower(operations, device.execution, batch=device.batch)
    costs = {item.name: device.unit_cost(item.unit) for item in placed}  # one of the same name has the same unit
    speeds = _Speeds.of(device)
    bound = {item.name: costs[item.name].bound or speeds.bound(item.unit, costs[item.name]) for item in placed}
    layers = _layers(operations, placed, costs, bound)
    shares = _time_shares(placed, costs, bound, device)
    document = device.document()
    figures = counts(_as_held(operations, device))
    reasons = exceeded(figures, document)
    binds, why = _binding(shares, figures, document)
    return Advice(
        binds=binds,
        why=why,
        objectives=_objectives(binds, energy=all(cost.energy_mj is not None for cost in costs.values())),
        actions=_actions(binds, shares, layers, device),
        time_shares=shares,
        layers=layers,
        infeasible=tuple(reasons),
    )


@dataclass(frozen=True, slots=True)
class _Speeds:
    """The best speeds that a table shows: what a unit could take if only arithmetic, or only traffic, counted.

    By precision (8 bits, or more): multiply-adds and bytes per microsecond that one unit in twenty exceeds.
    """

    macs_per_us: Mapping[bool, float]
    bytes_per_us: float

    @classmethod
    def of(cls, device: Device) -> _Speeds:
        rows = device.rows if isinstance(device, TableDevice) else {}
        macs: dict[bool, list[float]] = {True: [], False: []}
        moved: list[float] = []
        for unit, row in rows.items():
            if unit.macs:
                macs[unit.activation_bits <= 8].append(unit.macs / row.latency_us)
            elif row.latency_us > 2:
                moved.append(_bytes(unit) / row.latency_us)
        best = {narrow: _upper(values) for narrow, values in macs.items()}
        return cls(best, _upper(moved))

    def bound(self, unit: Unit, cost: UnitCost) -> str:
        """What a measured unit is bound by: whichever of arithmetic, traffic and being started explains more of it."""
        time_us = cost.latency_ms * 1e3
        parts = {
            "compute": unit.macs / self.macs_per_us[unit.activation_bits <= 8],
            "memory": _bytes(unit) / self.bytes_per_us,
            "overhead": 0.5,
        }
        found = max(parts, key=parts.__getitem__)
        return "compute" if unit.macs and time_us > 4 * parts[found] else found


def _upper(values: Sequence[float]) -> float:
    return sorted(values)[math.floor(0.95 * (len(values) - 1))] if values else 1e4


def _bytes(unit: Unit) -> float:
    weights = unit.weights * unit.weight_bits / 8
    return weights + unit.elements_in * unit.activation_bits / 8 + unit.elements_out * unit.output_bits / 8


def _layers(
    operations: Sequence[SizedOperation],
    placed: Sequence[Placed],
    costs: Mapping[str, UnitCost],
    bound: Mapping[str, str],
) -> tuple[Mapping[str, Any], ...]:
    """One entry per unit in order; conversions are entries of their own."""
    by_name = {operation.name: operation for operation in operations}
    with_bias = set(folded_batch_norms(operations).values())
    bits = tensor_bits(operations)
    total_ms = sum(costs[item.name].latency_ms for item in placed) or 1.0
    entries = []
    for item in placed:
        cost = costs[item.name]
        operation = by_name.get(item.name)
        last = by_name.get(item.covers[-1]) if item.covers else None
        entries.append(
            {
                "operation": item.name,
                "kind": item.unit.kind,
                "latency_ms": cost.latency_ms,
                "time_share": cost.latency_ms / total_ms,
                "energy_mj": cost.energy_mj,
                "macs": operation_macs(operation) if operation is not None else 0,
                "size_bytes": operation_bytes(operation, bias=operation.bias or operation.name in with_bias)
                if operation is not None
                else 0,
                "activation_bytes": _held(last, bits) if last is not None else 0,
                "bound": "conversion" if item.unit.kind in CONVERSIONS else _WORDS[bound[item.name]],
                "source": cost.source,
            }
        )
    return tuple(entries)


def _held(operation: SizedOperation, bits: Mapping[str, int]) -> int:
    each = 1 if bits[operation.name] <= 8 else 2 if bits[operation.name] <= 16 else 4
    return operation.out_channels * math.prod(operation.out_hw) * each


def _time_shares(
    placed: Sequence[Placed], costs: Mapping[str, UnitCost], bound: Mapping[str, str], device: Device
) -> dict[str, float]:
    shares = dict.fromkeys(("compute", "bandwidth", "storage", "overhead", "conversions"), 0.0)
    for item in placed:
        name = "conversions" if item.unit.kind in CONVERSIONS else _WORDS[bound[item.name]]
        shares[name] += costs[item.name].latency_ms * device.calibration.scale
    shares["overhead"] += device.calibration.constant_ms
    total = sum(shares.values()) or 1.0
    return {name: value / total for name, value in shares.items()}


def _as_held(operations: Sequence[SizedOperation], device: Device) -> tuple[SizedOperation, ...]:
    """The operations at the bits of the device's widest kernel, if they are wider: it holds nothing wider than that."""
    kernels = device.execution.kernels
    weight, activation = max(k.weight for k in kernels), max(k.activation for k in kernels)
    return tuple(
        replace(
            operation,
            weight_bits=min(operation.weight_bits, weight),
            activation_bits=min(operation.activation_bits, activation),
        )
        if operation.is_layer
        else operation
        for operation in operations
    )


def _binding(shares: Mapping[str, float], figures: Mapping[str, int], document: Mapping[str, Any]) -> tuple[str, str]:
    for metric, bound in limits(document).items():
        full = figures[metric] / bound
        resource = "storage" if metric == "size_bytes" else "peak memory"
        if full >= NEARLY_FULL:
            return resource, f"{metric} is {full:.0%} of the {bound:,} bytes that the device has"
    timed = {name: shares[name] for name in ("compute", "bandwidth", "storage")}
    most = max(timed, key=timed.__getitem__)
    return most, f"{timed[most]:.0%} of the time goes to operations that {most} binds"


def _objectives(binds: str, *, energy: bool) -> tuple[str, ...]:
    chosen = {
        "compute": ("accuracy", "latency_ms"),
        "bandwidth": ("accuracy", "latency_ms", "peak_memory_bytes"),
        "peak memory": ("accuracy", "peak_memory_bytes", "latency_ms"),
        "storage": ("accuracy", "size_bytes", "latency_ms"),
    }[binds]
    return (*chosen, "energy_mj") if energy and binds == "compute" else chosen


def _actions(
    binds: str, shares: Mapping[str, float], layers: Sequence[Mapping[str, Any]], device: Device
) -> tuple[str, ...]:
    slowest = [layer["operation"] for layer in sorted(layers, key=lambda layer: -layer["latency_ms"])[:3]]
    largest = [layer["operation"] for layer in sorted(layers, key=lambda layer: -layer["size_bytes"])[:3]]
    widest = [layer["operation"] for layer in sorted(layers, key=lambda layer: -layer["activation_bytes"])[:3]]
    narrow = any(bits.activation <= 8 for bits in device.execution.kernels)
    told = {
        "compute": [
            f"prune channels where the time is: {', '.join(slowest)}, in multiples of the device's channel steps",
            "quantize weights and activations to 8 bits" if narrow else "this device gains nothing from fewer bits",
        ],
        "bandwidth": [
            f"prune the channels of the widest results: {', '.join(widest)}",
            "quantize activations: every halving of their bits halves the traffic",
        ],
        "peak memory": [
            f"prune the channels that are alive at the peak: {', '.join(widest)}",
            "quantize activations to 8 bits" if narrow else "reduce the resolution of the input",
        ],
        "storage": [
            f"prune or quantize the weights of {', '.join(largest)}",
            "fewer weight bits save storage even where they save no time",
        ],
    }[binds]
    if shares["conversions"] >= NOTABLE:
        told.append(
            f"{shares['conversions']:.0%} of the time goes to conversions: keep neighbouring layers at one precision"
        )
    if shares["overhead"] >= NOTABLE:
        told.append(f"{shares['overhead']:.0%} of the time goes to starting operations: remove whole blocks")
    return tuple(told)
