"""A recorder that keeps everything in memory, as JSON and bytes, and can ask for a stop."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from paretrim.problem import Candidate, Measurement, Policy
from search.plan import Checkpoint, CurveStep, Delivered, LeaseLost, Recorded, SearchEnd, SearchPlan, Wanted


class MemoryRecorder:
    """Implements `search.plan.Recorder`. What goes in passes through JSON, as it does through a database."""

    def __init__(self) -> None:
        self.windows: dict[str, list[str]] = {}
        self.arrays: dict[str, bytes] = {}
        self.ends: dict[str, tuple[SearchEnd, str | None]] = {}
        self.fronts: list[tuple[tuple[int, ...], float, dict[str, float]]] = []
        self.made: dict[int, Delivered] = {}
        self.phases: list[tuple[str, int, int]] = []
        self.details: list[tuple[str, float | None]] = []  #: what it was said to be at, and the seconds left
        self.states: dict[tuple[int, str], bytes] = {}  #: of trainings that are not over
        self.epochs: list[tuple[int, str]] = []  #: of which a state was kept
        self.messages: list[tuple[str, str]] = []
        self.warnings: list[str] = []
        self.original: Measurement | None = None
        self.cpu_seconds = 0.0
        self.asks: Callable[[], Wanted] = lambda: "run"
        self.lease_lost_after: int | None = None  #: windows
        self._prepared: str | None = None

    def wanted(self) -> Wanted:
        return self.asks()

    def recorded(self, search_id: str) -> Recorded:
        lines = [json.loads(line) for line in self.windows.get(search_id, [])]
        candidates = tuple(_candidate(entry) for line in lines for entry in line["candidates"])
        end = self.ends.get(search_id, (None, None))[0]
        if not lines:
            return Recorded(end=end)
        checkpoint = Checkpoint(lines[-1]["told"], lines[-1]["state"], self.arrays[search_id])
        return Recorded(candidates, checkpoint, end, lines[-1]["seconds"])

    def preparation(self) -> Mapping[str, Any] | None:
        prepared: Mapping[str, Any] | None = json.loads(self._prepared) if self._prepared else None
        return prepared

    def prepared(self, original: Measurement, preparation: Mapping[str, Any], warnings: Sequence[str]) -> None:
        assert self._prepared is None
        self.original, self._prepared = original, json.dumps(preparation)
        self.warnings += warnings

    def record(
        self, search: SearchPlan, candidates: Sequence[Candidate], curve: Sequence[CurveStep], checkpoint: Checkpoint
    ) -> None:
        if self.lease_lost_after is not None and self.window_count >= self.lease_lost_after:
            raise LeaseLost("somebody else has it")
        line = {
            "candidates": [_plain(candidate) for candidate in candidates],
            "curve": [[step.index, step.best, step.hypervolume] for step in curve],
            "told": checkpoint.told,
            "state": checkpoint.state,
            "seconds": curve[-1].seconds,
        }
        self.windows.setdefault(search.id, []).append(json.dumps(line))
        self.arrays[search.id] = checkpoint.arrays

    def front(self, numbers: Sequence[int], hypervolume: float, best: Mapping[str, float]) -> None:
        self.fronts.append((tuple(numbers), hypervolume, dict(best)))

    def search_ended(self, search: SearchPlan, end: SearchEnd, message: str | None) -> None:
        assert search.id not in self.ends
        self.ends[search.id] = (end, message)

    def delivered_numbers(self) -> frozenset[int]:
        return frozenset(self.made)

    def delivered(self, delivered: Delivered) -> None:
        assert delivered.n not in self.made
        self.made[delivered.n] = delivered
        for n, part in list(self.states):
            if n == delivered.n:
                del self.states[n, part]

    def training(self, n: int, part: str) -> bytes | None:
        return self.states.get((n, part))

    def trained(self, n: int, part: str, state: bytes) -> None:
        self.states[n, part] = state
        self.epochs.append((n, part))

    def progress(
        self, phase: str, completed: int, total: int, *, detail: str = "", eta_seconds: float | None = None
    ) -> None:
        assert 0 <= completed <= total
        self.phases.append((phase, completed, total))
        if detail:
            self.details.append((detail, eta_seconds))

    def log(self, level: Literal["info", "warning", "error"], message: str) -> None:
        self.messages.append((level, message))

    def spent(self, cpu_seconds: float) -> None:
        assert cpu_seconds >= 0
        self.cpu_seconds += cpu_seconds

    @property
    def window_count(self) -> int:
        """Windows recorded of all searches."""
        return sum(map(len, self.windows.values()))

    def where_accuracies_come_from(self) -> list[str]:
        """Of every measured candidate."""
        lines = [json.loads(line) for found in self.windows.values() for line in found]
        measured = [entry["measurement"] for line in lines for entry in line["candidates"] if entry["measurement"]]
        return [measurement["obtained"]["accuracy"]["where"] for measurement in measured]

    def answer(self) -> dict[str, Any]:
        """What must be the same however a job ran: all but times."""
        lines = {name: [json.loads(line) for line in lines] for name, lines in self.windows.items()}
        return {
            "original": self.original.to_json() if self.original else None,
            "candidates": {
                name: [entry for line in found for entry in line["candidates"]] for name, found in lines.items()
            },
            "curve": {name: [step for line in found for step in line["curve"]] for name, found in lines.items()},
            "state": {name: (found[-1]["state"], self.arrays[name].hex()) for name, found in lines.items()},
            "ends": self.ends,
            "front": self.fronts[-1] if self.fronts else None,
            "files": {n: made.files["model.onnx"] for n, made in self.made.items()},
        }


def interrupted_after(recorder: MemoryRecorder, windows: int, wanted: Wanted = "pause") -> None:
    """Have the recorder ask for a stop once so many windows were recorded."""
    recorder.asks = lambda: wanted if recorder.window_count >= windows else "run"


def _plain(candidate: Candidate) -> dict[str, Any]:
    measured = candidate.measurement
    return {
        "index": candidate.index,
        "policy": candidate.policy.to_json(),
        "measurement": measured.to_json() if measured is not None else None,
        "failure": candidate.failure,
    }


def _candidate(value: Mapping[str, Any]) -> Candidate:
    measured = value["measurement"]
    return Candidate(
        value["index"],
        Policy.from_json(value["policy"]),
        Measurement.from_json(measured) if measured is not None else None,
        value["failure"],
    )
