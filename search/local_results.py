"""What `paretrim run` leaves in its folder once it is through: front.json, candidates.csv, report.md."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from typing import Any

from paretrim.problem import METRICS, UNCHANGED, Candidate, Measurement
from search.ledger import Ledger
from search.local import FolderRecorder
from search.plan import SearchPlan
from search.report import SearchSummary, job_report

_COLUMNS = ("n", "search", "algorithm", "baseline", "index", *METRICS, "feasible", "on_front", "failure", "policy")


def write_results(recorder: FolderRecorder) -> list[dict[str, Any]]:
    """Write the three files from the records. Returns what front.json holds."""
    preparation = recorder.preparation()
    assert preparation is not None  # nothing ends without it
    ledger = Ledger(recorder.plan, Measurement.from_json(preparation["original"]), recorder)
    deliveries = recorder.deliveries()
    front = ledger.front().members
    beside = {n: m for n in deliveries if n not in front and (m := ledger.candidates[n].measurement) is not None}
    members = [_member(ledger, n, found, deliveries.get(n)) for n, found in (*front.items(), *beside.items())]
    warnings = recorder.warnings() + [text for level, text in recorder.messages if level != "info"]
    summaries = [_summary(ledger, recorder, search) for search in recorder.plan.searches]
    report = job_report(recorder.plan, ledger.original, front, deliveries, summaries, warnings)
    recorder.keep("front.json", json.dumps(members, indent=2).encode())
    recorder.keep("candidates.csv", _csv(ledger).encode())
    recorder.keep("report.md", report.encode())
    return members


def _member(ledger: Ledger, n: int, searched: Measurement, delivery: Mapping[str, Any] | None) -> dict[str, Any]:
    """The best-founded figures first: of the delivered file on test if there is one, else of the search."""
    figures = delivery["measurement"] if delivery is not None else searched.to_json()
    search = _search_of(ledger, n)
    return {
        "n": n,
        "algorithm": search.algorithm if search is not None else None,
        "file": delivery["file"] if delivery is not None else None,
        "precision": delivery["precision"] if delivery is not None else None,
        "split": "test" if delivery is not None else "validation",
        **{name: figures[name] for name in METRICS},
        "obtained": figures["obtained"],
        "searched": {"split": "validation", **searched.to_json()},
        "original": delivery["original"] if delivery is not None else ledger.original.to_json(),
        "policy": ledger.candidates[n].policy.to_json() if search is not None else {},
        "report": {name: value for name, value in delivery["report"].items() if name != "layers"} if delivery else None,
    }


def _search_of(ledger: Ledger, n: int) -> SearchPlan | None:
    """None: `n` is the original."""
    return None if n == 0 else ledger.plan.searches[(n - 1) % len(ledger.plan.searches)]


def _summary(ledger: Ledger, recorder: FolderRecorder, search: SearchPlan) -> SearchSummary:
    so_far, curve = ledger.so_far(search), recorder.curve(search.id)
    end, message = recorder.ends().get(search.id, (None, None))
    return SearchSummary(
        algorithm=search.algorithm,
        baseline=search.baseline,
        evaluated=len(so_far.candidates),
        failed=sum(candidate.failure is not None for candidate in so_far.candidates),
        best=curve[-1].best if curve else None,
        hypervolume=curve[-1].hypervolume if curve else 0.0,
        seconds=so_far.seconds,
        end=end,
        message=message,
    )


def _csv(ledger: Ledger) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, _COLUMNS, lineterminator="\n")
    writer.writeheader()
    front = ledger.front()
    on_front = set(front.numbers)
    writer.writerow(_row(0, None, Candidate(0, UNCHANGED, ledger.original), front.feasible(ledger.original), on_front))
    for n, candidate in sorted(ledger.candidates.items()):
        feasible = candidate.measurement is not None and front.feasible(candidate.measurement)
        writer.writerow(_row(n, _search_of(ledger, n), candidate, feasible, on_front))
    return text.getvalue()


def _row(n: int, search: SearchPlan | None, candidate: Candidate, feasible: bool, on_front: set[int]) -> dict[str, Any]:
    return {
        "n": n,
        "search": search.id if search is not None else "",
        "algorithm": search.algorithm if search is not None else "original",
        "baseline": bool(search.baseline) if search is not None else False,
        "index": candidate.index,
        **{name: getattr(candidate.measurement, name, None) for name in METRICS},
        "feasible": feasible,
        "on_front": n in on_front,
        "failure": candidate.failure or "",
        "policy": json.dumps(candidate.policy.to_json()),
    }
