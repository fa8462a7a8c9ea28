"""Bars on stderr where it is a terminal, lines where it is not."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from paretrim._progress import LINE_SECONDS, duration

#: told of the phase, how much of it is done, of how much, what it is at, and the seconds left where they are known
Show = Callable[[str, int, int, str, float | None], None]
Say = Callable[[str, str], None]

_STYLES = {"warning": "yellow", "error": "bold red"}


@contextmanager
def watched(best: Callable[[], str]) -> Iterator[tuple[Show, Say]]:
    """How far a job is, and what it says. best: the best figures so far, in words."""
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    if not console.is_terminal:
        yield _lines(console, best)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=32),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[said]}", markup=False),
    )
    tasks: dict[str, TaskID] = {}
    with Progress(*columns, console=console) as progress:

        def show(phase: str, completed: int, total: int, detail: str, eta_seconds: float | None) -> None:
            if phase not in tasks:
                tasks[phase] = progress.add_task(phase, total=total, said="")
            said = _said(detail, eta_seconds, best())
            progress.update(tasks[phase], completed=completed, total=total, said=said)

        def say(level: str, message: str) -> None:
            progress.console.print(f"{level}: {message}", style=_STYLES.get(level), markup=False)

        yield show, say


def _lines(console: Console, best: Callable[[], str]) -> tuple[Show, Say]:
    last: dict[str, int] = {}
    printed = 0.0

    def show(phase: str, completed: int, total: int, detail: str, eta_seconds: float | None) -> None:
        nonlocal printed
        tenth = 10 * completed // max(1, total)
        if last.get(phase) != tenth or (detail and time.monotonic() - printed >= LINE_SECONDS):
            last[phase], printed = tenth, time.monotonic()
            said = _said(detail, eta_seconds, best())
            console.print(f"{phase} {completed}/{total} {said}".rstrip(), markup=False)

    def say(level: str, message: str) -> None:
        console.print(f"{level}: {message}", markup=False)

    return show, say


def _said(detail: str, eta_seconds: float | None, best: str) -> str:
    left = "" if eta_seconds is None else f"about {duration(eta_seconds)} left"
    return ", ".join(part for part in (detail, left, best) if part)
