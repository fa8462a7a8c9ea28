"""A device's times along the channels of one operation: where its steps are, what was measured, what is worked out."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

from hw_models.device import Device
from hw_models.devices import load_device
from hw_models.table import TableDevice
from hw_models.units import Unit
from paretrim.errors import InvalidTable, NotMeasured
from paretrim.wire_overview import DeviceShape, Sweep, SweepSeries

Along = Literal["out_channels", "in_channels"]
MOST_SHAPES = 400
MOST_CHANNELS = 512
MOST_SERIES = 8

#: what can be looked at on a device that is a formula, which has no rows to begin with
_TYPICAL = (
    Unit("conv2d", 32, 32, (16, 16), (16, 16), (3, 3), (1, 1), (1, 1, 1, 1), (1, 1)),
    Unit("conv2d", 64, 64, (8, 8), (8, 8), (1, 1), (1, 1), (0, 0, 0, 0), (1, 1)),
    Unit("conv2d", 64, 64, (16, 16), (16, 16), (3, 3), (1, 1), (1, 1, 1, 1), (1, 1), groups=64),
    Unit("linear", 256, 128),
)


def shapes(document: Mapping[str, Any]) -> list[DeviceShape]:
    """The layers whose times can be looked at: those a table has most rows of first."""
    device = load_device(document)
    groups: dict[Unit, list[Unit]] = {}
    for unit in _layers(device):
        groups.setdefault(_shape(unit), []).append(unit)
    ranked = sorted(groups.items(), key=lambda item: (_rank(item[0]), -len(item[1])))[:MOST_SHAPES]
    measured = isinstance(device, TableDevice)
    return [
        DeviceShape(op=shape.to_json(), label=_label(shape), rows=len(units) if measured else 0)
        for shape, units in ranked
    ]


def _rank(shape: Unit) -> int:
    """Wide kernels first, then 1x1 and depthwise ones, then all else: what a network spends its time on."""
    if shape.kind != "conv2d":
        return 3
    if ("depthwise", 1) in shape.extra:
        return 2
    return 0 if max(shape.kernel, default=1) > 1 else 1


def _layers(device: Device) -> Iterator[Unit]:
    yield from (unit for unit in device.rows if unit.is_layer) if isinstance(device, TableDevice) else _TYPICAL


def _shape(unit: Unit) -> Unit:
    """What units of one picture share: all but their output channels, bits and layout."""
    plain = replace(unit, weight_bits=32, activation_bits=32, output_bits=32, layout="")
    return (
        replace(plain, in_channels=1, out_channels=1, groups=1, extra=(*unit.extra, ("depthwise", 1)))
        if (unit.is_depthwise)
        else replace(plain, out_channels=unit.groups)
    )


def _label(shape: Unit) -> str:
    kernel = "×".join(map(str, shape.kernel)) or ""
    hw = "×".join(map(str, shape.in_hw))
    depthwise = ("depthwise", 1) in shape.extra
    parts = [
        "depthwise" if depthwise else shape.kind,
        kernel,
        f"stride {shape.stride[0]}" if shape.stride and max(shape.stride) > 1 else "",
        "" if depthwise else f"{shape.in_channels} channels in",
        f"at {hw}" if hw else "",
        f"with {' and '.join(shape.fused)}" if shape.fused else "",
    ]
    return " ".join(part for part in parts if part)


def sweep(document: Mapping[str, Any], op: str, along: Along, most: int | None) -> Sweep:
    """The times of one shape at 1, 2, 3, ... channels, at each precision. Raises InvalidTable if `op` is no shape."""
    device = load_device(document)
    shape = _read(op)
    alike = [unit for unit in _layers(device) if _same(unit, shape, along)]
    if not alike:
        raise InvalidTable("the device has no such operation; take one that its list names", field="op")
    top = most or min(MOST_CHANNELS, max(64, 5 * max(getattr(unit, along) for unit in alike) // 4))
    variants = _variants(device, alike)
    return Sweep(
        op=shape.to_json(),
        label=_label(shape),
        along=along,
        series=[_series(device, base, units, along, min(top, MOST_CHANNELS)) for base, units in variants],
    )


def _read(op: str) -> Unit:
    try:
        return Unit.from_json(json.loads(op))
    except (ValueError, TypeError) as error:
        raise InvalidTable(f"op cannot be read: {error}", field="op") from None


def _same(unit: Unit, shape: Unit, along: Along) -> bool:
    own = _shape(unit)
    if along == "in_channels" and not unit.is_depthwise:
        own, shape = replace(own, in_channels=1), replace(shape, in_channels=1)
    return own == shape


def _variants(device: Device, units: Sequence[Unit]) -> list[tuple[Unit, list[Unit]]]:
    """The precisions and layouts that occur, each with one unit to start from and all that were measured."""
    if not isinstance(device, TableDevice):
        kernels = [bits for bits in device.execution.kernels if bits.weight == bits.activation]
        base = units[0]
        return [
            (replace(base, weight_bits=k.weight, activation_bits=k.activation, output_bits=k.activation), [])
            for k in (kernels or list(device.execution.kernels))[:MOST_SERIES]
        ]
    found: dict[tuple[Any, ...], list[Unit]] = {}
    for unit in units:
        found.setdefault((unit.activation_bits, unit.weight_bits, unit.output_bits, unit.layout), []).append(unit)
    ranked = sorted(found.values(), key=lambda group: -len(group))[:MOST_SERIES]
    return [(group[0], group) for group in ranked]


def _series(device: Device, base: Unit, measured: Sequence[Unit], along: Along, top: int) -> SweepSeries:
    channels, costs, missing = [], [], None
    for count in range(1, top + 1):
        try:
            cost = device.unit_cost(_with(base, along, count))
        except NotMeasured as error:
            missing = str(error)
            continue
        channels.append(count)
        costs.append(cost)
    own = [(getattr(u, along), u) for u in measured if _with(base, along, getattr(u, along)) == u]
    points = [(count, device.unit_cost(unit).latency_ms) for count, unit in own]
    bits = f"W{base.weight_bits} A{base.activation_bits}" if base.activation_bits <= 8 else "floating point"
    return SweepSeries(
        label=" ".join(part for part in (bits, base.layout) if part),
        weight_bits=base.weight_bits,
        activation_bits=base.activation_bits,
        layout=base.layout,
        channels=channels,
        latency_ms=[_rounded(cost.latency_ms) for cost in costs],
        low_ms=[_rounded(cost.low_ms) for cost in costs],
        high_ms=[_rounded(cost.high_ms) for cost in costs],
        source=[cost.source for cost in costs],
        measured_channels=[count for count, _ in points],
        measured_ms=[_rounded(ms) for _, ms in points],
        missing=missing,
    )


def _with(unit: Unit, along: Along, count: int) -> Unit:
    if unit.is_depthwise:
        return replace(unit, in_channels=count, out_channels=count, groups=count)
    return replace(unit, out_channels=count) if along == "out_channels" else replace(unit, in_channels=count)


def _rounded(value: float) -> float:
    return float(f"{value:.5g}")
