"""Reads text and JSON of foreign tables without surprises: bounded, no duplicates, no code."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from paretrim.errors import InvalidInput, InvalidTable


def text_of(content: bytes) -> str:
    """UTF-8 text. Raises InvalidTable."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidTable("the file is not text in UTF-8; is it of this --format?", field="file") from None


def json_of(content: bytes) -> Any:
    """JSON without repeated keys and without NaN. Raises InvalidTable."""
    try:
        return json.loads(text_of(content), object_pairs_hook=_unique, parse_constant=_refused)
    except (ValueError, RecursionError) as error:
        raise InvalidTable(f"the file is not JSON: {error}", field="file") from None


def number(text: object, where: str) -> float:
    """A finite number; text as well. Raises InvalidTable."""
    try:
        value = float(str(text))
    except ValueError:
        raise InvalidTable(f"{where}: {str(text)[:40]!r} is not a number", field="file") from None
    if not math.isfinite(value):
        raise InvalidTable(f"{where}: {str(text)[:40]!r} is not a finite number", field="file")
    return value


def whole_option(options: Mapping[str, str], name: str, default: int) -> int:
    """An option that is a whole number of at least 1. Raises InvalidInput."""
    try:
        value = int(options.get(name, default))
    except ValueError:
        value = 0
    if value < 1:
        raise InvalidInput(f"{name} must be a whole number from 1, got {options[name]!r}", field=name)
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{twice!r} is there twice")
    return found


def _refused(value: str) -> Any:
    raise ValueError(f"{value} is not a number")
