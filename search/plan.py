"""What a job asks of `search`, and what `search` tells whoever keeps its records.

`service` turns a row of its job table into a JobPlan and records what comes back in SQL; `paretrim run` does the same
with files. Neither is known here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from paretrim.compression import Compression
from paretrim.problem import Budget, Candidate, Constraint, Measurement, Objective
from paretrim.recovery import Recovery

#: so sure it must be, by default, that a candidate cannot enter the front, before it is dropped
CONFIDENCE = 0.99

Wanted = Literal["run", "pause", "cancel"]
SearchEnd = Literal["succeeded", "failed"]


class LeaseLost(Exception):
    """Somebody else owns the job now: stop, and write nothing more."""


class Interrupted(Exception):
    """The job was paused or cancelled; what was recorded stands."""

    def __init__(self, wanted: Wanted) -> None:
        super().__init__(f"the job was asked to {wanted}")
        self.wanted = wanted


@dataclass(frozen=True, slots=True)
class SearchPlan:
    """One algorithm with one seed."""

    id: str
    position: int  #: 0, 1, 2, ... within the job
    algorithm: str
    options: Mapping[str, Any]
    seed: int
    baseline: bool = False  #: added for comparison, not asked for by the user


@dataclass(frozen=True, slots=True)
class JobPlan:
    """All that decides a job's answer, but for the bytes of its inputs."""

    id: str
    searches: tuple[SearchPlan, ...]
    objectives: tuple[Objective, ...]
    constraints: tuple[Constraint, ...]
    budget: Budget
    seed: int = 0
    window: int = 8  #: policies asked for at once; part of the answer, so never derived from the machine
    finetune_epochs: float = 1.0
    deliver: int = 8  #: at most so many front members are fine-tuned, exported and measured
    validation_samples: int | None = None
    metric: str = "top1"
    compression: Compression = field(default_factory=Compression)  #: how policies are carried out
    recovery: Recovery = field(default_factory=Recovery)  #: what networks may learn from, and how they are fine-tuned
    batch: int = 1  #: delivered networks are timed with so many inputs at once, beside one
    finalists: int = 0  #: candidates tuned briefly to choose from them what is delivered; 0: the front decides
    racing: float = CONFIDENCE  #: with this confidence candidates that cannot enter the front are dropped; 0: none are
    known: tuple[Candidate, ...] = ()  #: of an earlier job on this model: searches begin with the best, learn from all
    teachers: Mapping[str, bytes] = field(default_factory=dict)  #: by algorithm, an agent's state on another model

    def number(self, position: int, index: int) -> int:
        """A candidate's number within the job. 0 is the original model."""
        return 1 + index * len(self.searches) + position


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A network as it is uploaded."""

    content: bytes
    architecture: str | None = None  #: of a safetensors file; None: `content` is ONNX


@dataclass(frozen=True, slots=True)
class JobInputs:
    """The bytes a job works on."""

    model: bytes
    dataset: Path  #: an .npz file
    device: Mapping[str, Any]  #: a device document: a latency table, or an analytic model and its parameters
    architecture: str | None = None  #: of a safetensors file; None: `model` is ONNX
    teachers: tuple[ModelFile, ...] = ()  #: those that `recovery.teachers` names, in that order


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """All of an algorithm's state after it was told candidates 0 .. told-1. No pickle."""

    told: int
    state: Mapping[str, Any]  #: JSON values, random state included
    arrays: bytes = b""  #: safetensors: agent weights, optimiser, replay
    gauges: Mapping[str, float] = field(default_factory=dict)  #: what the algorithm says of itself; never read back


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a search had done when it was interrupted."""

    candidates: Sequence[Candidate] = ()
    checkpoint: Checkpoint | None = None
    end: SearchEnd | None = None
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class CurveStep:
    """Best so far after a candidate was told."""

    index: int
    best: float | None  #: of the first objective, among candidates that meet the constraints
    hypervolume: float
    seconds: float  #: since the search began, pauses not counted


@dataclass(frozen=True, slots=True)
class Delivered:
    """A front member made real."""

    n: int
    measurement: Measurement  #: on the test split and in the runtime
    original: Measurement  #: the uncompressed model, measured the same way
    files: Mapping[str, bytes]  #: by name; `model.onnx` is the network
    precision: str = "fp32"
    report: Mapping[str, Any] = field(default_factory=dict)


class Recorder(Protocol):
    """Keeps a job's records. Every method that writes raises LeaseLost if the job is no longer ours."""

    def wanted(self) -> Wanted:
        """What the user wants of the job now."""
        ...

    def recorded(self, search_id: str) -> Recorded:
        """What is known of a search from before."""
        ...

    def preparation(self) -> Mapping[str, Any] | None:
        """What `prepared` was given on an earlier attempt: a resumed job must see the same."""
        ...

    def prepared(self, original: Measurement, preparation: Mapping[str, Any], warnings: Sequence[str]) -> None:
        """The original model was measured; `preparation` is JSON: the device document used, the splits, the network."""
        ...

    def record(
        self, search: SearchPlan, candidates: Sequence[Candidate], curve: Sequence[CurveStep], checkpoint: Checkpoint
    ) -> None:
        """A window of candidates was told. Candidates, curve and checkpoint are kept together or not at all."""
        ...

    def front(self, numbers: Sequence[int], hypervolume: float, best: Mapping[str, float]) -> None:
        """The job's front changed."""
        ...

    def search_ended(self, search: SearchPlan, end: SearchEnd, message: str | None) -> None:
        """A search has spent its budget, has nothing left to propose, or failed."""
        ...

    def delivered_numbers(self) -> frozenset[int]:
        """The candidates that `delivered` was told of before."""
        ...

    def delivered(self, delivered: Delivered) -> None:
        """A front member was fine-tuned, exported and measured: what `trained` was given of it is no longer needed."""
        ...

    def training(self, n: int, part: str) -> bytes | None:
        """What `trained` was last given, if the candidate was not delivered since."""
        ...

    def trained(self, n: int, part: str, state: bytes) -> None:
        """An epoch of a candidate's training is over; `state` is all that is needed to go on from there."""
        ...

    def progress(
        self, phase: str, completed: int, total: int, *, detail: str = "", eta_seconds: float | None = None
    ) -> None:
        """How far the job is. Phases: `preparing`, `searching`, `delivering`.

        detail: what it is at, for people; eta_seconds: of the phase, where it is known.
        """
        ...

    def log(self, level: Literal["info", "warning", "error"], message: str) -> None:
        """Something a person may want to read."""
        ...

    def spent(self, cpu_seconds: float) -> None:
        """CPU time was used on evaluations."""
        ...
