"""Energy from the processor's counters: read where they are, absent where they are not."""

from __future__ import annotations

from pathlib import Path

import pytest

from hw_models.profiler.energy import EnergyMeter


def _counter(root: Path, name: str, value: int, most: int = 1_000_000) -> Path:
    folder = root / name
    folder.mkdir()
    (folder / "energy_uj").write_text(f"{value}\n")
    (folder / "max_energy_range_uj").write_text(f"{most}\n")
    return folder / "energy_uj"


def test_without_counters_there_is_no_meter(tmp_path: Path) -> None:
    assert EnergyMeter.of_this_host(tmp_path / "absent") is None
    (tmp_path / "intel-rapl:0").mkdir()
    assert EnergyMeter.of_this_host(tmp_path) is None


def test_power_is_what_all_processors_spend_in_the_time_and_parts_do_not_count_twice(tmp_path: Path) -> None:
    first, second = _counter(tmp_path, "intel-rapl:0", 100), _counter(tmp_path, "intel-rapl:1", 500)
    _counter(tmp_path, "intel-rapl:0:0", 7)
    meter = EnergyMeter.of_this_host(tmp_path)
    assert meter is not None
    runs = 0

    def run() -> None:
        nonlocal runs
        runs += 1
        first.write_text(str(100 + 20_000 * (runs > 0)))
        second.write_text(str(500 + 30_000 * (runs > 0)))

    watts = meter.watts(run, seconds=0.01)
    assert runs > 0
    assert watts == pytest.approx(0.05 / 0.01, rel=0.5)  # 50 millijoules in a little over 10 milliseconds
    assert watts < 5.0


def test_a_counter_that_wraps_goes_on_from_zero(tmp_path: Path) -> None:
    counter = _counter(tmp_path, "intel-rapl:0", 999_000)
    meter = EnergyMeter.of_this_host(tmp_path)
    assert meter is not None
    watts = meter.watts(lambda: counter.write_text("1000"), seconds=0.01)
    assert watts is not None
    assert 0.0 < watts < 0.002 / 0.01


def test_a_counter_that_stands_still_says_nothing(tmp_path: Path) -> None:
    _counter(tmp_path, "intel-rapl:0", 42)
    meter = EnergyMeter.of_this_host(tmp_path)
    assert meter is not None
    assert meter.watts(lambda: None, seconds=0.001) is None
