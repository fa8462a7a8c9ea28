"""From timed files to units: how a file's time is shared among its kernels.

The profile says how, but in whole microseconds and with its own cost on top, which is not the same for every kind of
kernel; the processor clock says what the file takes without it. Both are joined: over all files,

    time = constant + sum over kernels of (part of its kind + scale of its kind x profiled time)

is fitted, parts and scales of the kinds drawn towards one part and one scale, which makes a first estimate of every
unit. Then each file's own time corrects the estimates of its units, the less certain ones more (one step of a Kalman
filter). Files that were taken while the machine was busy count less in all of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hw_models.interpolation import family_of
from hw_models.profiler.anchors import noise_share, scaled
from hw_models.profiler.assignment import Assignment
from hw_models.timing import Timing
from hw_models.units import Unit

Floats = NDArray[np.float64]

#: no kernel is dispatched in less
LEAST_US = 0.25
#: what a unit's estimate is uncertain by before its file's time is looked at: whole microseconds, and a share
_GRAIN_US, _SHARE = 0.35, 0.03
#: the same for a file's time, at a quiet moment
_FILE_SHARE = 0.006
#: with fewer looks at a kernel than this, they were means over all runs, and say nothing of their own noise
_FEWEST_SAMPLES = 12
#: microseconds per kernel and scale of the profile: what is plausible, how far off that may be, and how far the parts
#: and scales of kinds may be from the common ones
_PLAUSIBLE, _CERTAINTY, _APART = (-3.0, 1.0), (1.0, 0.1), (0.3, 0.01)
#: share of a file's time that the fit may leave open
_FIT_NOISE = 0.012


@dataclass(frozen=True, slots=True)
class TimedFile:
    """One file with several contexts: its time and the profile of its kernels."""

    timing: Timing
    assignment: Assignment
    level_ms: float  #: of the anchors, while it was timed
    profiled_level_us: float  #: ... while it was profiled
    busy: float = 0.0  #: how much slower the machine was than at its quietest moments while it was timed, as a share
    profiled_busy: float = 0.0  #: ... while it was profiled
    watts: float | None = None  #: power while it runs, where that can be read

    def at(self, level_ms: float, profiled_level_us: float, quiet: tuple[float, float]) -> TimedFile:
        """The same as if it had been taken at these levels. quiet: both levels of the quietest moments."""
        share = profiled_level_us / self.profiled_level_us
        found = replace(
            self.assignment,
            durations_us=tuple((unit, samples * share) for unit, samples in self.assignment.durations_us),
        )
        return TimedFile(
            scaled(self.timing, level_ms / self.level_ms),
            found,
            level_ms,
            profiled_level_us,
            busy=max(0.0, self.level_ms / quiet[0] - 1),
            profiled_busy=max(0.0, self.profiled_level_us / quiet[1] - 1),
            watts=self.watts,
        )

    @property
    def is_explained(self) -> bool:
        """Whether every kernel was expected, and every unit found: only then do the units account for all its time."""
        return not (self.assignment.unexpected or self.assignment.missing)

    @property
    def trust(self) -> float:
        """Weight of the profile, at most 1."""
        return (_FIT_NOISE / (_FIT_NOISE + noise_share(self.profiled_busy))) ** 2

    def to_json(self) -> dict[str, Any]:
        """For the journal."""
        found = self.assignment
        return {
            "timing": asdict(self.timing),
            "durations_us": [[unit.to_json(), samples.tolist()] for unit, samples in found.durations_us],
            "unexpected": list(found.unexpected),
            "missing": [unit.to_json() for unit in found.missing],
            "levels": [self.level_ms, self.profiled_level_us],
            "watts": self.watts,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> TimedFile:
        """The inverse of `to_json`."""
        assignment = Assignment(
            durations_us=tuple(
                (Unit.from_json(unit), np.array(samples, dtype=np.float64)) for unit, samples in value["durations_us"]
            ),
            unexpected=tuple(value["unexpected"]),
            missing=tuple(Unit.from_json(unit) for unit in value["missing"]),
        )
        level_ms, profiled_level_us = value["levels"]
        return cls(Timing(**value["timing"]), assignment, level_ms, profiled_level_us, watts=value.get("watts"))


@dataclass(slots=True)
class Estimate:
    """What is known of one unit, in microseconds."""

    mean: float
    variance: float
    durations: Floats
    samples: int
    error: float  #: difference between two halves of the samples, as a share
    watts: float | None = None  #: power of the files it is in, where that can be read

    @property
    def energy_uj(self) -> float | None:
        """Power times time."""
        return None if self.watts is None else round(self.watts * self.mean, 4)

    def percentiles(self) -> dict[str, float]:
        """Of the profiled runs, moved to where the mean is."""
        shift = self.mean - typical(self.durations)
        quantiles = np.quantile(self.durations, (0.1, 0.5, 0.9)) + shift
        return {name: max(0.05, round(float(q), 3)) for name, q in zip(("p10", "p50", "p90"), quantiles, strict=True)}


def typical(samples: Floats) -> float:
    """Mean of the lower half: between whole microseconds, and without disturbances."""
    half = np.sort(samples)[: max(1, (len(samples) + 1) // 2)]
    return float(half.mean())


def estimate_units(files: Sequence[TimedFile], run_us: float) -> tuple[dict[Unit, Estimate], float]:
    """Every unit of files at one level, and the common part per kernel. run_us: what a run costs beside its kernels."""
    common, by_kind = attribute(files, run_us)
    estimates = _first_estimates(files, common, by_kind)
    for file in sorted(files, key=lambda file: -file.busy):
        if file.is_explained:
            _correct(file, estimates, run_us)
    return estimates, common[0]


def attribute(files: Sequence[TimedFile], run_us: float) -> tuple[tuple[float, float], dict[str, tuple[float, float]]]:
    """Microseconds per kernel and scale of the profile: common ones, and by family of units.

    Least squares on relative error.
    """
    used = [file for file in files if file.is_explained] or list(files)
    families = sorted({family_of(unit) for unit in _units(files)})
    place = {family: index for index, family in enumerate(families)}
    counts, profiled = np.zeros((2, len(used), len(families)))
    for row, file in enumerate(used):
        for unit, samples in file.assignment.durations_us:
            counts[row, place[family_of(unit)]] += 1
            profiled[row, place[family_of(unit)]] += typical(samples)
    times = np.array([file.timing.latency_ms * 1e3 for file in used])
    noise = np.array([_FIT_NOISE + noise_share(file.busy) + noise_share(file.profiled_busy) for file in used])
    weight = 1 / (times * noise)
    both = np.stack([counts.sum(axis=1), profiled.sum(axis=1)], axis=1)
    common = _drawn(both, times - run_us, weight, np.array(_PLAUSIBLE), np.array(_CERTAINTY))
    wanted, apart = (np.repeat(pair, len(families)) for pair in (common, _APART))
    found = _drawn(np.hstack([counts, profiled]), times - run_us, weight, wanted, apart)
    parts, scales = found[: len(families)], found[len(families) :]
    by_kind = {family: (float(parts[i]), float(scales[i])) for family, i in place.items()}
    return (float(common[0]), float(common[1])), by_kind


def _drawn(matrix: Floats, target: Floats, weight: Floats, wanted: Floats, apart: Floats) -> Floats:
    """Weighted least squares, each coefficient drawn to what is wanted of it. matrix: (n, m), target, weight: (n,)."""
    rows = np.vstack([matrix * weight[:, None], np.diag(1 / np.asarray(apart))])
    return np.asarray(np.linalg.lstsq(rows, np.concatenate([target * weight, wanted / apart]), rcond=None)[0])


def _units(files: Iterable[TimedFile]) -> Iterable[Unit]:
    return (unit for file in files for unit, _ in file.assignment.durations_us)


def _first_estimates(
    files: Sequence[TimedFile], common: tuple[float, float], by_kind: Mapping[str, tuple[float, float]]
) -> dict[Unit, Estimate]:
    found: dict[Unit, list[tuple[Floats, TimedFile]]] = {}
    for file in files:
        for unit, samples in file.assignment.durations_us:
            found.setdefault(unit, []).append((samples, file))
    estimates = {}
    for unit, several in found.items():
        part, scale = by_kind.get(family_of(unit), common)
        trust = np.array([file.trust for _, file in several])
        profiled = float(np.average([typical(samples) for samples, _ in several], weights=trust))
        mean = max(LEAST_US, part + scale * profiled)
        halves = [abs(typical(s[::2]) - typical(s[1::2])) / max(typical(s), 1.0) for s, _ in several]
        noise = [file.timing.repeat_error for _, file in several]
        power = [file.watts for _, file in several if file.watts is not None]
        estimates[unit] = Estimate(
            mean=mean,
            variance=(_GRAIN_US**2 + (_SHARE * mean) ** 2) / float(trust.sum()),
            durations=np.concatenate([samples for samples, _ in several]),
            samples=sum(len(samples) for samples, _ in several),
            error=float(np.median(halves if len(several[0][0]) >= _FEWEST_SAMPLES else noise)),
            watts=float(np.mean(power)) if power else None,
        )
    return estimates


def _correct(file: TimedFile, estimates: Mapping[Unit, Estimate], run_us: float) -> None:
    """Share what the file took more or less than its units among them, the uncertain ones first."""
    occurrences: dict[Unit, int] = {}
    for unit, _ in file.assignment.durations_us:
        occurrences[unit] = occurrences.get(unit, 0) + 1
    time_us = file.timing.latency_ms * 1e3
    gap = time_us - run_us - sum(count * estimates[unit].mean for unit, count in occurrences.items())
    spread = sum(count**2 * estimates[unit].variance for unit, count in occurrences.items())
    total = spread + ((_FILE_SHARE + noise_share(file.busy)) * time_us) ** 2
    for unit, count in occurrences.items():
        estimate = estimates[unit]
        gain = count * estimate.variance / total
        estimate.mean = max(LEAST_US, estimate.mean + gain * gap)
        estimate.variance *= 1 - gain * count
