"""Takes a latency table of this machine, and adds to one what a network needs and it lacks."""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any, Literal

import numpy as np

from hw_models import document as checks
from hw_models.families import Precision
from hw_models.fusion import Execution, Layout
from hw_models.interpolation import fit
from hw_models.profiler import calibration, probes, sweep
from hw_models.profiler.host import hardware, is_this_host, runtime
from hw_models.profiler.journal import Journal, plan_of
from hw_models.profiler.rounds import CAREFUL, QUICK, Effort, Setting, Taken, measure_units
from hw_models.runtimes import ONNX_RUNTIME, OPENVINO, check_runtime
from hw_models.table import Row, TableDevice, layout_json
from hw_models.units import Unit
from paretrim.errors import InvalidInput
from paretrim.network import Network
from paretrim.problem import FULL_PRECISION, Bits, Policy

Mode = Literal["quick", "full"]
#: told what is being done, how many of how many are done, and how many seconds are left
Report = Callable[[str, int, int, float], None]

KERNELS: Mapping[str, Bits] = {"fp32": FULL_PRECISION, "int8": Bits(8, 8)}


@dataclass(frozen=True, slots=True)
class Scale:
    """How much is measured."""

    units: int  #: spread over everything
    widths: tuple[int, ...]  #: of the staircases in which steps are looked for
    networks: int  #: for calibration, of each family and precision
    rounds: int  #: of each of them, every time it is loaded
    sessions: int  #: how often each of them is loaded
    effort: Effort


SCALES: Mapping[Mode, Scale] = {
    "quick": Scale(units=420, widths=tuple(range(32, 50)), networks=3, rounds=36, sessions=2, effort=QUICK),
    "full": Scale(units=3600, widths=tuple(range(32, 101)), networks=10, rounds=36, sessions=4, effort=CAREFUL),
}


def profile_host(
    network: Network | None = None,
    *,
    name: str = "host-cpu",
    mode: Mode = "quick",
    precisions: Sequence[str] = ("fp32", "int8"),
    threads: int = 1,
    batch: int = 1,
    seed: int = 0,
    progress: Report | None = None,
    journal: Path | None = None,
    runtime_name: str = ONNX_RUNTIME,
) -> dict[str, Any]:
    """A table document of this machine under a runtime; with a network, also of what its policies need.

    mode: `quick` takes under 40 seconds, `full` under 10 minutes, with OpenVINO three times that: it compiles every
    file. precisions: `fp32`, `int8`. journal: a file that holds what was measured until the table is complete;
    interrupted, the same call goes on from there. runtime_name: `onnxruntime`, or `openvino` where it is installed.
    Raises InvalidInput for an unknown precision or runtime, ParetrimError if 8-bit layers do not run in 8 bits here.
    """
    kernels = _kernels(precisions)
    asked = _probes(check_runtime(runtime_name))
    if len(kernels) > 1:
        asked.check_int8()
    execution = Execution(kernels=kernels, fusion=asked.find_fusion(), layout=asked.find_layout())
    setting = Setting(execution, batch=batch, threads=threads, seed=seed, runtime=runtime_name)
    scale = SCALES[mode]
    kinds = _precisions(precisions)
    clock = ReportClock(progress)
    networks = calibration.calibration_networks(kinds, each=scale.networks, seed=seed)
    stairs = _stairs(kernels, scale, setting)
    spread = sweep.spread(scale.units, kinds, execution, seed=seed + 1, batch=batch)
    series = chain.from_iterable(stairs.values())
    units = list(dict.fromkeys(chain(series, calibration.units_of(networks, setting), spread)))
    plan = plan_of(units, threads=threads, batch=batch, seed=seed, effort=scale, runtime_name=runtime_name)
    kept = Journal(journal, plan) if journal is not None else None
    taken = measure_units(units, setting, scale.effort, clock.of("operations"), kept)
    figures = {unit: row.latency_us for unit, row in taken.rows.items()}
    networks = calibration.measured_whole(networks, figures, setting)
    timings, _ = calibration.time_networks(
        networks,
        setting,
        rounds=scale.rounds,
        sessions=scale.sessions,
        level_ms=taken.level_ms,
        progress=clock.of("networks"),
        journal=kept,
    )
    document = {
        "format": checks.FORMAT,
        "version": checks.VERSION,
        "name": name,
        "kind": TableDevice.kind,
        "hardware": hardware(),
        "runtime": runtime(threads=threads, batch=batch, name=runtime_name),
        "method": _method(mode, setting, taken),
        "noise": _noise(taken),
        "kernels": [[bits.weight, bits.activation] for bits in kernels],
        "fusion": {name: sorted(chains) for name, chains in execution.fusion.items() if name in precisions},
        "layout": layout_json(execution.layout),
        "steps": _steps(stairs, figures, execution.layout),
        "calibration": calibration.calibrate(
            networks, timings, figures, setting, run_overhead_us=taken.run_overhead_us
        ),
        "interpolation": {family: model.to_json() for family, model in fit(figures, seed=seed).items()},
        "rows": [row.to_json(unit) for unit, row in taken.rows.items()],
    }
    if kept is not None:
        kept.close()
    return document if network is None else extend_table(document, [network], seed=seed, progress=progress)


def extend_table(
    document: Mapping[str, Any],
    networks: Sequence[Network],
    *,
    policies: Sequence[Policy] | None = None,
    limit: int = 600,
    mode: Mode = "quick",
    seed: int = 0,
    progress: Report | None = None,
) -> dict[str, Any]:
    """The table with rows for what the networks' policies need, at most `limit` new ones.

    policies: which; if None, a spread of those on the device's steps. A table of another machine, or of another version
    of the runtime, is returned as it is: only its own machine can measure for it. Raises InvalidTable.
    """
    device = TableDevice(document)
    if not is_this_host(document):
        return dict(document)
    setting = setting_of(device, seed)
    wanted = [unit for network in networks for unit in sweep.needed(network, device, policies, limit=limit, seed=seed)]
    missing = [unit for unit in dict.fromkeys(wanted) if unit not in device.rows]
    missing = [unit for unit in missing if sweep.can_be_timed(unit, device.execution)][:limit]
    return add_units(document, missing, setting, mode=mode, progress=progress) if missing else dict(document)


def add_units(
    document: Mapping[str, Any],
    units: Sequence[Unit],
    setting: Setting,
    *,
    mode: Mode = "quick",
    progress: Report | None = None,
    journal: Journal | None = None,
) -> dict[str, Any]:
    """The table with these units measured, and its interpolation fitted anew.

    Should the machine be faster or slower than it was when the table was taken, the new rows are brought to the table's
    level: by the anchors, or in a table without their figure by a few of its units that are measured again.
    """
    device = TableDevice(document)
    clock = ReportClock(progress)
    level_ms = level_of_table(device)
    anchors = _anchors(device.rows, seed=setting.seed) if level_ms is None else []
    wanted = [*anchors, *units]
    if not units:
        return dict(document)
    taken = measure_units(wanted, setting, SCALES[mode].effort, clock.of("operations"), journal, level_ms)
    level = float(np.median([device.rows[unit].latency_us / taken.rows[unit].latency_us for unit in anchors] or [1.0]))
    rows = dict(device.rows)
    for unit, row in taken.rows.items():
        rows.setdefault(unit, _scaled(row, level))
    figures = {unit: row.latency_us for unit, row in rows.items() if row.source == "measured"}
    return {
        **document,
        "interpolation": {family: model.to_json() for family, model in fit(figures, seed=setting.seed).items()},
        "rows": [row.to_json(unit) for unit, row in rows.items()],
    }


def setting_of(device: TableDevice, seed: int) -> Setting:
    """What the table was measured under."""
    facts = device.facts["runtime"]
    return Setting(
        device.execution, device.batch, int(facts.get("threads", 1)), seed, str(facts.get("name", ONNX_RUNTIME))
    )


def level_of_table(device: TableDevice) -> float | None:
    """The level of the anchors that a table's figures hold at, if it says so."""
    value = device.facts["noise"].get("level_ms")
    return float(value) if isinstance(value, int | float) and value > 0 else None


def _anchors(rows: Mapping[Unit, Row], *, seed: int, count: int = 12) -> list[Unit]:
    """Layers in the table that take long enough to be compared."""
    slow = [unit for unit, row in rows.items() if unit.is_layer and row.latency_us > 5 and row.source == "measured"]
    random = np.random.default_rng(seed)
    return [slow[i] for i in random.permutation(len(slow))[:count]]


def _scaled(row: Row, level: float) -> Row:
    percentiles = {name: value * level for name, value in (row.percentiles_us or {}).items()}
    energy = None if row.energy_uj is None else row.energy_uj * level
    return replace(row, latency_us=row.latency_us * level, percentiles_us=percentiles or None, energy_uj=energy)


def _probes(runtime_name: str) -> Any:
    """The module that asks this runtime what it does with a graph."""
    if runtime_name == OPENVINO:
        from hw_models.profiler import openvino_probes

        return openvino_probes
    return probes


def _kernels(precisions: Sequence[str]) -> tuple[Bits, ...]:
    unknown = [precision for precision in precisions if precision not in KERNELS]
    if unknown or not precisions:
        raise InvalidInput(f"precision must be of {', '.join(KERNELS)}, got {unknown or 'none'}", field="precision")
    return tuple(KERNELS[precision] for precision in KERNELS if precision in precisions)


def _precisions(precisions: Sequence[str]) -> tuple[Precision, ...]:
    both: tuple[Precision, ...] = ("fp32", "int8", "mixed")
    single: tuple[Precision, ...] = ("int8",) if "int8" in precisions else ("fp32",)
    return both if {"fp32", "int8"} <= set(precisions) else single


def _stairs(kernels: Sequence[Bits], scale: Scale, setting: Setting) -> dict[str, list[Unit]]:
    """By kind and precision, the unit of every width."""
    found = {}
    for kind in sweep.STEP_KINDS:
        for bits in kernels:
            narrow = bits.activation <= 8
            units = sweep.staircase(kind, narrow, scale.widths, setting.execution, batch=setting.batch)
            found[f"{kind}.{'int8' if narrow else 'fp32'}"] = units
    return found


def _steps(
    stairs: Mapping[str, Sequence[Unit]], figures: Mapping[Unit, float], layout: Layout | None
) -> dict[str, int]:
    """The coarsest step that pays: between its multiples nothing is faster than the next multiple up.

    Never finer than what blocked kernels read: beside a multiple of that, a convolution falls back to plain channels.
    """
    steps = {}
    for name, units in stairs.items():
        times = {unit.out_channels: figures[unit] for unit in units if unit in figures}
        blocked = layout is not None and layout.block and name.startswith(("conv", "depthwise")) and "fp32" in name
        least = layout.align if layout is not None and blocked else 1
        steps[name] = max(step for step in (1, 2, 4, 8, 16, 32) if step <= least or _pays(times, step))
    return steps


def _pays(times: Mapping[int, float], step: int) -> bool:
    """Whether nine in ten widths between multiples take as long as the multiple above them, within 4 %."""
    between = [width for width in times if width % step and -(-width // step) * step in times]
    slower = [times[width] >= 0.96 * times[-(-width // step) * step] for width in between]
    return len(slower) >= step - 1 and sum(slower) >= 0.9 * len(slower)


def _method(mode: Mode, setting: Setting, taken: Taken) -> dict[str, Any]:
    metered = any(row.energy_uj is not None for row in taken.rows.values())
    energy = "counters of the processor (RAPL), idle power included" if metered else "none: there are no counters"
    return {
        "mode": mode,
        "context": "in the middle of a chain",
        "clock": setting.clock,
        "order": "interleaved, random",
        "statistic": "lower quartile",
        "energy": energy,
        "seed": setting.seed,
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
    }


def _noise(taken: Taken) -> dict[str, Any]:
    errors = [row.repeat_error for row in taken.rows.values()]
    return {
        "repeat_error": round(float(np.median(errors)), 5),
        "repeat_error_p90": round(float(np.quantile(errors, 0.9)), 5),
        "node_overhead_us": round(taken.node_overhead_us, 4),
        "run_overhead_us": round(taken.run_overhead_us, 4),
        "level_ms": round(taken.level_ms, 6),
        "busy": round(taken.busy, 4),
        "unexpected_kernels": len(taken.unexpected),
        "units_without_kernel": len(taken.missing),
    }


#: no batch is measured in less; one that is there sooner was taken from the journal
_FROM_JOURNAL_SECONDS = 0.3


class ReportClock:
    """Turns counts into seconds left."""

    def __init__(self, report: Report | None) -> None:
        self._report = report

    def of(self, what: str) -> Callable[[int, int], None] | None:
        """A callback for one phase."""
        if self._report is None:
            return None
        report, begun = self._report, time.monotonic()
        already = 0

        def told(done: int, total: int) -> None:
            nonlocal already, begun
            seconds = time.monotonic() - begun
            if seconds < _FROM_JOURNAL_SECONDS:
                already, begun = done, time.monotonic()
            report(what, done, total, seconds / max(done - already, 1) * (total - done))

        return told
