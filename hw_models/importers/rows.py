"""Collects what a foreign table says, row by row, and refuses what cannot be true."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hw_models import document as checks
from hw_models.interpolation import fit
from hw_models.table import Row, TableDevice
from hw_models.units import Unit
from paretrim.errors import InvalidTable
from paretrim.problem import Bits

#: more entries than any published table has
MOST_ENTRIES = 400_000


@dataclass
class ForeignTable:
    """Rows of one foreign table and what is known of where they were taken."""

    kernels: tuple[Bits, ...]
    runtime: Mapping[str, Any]
    hardware: Mapping[str, Any]
    batch: int = 1
    steps: Mapping[str, int] = field(default_factory=dict)
    smooth: bool = True  #: whether units that are missing may be interpolated; not for blocks, which obey no one law
    rows: dict[Unit, Row] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)  #: what was left out, and what a reader should know
    wrong: list[str] = field(default_factory=list)

    def add(
        self,
        key: str,
        unit: Unit,
        latency_us: Any,
        *,
        percentiles_us: Mapping[str, float] | None = None,
        samples: int = 0,
        error: float = 0.0,
        energy_uj: float | None = None,
    ) -> None:
        """One entry. error: its spread, as a share. What cannot be true is kept for `check`."""
        if len(self.rows) > MOST_ENTRIES:
            raise InvalidTable(f"the table has more than {MOST_ENTRIES} entries", field="file")
        if not _possible(latency_us):
            self.wrong.append(f"{key!r} takes {latency_us!r} microseconds")
            return
        row = Row(
            latency_us=float(latency_us),
            source="imported",
            percentiles_us=percentiles_us,
            samples=samples,
            repeat_error=min(10.0, max(0.0, error)),
            energy_uj=energy_uj,
        )
        if self.rows.get(unit, row) != row:
            self.wrong.append(f"{key!r} says something else than an entry before it of the same operation")
        self.rows[unit] = row

    def check(self) -> None:
        """Raises InvalidTable if anything was wrong, or nothing was there."""
        if self.wrong:
            total = len(self.rows) + len(self.wrong)
            raise InvalidTable(
                f"{len(self.wrong)} of {total} entries cannot be true, the first: {self.wrong[0]}. Times that were"
                " smoothed or fitted by a straight line come out like that; ask for the measured ones",
                field="file",
            )
        if not self.rows:
            raise InvalidTable("no entry of the table could be read; is it of this --format?", field="file")

    def document(self, name: str, source: Mapping[str, Any]) -> dict[str, Any]:
        """A device document, checked. source: of the file, for the header."""
        self.check()
        figures = {unit: row.latency_us for unit, row in self.rows.items()} if self.smooth else {}
        document = {
            "format": checks.FORMAT,
            "version": checks.VERSION,
            "name": name,
            "kind": TableDevice.kind,
            "hardware": dict(self.hardware),
            "runtime": {**self.runtime, "batch": self.batch},
            "method": {"mode": "imported", **source, "notes": list(self.notes)},
            "noise": {},
            "kernels": [[bits.weight, bits.activation] for bits in self.kernels],
            "fusion": _CHAINS,
            "layout": None,
            "steps": dict(self.steps),
            "calibration": {"scale": 1.0, "constant_ms": 0.0, "error": 0.15},
            "interpolation": {family: model.to_json() for family, model in fit(figures).items()},
            "rows": [row.to_json(unit) for unit, row in self.rows.items()],
        }
        return TableDevice(document).document()


_ACTS = ("relu", "relu6", "clip")
#: a layer of a foreign table includes the activation behind it
_CHAINS = {
    kind: [f"{layer}+{act}" for layer in ("conv2d", "linear") for act in _ACTS] + ["conv2d+add", "conv2d+add+relu"]
    for kind in ("fp32", "int8")
}


def conv(
    batch: int,
    channels: Sequence[int],
    in_hw: tuple[int, int],
    *,
    kernel: int | tuple[int, int],
    stride: int = 1,
    padding: int | None = None,
    groups: int = 1,
    bits: Bits | None = None,
    fused: tuple[str, ...] = (),
) -> Unit:
    """A convolution's unit from what foreign keys say of it. channels: in, out."""
    taps = (kernel, kernel) if isinstance(kernel, int) else kernel
    pads = tuple((extent - 1) // 2 if padding is None else padding for extent in taps)
    out = tuple((extent + 2 * pad - tap) // stride + 1 for extent, pad, tap in zip(in_hw, pads, taps, strict=True))
    wide = bits or Bits()
    return checked_unit(
        kind="conv2d",
        in_channels=channels[0],
        out_channels=channels[1],
        in_hw=list(in_hw),
        out_hw=list(out),
        kernel=list(taps),
        stride=[stride, stride],
        padding=[*pads, *pads],
        dilation=[1, 1],
        groups=groups,
        weight_bits=wide.weight,
        activation_bits=wide.activation,
        output_bits=wide.activation,
        fused=list(fused),
        batch=batch,
    )


def checked_unit(**shape: Any) -> Unit:
    """A unit of a foreign table. Raises InvalidTable."""
    try:
        return Unit.from_json(shape)
    except TypeError as error:
        raise InvalidTable(f"an entry's shape cannot be read: {error}", field="file") from None


def _possible(value: Any) -> bool:
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        return False
    return checks.SHORTEST_US <= value <= checks.LONGEST_US
