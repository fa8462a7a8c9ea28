"""What a table has to beat: multiply-adds times a constant, operations timed alone, a random forest per operation."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from hw_models.counts import external, macs
from hw_models.device import Device
from hw_models.graph import write_graph
from hw_models.lowering import lower
from hw_models.precision import plan_precision
from hw_models.profiler.anchors import anchor_files, time_beside_anchors
from hw_models.profiler.contexts import alone, is_given_integers
from hw_models.profiler.journal import Journal
from hw_models.profiler.rounds import Setting
from hw_models.runtimes import open_runner
from hw_models.table import TableDevice
from hw_models.units import Unit
from hw_models.validation.holdout import HeldOut

Floats = NDArray[np.float64]
_TOGETHER = 48
_ROUNDS = 24


def macs_times_constant(networks: Sequence[HeldOut], truth: Floats) -> Floats:
    """A constant per precision, the best there is for the other families' networks. (n,)"""
    counted = np.array([macs(network.operations) for network in networks], dtype=np.float64)
    predicted = np.empty(len(networks))
    for index, network in enumerate(networks):
        others = [
            other
            for other, entry in enumerate(networks)
            if entry.precision == network.precision and entry.family != network.family
        ] or list(range(len(networks)))
        predicted[index] = counted[index] * float(np.median(truth[others] / counted[others]))
    return predicted


def random_forest(networks: Sequence[HeldOut], device: TableDevice, *, seed: int = 0) -> Floats | None:
    """A forest for every kind of unit, of raw shapes, in the manner of nn-Meter; its sum as the table composes it. (n,)

    Zhang et al.: nn-Meter, MobiSys 2021, section 5. None without scikit-learn.
    """
    try:
        from sklearn.ensemble import RandomForestRegressor
    except ImportError:
        return None
    by_kind: dict[str, list[tuple[Unit, float]]] = {}
    for unit, row in device.rows.items():
        by_kind.setdefault(unit.family, []).append((unit, row.latency_us))
    forests = {}
    for kind, rows in by_kind.items():
        forest = RandomForestRegressor(n_estimators=60, random_state=seed, n_jobs=1)
        forests[kind] = forest.fit(np.stack([_raw(unit) for unit, _ in rows]), [us for _, us in rows])
    placed = [[item.unit for item in lower(n.operations, device.execution, batch=device.batch)] for n in networks]
    units = list(dict.fromkeys(unit for items in placed for unit in items))
    known: dict[Unit, float] = {}
    for kind, forest in forests.items():
        mine = [unit for unit in units if unit.family == kind]
        if mine:
            known |= dict(zip(mine, forest.predict(np.stack([_raw(unit) for unit in mine])), strict=True))
    fit = device.calibration
    return np.array(
        [fit.constant_ms + fit.scale * sum(known.get(unit, 0.0) for unit in items) / 1e3 for items in placed]
    )


def _raw(unit: Unit) -> Floats:
    height = unit.out_hw[0] if unit.out_hw else 1
    taps = unit.kernel[0] if unit.kernel else 1
    stride = unit.stride[0] if unit.stride else 1
    shape = (height, unit.in_channels, unit.out_channels, taps, stride)
    return np.array([*shape, unit.macs, unit.weights, math.prod(unit.out_hw), len(unit.fused)], dtype=np.float64)


def isolated_sum(
    networks: Sequence[HeldOut],
    device: Device,
    setting: Setting,
    *,
    level_ms: float | None,
    journal: Journal | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Floats:
    """Every unit timed in a file of its own, conversions at both ends included; the plain sum. Milliseconds. (n,)"""
    covered = [
        [item.unit for item in lower(n.operations, device.execution, batch=device.batch) if item.covers]
        for n in networks
    ]
    units = list(dict.fromkeys(unit for items in covered for unit in items))
    figures: dict[Unit, float] = {}
    for start in range(0, len(units), _TOGETHER):
        some = units[start : start + _TOGETHER]
        kept = journal.batch(f"isolated:{start}") if journal is not None else None
        if kept is None:
            kept = _alone_ms(some, setting, level_ms)
            if journal is not None:
                journal.keep(f"isolated:{start}", kept)
            if progress is not None:
                progress(min(len(units), start + _TOGETHER), len(units))
        figures |= dict(zip(some, kept, strict=True))
    return np.array([sum(figures[unit] for unit in items) for items in covered])


def _alone_ms(units: Sequence[Unit], setting: Setting, level_ms: float | None) -> list[float]:
    common = {"batch": setting.batch, "threads": setting.threads}
    anchors = [open_runner(setting.runtime, c, **common) for c in anchor_files(setting.execution)]
    runners = []
    for unit in units:
        operations, narrow = alone(unit), is_given_integers(unit)
        content = write_graph(
            operations,
            precision=plan_precision(operations, narrow_inputs=narrow),
            narrow_inputs=set(external(operations)) if narrow else (),
        )
        runners.append(open_runner(setting.runtime, content, **common, seed=setting.seed))
    timings, level = time_beside_anchors(anchors, runners, rounds=_ROUNDS, seed=setting.seed, clock=setting.clock)
    return [timing.latency_ms * (1.0 if level_ms is None else level_ms / level) for timing in timings]


#: what a report calls the ways of predicting
LABELS: Mapping[str, str] = {
    "table": "this table, with the network's missing units measured, as a job does",
    "interpolated": "this table as it stands, missing units interpolated",
    "macs": "multiply-adds x constant",
    "isolated": "sum of units timed alone",
    "random_forest": "random forest per kind of unit (nn-Meter's way)",
}
