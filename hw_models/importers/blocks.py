"""Tables of whole blocks: inverted residual blocks of ProxylessNAS and Once-for-All, and TF-NAS's.

A block is a unit of kind `block.mbconv`. No network of ours is lowered to blocks; such tables are for summing up the
networks that they are of (`block_latency_ms`), and a block that is missing is named, never taken for nothing.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from hw_models.importers.rows import ForeignTable, checked_unit
from hw_models.importers.text import json_of, number, text_of
from hw_models.table import TableDevice
from hw_models.units import Unit
from paretrim.errors import InvalidTable, NotMeasured
from paretrim.problem import Bits

_TOP = re.compile(r"^(?P<key>[^\s#][^\s]*):\s*$")
_FIELD = re.compile(r"^\s+(?P<name>[a-z0-9]+):\s*(?P<value>[-+.0-9eE]+)\s*$")
_KEY = re.compile(
    r"^(?P<kind>[A-Za-z0-9_]+)-input:(?P<input>[0-9x]+)-output:(?P<output>[0-9x]+)(?P<rest>(?:-[a-z]+:[0-9.]+)*)$"
)
_KINDS = {"expanded_conv": "block.mbconv"}


def read_mbconv_yaml(content: bytes, options: Mapping[str, str]) -> ForeignTable:
    """Entries `NAME-input:HxWxC-output:HxWxC[-expand:E-kernel:K-stride:S-...]:` with mean, and std or var, in ms."""
    del options
    table = ForeignTable(
        kernels=(Bits(),),
        runtime={"name": "unknown", "version": "unknown"},
        hardware={"cpu_model": "a phone, see the table's source"},
        smooth=False,
    )
    for key, entry in _entries(text_of(content)).items():
        if "mean" not in entry:
            raise InvalidTable(f"entry {key!r} has no mean", field="file")
        spread = entry.get("std", math.sqrt(max(0.0, entry.get("var", 0.0))))
        mean = entry["mean"]
        table.add(
            key,
            block_unit(key),
            1e3 * mean,
            samples=int(entry.get("count", 0)),
            error=1.645 * spread / mean if mean > 0 else 0.0,
        )
    table.notes.append("times of blocks: for summing up networks of the same blocks, not for policies")
    return table


def _entries(text: str) -> dict[str, dict[str, float]]:
    """The one shape of YAML that these files have: names, and beneath them numbers. Nothing else is YAML here."""
    entries: dict[str, dict[str, float]] = {}
    current: dict[str, float] | None = None
    for line_number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        top, inner = _TOP.match(line), _FIELD.match(line)
        if top is not None:
            if top["key"] in entries:
                raise InvalidTable(f"line {line_number}: {top['key']!r} is there twice", field="file")
            current = entries.setdefault(top["key"], {})
        elif inner is not None and current is not None:
            current[inner["name"]] = number(inner["value"], f"line {line_number}")
        else:
            raise InvalidTable(f"line {line_number} is not `name:` or `  field: number`: {line[:60]!r}", field="file")
    return entries


def block_unit(key: str) -> Unit:
    """The unit of a key as ProxylessNAS and Once-for-All write it. Raises InvalidTable."""
    match = _KEY.match(key)
    if match is None:
        raise InvalidTable(f"{key[:80]!r} is not NAME-input:HxWxC-output:HxWxC-...", field="file")
    *in_hw, in_channels = (int(part) for part in match["input"].split("x"))
    *out_hw, out_channels = (int(part) for part in match["output"].split("x"))
    extra = {}
    for part in filter(None, match["rest"].split("-")):
        name, value = part.split(":")
        extra[name] = round(100 * float(value)) if name == "expand" else int(float(value))
    kernel, stride = extra.pop("kernel", 0), extra.pop("stride", 0)
    shape: dict[str, Any] = {"kernel": [kernel] * 2} if kernel else {}
    shape |= {"stride": [stride] * 2} if stride else {}
    return checked_unit(
        kind=_KINDS.get(match["kind"], f"block.{match['kind'].lower()}"),
        in_channels=in_channels,
        out_channels=out_channels,
        in_hw=in_hw,
        out_hw=out_hw,
        extra=extra,
        **shape,
    )


def block_latency_ms(device: TableDevice, keys: Sequence[str]) -> float:
    """The sum of some blocks of an imported table, in milliseconds. Raises NotMeasured naming all that it lacks."""
    units = [block_unit(key) for key in keys]
    missing = [key for key, unit in zip(keys, units, strict=True) if unit not in device.rows]
    if missing:
        raise NotMeasured(f"device {device.name!r} has no figure for {len(missing)} blocks: {', '.join(missing)}")
    return sum(device.rows[unit].latency_us for unit in units) / 1e3


def read_tfnas(content: bytes, options: Mapping[str, str]) -> ForeignTable:
    """TF-NAS's tables, written as JSON: {"base": ms, BLOCK: {middle channels: ms}}, BLOCK as above or the like."""
    del options
    found = json_of(content)
    if not isinstance(found, Mapping):
        raise InvalidTable("a TF-NAS table is a JSON object of blocks", field="file")
    table = ForeignTable(
        kernels=(Bits(),), runtime={"name": "pytorch", "version": "unknown"}, hardware={"cpu_model": "unknown"}
    )
    table.smooth = False
    for block, widths in found.items():
        if not isinstance(widths, Mapping):
            table.notes.append(f"{block} = {number(widths, block):g} ms belongs to every network and is not in a row")
            continue
        for width, milliseconds in widths.items():
            unit = _tfnas_unit(block, int(number(width, f"{block}: middle channels")))
            table.add(f"{block}[{width}]", unit, 1e3 * number(milliseconds, f"{block}[{width}]"))
    return table


def _tfnas_unit(block: str, width: int) -> Unit:
    """Numbers of a block's name, in order, make its identity; the middle channels are an extra."""
    numbers = [int(text) for text in re.findall(r"\d+", block)][:16]
    kind = re.sub(r"[^a-z]+", ".", block.lower()).strip(".")[:60] or "block"
    extra = {f"n{position:02d}": value for position, value in enumerate(numbers)}
    return checked_unit(kind=f"block.{kind}", in_channels=1, out_channels=1, extra={**extra, "middle": width})
