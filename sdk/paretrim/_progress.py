"""What `job.wait(progress=True)` and `paretrim watch` show on stderr: the searches, the best so far, the front."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from paretrim._watch import Watcher
from paretrim.wire import Event, Job, Search

if TYPE_CHECKING:
    from rich.console import Console

#: where there is no terminal, a line says so often, at most, what the job is at
LINE_SECONDS = 30.0


@contextmanager
def watcher(console: Console | None = None) -> Iterator[Watcher]:
    """Shows a job's progress while it is open. Lines instead of bars where stderr is no terminal."""
    from rich.console import Console

    console = console or Console(stderr=True, soft_wrap=True)
    if console.is_terminal or console.is_jupyter:
        with _bars(console) as watch:
            yield watch
    else:
        yield _lines(console)


@contextmanager
def _bars(console: Console) -> Iterator[Watcher]:
    from rich.markup import escape
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
    from rich.table import Column

    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=24 if console.width >= 100 else 10, table_column=Column(no_wrap=True)),
        MofNCompleteColumn(table_column=Column(no_wrap=True)),
        TextColumn("{task.fields[said]}", table_column=Column(overflow="fold")),  # the one that gives way
        TimeElapsedColumn(table_column=Column(no_wrap=True)),
    )
    tasks: dict[str, TaskID] = {}
    with Progress(*columns, console=console, transient=False) as progress:

        def show(key: str, label: str, completed: int, total: int, said: str) -> None:
            if key not in tasks:
                tasks[key] = progress.add_task(escape(label), total=total or None, said="")
            progress.update(tasks[key], description=escape(label), completed=completed, total=total or None, said=said)

        def watch(job: Job, searches: Sequence[Search], events: Sequence[Event]) -> None:
            for line in log_lines(events):
                progress.console.print(escape(line), highlight=False)
            for search in searches:
                show(search.id, label_of(search), search.evaluated, search.total, escape(figures(search.best)))
            show("", headline(job), job.progress.completed, job.progress.total, escape(summary(job)))

        yield watch


def _lines(console: Console) -> Watcher:
    said, printed = "", 0.0

    def watch(job: Job, searches: Sequence[Search], events: Sequence[Event]) -> None:
        nonlocal said, printed
        for line in log_lines(events):
            console.print(line, markup=False, highlight=False)
        done = job.progress.completed * 10 // job.progress.total if job.progress.total else 0
        now = f"{headline(job)} {done}"
        if now != said or (job.progress.detail and time.monotonic() - printed >= LINE_SECONDS):
            said, printed = now, time.monotonic()
            parts = (headline(job), f"{job.progress.completed}/{job.progress.total}", summary(job))
            console.print(" ".join(part for part in parts if part), markup=False, highlight=False)
        del searches

    return watch


def headline(job: Job) -> str:
    """What the job is doing, in a word."""
    return job.progress.phase if job.state == "running" else job.state


def label_of(search: Search) -> str:
    """What to call a search."""
    return f"{search.algorithm} (baseline)" if search.baseline else search.algorithm


def summary(job: Job) -> str:
    """Best so far and the size of the front."""
    parts = [job.progress.detail, figures(job.best), f"front {job.front_size}" if job.front_size else ""]
    if job.progress.eta_seconds is not None and job.state == "running":
        parts.append(f"about {duration(job.progress.eta_seconds)} left")
    return ", ".join(part for part in parts if part)


def figures(best: Mapping[str, float]) -> str:
    """The best figure for each objective."""
    return ", ".join(f"{name} {value:.4g}" for name, value in best.items())


def duration(seconds: float) -> str:
    """A time as a person says it."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def log_lines(events: Sequence[Event]) -> list[str]:
    """What the job said."""
    return [str(event.data.get("message", "")) for event in events if event.type == "log" and event.data.get("message")]
