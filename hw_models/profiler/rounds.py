"""Times units: packs their contexts into files, runs the files in turn, with and without the runtime's own profile.

A unit is in several files, each time among others and in other memory: where a file's tensors happen to lie makes it
one or two percent faster or slower for as long as it is loaded. What was taken while the machine was busy is taken
again. How times become those of units is in `estimates`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from hw_models.counts import external
from hw_models.fusion import Execution, Placed
from hw_models.graph import write_graph
from hw_models.lowering import lower
from hw_models.precision import Precision, at_kernel_bits, plan_precision
from hw_models.profiler.anchors import anchor_files, busiest, level_of, reference_level, time_beside_anchors
from hw_models.profiler.assignment import assign
from hw_models.profiler.contexts import in_context, is_given_integers, renamed
from hw_models.profiler.energy import EnergyMeter
from hw_models.profiler.estimates import TimedFile, estimate_units, typical
from hw_models.profiler.journal import Journal
from hw_models.runtimes import ONNX_RUNTIME, open_profiled, open_runner
from hw_models.sessions import Kernel, profiling_folder
from hw_models.sketch import Sketch
from hw_models.table import Row
from hw_models.timing import Clock
from hw_models.units import Unit
from paretrim.network import SizedOperation

#: told how many of how many are done
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Effort:
    """How carefully to measure."""

    rounds: int = 36  #: samples per file
    profiled_runs: int = 48  #: of which the first sixth is dropped
    contexts_per_file: int = 6
    files_at_once: int = 24  #: run in turn
    passes: int = 1  #: files that every unit is in
    turns: int = 1  #: how often what was taken at a busy moment is taken again


CAREFUL = Effort(passes=2, turns=2)
QUICK = Effort()
#: runs of the profile are spread over so many turns
_TURNS = 8


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
    plan = _plan([_Context.of(unit, setting) for unit in units], effort, setting.seed)

    def take(name: str, packs: Sequence[Sequence[_Context]]) -> list[TimedFile]:
        kept = journal.batch(name) if journal is not None else None
        if kept is not None:
            return [TimedFile.from_json(value) for value in kept]
        batch = _measure_files(packs, setting, effort)
        if journal is not None:
            journal.keep(name, [file.to_json() for file in batch])
        return batch

    batches: list[list[TimedFile]] = []
    for name, packs in plan.items():
        batches.append(take(name, packs))
        if progress is not None:
            progress(round(len(units) * len(batches) / len(plan)), len(units))
    for turn in range(effort.turns):
        for index in busiest([_busy(batch, _quiet(batches)) for batch in batches]):
            name, packs = list(plan.items())[index]
            again = take(f"{name}:again:{turn}", packs)
            batches[index] = min(batches[index], again, key=lambda batch: _busy(batch, _quiet(batches)))
    return _joined(batches, setting, effort, level_ms)


def _plan(contexts: Sequence[_Context], effort: Effort, seed: int) -> dict[str, list[list[_Context]]]:
    """Batches of files of contexts, by name: every context once in each pass, each time among others."""
    plan = {}
    size, together = effort.contexts_per_file, effort.files_at_once
    for turn in range(effort.passes):
        order = np.random.default_rng(seed + turn).permutation(len(contexts))
        packs = [[contexts[i] for i in order[start : start + size]] for start in range(0, len(order), size)]
        for start in range(0, len(packs), together):
            plan[f"units:{turn}:{start}"] = packs[start : start + together]
    return plan


def _quiet(batches: Sequence[Sequence[TimedFile]]) -> tuple[float, float]:
    """Both levels of the anchors at the quietest moments."""
    files = [batch[0] for batch in batches]
    return reference_level([file.level_ms for file in files]), reference_level([f.profiled_level_us for f in files])


def _busy(batch: Sequence[TimedFile], quiet: tuple[float, float]) -> float:
    """How much slower than at the quietest moments the machine was during a batch, as a share."""
    return max(batch[0].level_ms / quiet[0], batch[0].profiled_level_us / quiet[1]) - 1


def _joined(batches: Sequence[Sequence[TimedFile]], setting: Setting, effort: Effort, level_ms: float | None) -> Taken:
    """From batches to units, at the level that is wanted."""
    files = [file for batch in batches for file in batch]
    quiet = _quiet(batches)
    wanted = quiet[0] if level_ms is None else level_ms
    run_us = _run_overhead_us(setting, effort, wanted)
    estimates, node_us = estimate_units([file.at(wanted, quiet[1], quiet) for file in files], run_us)
    rows = {
        unit: Row(
            latency_us=estimate.mean,
            percentiles_us=estimate.percentiles(),
            samples=estimate.samples,
            repeat_error=estimate.error,
            energy_uj=estimate.energy_uj,
        )
        for unit, estimate in estimates.items()
    }
    return Taken(
        rows=rows,
        node_overhead_us=node_us,
        run_overhead_us=run_us,
        level_ms=wanted,
        busy=max(0.0, float(np.median([file.level_ms for file in files])) / quiet[0] - 1),
        unexpected=[name for file in files for name in file.assignment.unexpected],
        missing=[unit for file in files for unit in file.assignment.missing],
    )


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


def _measure_files(packs: Sequence[Sequence[_Context]], setting: Setting, effort: Effort) -> list[TimedFile]:
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
    meter = EnergyMeter.of_this_host()
    watts = [meter.watts(runner) if meter is not None else None for runner in runners[len(anchors) :]]
    runners.clear()
    kernels = _profiled([*anchors, *contents], setting, effort)
    profiled_level = level_of(
        [sum(typical(np.array(kernel.durations_us)) for kernel in found) for found in kernels[: len(anchors)]]
    )
    return [
        TimedFile(timing, assign(found, items), level, profiled_level, watts=power)
        for timing, found, items, power in zip(timings, kernels[len(anchors) :], placed, watts, strict=True)
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
