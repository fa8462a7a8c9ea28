"""A job kept in a folder: the recorder of `paretrim run`.

    DIR/front.json          the front, one object a member, measured figures first
    DIR/candidate-N.onnx    the networks
    DIR/report.md           everything a person wants to know
    DIR/candidates.csv      every candidate of every search
    DIR/.paretrim/          what `--resume DIR` continues from

A window of candidates is one line of a file that only grows, written through to the disk; a line that was cut short by
a crash is as if it had never been. So candidates, curve and checkpoint are kept together or not at all.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, TextIO

from paretrim.algorithms import AGENTS
from paretrim.compression import Compression
from paretrim.errors import InvalidInput
from paretrim.problem import UNCHANGED, Budget, Candidate, Constraint, Measurement, Objective, Policy
from paretrim.recovery import Recovery
from search.local_progress import Say, Show
from search.plan import (
    Checkpoint,
    CurveStep,
    Delivered,
    JobInputs,
    JobPlan,
    ModelFile,
    Recorded,
    SearchEnd,
    SearchPlan,
    Wanted,
)

STATE = ".paretrim"


def begin(folder: Path, plan: JobPlan, inputs: JobInputs) -> None:
    """Make a folder for a new job. Raises InvalidInput if it holds a job already."""
    state = folder / STATE
    if (state / "job.json").exists():
        raise InvalidInput(f"{folder} holds a job already; continue it with --resume {folder}", field="out")
    state.mkdir(parents=True, exist_ok=True)
    _write(state / "model", inputs.model)
    job = {
        "plan": plan_json(plan),
        "dataset": str(inputs.dataset),
        "device": dict(inputs.device),
        "architecture": inputs.architecture,
        "teachers": [file.architecture for file in inputs.teachers],
    }
    for place, file in enumerate(inputs.teachers):
        _write(state / f"teacher-{place}", file.content)
    _write(state / "job.json", json.dumps(job).encode())


def abandon(folder: Path) -> None:
    """Forget a job that could not begin, so that the folder can be used again. What the user keeps there stays."""
    shutil.rmtree(folder / STATE)


def taken_up(folder: Path) -> tuple[JobPlan, JobInputs]:
    """The job of a folder, to go on with. Raises InvalidInput if there is none."""
    state = folder / STATE
    try:
        job = json.loads((state / "job.json").read_text())
    except OSError:
        raise InvalidInput(f"{folder} holds no job; begin one with --out {folder}", field="resume") from None
    dataset = Path(job["dataset"])
    if not dataset.is_file():
        raise InvalidInput(f"the job's dataset {dataset} is no longer there", field="resume")
    teachers = tuple(
        ModelFile((state / f"teacher-{place}").read_bytes(), architecture)
        for place, architecture in enumerate(job.get("teachers", ()))
    )
    inputs = JobInputs((state / "model").read_bytes(), dataset, job["device"], job["architecture"], teachers)
    return plan_from(job["plan"]), inputs


def kept(folder: Path) -> tuple[JobPlan, dict[str, Any] | None, dict[int, Candidate]]:
    """What a folder holds of its job, to look at: the plan, what was prepared, and the candidates by number.

    Raises InvalidInput if there is no job.
    """
    plan, _ = taken_up(folder)
    state = folder / STATE
    prepared = state / "preparation.json"
    record: dict[str, Any] | None = json.loads(prepared.read_text()) if prepared.exists() else None
    candidates = {
        plan.number(search.position, entry["index"]): _candidate(entry)
        for search in plan.searches
        for line in _whole_lines(state / f"{search.id}.jsonl")
        for entry in line.get("candidates", ())
    }
    if record is not None:
        candidates[0] = Candidate(0, UNCHANGED, Measurement.from_json(record["original"]))
    return plan, record, dict(sorted(candidates.items()))


def with_lessons(plan: JobPlan, inputs: JobInputs, folder: Path) -> JobPlan:
    """The plan of a job that begins with what the job of another folder found.

    On the same model its candidates are taken over, whatever its device; on another one the networks of its agents, for
    the searches of this plan by the same algorithms. Raises InvalidInput if there is nothing to take over.
    """
    earlier, theirs = taken_up(folder)
    state = folder / STATE
    lines = {search.id: _whole_lines(state / f"{search.id}.jsonl") for search in earlier.searches}
    if (theirs.model, theirs.architecture) == (inputs.model, inputs.architecture):
        if earlier.metric != plan.metric:
            raise InvalidInput(
                f"the job in {folder} measured {earlier.metric}, this one {plan.metric}; give the same --metric",
                field="learn_from",
            )
        known = tuple(candidate for n, candidate in kept(folder)[2].items() if n)
        if not known:
            raise InvalidInput(f"the job in {folder} has no candidates yet", field="learn_from")
        return replace(plan, known=known)
    teachers: dict[str, bytes] = {}
    for search in earlier.searches:
        told = [line["told"] for line in lines[search.id] if "told" in line]
        arrays = state / f"{search.id}-{told[-1]}.safetensors" if told else None
        if search.algorithm in AGENTS and arrays is not None and arrays.exists():
            teachers.setdefault(search.algorithm, arrays.read_bytes())
    wanted = {search.algorithm for search in plan.searches}
    if not wanted & teachers.keys():
        raise InvalidInput(
            f"the job in {folder} was on another model, of which only agents can be taken over, and no agent of it "
            f"({', '.join(sorted(teachers)) or 'it has none'}) is among this job's algorithms",
            field="learn_from",
        )
    return replace(plan, teachers={name: arrays for name, arrays in teachers.items() if name in wanted})


class FolderRecorder:
    """Implements `search.plan.Recorder` on files. One process at a time has a folder."""

    def __init__(
        self, folder: Path, plan: JobPlan, *, show: Show, say: Say, best: dict[str, float] | None = None
    ) -> None:
        """show: how far the job is; say: something a person may want to read, with its level; best: kept up to date.

        Raises InvalidInput if another process has the folder.
        """
        self.folder = folder
        self.plan = plan
        self.messages: list[tuple[str, str]] = []
        self.front_numbers: tuple[int, ...] = ()
        self.hypervolume = 0.0
        self.best = best if best is not None else {}
        self.stop: Wanted = "run"
        self._show, self._say = show, say
        self._state = folder / STATE
        self._state.mkdir(parents=True, exist_ok=True)
        self._lock = _locked(self._state / "lock")

    def __enter__(self) -> FolderRecorder:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let others have the folder."""
        self._lock.close()

    def wanted(self) -> Wanted:
        """`run` until somebody sets `stop`."""
        return self.stop

    def recorded(self, search_id: str) -> Recorded:
        """What is known of a search from before."""
        candidates: list[Candidate] = []
        checkpoint, end, seconds = None, None, 0.0
        for line in _whole_lines(self._state / f"{search_id}.jsonl"):
            if "end" in line:
                end = line["end"]
                continue
            candidates += [_candidate(entry) for entry in line["candidates"]]
            seconds = line["curve"][-1][3]
            arrays = self._arrays(search_id, line["told"])
            checkpoint = (line["told"], line["state"], arrays)
        if checkpoint is None:
            return Recorded((), None, end, seconds)
        told, state, arrays = checkpoint
        return Recorded(tuple(candidates), Checkpoint(told, state, arrays.read_bytes()), end, seconds)

    def preparation(self) -> Mapping[str, Any] | None:
        """What `prepared` was given on an earlier attempt."""
        path = self._state / "preparation.json"
        if not path.exists():
            return None
        preparation: dict[str, Any] = json.loads(path.read_text())["preparation"]
        return preparation

    def warnings(self) -> list[str]:
        """What `prepared` was warned of."""
        path = self._state / "preparation.json"
        return list(json.loads(path.read_text())["warnings"]) if path.exists() else []

    def prepared(self, original: Measurement, preparation: Mapping[str, Any], warnings: Sequence[str]) -> None:
        """The original model was measured."""
        kept = {"original": original.to_json(), "preparation": dict(preparation), "warnings": list(warnings)}
        _write(self._state / "preparation.json", json.dumps(kept).encode())
        for warning in warnings:
            self.log("warning", warning)

    def record(
        self, search: SearchPlan, candidates: Sequence[Candidate], curve: Sequence[CurveStep], checkpoint: Checkpoint
    ) -> None:
        """A window of candidates was told."""
        arrays = self._arrays(search.id, checkpoint.told)
        _write(arrays, checkpoint.arrays)
        line = {
            "candidates": [_candidate_json(candidate) for candidate in candidates],
            "curve": [[step.index, step.best, step.hypervolume, step.seconds] for step in curve],
            "told": checkpoint.told,
            "state": checkpoint.state,
        }
        _append(self._state / f"{search.id}.jsonl", line)
        for older in self._state.glob(f"{search.id}-*.safetensors"):
            if older != arrays:
                older.unlink()

    def front(self, numbers: Sequence[int], hypervolume: float, best: Mapping[str, float]) -> None:
        """The job's front changed."""
        self.front_numbers, self.hypervolume = tuple(numbers), hypervolume
        self.best.update(best)

    def search_ended(self, search: SearchPlan, end: SearchEnd, message: str | None) -> None:
        """A search is over."""
        _append(self._state / f"{search.id}.jsonl", {"end": end, "message": message})
        if end == "failed":
            self.log("error", f"search {search.algorithm} failed: {message}")

    def ends(self) -> dict[str, tuple[SearchEnd, str | None]]:
        """How each search that is over ended, by id."""
        found = {}
        for search in self.plan.searches:
            for line in _whole_lines(self._state / f"{search.id}.jsonl"):
                if "end" in line:
                    found[search.id] = (line["end"], line["message"])
        return found

    def curve(self, search_id: str) -> list[CurveStep]:
        """Best so far after each candidate of a search."""
        lines = _whole_lines(self._state / f"{search_id}.jsonl")
        return [CurveStep(*step) for line in lines for step in line.get("curve", ())]

    def delivered_numbers(self) -> frozenset[int]:
        """The candidates that `delivered` was told of before."""
        return frozenset(int(path.stem) for path in (self._state / "delivered").glob("*.json"))

    def deliveries(self) -> dict[int, dict[str, Any]]:
        """What was delivered, by candidate: the JSON of Delivered but for its files, and `file`."""
        paths = sorted((self._state / "delivered").glob("*.json"), key=lambda path: int(path.stem))
        return {int(path.stem): json.loads(path.read_text()) for path in paths}

    def delivered(self, delivered: Delivered) -> None:
        """A front member was made real: its files first, then the line that says so."""
        name = f"candidate-{delivered.n:05d}"
        for kind, content in delivered.files.items():
            _write(self.folder / (f"{name}{Path(kind).suffix}" if kind == "model.onnx" else f"{name}-{kind}"), content)
        kept = {
            "measurement": delivered.measurement.to_json(),
            "original": delivered.original.to_json(),
            "precision": delivered.precision,
            "report": dict(delivered.report),
            "file": f"{name}.onnx",
        }
        (self._state / "delivered").mkdir(exist_ok=True)
        _write(self._state / "delivered" / f"{delivered.n}.json", json.dumps(kept).encode())
        for state in self._state.glob(f"training/{delivered.n}-*"):
            state.unlink()

    def training(self, n: int, part: str) -> bytes | None:
        """Where a candidate's training was when it was interrupted."""
        path = self._training(n, part)
        return path.read_bytes() if path.exists() else None

    def trained(self, n: int, part: str, state: bytes) -> None:
        """An epoch of a candidate's training is over."""
        (self._state / "training").mkdir(exist_ok=True)
        _write(self._training(n, part), state)

    def progress(
        self, phase: str, completed: int, total: int, *, detail: str = "", eta_seconds: float | None = None
    ) -> None:
        """How far the job is."""
        self._show(phase, completed, total, detail, eta_seconds)

    def log(self, level: Literal["info", "warning", "error"], message: str) -> None:
        """Say it, and keep it for the report."""
        self.messages.append((level, message))
        self._say(level, message)

    def spent(self, cpu_seconds: float) -> None:
        """Nobody is billed here."""

    def keep(self, name: str, content: bytes) -> None:
        """Put a file beside the networks."""
        _write(self.folder / name, content)

    def _training(self, n: int, part: str) -> Path:
        return self._state / "training" / f"{n}-{part.replace(' ', '-')}.safetensors"

    def _arrays(self, search_id: str, told: int) -> Path:
        return self._state / f"{search_id}-{told}.safetensors"


def plan_json(plan: JobPlan) -> dict[str, Any]:
    """A plan as plain values."""
    return {
        "id": plan.id,
        "searches": [[s.id, s.position, s.algorithm, dict(s.options), s.seed, s.baseline] for s in plan.searches],
        "objectives": [objective.metric for objective in plan.objectives],
        "constraints": [[c.metric, c.relation, c.bound] for c in plan.constraints],
        "budget": [plan.budget.candidates, plan.budget.seconds],
        "seed": plan.seed,
        "window": plan.window,
        "finetune_epochs": plan.finetune_epochs,
        "deliver": plan.deliver,
        "validation_samples": plan.validation_samples,
        "metric": plan.metric,
        "compression": plan.compression.to_json(),
        "recovery": plan.recovery.to_json(),
        "batch": plan.batch,
        "racing": plan.racing,
        "finalists": plan.finalists,
        "known": [_candidate_json(candidate) for candidate in plan.known],
        "teachers": {name: base64.b64encode(arrays).decode() for name, arrays in plan.teachers.items()},
    }


def plan_from(value: Mapping[str, Any]) -> JobPlan:
    """The inverse of `plan_json`."""
    return JobPlan(
        **{
            **value,
            "searches": tuple(SearchPlan(*search) for search in value["searches"]),
            "objectives": tuple(Objective(metric) for metric in value["objectives"]),
            "constraints": tuple(Constraint(*constraint) for constraint in value["constraints"]),
            "budget": Budget(*value["budget"]),
            "compression": Compression.from_json(value.get("compression", {})),
            "recovery": Recovery.from_json(value.get("recovery", {})),
            "known": tuple(_candidate(entry) for entry in value.get("known", ())),
            "teachers": {name: base64.b64decode(text) for name, text in value.get("teachers", {}).items()},
        }
    )


def _candidate_json(candidate: Candidate) -> dict[str, Any]:
    measurement = candidate.measurement
    return {
        "index": candidate.index,
        "policy": candidate.policy.to_json(),
        "measurement": measurement.to_json() if measurement is not None else None,
        "failure": candidate.failure,
    }


def _candidate(value: Mapping[str, Any]) -> Candidate:
    measurement = value["measurement"]
    return Candidate(
        value["index"],
        Policy.from_json(value["policy"]),
        Measurement.from_json(measurement) if measurement is not None else None,
        value["failure"],
    )


def _locked(path: Path) -> TextIO:
    lock = path.open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise InvalidInput(f"another process is at work in {path.parent.parent}; wait for it", field="out") from None
    return lock


def _write(path: Path, content: bytes) -> None:
    """All of it or none of it."""
    part = path.with_name(f"{path.name}.part")
    with part.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def _append(path: Path, line: Mapping[str, Any]) -> None:
    """One more line; what a crash left of an unfinished one is cut off first."""
    _whole_lines(path, cut=True)
    with path.open("ab") as file:
        file.write(json.dumps(line).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())


def _whole_lines(path: Path, *, cut: bool = False) -> list[dict[str, Any]]:
    """The lines that were written to their end."""
    if not path.exists():
        return []
    content = path.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    if cut:
        if len(whole) < len(content):
            os.truncate(path, len(whole))
        return []
    return [json.loads(line) for line in whole.splitlines()]
