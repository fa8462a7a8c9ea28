"""What a person sees of a job while it runs."""

from __future__ import annotations

import io

from rich.console import Console

from paretrim._progress import duration, watcher
from paretrim.wire import Event, Job, Search
from tests.paretrim.test_events import NOW, event, job_body

JOB = Job.model_validate(
    job_body(
        progress={"phase": "searching", "completed": 20, "total": 80, "eta_seconds": 95},
        best={"accuracy": 0.9123, "latency_ms": 1.5},
        front_size=7,
    )
)
SEARCHES = [
    Search.model_validate({"id": f"s{n}", "algorithm": name, "baseline": base, "seed": 0, "state": "running"} | done)
    for n, (name, base, done) in enumerate(
        [("amc", False, {"evaluated": 15, "total": 40, "best": {"accuracy": 0.91}}), ("random", True, {"total": 40})]
    )
]
SAID = Event.model_validate(event(3, "log", message="layer [3] cannot shrink"))


def shown(*, terminal: bool, last: str = "succeeded", width: int = 160) -> str:
    file = io.StringIO()
    console = Console(file=file, force_terminal=terminal, width=width, color_system=None)
    with watcher(console) as watch:
        watch(JOB, SEARCHES, [SAID])
        watch(JOB, SEARCHES, [])
        watch(JOB.model_copy(update={"state": last}), SEARCHES, [])
    return file.getvalue()


def test_a_terminal_shows_a_bar_for_every_search_the_best_and_the_front() -> None:
    text = shown(terminal=True, last="running")
    assert "amc" in text
    assert "15/40" in text
    assert "random (baseline)" in text
    assert "20/80" in text
    assert "front 7" in text
    assert "accuracy 0.9123" in text
    assert "about 1 min 35 s left" in text
    assert "layer [3] cannot shrink" in text
    assert "succeeded" in shown(terminal=True)


def test_a_narrow_terminal_loses_no_figure() -> None:
    """The text is folded; the counts and the time are not cut."""
    text = shown(terminal=True, last="running", width=72)
    assert "15/40" in text
    assert "20/80" in text
    assert "0:00:00" in text
    assert "…" not in text


def test_a_file_gets_a_line_when_something_changed() -> None:
    lines = shown(terminal=False).splitlines()
    assert lines == [
        "layer [3] cannot shrink",
        "searching 20/80 accuracy 0.9123, latency_ms 1.5, front 7, about 1 min 35 s left",
        "succeeded 20/80 accuracy 0.9123, latency_ms 1.5, front 7",
    ]


def test_a_job_without_a_total_yet_is_shown() -> None:
    queued = Job.model_validate(job_body("queued", progress={"phase": "queued"}, created_at=NOW))
    file = io.StringIO()
    with watcher(Console(file=file, force_terminal=True, width=100, color_system=None)) as watch:
        watch(queued, [], [])
    assert "queued" in file.getvalue()


def test_times_are_said_as_people_say_them() -> None:
    assert [duration(s) for s in (0.4, 59.4, 61, 3600 * 2.5)] == ["0 s", "59 s", "1 min 1 s", "2 h 30 min"]
