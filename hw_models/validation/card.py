"""Judges a table on its own machine and makes a report card of it, as JSON.

The truth is whole networks, timed as delivered files are. Every figure of the card is for networks that neither the
table's rows nor its calibration were made of; two families of them occur nowhere else.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hw_models.device import compose
from hw_models.families import Precision
from hw_models.lowering import lower
from hw_models.profiler.calibration import CALIBRATION_FAMILIES, SESSIONS, time_networks
from hw_models.profiler.host import differences
from hw_models.profiler.journal import Journal, plan_of
from hw_models.profiler.profile import Mode, Report, ReportClock, add_units, level_of_table, setting_of
from hw_models.profiler.rounds import Setting
from hw_models.profiler.sweep import can_be_timed
from hw_models.table import TableDevice
from hw_models.timing import Timing
from hw_models.units import Unit
from hw_models.validation import baselines
from hw_models.validation.holdout import HeldOut, held_out
from hw_models.validation.metrics import accuracy, ratio_error
from paretrim.errors import InvalidInput

Floats = NDArray[np.float64]
FORMAT = "paretrim-report-card"
#: of so many networks, at most a third, the units are timed alone as well, for that baseline
ISOLATED_NETWORKS = 36
LEAST_NETWORKS = 12
ROUNDS = 36
#: what is to be reached, as shares; nn-Meter's figures on a mobile CPU are within_10 0.99, within_5 about 0.74
TARGETS: Mapping[str, float] = {"within_10": 0.99, "within_5": 0.90, "mape": 0.025, "kendall_tau": 0.96}


@dataclass(frozen=True, slots=True)
class Judged:
    """The networks, their truth, and what each way of predicting says. All times in milliseconds, (n,)."""

    networks: list[HeldOut]
    truth: Floats
    repeat_errors: Floats
    predictions: dict[str, Floats]  #: by the names of `baselines.LABELS`
    intervals: tuple[Floats, Floats]  #: 90 % of the predictions that count
    measured_units: int  #: units that were measured for these networks
    drift: float | None  #: how much slower the machine's quietest moments were than the table's, as a share


def validate(
    document: Mapping[str, Any],
    *,
    networks: int = 240,
    measure: bool = True,
    mode: Mode = "quick",
    seed: int = 0,
    journal: Path | None = None,
    truth: Path | None = None,
    progress: Report | None = None,
) -> dict[str, Any]:
    """The report card of a table, taken on the machine the table is of.

    networks: how many, at least 12. measure: whether units that the table lacks are measured, as a job does before it
    searches; otherwise interpolated only. journal: see `profile_host`. truth: a file that keeps the networks' own
    times; while they, this machine and the runtime stay the same, they are not timed again. Raises InvalidTable, and
    InvalidInput where the table is of another machine or version of the runtime: there is no truth to compare with.
    """
    if networks < LEAST_NETWORKS:
        raise InvalidInput(f"networks must be at least {LEAST_NETWORKS}, got {networks}", field="networks")
    device = TableDevice(document)
    wrong = differences(document)
    if wrong:
        raise InvalidInput(
            f"the table {device.name!r} cannot be validated here: {'; '.join(wrong)}. Validate it where it was taken,"
            " or profile this machine: paretrim profile",
            field="device",
        )
    judged = _judge(
        device, held_out(networks, _precisions(device), seed=seed), measure, mode, seed, (journal, truth), progress
    )
    return _card(device, judged, measure, seed)


def _precisions(device: TableDevice) -> tuple[Precision, ...]:
    narrow = any(kernel.activation <= 8 for kernel in device.execution.kernels)
    wide = any(kernel.activation > 8 for kernel in device.execution.kernels)
    if narrow and wide:
        return ("fp32", "int8", "mixed")
    return ("int8",) if narrow else ("fp32",)


def _judge(
    device: TableDevice,
    networks: list[HeldOut],
    measure: bool,
    mode: Mode,
    seed: int,
    paths: tuple[Path | None, Path | None],
    progress: Report | None,
) -> Judged:
    setting = setting_of(device, seed)
    clock = ReportClock(progress)
    units = _missing(device, networks)
    plan = plan_of(
        units,
        threads=setting.threads,
        batch=setting.batch,
        seed=seed,
        effort=(mode, measure, ROUNDS),
        runtime_name=setting.runtime,
    )
    journal = Journal(paths[0], plan) if paths[0] is not None else None
    timings, level = _truth(device, networks, setting, paths[1], clock)
    truth = np.array([timing.latency_ms for timing in timings])
    found = {"interpolated": _predicted(device, networks)}
    if measure:
        full = add_units(device.document(), units, setting, mode=mode, progress=progress, journal=journal)
        found = {"table": _predicted(TableDevice(full), networks), **found}
    counted = next(iter(found.values()))
    predictions = {name: values[:, 0] for name, values in found.items()}
    predictions |= _baselines(device, networks, truth, setting, journal, clock)
    if journal is not None:
        journal.close()
    return Judged(
        networks=networks,
        truth=truth,
        repeat_errors=np.array([timing.repeat_error for timing in timings]),
        predictions=predictions,
        intervals=(counted[:, 1], counted[:, 2]),
        measured_units=len(units) if measure else 0,
        drift=None if (wanted := level_of_table(device)) is None else level / wanted - 1,
    )


def _truth(
    device: TableDevice, networks: Sequence[HeldOut], setting: Setting, path: Path | None, clock: ReportClock
) -> tuple[list[Timing], float]:
    """What the networks really take, at the table's level; and the level they were timed at."""
    plan = plan_of(
        [],
        threads=setting.threads,
        batch=setting.batch,
        seed=setting.seed,
        effort=(ROUNDS, SESSIONS),
        runtime_name=setting.runtime,
    )
    plan["networks"] = [repr(network.operations) for network in networks]
    return time_networks(
        [network.operations for network in networks],
        setting,
        rounds=ROUNDS,
        level_ms=level_of_table(device),
        progress=clock.of("held-out networks"),
        journal=Journal(path, plan) if path is not None else None,
    )


def _missing(device: TableDevice, networks: Sequence[HeldOut]) -> list[Unit]:
    placed = (item for n in networks for item in lower(n.operations, device.execution, batch=device.batch))
    missing = [unit for unit in dict.fromkeys(item.unit for item in placed) if unit not in device.rows]
    return [unit for unit in missing if can_be_timed(unit, device.execution)]


def _predicted(device: TableDevice, networks: Sequence[HeldOut]) -> Floats:
    """Latency and the ends of its interval, in milliseconds. (n, 3)"""
    rows = []
    for network in networks:
        prediction = compose(device, lower(network.operations, device.execution, batch=device.batch))
        rows.append((prediction.latency_ms, prediction.low_ms, prediction.high_ms))
    return np.array(rows)


def _baselines(
    device: TableDevice,
    networks: Sequence[HeldOut],
    truth: Floats,
    setting: Setting,
    journal: Journal | None,
    clock: ReportClock,
) -> dict[str, Floats]:
    found = {"macs": baselines.macs_times_constant(networks, truth)}
    some = networks[: min(ISOLATED_NETWORKS, len(networks) // 3)]
    found["isolated"] = baselines.isolated_sum(
        some, device, setting, level_ms=level_of_table(device), journal=journal, progress=clock.of("units timed alone")
    )
    forest = baselines.random_forest(networks, device)
    return found if forest is None else found | {"random_forest": forest}


def _card(device: TableDevice, judged: Judged, measure: bool, seed: int) -> dict[str, Any]:
    counted = "table" if measure else "interpolated"
    predicted = judged.predictions[counted]
    overall = accuracy(predicted, judged.truth).to_json()
    by_precision = _split(judged, predicted, lambda network: network.precision)
    low, high = judged.intervals
    return {
        "format": FORMAT,
        "version": 1,
        "device": device.name,
        "hardware": device.facts["hardware"],
        "runtime": device.facts["runtime"],
        "table": {"date": device.facts["method"].get("date"), "rows": len(device.rows)},
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "seed": seed,
        "networks": len(judged.networks),
        "families": sorted({network.family for network in judged.networks}),
        "calibrated_families": list(CALIBRATION_FAMILIES),
        "measured_units": judged.measured_units,
        "predicted_with": counted,
        "overall": overall,
        "by_precision": by_precision,
        "by_family": _split(judged, predicted, lambda network: network.family),
        "never_calibrated": _of(judged, predicted, [not network.calibrated for network in judged.networks]),
        "ratio": _ratios(judged, predicted),
        "interval_covers": round(float(((judged.truth >= low) & (judged.truth <= high)).mean()), 5),
        "repeat_error": {
            "median": round(float(np.median(judged.repeat_errors)), 5),
            "p90": round(float(np.quantile(judged.repeat_errors, 0.9)), 5),
        },
        "sessions": SESSIONS,
        "drift": None if judged.drift is None else round(judged.drift, 5),
        "ways": {
            name: {
                "is": baselines.LABELS[name],
                **accuracy(values, judged.truth[: len(values)]).to_json(),
            }
            for name, values in judged.predictions.items()
        },
        "targets": _against_targets(overall, by_precision),
        "points": [_point(judged, predicted, index) for index in range(len(judged.networks))],
    }


def _of(judged: Judged, predicted: Floats, chosen: Sequence[bool]) -> dict[str, Any] | None:
    mask = np.array(chosen)
    return accuracy(predicted[mask], judged.truth[mask]).to_json() if mask.sum() > 1 else None


def _split(judged: Judged, predicted: Floats, key: Callable[[HeldOut], str]) -> dict[str, Any]:
    names = dict.fromkeys(key(network) for network in judged.networks)
    return {name: _of(judged, predicted, [key(network) == name for network in judged.networks]) for name in names}


def _ratios(judged: Judged, predicted: Floats) -> dict[str, float]:
    return ratio_error(predicted.reshape(-1, 2), judged.truth.reshape(-1, 2))


def _against_targets(overall: Mapping[str, float], by_precision: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: {
            "wanted": wanted,
            "found": overall[name],
            "met": _met(name, overall),
            "met_by_precision": {precision: _met(name, figures) for precision, figures in by_precision.items()},
        }
        for name, wanted in TARGETS.items()
    }


def _met(name: str, figures: Mapping[str, float] | None) -> bool | None:
    if figures is None:
        return None
    return figures[name] <= TARGETS[name] if name == "mape" else figures[name] >= TARGETS[name]


def _point(judged: Judged, predicted: Floats, index: int) -> dict[str, Any]:
    network = judged.networks[index]
    return {
        "family": network.family,
        "precision": network.precision,
        "hw": list(network.hw),
        "pair": network.pair,
        "pruned": network.pruned,
        "measured_ms": round(float(judged.truth[index]), 6),
        "predicted_ms": round(float(predicted[index]), 6),
        "repeat_error": round(float(judged.repeat_errors[index]), 5),
    }
