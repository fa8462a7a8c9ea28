"""A device known by measurement: rows of unit -> time, and a header that says how, where and when they were taken."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from hw_models import document as checks
from hw_models.device import Calibration, Prediction, Source, UnitCost, predict
from hw_models.fusion import Execution, Layout
from hw_models.interpolation import GRAIN_US, FamilyModel, family_of
from hw_models.units import Unit
from paretrim.errors import InvalidPolicy, InvalidTable, NotMeasured
from paretrim.network import Network, Operation, SizedOperation, axis_channels
from paretrim.problem import FULL_PRECISION, Bits, Policy

_FIELDS = frozenset(
    {
        "format",
        "version",
        "name",
        "kind",
        "hardware",
        "runtime",
        "method",
        "noise",
        "kernels",
        "fusion",
        "layout",
        "steps",
        "calibration",
        "interpolation",
        "validation",
        "rows",
    }
)
#: no machine does more than this within one operation; rows that claim it lie
_MOST_MACS_PER_US = 1e10
_STEP_MOST = 1024
#: half width of the interval, as a share, where a kind of operation was never measured and others stand in for it
STAND_IN_ERROR = 1.0
_LAYERS_STAND_IN = ("conv2d.fp32", "linear.fp32", "conv2d.blocked.fp32", "conv2d.int8")
_MOVES_STAND_IN = ("add.fp32", "relu.fp32", "reorder_output.fp32", "concat.fp32", "global_avg_pool.fp32")


@dataclass(frozen=True, slots=True)
class Row:
    """What was measured of one unit, in microseconds. Percentiles are of repeated runs in context."""

    latency_us: float
    source: Source = "measured"
    isolated_us: float | None = None
    percentiles_us: Mapping[str, float] | None = None
    samples: int = 0
    repeat_error: float = 0.0  #: of two halves of the samples, as a share
    energy_uj: float | None = None

    def to_json(self, unit: Unit) -> dict[str, Any]:
        """The row as it stands in the document."""
        plain: dict[str, Any] = {"op": unit.to_json(), "latency_us": self.latency_us, "source": self.source}
        optional = {
            "isolated_us": self.isolated_us,
            "percentiles_us": dict(self.percentiles_us) if self.percentiles_us else None,
            "samples": self.samples or None,
            "repeat_error": self.repeat_error or None,
            "energy_uj": self.energy_uj,
        }
        return plain | {name: value for name, value in optional.items() if value is not None}


class TableDevice:
    """A device whose units were measured. What the table lacks is interpolated or raises NotMeasured; it is never 0."""

    kind = "table"

    def __init__(self, document: Mapping[str, Any]) -> None:
        header = checks.check_header(document, known=_FIELDS)
        self.name: str = header["name"]
        self.facts = {name: checks.facts(header, name) for name in ("hardware", "runtime", "method", "noise")}
        if "validation" in header:  # how the table did on networks it had never seen
            self.facts["validation"] = checks.facts(header, "validation")
        self.batch = checks.whole(self.facts["runtime"].get("batch", 1), "device.runtime.batch", most=1 << 16)
        self.execution = _execution(header)
        self.steps = _steps(header)
        self.calibration = _calibration(header)
        self._calibration_facts = dict(checks.mapping(header.get("calibration", {}), "device.calibration"))
        self.rows = _rows(header, batch=self.batch)
        self.interpolation = _interpolation(header)
        self._interpolated: dict[Unit, UnitCost] = {}
        power = [row.energy_uj / row.latency_us for row in self.rows.values() if row.energy_uj is not None]
        self._watts = sorted(power)[len(power) // 2] if power else None  # microjoules a microsecond

    def legal_bits(self, operation: Operation | SizedOperation) -> tuple[Bits, ...]:
        """The kernels that the runtime has for this kind of layer."""
        return self.execution.kernels if operation.is_layer else (FULL_PRECISION,)

    def channel_step(self, operation: Operation | SizedOperation, bits: Bits) -> int:
        """The step found by the profiler for this kind of layer at the bits it would run at; 1 if none was found."""
        kernel = self.execution.executed(bits)
        return self.steps.get(f"{step_kind(operation)}.{'int8' if kernel.activation <= 8 else 'fp32'}", 1)

    def unit_cost(self, unit: Unit) -> UnitCost:
        """The time of a unit: measured, else interpolated. Raises NotMeasured if the table can do neither."""
        row = self.rows.get(unit)
        if row is None:
            return self._interpolate(unit)
        error = row.repeat_error
        return UnitCost(
            latency_ms=row.latency_us / 1e3,
            low_ms=row.latency_us * (1 - min(error, 0.9)) / 1e3,
            high_ms=row.latency_us * (1 + error) / 1e3,
            source=row.source,
            energy_mj=None if row.energy_uj is None else row.energy_uj / 1e3,
        )

    def _interpolate(self, unit: Unit) -> UnitCost:
        known = self._interpolated.get(unit)
        if known is not None:
            return known
        model = self.interpolation.get(family_of(unit))
        margin = model.error if model is not None else 0.0
        if model is None:
            model = self._stand_in(unit)
            margin = max(model.error, STAND_IN_ERROR)
        latency_us = model.predict_us(unit)
        cost = UnitCost(
            latency_ms=latency_us / 1e3,
            low_ms=max(latency_us - margin * (latency_us + GRAIN_US), 0.0) / 1e3,
            high_ms=(latency_us + margin * (latency_us + GRAIN_US)) / 1e3,
            source="interpolated",
            energy_mj=None if self._watts is None else self._watts * latency_us / 1e3,
        )
        self._interpolated[unit] = cost
        return cost

    def _stand_in(self, unit: Unit) -> FamilyModel:
        """The law of other units that move as much or compute as much. Raises NotMeasured if there is none."""
        same = [family for family in self.interpolation if family.split(".")[0] == unit.kind]
        for family in (*same, *(_LAYERS_STAND_IN if unit.is_layer or unit.macs else _MOVES_STAND_IN)):
            if family in self.interpolation:
                return self.interpolation[family]
        raise NotMeasured(
            f"device {self.name!r} has no figure for {describe(unit)} and none like it to interpolate from;"
            " on the device itself, profile it again with this model"
        )

    def predict(self, network: Network, policy: Policy) -> Prediction:
        """The time of a network under a policy. Raises NotMeasured, InvalidPolicy."""
        return predict(self, network, policy)

    def document(self) -> dict[str, Any]:
        """JSON that this device can be loaded from again."""
        return {
            "format": checks.FORMAT,
            "version": checks.VERSION,
            "name": self.name,
            "kind": self.kind,
            **self.facts,
            "kernels": [[bits.weight, bits.activation] for bits in self.execution.kernels],
            "fusion": {name: sorted(chains) for name, chains in self.execution.fusion.items()},
            "layout": layout_json(self.execution.layout),
            "steps": dict(self.steps),
            "calibration": self._calibration_facts,
            "interpolation": {family: model.to_json() for family, model in self.interpolation.items()},
            "rows": [row.to_json(unit) for unit, row in self.rows.items()],
        }


def step_kind(operation: Operation | SizedOperation) -> str:
    """Layers that share channel steps: kind, split by depthwise and 1x1."""
    if operation.kind != "conv2d":
        return operation.kind
    in_channels = operation.in_channels if isinstance(operation, SizedOperation) else axis_channels(operation.in_axis)
    if operation.groups > 1 and operation.groups == in_channels:
        return "depthwise2d"
    return "conv2d_1x1" if all(extent == 1 for extent in operation.kernel) else "conv2d"


def describe(unit: Unit) -> str:
    """A unit in words, for messages."""
    hw = "x".join(map(str, unit.in_hw)) or "-"
    kernel = "x".join(map(str, unit.kernel))
    fused = "".join(f"+{kind}" for kind in unit.fused)
    bits = f"W{unit.weight_bits}A{unit.activation_bits}"
    return f"{unit.kind}{fused} {kernel} {unit.in_channels}->{unit.out_channels} at {hw} {bits}".replace("  ", " ")


def _execution(document: Mapping[str, Any]) -> Execution:
    fusion = {
        precision: frozenset(_names(chains, f"device.fusion.{precision}"))
        for precision, chains in checks.mapping(document.get("fusion", {}), "device.fusion").items()
    }
    layout = _layout(document.get("layout"))
    return Execution(kernels=checks.kernels(document), fusion=fusion, layout=layout)


def _layout(value: Any) -> Layout | None:
    if value is None:
        return None
    part = checks.mapping(value, "device.layout")
    return Layout(
        block=checks.whole(part.get("block", 0), "device.layout.block", least=0, most=256),
        align=checks.whole(part.get("align", 1), "device.layout.align", most=256),
        channels_last=_truth(part.get("channels_last", False), "device.layout.channels_last"),
        everywhere=_truth(part.get("everywhere", False), "device.layout.everywhere"),
    )


def layout_json(layout: Layout | None) -> dict[str, Any] | None:
    """The layout as it stands in the document."""
    if layout is None:
        return None
    plain = {"block": layout.block, "align": layout.align, "channels_last": layout.channels_last}
    return plain | ({"everywhere": True} if layout.everywhere else {})


def _truth(value: Any, where: str) -> bool:
    if not isinstance(value, bool):
        raise InvalidTable(f"{where} must be true or false", field=where)
    return value


def _interpolation(document: Mapping[str, Any]) -> dict[str, FamilyModel]:
    part = checks.mapping(document.get("interpolation") or {}, "device.interpolation")
    if len(part) > 256:
        raise InvalidTable("has more than 256 families", field="device.interpolation")
    return {family: FamilyModel.from_json(value, f"device.interpolation.{family}") for family, value in part.items()}


def _names(value: Any, where: str) -> Iterable[str]:
    for name in checks.listed(value, where):
        if not isinstance(name, str) or len(name) > 200:
            raise InvalidTable(f"{where} must hold names of operations, got {name!r}", field=where)
        yield name


def _steps(document: Mapping[str, Any]) -> dict[str, int]:
    steps = checks.mapping(document.get("steps", {}), "device.steps")
    return {name: checks.whole(step, f"device.steps.{name}", most=_STEP_MOST) for name, step in steps.items()}


def _calibration(document: Mapping[str, Any]) -> Calibration:
    part = checks.mapping(document.get("calibration", {}), "device.calibration")
    return Calibration(
        scale=checks.positive(part.get("scale", 1.0), "device.calibration.scale", most=100.0),
        constant_ms=checks.number(part.get("constant_ms", 0.0), "device.calibration.constant_ms", most=1e5),
        error=checks.number(part.get("error", 0.0), "device.calibration.error", most=10.0),
    )


def _rows(document: Mapping[str, Any], *, batch: int) -> dict[Unit, Row]:
    rows: dict[Unit, Row] = {}
    for index, entry in enumerate(checks.listed(document.get("rows"), "device.rows", most=checks.MOST_ROWS)):
        where = f"device.rows[{index}]"
        unit, row = _row(checks.mapping(entry, where), where)
        if unit.batch != batch:
            raise InvalidTable(f"{where} is of batch {unit.batch}, the table of {batch}", field=f"{where}.op.batch")
        if unit in rows:
            raise InvalidTable(f"{where} repeats {describe(unit)}; keep one of them", field=where)
        rows[unit] = row
    return rows


def _row(entry: Mapping[str, Any], where: str) -> tuple[Unit, Row]:
    unknown = set(entry) - {"op", "latency_us", "source", *Row.__dataclass_fields__}
    if unknown:
        raise InvalidTable(f"{where} has an unknown part {sorted(unknown)[0]!r}", field=where)
    try:
        unit = Unit.from_json(checks.mapping(entry.get("op"), f"{where}.op"))
    except (TypeError, InvalidPolicy, InvalidTable) as error:
        raise InvalidTable(f"{where}.op cannot be read: {error}; profile it again", field=f"{where}.op") from None
    latency_us = checks.positive(entry.get("latency_us"), f"{where}.latency_us", most=checks.LONGEST_US)
    if latency_us < checks.SHORTEST_US or unit.macs > _MOST_MACS_PER_US * latency_us:
        raise InvalidTable(
            f"{where}: {describe(unit)} cannot run in {latency_us:g} microseconds; profile it again",
            field=f"{where}.latency_us",
        )
    source = entry.get("source", "measured")
    if source not in checks.SOURCES:
        raise InvalidTable(f"{where}.source must be one of {', '.join(checks.SOURCES)}", field=f"{where}.source")
    percentiles = checks.mapping(entry.get("percentiles_us") or {}, f"{where}.percentiles_us")
    return unit, Row(
        latency_us=latency_us,
        source=cast(Source, source),
        isolated_us=_optional(entry, "isolated_us", where),
        percentiles_us={name: checks.positive(value, f"{where}.{name}") for name, value in percentiles.items()} or None,
        samples=checks.whole(entry.get("samples", 0), f"{where}.samples", least=0, most=1 << 31),
        repeat_error=checks.number(entry.get("repeat_error", 0.0), f"{where}.repeat_error", most=10.0),
        energy_uj=_optional(entry, "energy_uj", where),
    )


def _optional(entry: Mapping[str, Any], name: str, where: str) -> float | None:
    value = entry.get(name)
    return None if value is None else checks.positive(value, f"{where}.{name}")
