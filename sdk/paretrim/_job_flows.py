"""What can be asked of a job, as flows and listings for both clients; and the fields both kinds of handle show."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from paretrim import wire, wire_overview
from paretrim._files import Progress, download, target
from paretrim._flow import Call, Flow, Sleep, fetch, new_key, path, perform, query
from paretrim._pages import Listing
from paretrim._results import Result
from paretrim.errors import ParetrimError, WaitTimeout
from paretrim.problem import Constraint, Measurement
from paretrim.wire import CandidateView, Front, Page

T = TypeVar("T")

EXPORT_TIMEOUT_SECONDS = 3600.0
_LONGEST_LOOK_SECONDS = 5.0


def get(job: str) -> Flow[wire.Job]:
    """The job as it stands."""
    return fetch(Call("GET", path("jobs", job)), wire.Job)


def act(job: str, verb: str) -> Flow[wire.Job]:
    """Cancel, pause or resume it."""
    return fetch(Call("POST", path("jobs", job, verb), headers=new_key()), wire.Job)


def delete(job: str) -> Flow[None]:
    """Delete a job that has ended, with all it found."""
    return perform(Call("DELETE", path("jobs", job)))


def front(job: str) -> Flow[Front]:
    """The front as it stands."""
    return fetch(Call("GET", path("jobs", job, "front")), Front)


def candidate(job: str, n: int) -> Flow[CandidateView]:
    """One candidate."""
    return fetch(Call("GET", path("jobs", job, "candidates", n)), CandidateView)


def jobs(entry: Callable[[wire.Job], T], limit: int | None, **filters: Any) -> Listing[T]:
    """Jobs, newest first."""
    return Listing(path("jobs"), Page[wire.Job], entry, query(**filters), limit)


def searches(job: str) -> Listing[wire.Search]:
    """The searches of a job."""
    return Listing(path("jobs", job, "searches"), Page[wire.Search], _itself, {})


def candidates(job: str, entry: Callable[[CandidateView], T], limit: int | None, **filters: Any) -> Listing[T]:
    """The candidates of a job."""
    return Listing(path("jobs", job, "candidates"), Page[CandidateView], entry, query(**filters), limit)


def _itself(value: wire.Search) -> wire.Search:
    return value


def fetch_file(result: Result, to: Any, name: str | None, progress: Progress | None) -> Flow[Path]:
    """Download a file of a delivered candidate."""
    artifact, filename = result.artifact(name)
    return (yield from download(artifact, target(to, filename), progress))


def export(job: str, n: int, timeout_seconds: float) -> Flow[CandidateView]:
    """Have a candidate fine-tuned, exported and measured, and wait for it. Raises WaitTimeout, ParetrimError."""
    call = Call("POST", path("jobs", job, "candidates", n, "export"), headers=new_key())
    waited, pause = 0.0, 0.25
    while True:
        asked = yield from fetch(call, wire.Export)  # with one key this is asking how the same export fares
        if asked.state == "failed":
            raise ParetrimError(
                f"candidate {n} of job {job} could not be exported: {asked.message or 'no reason given'}"
            )
        view = yield from candidate(job, n)
        if view.delivery is not None:
            return view
        if waited >= timeout_seconds:
            raise WaitTimeout(f"candidate {n} of job {job} is still being exported; look again later")
        yield Sleep(pause)
        waited += pause
        pause = min(pause * 1.5, _LONGEST_LOOK_SECONDS)


def layers(job: str, n: int) -> Flow[wire.LayerTable]:
    """What a candidate leaves of each layer."""
    return fetch(Call("GET", path("jobs", job, "candidates", n, "layers")), wire.LayerTable)


def best_under(job: str, constraints: Sequence[str], metric: str) -> Flow[wire.Answers]:
    """The best of a job under other constraints."""
    asked = [str(Constraint.parse(text)) for text in constraints]
    return fetch(Call("GET", path("jobs", job, "best"), params=query(constraint=asked, metric=metric)), wire.Answers)


def curves(job: str, search: str | None, max_points: int | None) -> Flow[wire.Curves]:
    """Best so far and hypervolume of the searches."""
    return fetch(
        Call("GET", path("jobs", job, "curve"), params=query(search=search, max_points=max_points)), wire.Curves
    )


def points(job: str, x: str, y: str, max_points: int | None) -> Flow[wire.Points]:
    """The measured candidates as points."""
    return fetch(Call("GET", path("jobs", job, "points"), params=query(x=x, y=y, max_points=max_points)), wire.Points)


def heat_map(job: str, search: str | None, what: str, columns: int | None) -> Flow[wire_overview.HeatMap]:
    """What a search proposed, generation by generation."""
    params = query(search=search, what=what, columns=columns)
    return fetch(Call("GET", path("jobs", job, "map"), params=params), wire_overview.HeatMap)


def generations(job: str, metric: str, columns: int | None) -> Flow[wire_overview.Generations]:
    """How good the searches' proposals were, generation by generation."""
    params = query(metric=metric, columns=columns)
    return fetch(Call("GET", path("jobs", job, "generations"), params=params), wire_overview.Generations)


def gauges(job: str, max_points: int | None) -> Flow[wire_overview.Gauges]:
    """What the algorithms say of themselves."""
    return fetch(Call("GET", path("jobs", job, "gauges"), params=query(max_points=max_points)), wire_overview.Gauges)


def sensitivity(job: str) -> Flow[wire_overview.Sensitivity]:
    """How much accuracy hangs on each layer."""
    return fetch(Call("GET", path("jobs", job, "sensitivity")), wire_overview.Sensitivity)


def check(call: Call) -> Flow[wire_overview.Outlook]:
    """What a job could reach."""
    return fetch(call, wire_overview.Outlook)


def queue() -> Flow[wire_overview.Queue]:
    """Who works on what, and what waits."""
    return fetch(Call("GET", path("queue")), wire_overview.Queue)


class JobFields:
    """A job as it stood when it was last looked at."""

    def __init__(self, view: wire.Job) -> None:
        self.view = view

    @property
    def id(self) -> str:
        """Its id."""
        return self.view.id

    @property
    def name(self) -> str | None:
        """The name it was given."""
        return self.view.name

    @property
    def state(self) -> wire.State:
        """`queued`, `running`, `pausing`, `paused`, `cancelling`, `succeeded`, `failed` or `cancelled`."""
        return self.view.state

    @property
    def done(self) -> bool:
        """Whether nothing more will come of it."""
        return self.view.state in wire.TERMINAL_STATES

    @property
    def request(self) -> wire.JobRequest:
        """What was asked for."""
        return self.view.request

    @property
    def progress(self) -> wire.Progress:
        """How far it is."""
        return self.view.progress

    @property
    def best(self) -> dict[str, float]:
        """Of the candidates that meet the constraints, the best figure for each objective."""
        return self.view.best

    @property
    def front_size(self) -> int:
        """How many members the front has."""
        return self.view.front_size

    @property
    def hypervolume(self) -> float | None:
        """How much of the objectives' space the front covers."""
        return self.view.hypervolume

    @property
    def original(self) -> Measurement | None:
        """The uncompressed model; None until it was measured."""
        return None if self.view.original is None else Measurement.from_json(self.view.original)

    @property
    def error(self) -> wire.JobError | None:
        """Why it failed."""
        return self.view.error

    @property
    def warnings(self) -> list[str]:
        """What a reader of its results should know."""
        return self.view.warnings

    @property
    def cost(self) -> dict[str, float]:
        """What it took: `cpu_seconds`, `wall_seconds`, `evaluations`."""
        return self.view.cost

    @property
    def created_at(self) -> datetime:
        """When it was submitted."""
        return self.view.created_at

    def __repr__(self) -> str:
        progress = self.progress
        return f"<job {self.id}: {self.state}, {progress.completed} of {progress.total}, front of {self.front_size}>"
