"""Times of files and profiles of their kernels become times of units, here made up so that the truth is known."""

from __future__ import annotations

import numpy as np
import pytest

from hw_models.profiler.anchors import BUSY, busiest, noise_share
from hw_models.profiler.assignment import Assignment
from hw_models.profiler.estimates import TimedFile, attribute, estimate_units
from hw_models.timing import Timing
from hw_models.units import Unit

RUN_US = 3.0
#: what the profile adds to a kernel, by kind
ADDED = {"conv2d": 3.5, "linear": 2.0}
QUIET = (1.0, 100.0)


def unit(index: int) -> Unit:
    kind = "linear" if index % 2 else "conv2d"
    return Unit(kind, 8 + index, 16, (8, 8) if kind == "conv2d" else (), (8, 8) if kind == "conv2d" else ())


def made_up(
    true: dict[Unit, float], *, files: int, seed: int, busy: float = 0.0, spread: float = 0.005
) -> list[TimedFile]:
    """Files of six random units each. spread: of a kernel's time between files."""
    random = np.random.default_rng(seed)
    units = list(true)
    found = []
    for _ in range(files):
        chosen = [units[i] for i in random.choice(len(units), 6, replace=False)]
        times = [true[u] * (1 + busy) * float(np.exp(random.normal(0, spread))) for u in chosen]
        durations = tuple(
            (u, np.floor(time + ADDED[u.kind] * (1 + busy) + random.random(40)))  # whole microseconds
            for u, time in zip(chosen, times, strict=True)
        )
        total = (sum(times) + RUN_US * (1 + busy)) / 1e3
        timing = Timing(total, total, total, total, 0.0, 10, "thread_cpu")
        levels = QUIET[0] * (1 + busy), QUIET[1] * (1 + busy)
        found.append(TimedFile(timing, Assignment(durations, (), ()), *levels).at(*QUIET, QUIET))
    return found


@pytest.fixture
def true() -> dict[Unit, float]:
    random = np.random.default_rng(0)
    return {unit(i): float(np.exp(random.uniform(0, 4))) / (4 if i % 2 else 1) for i in range(60)}


def errors(files: list[TimedFile], true: dict[Unit, float]) -> np.ndarray:
    estimates, _ = estimate_units(files, RUN_US)
    return np.array([abs(estimates[u].mean - time) / (time + 0.3) for u, time in true.items() if u in estimates])


def test_what_the_profile_costs_is_told_by_kind_of_unit(true: dict[Unit, float]) -> None:
    common, by_kind = attribute(made_up(true, files=80, seed=1), RUN_US)
    gap = by_kind["linear.fp32"][0] - by_kind["conv2d.fp32"][0]
    assert by_kind["conv2d.fp32"][0] < common[0] < by_kind["linear.fp32"][0]
    assert gap == pytest.approx(ADDED["conv2d"] - ADDED["linear"], abs=0.4)


def test_units_are_found_from_files_of_six(true: dict[Unit, float]) -> None:
    off = errors(made_up(true, files=80, seed=2), true)
    assert np.median(off) < 0.02
    assert np.quantile(off, 0.9) < 0.10


def test_files_of_busy_moments_hardly_count(true: dict[Unit, float]) -> None:
    quiet = made_up(true, files=60, seed=3)
    busy = made_up(true, files=60, seed=4, busy=0.7, spread=0.2)
    alone, mixed = errors(quiet, true), errors([*quiet, *busy], true)
    assert mixed.mean() < alone.mean() + 0.01
    as_if_quiet = [TimedFile(f.timing, f.assignment, *QUIET) for f in busy]
    assert errors([*quiet, *as_if_quiet], true).mean() > 2 * mixed.mean()


def test_a_file_with_kernels_that_nobody_expected_corrects_nothing(true: dict[Unit, float]) -> None:
    files = made_up(true, files=60, seed=5)
    strange = files[0]
    longer = Timing(9.0, 9.0, 9.0, 9.0, 0.0, 10, "thread_cpu")
    assignment = Assignment(strange.assignment.durations_us, ("Mystery",), ())
    found = TimedFile(longer, assignment, *QUIET)
    assert not found.is_explained
    assert errors([found, *files[1:]], true).max() < 0.3


def test_power_goes_with_time(true: dict[Unit, float]) -> None:
    file = made_up(true, files=1, seed=6)[0]
    metered = TimedFile(file.timing, file.assignment, *QUIET, watts=20.0)
    estimates, _ = estimate_units([metered], RUN_US)
    assert all(e.energy_uj == pytest.approx(20.0 * e.mean, abs=1e-3) for e in estimates.values())
    again = TimedFile.from_json(metered.to_json())
    assert again.watts == 20.0
    assert again.timing == metered.timing


def test_only_what_was_busy_is_taken_again_and_never_too_much_of_it() -> None:
    assert busiest([0.0, BUSY / 2, 0.5, 0.01]) == [2]
    assert busiest([0.3, 0.4]) == [1, 0]
    assert len(busiest([0.5] * 100)) < 50
    assert noise_share(0.01) == 0.0
    assert noise_share(0.8) > noise_share(0.2) > 0.0
