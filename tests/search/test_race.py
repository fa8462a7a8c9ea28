from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from compressors import Compressor, collect_statistics, describe, read_onnx
from paretrim.problem import Constraint, Measurement, Objective, Policy
from search.data import load_dataset
from search.evaluate import Evaluator
from search.front import Front
from search.race import dropped_after, hopeless, rights_needed, rungs, spread_rows
from search.run import run_job
from tests.search import tiny
from tests.search.records import MemoryRecorder

ROWS = 2000
STEPS = rungs(ROWS)


def figures(accuracy: float, latency_ms: float) -> Measurement:
    return Measurement(accuracy=accuracy, latency_ms=latency_ms)


def front(*members: tuple[float, float], constraints: tuple[str, ...] = ()) -> Front:
    made = Front(
        (Objective("accuracy"), Objective("latency_ms")),
        [Constraint.parse(text) for text in constraints],
        figures(0.9, 2.0),
    )
    for n, member in enumerate(members):
        made.add(n, figures(*member))
    return made


def test_rungs_double_and_end_with_all_rows() -> None:
    assert rungs(1000) == (250, 500, 1000)
    assert rungs(5000) == (250, 500, 1250, 2500, 5000)
    assert rungs(300) == (300,)
    assert rungs(5000, 0.0) == (5000,)


def test_of_candidates_that_belong_on_the_front_no_more_are_lost_than_stated() -> None:
    chance, needed, confidence, races = np.random.default_rng(0), 1500, 0.9, 600
    lost = 0
    for _ in range(races):
        answers = chance.permutation(np.arange(ROWS) < needed)  # just good enough: the hardest case
        right = np.cumsum(answers)[np.array(STEPS) - 1].tolist()
        lost += dropped_after(right, STEPS, needed, confidence) is not None
    # 60 are allowed; so many or fewer come out of a race that loses at most a tenth in 999 of 1,000 cases
    assert lost <= 84


def test_candidates_that_are_clearly_worse_go_after_the_first_rung() -> None:
    answers = np.random.default_rng(1).permutation(np.arange(ROWS) < 1200)
    right = np.cumsum(answers)[np.array(STEPS) - 1].tolist()
    assert dropped_after(right, STEPS, 1600, 0.99) == 0


def test_what_cannot_be_reached_any_more_is_hopeless_whatever_the_risk() -> None:
    assert hopeless(right=240, seen=250, rows=1000, needed=991, risk=0.0)
    assert not hopeless(right=241, seen=250, rows=1000, needed=991, risk=0.0)
    assert not hopeless(right=1, seen=250, rows=1000, needed=0, risk=0.5)


def test_a_candidate_needs_more_than_every_member_that_costs_no_more() -> None:
    members = front((0.7, 1.0), (0.8, 1.5))
    assert rights_needed(members, figures(0.0, 1.2), 100) == 71
    assert rights_needed(members, figures(0.0, 1.5), 100) == 81
    assert rights_needed(members, figures(0.0, 0.9), 100) == 0


def test_a_candidate_must_keep_the_guarantee() -> None:
    assert rights_needed(front(constraints=("accuracy >= 0.75",)), figures(0.0, 1.0), 100) == 75
    assert rights_needed(front(constraints=("accuracy_drop <= 0.1",)), figures(0.0, 1.0), 100) == 80


@pytest.mark.parametrize("count", [1, 2, 250, 1000, 1237])
def test_every_row_has_one_place_in_the_order(count: int) -> None:
    order = spread_rows(np.random.default_rng(0).normal(size=count), 3)
    assert sorted(order.tolist()) == list(range(count))


def test_beginnings_of_the_order_say_more_than_random_rows() -> None:
    chance = np.random.default_rng(0)
    spread, drawn = [], []
    for seed in range(200):
        margins = chance.normal(1.0, 1.0, size=1000)
        right = margins + chance.normal(0.0, 0.5, size=1000) > 0  # a smaller network: right where the original is sure
        spread.append(right[spread_rows(margins, seed)[:250]].mean() - right.mean())
        drawn.append(right[chance.permutation(1000)[:250]].mean() - right.mean())
    assert np.std(spread) < 0.8 * np.std(drawn)
    assert abs(np.mean(spread)) < 0.005


@pytest.fixture(scope="module")
def racing(tmp_path_factory: pytest.TempPathFactory) -> list[Evaluator]:
    """Three evaluators of the same job: two race, one scores everything on all rows."""
    splits = load_dataset(tiny.racing_dataset(tmp_path_factory.mktemp("data")), 0)
    imported = read_onnx(tiny.model())
    network = describe(imported)
    assert splits.train is not None
    compressor = Compressor(imported, network, collect_statistics(imported, network, splits.train.inputs(0, 128)))
    return [Evaluator(compressor, splits.validation, "top1", confidence=c) for c in (0.99, 0.99, 0.0)]


def test_an_outcome_depends_on_nothing_that_was_evaluated_before(racing: list[Evaluator]) -> None:
    first, second, whole = racing
    narrow = Policy(keep={"stem": 0.2, "first": 0.2, "down": 0.2})
    dropped = first.evaluate(narrow, needed=780)
    assert dropped.rows == 250
    assert dropped.accuracy is not None
    full = first.evaluate(narrow)  # goes on where it was dropped
    assert full.rows == 800
    assert full.accuracy == whole.evaluate(narrow).accuracy
    assert second.evaluate(narrow).accuracy == full.accuracy
    again = second.evaluate(narrow, needed=780)
    assert (again.accuracy, again.rows, again.cpu_seconds) == (dropped.accuracy, 250, 0)


def test_a_race_changes_no_front_and_says_on_how_many_rows_a_candidate_was_scored(tmp_path: Path) -> None:
    inputs = replace(tiny.inputs(tmp_path), dataset=tiny.racing_dataset(tmp_path))
    fronts, wheres = [], []
    for confidence in (0.99, 0.0):
        recorder = MemoryRecorder()
        run_job(tiny.plan(("random",), 24, validation_samples=None, racing=confidence), inputs, recorder)
        fronts.append(recorder.answer()["front"])
        wheres.append(recorder.where_accuracies_come_from())
    assert fronts[0] == fronts[1]
    assert {where for where in wheres[0] if "dropped" in where} == {"validation split, 250 of 800 rows: dropped"}
    assert set(wheres[1]) == {"validation split, 800 rows"}
