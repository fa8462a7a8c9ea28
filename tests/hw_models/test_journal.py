"""A profiler that was interrupted goes on where it stopped."""

from __future__ import annotations

from pathlib import Path

import pytest

from hw_models.fusion import Execution
from hw_models.profiler import rounds
from hw_models.profiler.journal import Journal
from hw_models.profiler.rounds import Effort, Setting, measure_units
from hw_models.profiler.sweep import spread
from paretrim.problem import FULL_PRECISION

PLAN = {"units": [1, 2], "seed": 0}
SETTING = Setting(Execution(kernels=(FULL_PRECISION,)))
EFFORT = Effort(rounds=4, profiled_runs=8, contexts_per_file=3, files_at_once=2)


def test_what_was_kept_is_there_again(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "journal"
    Journal(path, PLAN).keep("a", [1.5, {"b": 2}])
    again = Journal(path, PLAN)
    assert again.batch("a") == [1.5, {"b": 2}]
    assert again.batch("b") is None
    again.close()
    assert not path.exists()


def test_another_plan_begins_anew(tmp_path: Path) -> None:
    Journal(tmp_path / "j", PLAN).keep("a", 1)
    assert Journal(tmp_path / "j", {**PLAN, "seed": 1}).batch("a") is None


def test_a_line_cut_off_in_the_middle_is_measured_again(tmp_path: Path) -> None:
    path = tmp_path / "j"
    journal = Journal(path, PLAN)
    journal.keep("a", 1)
    journal.keep("b", 2)
    path.write_text(path.read_text()[:-5])
    again = Journal(path, PLAN)
    assert (again.batch("a"), again.batch("b")) == (1, None)
    again.keep("b", 3)
    assert Journal(path, PLAN).batch("b") == 3


@pytest.mark.parametrize("content", [b"", b"nonsense", b"\xff\xfe\x00", b"[]\n"])
def test_a_file_that_is_no_journal_is_begun_anew(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "j").write_bytes(content)
    Journal(tmp_path / "j", PLAN).keep("a", 1)
    assert Journal(tmp_path / "j", PLAN).batch("a") == 1


def test_batches_of_a_journal_are_not_measured_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    units = spread(8, ("fp32",), SETTING.execution, seed=0, batch=1)
    told: list[tuple[int, int]] = []
    first = measure_units(units, SETTING, EFFORT, journal=Journal(tmp_path / "j", PLAN))
    measured = rounds._measure_files

    def refuse(*_: object) -> object:
        raise AssertionError("measured again")

    monkeypatch.setattr(rounds, "_measure_files", refuse)
    second = measure_units(
        units, SETTING, EFFORT, lambda done, total: told.append((done, total)), Journal(tmp_path / "j", PLAN)
    )
    assert measured is not refuse
    assert set(second.rows) == set(first.rows)
    assert second.level_ms == first.level_ms
    assert told[-1] == (len(units), len(units))
