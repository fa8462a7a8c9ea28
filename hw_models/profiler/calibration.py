"""From the sum of units to whole networks: one scale and one constant, fitted on networks of several families.

One family is not enough: what is fitted on one was seen to be off by 40 % on another. The units of the networks must
have been measured on their own before; what is left over afterwards is the error that every prediction carries.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from hw_models.families import Precision, draw
from hw_models.graph import write_graph
from hw_models.lowering import lower
from hw_models.precision import at_kernel_bits
from hw_models.profiler.anchors import COUNT, anchor_files, reference_level, scaled, time_beside_anchors
from hw_models.profiler.journal import Journal
from hw_models.profiler.rounds import Setting
from hw_models.runtimes import open_runner
from hw_models.timing import Timing
from hw_models.units import Unit
from paretrim.errors import ParetrimError
from paretrim.network import SizedOperation

#: families that calibration may look at; validation has others besides
CALIBRATION_FAMILIES = ("plain", "resnet", "mobilenet")
_TOGETHER = 24

Operations = tuple[SizedOperation, ...]


def calibration_networks(precisions: Sequence[Precision], *, each: int, seed: int) -> list[Operations]:
    """Random networks, `each` of every family and precision; the third and every sixth after it are tiny.

    What a run costs beside its kernels shows in networks of some ten microseconds only.
    """
    sides = (32, 16, 8, 24, 12, 20)
    return [
        draw(
            family,
            seed + 1000 * index + position,
            precision=precision,
            hw=(sides[position % len(sides)],) * 2,
            scale=0.4 if sides[position % len(sides)] == 8 else 1.0,
        )
        for index, family in enumerate(CALIBRATION_FAMILIES)
        for precision in precisions
        for position in range(each)
    ]


def units_of(networks: Sequence[Operations], setting: Setting) -> list[Unit]:
    """The units of some networks, each once."""
    placed = (item for operations in networks for item in lower(operations, setting.execution, batch=setting.batch))
    return list(dict.fromkeys(item.unit for item in placed))


def measured_whole(networks: Sequence[Operations], unit_us: Mapping[Unit, float], setting: Setting) -> list[Operations]:
    """The networks all of whose units were measured: a runtime may execute one in no kernel of its own.

    Raises ParetrimError if too few are left to calibrate with.
    """
    whole = [network for network in networks if all(unit in unit_us for unit in units_of([network], setting))]
    if 2 * len(whole) < len(networks):
        raise ParetrimError(
            f"only {len(whole)} of {len(networks)} networks for the calibration are executed by this version of"
            f" {setting.runtime} as expected; profile with --runtime onnxruntime, or with --precision fp32"
        )
    return whole


def time_networks(
    networks: Sequence[Operations],
    setting: Setting,
    *,
    rounds: int,
    level_ms: float | None = None,
    progress: Callable[[int, int], None] | None = None,
    journal: Journal | None = None,
    shuffled: bool = False,
) -> list[Timing]:
    """Time whole networks with random weights, in turn; in their order.

    level_ms and journal: see `measure_units`. shuffled: whether those that are timed at one moment are drawn at random.
    """
    order = np.random.default_rng(setting.seed).permutation(len(networks)) if shuffled else np.arange(len(networks))
    timings: list[Timing] = []
    levels: list[float] = []
    for start in range(0, len(networks), _TOGETHER):
        kept = journal.batch(f"networks:{start}") if journal is not None else None
        if kept is None:
            batch, level = _time_batch([networks[index] for index in order[start : start + _TOGETHER]], setting, rounds)
            kept = {"timings": [asdict(timing) for timing in batch], "level_ms": level}
            if journal is not None:
                journal.keep(f"networks:{start}", kept)
        timings += [Timing(**value) for value in kept["timings"]]
        levels += [kept["level_ms"]] * len(kept["timings"])
        if progress is not None:
            progress(min(len(networks), start + _TOGETHER), len(networks))
    wanted = reference_level(levels) if level_ms is None else level_ms
    return [scaled(timings[place], wanted / levels[place]) for place in np.argsort(order)]


def _time_batch(networks: Sequence[Operations], setting: Setting, rounds: int) -> tuple[list[Timing], float]:
    contents = [*anchor_files(setting.execution)]
    contents += [write_graph(at_kernel_bits(operations, setting.execution)) for operations in networks]
    runners = [
        open_runner(setting.runtime, c, batch=setting.batch, threads=setting.threads, seed=setting.seed)
        for c in contents
    ]
    return time_beside_anchors(runners[:COUNT], runners[COUNT:], rounds=rounds, seed=setting.seed, clock=setting.clock)


def calibrate(
    networks: Sequence[Operations],
    timings: Sequence[Timing],
    unit_us: Mapping[Unit, float],
    setting: Setting,
    *,
    run_overhead_us: float,
) -> dict[str, Any]:
    """The calibration part of a table: scale, constant, and what error is left. Least squares on relative error.

    run_overhead_us: what a run was seen to cost beside its kernels; the constant is held near it.
    """
    sums = np.array(
        [
            sum(unit_us[item.unit] for item in lower(operations, setting.execution, batch=setting.batch)) / 1e3
            for operations in networks
        ]
    )
    truth = np.array([timing.latency_ms for timing in timings])
    relative = np.stack([np.ones_like(sums), sums], axis=1) / truth[:, None]
    prior = np.diag([0.02 / 0.001, 0.02 / 0.2])  # within a microsecond, and within 20 %
    rows = np.vstack([relative, prior])
    target = np.concatenate([np.ones(len(truth)), prior @ np.array([run_overhead_us / 1e3, 1.0])])
    constant, scale = np.linalg.lstsq(rows, target, rcond=None)[0]
    constant = max(0.0, float(constant))
    errors = np.abs((constant + scale * sums) / truth - 1)
    return {
        "scale": round(float(scale), 5),
        "constant_ms": round(constant, 6),
        "error": round(float(np.quantile(errors, 0.9)), 5),
        "mean_error": round(float(errors.mean()), 5),
        "networks": len(truth),
        "families": list(CALIBRATION_FAMILIES),
        "repeat_error": round(float(np.median([timing.repeat_error for timing in timings])), 5),
    }
