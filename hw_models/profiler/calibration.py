"""From the sum of units to whole networks: one scale and one constant, fitted on networks of several families.

One family is not enough: what is fitted on one was seen to be off by 40 % on another. The units of the networks must
have been measured on their own before; what is left over afterwards is the error that every prediction carries.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hw_models.families import Precision, draw
from hw_models.graph import write_graph
from hw_models.lowering import lower
from hw_models.precision import at_kernel_bits
from hw_models.profiler.anchors import (
    COUNT,
    anchor_files,
    busiest,
    noise_share,
    reference_level,
    scaled,
    time_beside_anchors,
)
from hw_models.profiler.journal import Journal
from hw_models.profiler.rounds import Setting
from hw_models.runtimes import open_runner
from hw_models.timing import Timing
from hw_models.units import Unit
from paretrim.errors import ParetrimError
from paretrim.network import SizedOperation

#: families that calibration may look at; validation has others besides
CALIBRATION_FAMILIES = ("plain", "resnet", "mobilenet")
#: how often a network is loaded and timed: where its tensors happen to lie makes it about 1 % faster or slower
SESSIONS = 4
#: what the sum of a network's units is off by: a share, and milliseconds
_NETWORK_SHARE, _NETWORK_GRAIN_MS = 0.02, 0.001
_TOGETHER = 24
#: how often what was taken at a busy moment is taken again
_TURNS = 2
#: spread of a network's sessions at quiet moments
_SESSION_SHARE = 0.012

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
    sessions: int = SESSIONS,
    level_ms: float | None = None,
    progress: Callable[[int, int], None] | None = None,
    journal: Journal | None = None,
) -> tuple[list[Timing], float]:
    """Time whole networks with random weights, in turn. Returns timings in the networks' order, and the anchors' level
    in milliseconds at the quietest moments.

    sessions: how often each is loaded and timed, among others each time; what was taken at a busy moment is taken again
    and counts less. The repeat error is how far two halves of the sessions are apart, or of the samples, if there is
    but one session. level_ms and journal: see `measure_units`.
    """
    orders = [
        np.random.default_rng(setting.seed + session).permutation(len(networks))[start : start + _TOGETHER]
        for session in range(sessions)
        for start in range(0, len(networks), _TOGETHER)
    ]

    def take(name: str, order: NDArray[np.intp]) -> tuple[list[Timing], float]:
        kept = journal.batch(name) if journal is not None else None
        if kept is None:
            timings, level = _time_batch([networks[index] for index in order], setting, rounds)
            kept = {"timings": [asdict(timing) for timing in timings], "level_ms": level}
            if journal is not None:
                journal.keep(name, kept)
        return [Timing(**value) for value in kept["timings"]], float(kept["level_ms"])

    taken: list[tuple[list[Timing], float]] = []
    for number, order in enumerate(orders):
        taken.append(take(f"networks:{number}", order))
        if progress is not None:
            progress(round(len(networks) * len(taken) / len(orders)), len(networks))
    for turn in range(_TURNS):
        quiet = reference_level([level for _, level in taken])
        for number in busiest([level / quiet - 1 for _, level in taken]):
            again = take(f"networks:{number}:again:{turn}", orders[number])
            taken[number] = min(taken[number], again, key=lambda batch: batch[1])
    quiet = reference_level([level for _, level in taken])
    return _averaged(taken, orders, len(networks), quiet, quiet if level_ms is None else level_ms), quiet


def _averaged(
    taken: Sequence[tuple[list[Timing], float]],
    orders: Sequence[NDArray[np.intp]],
    count: int,
    quiet: float,
    wanted: float,
) -> list[Timing]:
    """One timing of every network. quiet, wanted: the anchors' level at the quietest moments, and that to bring to."""
    found: list[list[tuple[Timing, float]]] = [[] for _ in range(count)]
    for (timings, level), order in zip(taken, orders, strict=True):
        weight = (_SESSION_SHARE / (_SESSION_SHARE + noise_share(level / quiet - 1))) ** 2
        for index, timing in zip(order, timings, strict=True):
            found[index].append((scaled(timing, wanted / level), weight))
    return [_mean(several) for several in found]


def _mean(several: Sequence[tuple[Timing, float]]) -> Timing:
    """Of the sessions of one network, with their weights."""
    timings, weights = [timing for timing, _ in several], np.array([weight for _, weight in several])
    if len(timings) == 1:
        return timings[0]
    logarithms = np.log([timing.latency_ms for timing in timings])
    halves = [float(np.average(logarithms[i::2], weights=weights[i::2])) for i in (0, 1)]

    def over_sessions(figures: Sequence[float]) -> float:
        return float(np.exp(np.average(np.log(figures), weights=weights)))

    return Timing(
        latency_ms=over_sessions([timing.latency_ms for timing in timings]),
        p10_ms=over_sessions([timing.p10_ms for timing in timings]),
        p50_ms=over_sessions([timing.p50_ms for timing in timings]),
        p90_ms=over_sessions([timing.p90_ms for timing in timings]),
        repeat_error=abs(float(np.expm1(halves[0] - halves[1]))),
        samples=sum(timing.samples for timing in timings),
        clock=timings[0].clock,
    )


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

    run_overhead_us: what a run was seen to cost beside its kernels; the constant is held near it. Tiny networks count
    less: a microsecond is much of them.
    """
    sums = np.array(
        [
            sum(unit_us[item.unit] for item in lower(operations, setting.execution, batch=setting.batch)) / 1e3
            for operations in networks
        ]
    )
    truth = np.array([timing.latency_ms for timing in timings])
    weight = 1 / (truth * (_NETWORK_SHARE + _NETWORK_GRAIN_MS / truth))
    prior = np.diag([1 / 0.001, 1 / 0.2])  # within a microsecond, and within 20 %
    rows = np.vstack([np.stack([weight, sums * weight], axis=1), prior])
    target = np.concatenate([truth * weight, prior @ np.array([run_overhead_us / 1e3, 1.0])])
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
