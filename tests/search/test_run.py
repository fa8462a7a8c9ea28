from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from paretrim.errors import JobFailed
from paretrim.problem import Budget, Constraint
from search.front import Front
from search.plan import Interrupted, JobInputs, LeaseLost
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
    assert len(whole.made) == 1
    assert set(whole.made) <= set(whole.fronts[-1][0])
    for made in whole.made.values():
        assert set(made.files) == {"model.onnx", "model.ptz", "policy.json", "report.md", "weights.safetensors"}
        assert made.measurement.obtained["accuracy"].where.startswith("test split, 397 rows")
        assert made.original.value("accuracy") == pytest.approx(0.9, abs=0.09)
        assert made.report["parity"]["agreement"] == 1.0


@pytest.mark.parametrize("windows", range(6))
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


def test_a_job_that_was_stopped_between_two_deliveries_ends_the_same(inputs: JobInputs) -> None:
    plan = tiny.plan(candidates=4, deliver=2)
    whole, recorder = MemoryRecorder(), MemoryRecorder()
    run_job(plan, inputs, whole)
    recorder.asks = lambda: "pause" if recorder.made else "run"
    with pytest.raises(Interrupted):
        run_job(plan, inputs, recorder)
    assert len(recorder.made) == 1
    recorder.asks = lambda: "run"
    run_job(plan, inputs, recorder)
    assert len(recorder.made) == 2
    assert recorder.answer() == whole.answer()


def test_running_a_finished_job_again_changes_nothing(inputs: JobInputs) -> None:
    recorder = MemoryRecorder()
    run_job(tiny.plan(candidates=4), inputs, recorder)
    before = recorder.answer()
    run_job(tiny.plan(candidates=4), inputs, recorder)
    assert recorder.answer() == before


def test_a_cancelled_job_says_what_was_wanted_and_stops_between_candidates(inputs: JobInputs) -> None:
    recorder = MemoryRecorder()
    interrupted_after(recorder, 1, "cancel")
    with pytest.raises(Interrupted) as caught:
        run_job(tiny.plan(candidates=1000), inputs, recorder)
    assert caught.value.wanted == "cancel"
    assert recorder.window_count == 1


def test_a_job_that_somebody_else_has_writes_nothing_more(inputs: JobInputs) -> None:
    recorder = MemoryRecorder()
    recorder.lease_lost_after = 2
    with pytest.raises(LeaseLost):
        run_job(tiny.plan(), inputs, recorder)
    assert recorder.window_count == 2
    assert not recorder.made


def test_the_number_of_windows_asked_for_at_once_belongs_to_the_answer(
    inputs: JobInputs, whole: MemoryRecorder
) -> None:
    """Random search does not learn, so here only the grouping differs; its policies are the same."""
    recorder = MemoryRecorder()
    run_job(tiny.plan(window=6, deliver=0), inputs, recorder)
    assert len(recorder.windows["s0"]) == 2
    assert recorder.recorded("s0").candidates == whole.recorded("s0").candidates


def test_a_search_whose_time_is_over_ends_after_its_window(inputs: JobInputs) -> None:
    recorder = MemoryRecorder()
    run_job(tiny.plan(budget=Budget(100_000, seconds=0.001), deliver=0), inputs, recorder)
    assert "seconds are over" in (recorder.ends["s0"][1] or "")
    assert len(recorder.windows["s0"]) == 1
    assert recorder.recorded("s0").seconds >= 0.001


def test_constraints_that_cannot_be_met_fail_the_job_with_what_can_be_had(inputs: JobInputs) -> None:
    recorder = MemoryRecorder()
    plan = tiny.plan(constraints=(Constraint.parse("latency_ratio <= 0.0001"),))
    with pytest.raises(JobFailed, match="the smallest reachable is") as caught:
        run_job(plan, inputs, recorder)
    assert caught.value.code == "infeasible"


def test_a_dataset_that_does_not_fit_fails_the_job_naming_the_array(inputs: JobInputs, tmp_path: Path) -> None:
    arrays = tiny.digits() | {"test_x": tiny.digits()["test_x"][:, :, :7]}
    np.savez(tmp_path / "bad.npz", **arrays)
    bad = JobInputs(inputs.model, tmp_path / "bad.npz", inputs.device)
    with pytest.raises(JobFailed, match="test_x") as caught:
        run_job(tiny.plan(), bad, MemoryRecorder())
    assert caught.value.code == "invalid_dataset"


def test_a_resumed_job_whose_dataset_changed_is_refused(inputs: JobInputs, tmp_path: Path) -> None:
    recorder = MemoryRecorder()
    interrupted_after(recorder, 1)
    with pytest.raises(Interrupted):
        run_job(tiny.plan(), inputs, recorder)
    recorder.asks = lambda: "run"
    arrays = tiny.digits() | {"test_y": (tiny.digits()["test_y"] + 1) % 10}
    np.savez(tmp_path / "other.npz", **arrays)
    with pytest.raises(JobFailed, match="splits") as caught:
        run_job(tiny.plan(), JobInputs(inputs.model, tmp_path / "other.npz", inputs.device), recorder)
    assert caught.value.code == "inputs_changed"


def test_a_search_that_breaks_does_not_break_the_others(inputs: JobInputs) -> None:
    """An option that the algorithm refuses only when it is made."""
    plan = tiny.plan(deliver=0)
    broken = replace(plan.searches[1], options={"no_such_option": 1})
    recorder = MemoryRecorder()
    run_job(replace(plan, searches=(plan.searches[0], broken)), inputs, recorder)
    assert recorder.ends["s0"][0] == "succeeded"
    assert recorder.ends["s1"][0] == "failed"
    assert "no_such_option" in (recorder.ends["s1"][1] or "")


def test_a_job_none_of_whose_searches_works_fails(inputs: JobInputs) -> None:
    plan = tiny.plan(("random",))
    broken = replace(plan, searches=(replace(plan.searches[0], options={"no_such_option": 1}),))
    with pytest.raises(JobFailed, match="no_such_option") as caught:
        run_job(broken, inputs, MemoryRecorder())
    assert caught.value.code == "all_searches_failed"


def test_a_front_without_members_is_said_and_delivers_nothing(inputs: JobInputs) -> None:
    recorder = MemoryRecorder()
    unreachable = (Constraint.parse("accuracy >= 1.0"), Constraint.parse("latency_ratio <= 0.3"))
    run_job(tiny.plan(constraints=unreachable), inputs, recorder)
    assert recorder.fronts[-1][0] == ()
    assert not recorder.made
    assert any("nothing can be delivered" in text for _, text in recorder.messages)


def test_phases_follow_each_other_and_end_complete(whole: MemoryRecorder) -> None:
    phases = [phase for phase, _, _ in whole.phases]
    assert sorted(set(phases), key=phases.index) == ["preparing", "searching", "delivering"]
    for phase in set(phases):
        last = next(entry for entry in reversed(whole.phases) if entry[0] == phase)
        assert last[1] == last[2]
