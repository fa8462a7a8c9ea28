"""How the command line says things: data on stdout as table, JSON or CSV; everything else on stderr."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import pydantic

if TYPE_CHECKING:
    from rich.console import Console

#: where nobody looks at a terminal, tables are as wide as they need
_FILE_WIDTH = 400


class Output(StrEnum):
    """How data is written."""

    table = "table"
    json = "json"
    csv = "csv"


Row = Mapping[str, Any]


def console(*, stderr: bool = False) -> Console:
    """Where a person reads. Colours only on a terminal, and never where NO_COLOR is set."""
    from rich.console import Console

    file = sys.stderr if stderr else sys.stdout
    return Console(file=file, width=None if file.isatty() else _FILE_WIDTH, highlight=False, soft_wrap=stderr)


def say(text: str, *, style: str | None = None) -> None:
    """Tell the person something that is no data."""
    console(stderr=True).print(printable(text, lines=True), style=style, markup=False)


def emit_rows(rows: Iterable[Row], columns: Sequence[str], output: Output, *, whole: Sequence[Any] = ()) -> None:
    """Write a list. `columns` are shown in tables and CSV; JSON holds `whole`, or else the rows."""
    listed = list(rows)
    if output is Output.json:
        write_json([plain(value) for value in whole or listed])
    elif output is Output.csv:
        _write_csv(listed, columns)
    else:
        _write_table(listed, columns)


def emit_one(value: Any, row: Row, output: Output) -> None:
    """Write a single thing: JSON holds `value`, tables and CSV its `row`, one figure a line in a table."""
    if output is Output.json:
        write_json(plain(value))
    elif output is Output.csv:
        _write_csv([row], list(row))
    else:
        _write_table([{"field": name, "value": figure(entry)} for name, entry in row.items()], ("field", "value"))


def write_json(value: Any) -> None:
    """Write JSON: indented, any character as it is."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False, default=str) + "\n")


def plain(value: Any) -> Any:
    """What JSON can hold."""
    return value.model_dump(mode="json") if isinstance(value, pydantic.BaseModel) else value


def _write_csv(rows: Sequence[Row], columns: Sequence[str]) -> None:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_cell(row.get(column)) for column in columns])
    sys.stdout.write(buffer.getvalue())


def _cell(value: Any) -> Any:
    """Spreadsheets run what begins like a formula."""
    if value is None:
        return ""
    if isinstance(value, Mapping | list | tuple):
        return json.dumps(plain(value), ensure_ascii=False, default=str)
    text = value.isoformat() if isinstance(value, datetime) else value
    return "'" + text if isinstance(text, str) and text[:1] in ("=", "+", "-", "@") else text


def _write_table(rows: Sequence[Row], columns: Sequence[str]) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for column in columns:
        numbers = all(isinstance(row.get(column), int | float | None) for row in rows)
        table.add_column(column.replace("_", " "), justify="right" if numbers else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(printable(figure(row.get(column), column))) for column in columns))
    console().print(table)


def figure(value: Any, name: str = "") -> str:
    """A value as a person reads it."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.astimezone().strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, float):
        return f"{value:.4f}" if name == "accuracy" else f"{value:.6g}"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {figure(entry, str(key))}" for key, entry in value.items()) or "-"
    if isinstance(value, list | tuple):
        return ", ".join(figure(entry) for entry in value) or "-"
    return str(value)


def printable(text: str, *, lines: bool = False) -> str:
    """Text without what steers a terminal: names come from other people."""
    kept = "\n\t" if lines else ""
    return "".join(c if c.isprintable() or c in kept else "�" for c in text)
