"""Tables of blocks under short names: single-path-nas, nn-Meter's block tables, DenseNAS.

As with other tables of blocks, no network of ours is lowered to them: `named_unit` and `placed_unit` say under which
unit an entry stands, so that networks of the same blocks can be summed up.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hw_models.importers.rows import ForeignTable, checked_unit
from hw_models.importers.text import json_of, number
from hw_models.units import Unit
from paretrim.errors import InvalidTable
from paretrim.problem import Bits

_NUMBER = re.compile(r"^\d+(\.\d+)?$")
_PHONE = {"cpu_model": "a phone, see the table's source"}
_BLOCKS = "times of blocks: for summing up networks of the same blocks, not for policies"
#: nesting deeper than that is no table
_DEEPEST = 12


def read_single_path(content: bytes, options: Mapping[str, str]) -> ForeignTable:
    """`{block: {operation: ms}}`, both numbered from 0: 22 blocks of 4 operations each in the published file."""
    del options
    table = _table("tflite", _PHONE)
    for block, operations in _object(json_of(content), "the table").items():
        for operation, milliseconds in _object(operations, f"block {block!r}").items():
            key = f"{block}/{operation}"
            table.add(key, placed_unit("single_path", (_index(block), _index(operation))), _us(milliseconds, key))
    return table


def read_nn_meter(content: bytes, options: Mapping[str, str]) -> ForeignTable:
    """`{NAME_n1_n2_...: ms}`: blocks and operations by name and numbers, as nn-Meter's own tables write them."""
    del options
    table = _table("see the table's source", {"cpu_model": "see the table's source"})
    for key, milliseconds in _object(json_of(content), "the table").items():
        table.add(key, named_unit(key), _us(milliseconds, key))
    return table


def read_densenas(content: bytes, options: Mapping[str, str]) -> ForeignTable:
    """Lists within lists, the times at the bottom: a time's place, from the outermost list inwards, is its name."""
    del options
    found = json_of(content)
    if not isinstance(found, list):
        raise InvalidTable("a DenseNAS table is a list of lists of times in ms", field="file")
    table = _table("see the table's source", {"cpu_model": "see the table's source"})
    table.batch = 32
    for place, milliseconds in _leaves(found):
        key = "/".join(map(str, place))
        table.add(key, placed_unit("densenas", place, batch=32), _us(milliseconds, key))
    table.notes.append("of batch 32, by the names of the published files")
    return table


def named_unit(key: str) -> Unit:
    """The unit of an nn-Meter key: its words are the kind, its numbers (hundredths, where they have a point) in order
    its identity. Raises InvalidTable."""
    parts = key.split("_")
    if len(parts) < 3 or len(parts) > 16 or not parts[0].isalnum():
        raise InvalidTable(f"{key[:80]!r} is not NAME_NUMBER_...", field="file")
    words = [re.sub(r"[^a-z0-9]+", "", part.lower()) for part in parts if not _NUMBER.match(part)]
    places = [(place, part) for place, part in enumerate(parts) if _NUMBER.match(part)]
    if not places:
        raise InvalidTable(f"{key[:80]!r} has no numbers; is it of this --format?", field="file")
    extra = {f"n{place:02d}": round(100 * float(part)) if "." in part else int(part) for place, part in places}
    points = {f"p{place:02d}": 1 for place, part in places if "." in part}
    return checked_unit(kind="block." + ".".join(words)[:60], in_channels=1, out_channels=1, extra=extra | points)


def placed_unit(kind: str, place: Sequence[int], *, batch: int = 1) -> Unit:
    """The unit of an entry that has no name but its place."""
    extra = {f"n{depth:02d}": index for depth, index in enumerate(place)}
    return checked_unit(kind=f"block.{kind}", in_channels=1, out_channels=1, batch=batch, extra=extra)


def _table(runtime: str, hardware: Mapping[str, Any]) -> ForeignTable:
    return ForeignTable(
        kernels=(Bits(),),
        runtime={"name": runtime, "version": "unknown"},
        hardware=hardware,
        smooth=False,
        notes=[_BLOCKS],
    )


def _leaves(value: Any, place: tuple[int, ...] = ()) -> Iterator[tuple[tuple[int, ...], Any]]:
    if not isinstance(value, list):
        yield place, value
        return
    if len(place) >= _DEEPEST:
        raise InvalidTable(f"lists at {'/'.join(map(str, place))} are nested too deeply", field="file")
    for index, inner in enumerate(value):
        yield from _leaves(inner, (*place, index))


def _object(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise InvalidTable(f"{where} must be a JSON object", field="file")
    return value


def _index(text: str) -> int:
    if not re.fullmatch(r"\d{1,4}", text):
        raise InvalidTable(f"{text[:40]!r} is not the number of a block or operation", field="file")
    return int(text)


def _us(milliseconds: Any, key: str) -> float:
    """Microseconds; raises InvalidTable for what is no number, e.g. NaN or text."""
    if isinstance(milliseconds, bool | str) or milliseconds is None:
        raise InvalidTable(f"{key[:80]}: {str(milliseconds)[:40]!r} is not a number", field="file")
    value = 1e3 * number(milliseconds, key[:80])
    return value if math.isfinite(value) else math.inf
