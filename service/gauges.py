"""What each algorithm says of itself as its search goes on: read from the events that tell of its windows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from paretrim.wire_overview import Gauge, Gauges, SearchGauges
from service.plots import thinned
from service.tables import Event, Job, Search


def gauges(session: Session, job: Job, max_points: int) -> Gauges:
    """The gauges of every search of a job, at most `max_points` of each."""
    searches = session.scalars(select(Search).where(Search.job_id == job.id).order_by(Search.position)).all()
    told: dict[str, list[Mapping[str, Any]]] = {search.id: [] for search in searches}
    windows = select(Event.data).where(Event.job_id == job.id, Event.type == "candidates").order_by(Event.seq)
    for data in session.scalars(windows.execution_options(yield_per=1000)):
        if data.get("gauges") and data["search"] in told:
            told[data["search"]].append({"told": data["told"], "gauges": data["gauges"]})
    return Gauges(
        searches=[
            SearchGauges(
                id=search.id,
                algorithm=search.algorithm,
                baseline=search.baseline,
                gauges=_of(thinned(told[search.id], max_points)),
            )
            for search in searches
        ]
    )


def _of(windows: Sequence[Mapping[str, Any]]) -> list[Gauge]:
    names = dict.fromkeys(name for window in windows for name in window["gauges"])
    found = {name: [window for window in windows if name in window["gauges"]] for name in names}
    return [
        Gauge(
            name=name,
            told=[int(window["told"]) for window in having],
            values=[float(f"{window['gauges'][name]:.6g}") for window in having],
        )
        for name, having in found.items()
    ]
