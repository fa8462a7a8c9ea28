"""Times units: packs their contexts into files, runs the files in turn, with and without the runtime's own profile.

The profile says how a file's time is shared among its kernels, but in whole microseconds and with its own cost on top;
the processor clock says what the file takes without it. Both are joined: over all files, time = constant + a part per
kernel + scale x profiled time is fitted, which makes a first estimate of every unit; then each file's own time corrects
the estimates of its units, the less certain ones more (one step of a Kalman filter).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hw_models.counts import external
from hw_models.fusion import Execution, Placed
from hw_models.graph import write_graph
from hw_models.lowering import lower
from hw_models.precision import Precision, at_kernel_bits, plan_precision
from hw_models.profiler.anchors import anchor_files, level_of, reference_level, scaled, time_beside_anchors
from hw_models.profiler.assignment import Assignment, assign
from hw_models.profiler.contexts import in_context, is_given_integers, renamed
from hw_models.profiler.journal import Journal
from hw_models.runtimes import ONNX_RUNTIME, open_profiled, open_runner
from hw_models.sessions import Kernel, profiling_folder
from hw_models.sketch import Sketch
from hw_models.table import Row
from hw_models.timing import Clock, Timing
from hw_models.units import Unit
from paretrim.network import SizedOperation

#: told how many of how many are done
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Effort:
    """How carefully to measure."""

    rounds: int = 64  #: samples per file
    profiled_runs: int = 80  #: of which the first sixth is dropped
    contexts_per_file: int = 6
    files_at_once: int = 24  #: run in turn


CAREFUL = Effort()
QUICK = Effort(rounds=48, profiled_runs=64)
#: runs of the profile are spread over so many turns
_TURNS = 8
#: no kernel is dispatched in less
LEAST_US = 0.25


@dataclass(frozen=True, slots=True)
class Setting:
    """What is measured under."""

    execution: Execution
    batch: int = 1
    threads: int = 1
    seed: int = 0
    runtime: str = ONNX_RUNTIME

    @property
    def clock(self) -> Clock:
        """The thread's own clock cannot see other threads."""
        return "thread_cpu" if self.threads == 1 else "wall"


@dataclass(slots=True)
class Taken:
    """What came of measuring units."""

    rows: dict[Unit, Row]
    node_overhead_us: float
    run_overhead_us: float
    level_ms: float  #: of the anchors, that the rows hold at
    busy: float  #: how much slower than that the machine was at its typical moment, as a share
    unexpected: list[str] = field(default_factory=list)
    missing: list[Unit] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _File:
    """One file with several contexts: its time and the profile of its kernels."""

    timing: Timing
    assignment: Assignment
    level_ms: float  #: of the anchors, while it was timed
    profiled_level_us: float  #: ... while it was profiled

    def at(self, level_ms: float, profiled_level_us: float) -> _File:
        """The same as if it had been taken at these levels."""
        share = profiled_level_us / self.profiled_level_us
        found = replace(
            self.assignment,
            durations_us=tuple((unit, samples * share) for unit, samples in self.assignment.durations_us),
        )
        return _File(scaled(self.timing, level_ms / self.level_ms), found, level_ms, profiled_level_us)

    @property
    def features(self) -> tuple[float, float]:
        """For the fit: kernels, profiled microseconds."""
        durations = self.assignment.durations_us
        return float(len(durations)), float(sum(_typical(samples) for _, samples in durations))

    def to_json(self) -> dict[str, Any]:
        """For the journal."""
        found = self.assignment
        return {
            "timing": asdict(self.timing),
            "durations_us": [[unit.to_json(), samples.tolist()] for unit, samples in found.durations_us],
            "unexpected": list(found.unexpected),
            "missing": [unit.to_json() for unit in found.missing],
            "levels": [self.level_ms, self.profiled_level_us],
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> _File:
        """The inverse of `to_json`."""
        assignment = Assignment(
            durations_us=tuple(
                (Unit.from_json(unit), np.array(samples, dtype=np.float64)) for unit, samples in value["durations_us"]
            ),
            unexpected=tuple(value["unexpected"]),
            missing=tuple(Unit.from_json(unit) for unit in value["missing"]),
        )
        return cls(Timing(**value["timing"]), assignment, *value["levels"])


def measure_units(
    units: Sequence[Unit],
    setting: Setting,
    effort: Effort = CAREFUL,
    progress: Progress | None = None,
    journal: Journal | None = None,
    level_ms: float | None = None,
) -> Taken:
    """Rows for these units, and for the stubs around them. Raises NotMeasured for a unit that fits in no context.

    journal: batches that are in it are not measured again, the others are added to it. level_ms: of the anchors, that
    the rows are to hold at; by default that of the quietest moments.
    """
    contexts = [_Context.of(unit, setting) for unit in units]
    random = np.random.default_rng(setting.seed)
    order = random.permutation(len(contexts))
    size = effort.contexts_per_file
    packs = [[contexts[i] for i in order[start : start + size]] for start in range(0, len(order), size)]
    files: list[_File] = []
    for start in range(0, len(packs), effort.files_at_once):
        kept = journal.batch(f"units:{start}") if journal is not None else None
        if kept is not None:
            files += [_File.from_json(value) for value in kept]
        else:
            batch = _measure_files(packs[start : start + effort.files_at_once], setting, effort)
            if journal is not None:
                journal.keep(f"units:{start}", [file.to_json() for file in batch])
            files += batch
        if progress is not None:
            progress(min(len(units), (start + effort.files_at_once) * size), len(units))
    wanted = reference_level([file.level_ms for file in files]) if level_ms is None else level_ms
    profiled = reference_level([file.profiled_level_us for file in files])
    typical = float(np.median([file.level_ms for file in files]))
    run_us = _run_overhead_us(setting, effort, wanted)
    return _joined([file.at(wanted, profiled) for file in files], run_us, wanted, max(0.0, typical / wanted - 1))


#: lengths of the chains of next to nothing whose times are extrapolated to a chain of length 0
_CHAINS = (1, 4, 12)


def _run_overhead_us(setting: Setting, effort: Effort, level_ms: float) -> float:
    """What a run costs beside its kernels: chains of activations of four numbers, extrapolated to none."""
    common = {"batch": setting.batch, "threads": setting.threads}
    anchors = [open_runner(setting.runtime, c, **common) for c in anchor_files(setting.execution)]
    contents = []
    for length in _CHAINS:
        sketch = Sketch(1, (2, 2))
        x = "input"
        for _ in range(length):
            x = sketch.activation(x, "sigmoid")
        contents.append(write_graph(sketch.operations))
    runners = [open_runner(setting.runtime, content, **common) for content in contents]
    timings, level = time_beside_anchors(anchors, runners, rounds=effort.rounds, seed=setting.seed, clock=setting.clock)
    times = [timing.latency_ms * 1e3 * level_ms / level for timing in timings]
    _, constant = np.polyfit(_CHAINS, times, 1)
    return float(max(0.0, constant))


@dataclass(frozen=True, slots=True)
class _Context:
    operations: tuple[SizedOperation, ...]
    narrow_inputs: bool

    @classmethod
    def of(cls, unit: Unit, setting: Setting) -> _Context:
        return cls(in_context(unit, setting.execution), is_given_integers(unit))


def _measure_files(packs: Sequence[Sequence[_Context]], setting: Setting, effort: Effort) -> list[_File]:
    contents, placed = zip(*(_pack(pack, setting) for pack in packs), strict=True)
    anchors = anchor_files(setting.execution)
    runners = [
        open_runner(setting.runtime, c, batch=setting.batch, threads=setting.threads, seed=setting.seed)
        for c in (*anchors, *contents)
    ]
    timings, level = time_beside_anchors(
        runners[: len(anchors)],
        runners[len(anchors) :],
        rounds=effort.rounds,
        seed=setting.seed,
        clock=setting.clock,
    )
    runners.clear()
    kernels = _profiled([*anchors, *contents], setting, effort)
    profiled_level = level_of(
        [sum(_typical(np.array(kernel.durations_us)) for kernel in found) for found in kernels[: len(anchors)]]
    )
    return [
        _File(timing, assign(found, items), level, profiled_level)
        for timing, found, items in zip(timings, kernels[len(anchors) :], placed, strict=True)
    ]


def _profiled(contents: Sequence[bytes], setting: Setting, effort: Effort) -> list[tuple[Kernel, ...]]:
    """The kernels of every file, run in turn."""
    with profiling_folder() as folder:
        runners = [
            open_profiled(setting.runtime, c, folder, batch=setting.batch, threads=setting.threads, seed=setting.seed)
            for c in contents
        ]
        for _ in range(_TURNS):
            for runner in runners:
                for _ in range(effort.profiled_runs // _TURNS):
                    runner()
        return [runner.finish(skip=effort.profiled_runs // 6) for runner in runners]


def _pack(contexts: Sequence[_Context], setting: Setting) -> tuple[bytes, list[Placed]]:
    """One file with the contexts side by side, and the units that it should execute."""
    operations: list[SizedOperation] = []
    placed: list[Placed] = []
    edges: set[tuple[str, str]] = set()
    narrow: set[str] = set()
    integers: set[str] = set()
    for index, context in enumerate(contexts):
        own = renamed(context.operations, f"u{index}.")
        placed += lower(own, setting.execution, batch=setting.batch, narrow_inputs=context.narrow_inputs)
        executed = at_kernel_bits(own, setting.execution)
        precision = plan_precision(executed, narrow_inputs=context.narrow_inputs)
        edges |= precision.edges
        narrow |= precision.narrow
        integers |= set(external(executed)) if context.narrow_inputs else set()
        operations += executed
    precision = Precision(frozenset(edges), frozenset(narrow))
    return write_graph(operations, precision=precision, narrow_inputs=integers, seed=setting.seed), placed


def _typical(samples: NDArray[np.float64]) -> float:
    """Mean of the lower half: between whole microseconds, and without disturbances."""
    half = np.sort(samples)[: max(1, (len(samples) + 1) // 2)]
    return float(half.mean())


def _joined(files: Sequence[_File], run_us: float, level_ms: float, busy: float) -> Taken:
    """From files at one level to units. run_us: what a run costs beside its kernels."""
    features = np.array([file.features for file in files])
    times = np.array([file.timing.latency_ms * 1e3 for file in files])
    node_us, scale = _fit(features, times - run_us)
    estimates = _first_estimates(files, node_us, scale)
    for file in files:
        _correct(file, estimates, run_us)
    rows = {
        unit: Row(
            latency_us=estimate.mean,
            percentiles_us=estimate.percentiles(),
            samples=estimate.samples,
            repeat_error=estimate.error,
        )
        for unit, estimate in estimates.items()
    }
    return Taken(
        rows=rows,
        node_overhead_us=node_us,
        run_overhead_us=run_us,
        level_ms=level_ms,
        busy=busy,
        unexpected=[name for file in files for name in file.assignment.unexpected],
        missing=[unit for file in files for unit in file.assignment.missing],
    )


def _fit(features: NDArray[np.float64], times: NDArray[np.float64]) -> tuple[float, float]:
    """Microseconds per kernel, and scale: least squares on relative error, towards what is plausible."""
    plausible, certainty = np.array([-1.0, 1.0]), np.array([1.0, 0.1])
    weighted = features / times[:, None]  # (files, 2)
    noise = 0.02
    prior = noise / certainty
    rows = np.vstack([weighted, np.diag(prior)])
    target = np.concatenate([np.ones(len(times)), prior * plausible])
    solution = np.linalg.lstsq(rows, target, rcond=None)[0]
    return float(solution[0]), float(solution[1])


@dataclass(slots=True)
class _Estimate:
    mean: float
    variance: float
    durations: NDArray[np.float64]
    samples: int
    error: float

    def percentiles(self) -> dict[str, float]:
        """Of the profiled runs, moved to where the mean is."""
        shift = self.mean - _typical(self.durations)
        quantiles = np.quantile(self.durations, (0.1, 0.5, 0.9)) + shift
        return {name: max(0.05, round(float(q), 3)) for name, q in zip(("p10", "p50", "p90"), quantiles, strict=True)}


#: what a unit's estimate is uncertain by before its file's time is looked at: whole microseconds, and a share
_GRAIN_US, _SHARE = 0.35, 0.03
#: the same for a file's time
_FILE_SHARE = 0.006


#: with fewer looks at a kernel than this, they were means over all runs, and say nothing of their own noise
_FEWEST_SAMPLES = 12


def _first_estimates(files: Sequence[_File], node_us: float, scale: float) -> dict[Unit, _Estimate]:
    found: dict[Unit, list[NDArray[np.float64]]] = {}
    noise: dict[Unit, list[float]] = {}  #: of the files that it is in
    for file in files:
        for unit, samples in file.assignment.durations_us:
            found.setdefault(unit, []).append(samples)
            noise.setdefault(unit, []).append(file.timing.repeat_error)
    estimates = {}
    for unit, several in found.items():
        typical = [_typical(samples) for samples in several]
        mean = max(LEAST_US, node_us + scale * float(np.mean(typical)))
        halves = [abs(_typical(s[::2]) - _typical(s[1::2])) / max(_typical(s), 1.0) for s in several]
        estimates[unit] = _Estimate(
            mean=mean,
            variance=(_GRAIN_US**2 + (_SHARE * mean) ** 2) / len(several),
            durations=np.concatenate(several),
            samples=sum(len(samples) for samples in several),
            error=float(np.median(halves if len(several[0]) >= _FEWEST_SAMPLES else noise[unit])),
        )
    return estimates


def _correct(file: _File, estimates: Mapping[Unit, _Estimate], run_us: float) -> None:
    """Share what the file took more or less than its units among them, the uncertain ones first."""
    occurrences: dict[Unit, int] = {}
    for unit, _ in file.assignment.durations_us:
        occurrences[unit] = occurrences.get(unit, 0) + 1
    time_us = file.timing.latency_ms * 1e3
    gap = time_us - run_us - sum(count * estimates[unit].mean for unit, count in occurrences.items())
    spread = sum(count**2 * estimates[unit].variance for unit, count in occurrences.items())
    total = spread + (_FILE_SHARE * time_us) ** 2
    for unit, count in occurrences.items():
        estimate = estimates[unit]
        gain = count * estimate.variance / total
        estimate.mean = max(LEAST_US, estimate.mean + gain * gap)
        estimate.variance *= 1 - gain * count
