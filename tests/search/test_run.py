from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from paretrim.errors import JobFailed
from paretrim.problem import Budget, Constraint
from search.front import Front
from search.plan import Interrupted, JobInputs, JobPlan, LeaseLost
from search.run import run_job
from tests.search import tiny
from tests.search.records import MemoryRecorder, interrupted_after


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> JobInputs:
    return tiny.inputs(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def whole(inputs: JobInputs) -> MemoryRecorder:
    """A job that ran without a break."""
    recorder = MemoryRecorder()
    run_job(tiny.plan(), inputs, recorder)
    return recorder


def test_every_search_spends_its_budget(whole: MemoryRecorder) -> None:
    for search in tiny.plan().searches:
        indices = [candidate.index for candidate in whole.recorded(search.id).candidates]
        assert indices == list(range(len(indices)))
        assert whole.ends[search.id][0] == "succeeded"
    assert len(whole.recorded("s0").candidates) == 12


def test_candidates_are_measured_on_validation_and_meet_the_constraints(whole: MemoryRecorder) -> None:
    assert whole.original is not None
    for search in tiny.plan().searches:
        for candidate in whole.recorded(search.id).candidates:
            assert candidate.measurement is not None
            assert candidate.measurement.obtained["accuracy"].where.startswith("validation split, 200 rows")
            assert candidate.measurement.value("latency_ms") <= 0.6 * whole.original.value("latency_ms")


def test_the_front_is_that_of_all_candidates(whole: MemoryRecorder) -> None:
    plan = tiny.plan()
    assert whole.original is not None
    front = Front(plan.objectives, plan.constraints, whole.original)
    front.add(0, whole.original)
    everything = [
        (plan.number(search.position, candidate.index), candidate)
        for search in plan.searches
        for candidate in whole.recorded(search.id).candidates
    ]
    front.extend(sorted(everything, key=lambda entry: entry[0]))
    assert whole.fronts[-1][0] == front.numbers
    assert whole.fronts[-1][1] == front.hypervolume


def test_front_members_are_delivered_as_files_that_are_smaller(whole: MemoryRecorder) -> None:
    assert 1 <= len(whole.made) <= 2
    assert set(whole.made) <= set(whole.fronts[-1][0])
    for made in whole.made.values():
        assert set(made.files) == {"model.onnx", "policy.json", "report.md", "weights.safetensors"}
        assert made.measurement.obtained["accuracy"].where.startswith("test split, 397 rows")
        assert made.original.value("accuracy") == pytest.approx(0.9, abs=0.09)
        assert made.report["parity"]["agreement"] == 1.0


@pytest.mark.parametrize("windows", range(7))
def test_a_job_that_was_stopped_at_any_window_ends_the_same(
    inputs: JobInputs, whole: MemoryRecorder, windows: int
) -> None:
    recorder = MemoryRecorder()
    interrupted_after(recorder, windows)
    with pytest.raises(Interrupted):
        run_job(tiny.plan(), inputs, recorder)
    recorder.asks = lambda: "run"
    run_job(tiny.plan(), inputs, recorder)
    assert recorder.answer() == whole.answer()


def test_running_a_finished_job_again_changes_nothing(inputs: JobInputs) -> None:
    recorder = MemoryRecorder()
    run_job(tiny.plan(deliver=1), inputs, recorder)
    before = recorder.answer()
    run_job(tiny.plan(deliver=1), inputs, recorder)
    assert recorder.answer() == before
