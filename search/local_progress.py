"""Bars on stderr where it is a terminal, lines where it is not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

Show = Callable[[str, int, int], None]
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
        TextColumn("{task.fields[best]}", markup=False),
    )
    tasks: dict[str, TaskID] = {}
    with Progress(*columns, console=console) as progress:

        def show(phase: str, completed: int, total: int) -> None:
            if phase not in tasks:
                tasks[phase] = progress.add_task(phase, total=total, best="")
            progress.update(tasks[phase], completed=completed, total=total, best=best())

        def say(level: str, message: str) -> None:
            progress.console.print(f"{level}: {message}", style=_STYLES.get(level), markup=False)

        yield show, say


def _lines(console: Console, best: Callable[[], str]) -> tuple[Show, Say]:
    last: dict[str, int] = {}

    def show(phase: str, completed: int, total: int) -> None:
        tenth = 10 * completed // max(1, total)
        if last.get(phase) != tenth:
            last[phase] = tenth
            console.print(f"{phase} {completed}/{total} {best()}".rstrip(), markup=False)

    def say(level: str, message: str) -> None:
        console.print(f"{level}: {message}", markup=False)

    return show, say
