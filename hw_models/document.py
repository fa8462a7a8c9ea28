"""The device document: JSON, versioned, checked field by field when it is read. A table that lies is refused here.

See docs/latency-tables.md for every field.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from paretrim.errors import InvalidTable
from paretrim.problem import Bits

FORMAT = "paretrim-device"
VERSION = 1

_NAME = re.compile(r"^[a-z0-9][a-z0-9._-]{0,62}$")
MOST_ROWS = 1_000_000
#: one operation that takes longer than a minute, or is over in less than a nanosecond, was not measured
LONGEST_US, SHORTEST_US = 60e6, 1e-3
SOURCES = ("measured", "interpolated", "analytic", "imported")


def check_header(document: Any, *, known: frozenset[str]) -> Mapping[str, Any]:
    """Check what all device documents share. Raises InvalidTable naming the field and the remedy."""
    if not isinstance(document, Mapping):
        raise InvalidTable("a device is a JSON object; see docs/latency-tables.md", field="device")
    if document.get("format") != FORMAT:
        raise InvalidTable(f"format must be {FORMAT!r}; `paretrim profile` writes it", field="device.format")
    if document.get("version") != VERSION:
        raise InvalidTable(
            f"version {document.get('version')!r} of the format is not known, only {VERSION}; profile the device again",
            field="device.version",
        )
    unknown = sorted(set(document) - known)
    if unknown:
        raise InvalidTable(f"a device has no {', '.join(map(str, unknown))}", field=f"device.{unknown[0]}")
    name = document.get("name")
    if not isinstance(name, str) or not _NAME.match(name):
        raise InvalidTable(
            f"name must be 1 to 63 of a-z 0-9 . _ - and begin with a letter or digit, got {name!r}", field="device.name"
        )
    return document


def whole(value: Any, where: str, *, least: int = 1, most: int = 1 << 20) -> int:
    """A whole number within bounds."""
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise InvalidTable(f"must be a whole number from {least} to {most}, got {value!r}", field=where)
    return value


def number(value: Any, where: str, *, least: float = 0.0, most: float = math.inf) -> float:
    """A finite number within bounds."""
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        raise InvalidTable(f"{where} must be a finite number, got {value!r}", field=where)
    if not least <= value <= most:
        raise InvalidTable(f"{where} must be from {least:g} to {most:g}, got {value!r}", field=where)
    return float(value)


def positive(value: Any, where: str, *, most: float = math.inf) -> float:
    """A finite number above zero."""
    checked = number(value, where, most=most)
    if checked <= 0:
        raise InvalidTable(f"{where} must be above 0, got {value!r}: nothing takes no time", field=where)
    return checked


def mapping(value: Any, where: str) -> Mapping[str, Any]:
    """A JSON object with text keys."""
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise InvalidTable(f"{where} must be a JSON object", field=where)
    return value


def listed(value: Any, where: str, *, most: int = 10_000) -> list[Any]:
    """A JSON array that is not absurdly long."""
    if not isinstance(value, list | tuple):
        raise InvalidTable(f"{where} must be a JSON array", field=where)
    if len(value) > most:
        raise InvalidTable(f"{where} has {len(value)} entries, more than {most}", field=where)
    return list(value)


def kernels(document: Mapping[str, Any]) -> tuple[Bits, ...]:
    """The bit-widths a device has kernels for: `[[weight, activation], ...]`."""
    found = []
    for pair in listed(document.get("kernels"), "device.kernels", most=256):
        if not isinstance(pair, list | tuple) or len(pair) != 2:
            raise InvalidTable(f"must hold pairs [weight bits, activation bits], got {pair!r}", field="device.kernels")
        try:
            found.append(Bits(*pair))
        except ValueError as error:
            raise InvalidTable(str(error), field="device.kernels") from None
    if not found:
        raise InvalidTable("must name at least one pair of bit-widths, e.g. [[32, 32], [8, 8]]", field="device.kernels")
    return tuple(dict.fromkeys(found))


def facts(document: Mapping[str, Any], name: str) -> dict[str, Any]:
    """A free-form part of the header (hardware, runtime, method, noise): plain values only, and few."""
    part = mapping(document.get(name, {}), f"device.{name}")
    if len(part) > 64:
        raise InvalidTable(f"has {len(part)} entries, more than 64", field=f"device.{name}")
    for key, value in part.items():
        flat = value if isinstance(value, list) else value.values() if isinstance(value, Mapping) else [value]
        for item in flat:
            plain = item is None or isinstance(item, str | int | bool)
            if not plain and not (isinstance(item, float) and math.isfinite(item)):
                raise InvalidTable(f"must hold plain values, got {item!r}", field=f"device.{name}.{key}")
    return dict(part)
