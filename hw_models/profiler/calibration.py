"""From the sum of units to whole networks: one scale and one constant, fitted on networks of several families.

One family is not enough: what is fitted on one was seen to be off by 40 % on another. The units of the networks must
have been measured on their own before; what is left over afterwards is the error that every prediction carries.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from hw_models.families import Precision, draw
from hw_models.graph import write_graph
from hw_models.lowering import lower
from hw_models.precision import at_kernel_bits
from hw_models.profiler.rounds import Setting
from hw_models.sessions import Runner
from hw_models.timing import Timing, interleaved
from hw_models.units import Unit
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


def time_networks(
    networks: Sequence[Operations],
    setting: Setting,
    *,
    rounds: int,
    progress: Callable[[int, int], None] | None = None,
) -> list[Timing]:
    """Time whole networks with random weights."""
    timings: list[Timing] = []
    for start in range(0, len(networks), _TOGETHER):
        runners = []
        for operations in networks[start : start + _TOGETHER]:
            executed = at_kernel_bits(operations, setting.execution)
            content = write_graph(executed)
            runners.append(Runner(content, batch=setting.batch, threads=setting.threads, seed=setting.seed))
        samples = interleaved(runners, rounds=rounds, seed=setting.seed, clock=setting.clock)
        timings += [Timing.of(row, setting.clock) for row in samples]
        if progress is not None:
            progress(min(len(networks), start + _TOGETHER), len(networks))
    return timings


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
