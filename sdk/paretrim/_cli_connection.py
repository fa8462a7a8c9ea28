"""What every command that talks to the server shares: how to reach it, and how its options are spelled."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer

from paretrim._output import Output, console
from paretrim.client import Client
from paretrim.errors import InvalidInput

OutputOption = Annotated[
    Output, typer.Option("--output", "-o", help="How data is written to stdout.", show_default=True)
]


def connect(ctx: typer.Context) -> Client:
    """A client of the server that was named."""
    return Client(ctx.find_root().params.get("url"))


@contextmanager
def transfer(label: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar for bytes, on stderr; nothing where stderr is no terminal."""
    if not sys.stderr.isatty():
        yield lambda _done, _total: None
        return
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=console(stderr=True), transient=True) as progress:
        task = progress.add_task(label, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


def confirmed(what: str, yes: bool) -> None:
    """Ask before something cannot be undone. Where nobody can be asked, --yes has to be said."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise InvalidInput(f"{what} cannot be undone; say --yes")
    typer.confirm(f"{what}?", abort=True, err=True)


def listed(values: list[str] | None) -> list[str]:
    """`a,b` and `a` `b` alike."""
    return [part.strip() for value in values or () for part in value.split(",") if part.strip()]


def pairs(values: list[str] | None, option: str) -> dict[str, str]:
    """`name=value` pairs. Raises InvalidInput."""
    found = {}
    for value in values or ():
        name, equals, rest = value.partition("=")
        if not equals or not name.strip():
            raise InvalidInput(f"{option} {value!r} must be written as name=value", field=option)
        found[name.strip()] = rest.strip()
    return found


def number(text: str, option: str) -> float:
    """A number. Raises InvalidInput."""
    try:
        return float(text)
    except ValueError:
        raise InvalidInput(f"{option}: {text!r} is not a number", field=option) from None


def literal(text: str) -> Any:
    """A value as JSON has it, or the text itself."""
    import json

    try:
        return json.loads(text)
    except ValueError:
        return text
