"""The best under constraints that a job was not run for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from paretrim.errors import Infeasible, InvalidInput
from paretrim.problem import Candidate, Constraint
from search.local import FolderRecorder, begin, kept
from search.query import asked_space, best_under
from search.query_commands import query
from search.run import run_job
from tests.search import tiny
from tests.search.landscapes import Landscape, drive, make, task
from tests.search.spaces import resnet, space

TIGHT = [Constraint.parse("macs_ratio <= 0.4")]


@pytest.fixture(scope="module")
def landscape() -> Landscape:
    return Landscape(space(resnet(), (), ("accuracy", "macs")))


@pytest.fixture(scope="module")
def told(landscape: Landscape) -> dict[int, Candidate]:
    return dict(enumerate(drive(make("random", task(landscape, (), 60), 0), landscape, 60), 1))


def test_what_was_evaluated_and_what_is_predicted_are_told_apart(
    landscape: Landscape, told: dict[int, Candidate]
) -> None:
    evaluated, predicted = best_under(told, landscape.original, TIGHT, asked_space(landscape.space, TIGHT))
    assert (evaluated.source, predicted.source) == ("evaluated", "predicted")
    assert evaluated.n is not None
    assert told[evaluated.n].policy == evaluated.policy
    within = [
        c.measurement.value("accuracy")
        for c in told.values()
        if c.measurement is not None and TIGHT[0].holds(c.measurement, landscape.original)
    ]
    assert evaluated.measurement.accuracy == max(within)
    assert predicted.n is None
    assert predicted.measurement.obtained["accuracy"].how == "predicted"
    assert predicted.deviation is not None
    assert predicted.policy not in {c.policy for c in told.values()}
    assert TIGHT[0].holds(landscape.space.measure(predicted.policy), landscape.original)


def test_a_prediction_is_worth_evaluating(landscape: Landscape, told: dict[int, Candidate]) -> None:
    evaluated, predicted = best_under(told, landscape.original, TIGHT, asked_space(landscape.space, TIGHT))
    really = landscape.accuracy(predicted.policy)
    assert really > evaluated.measurement.value("accuracy")
    assert abs(really - predicted.measurement.value("accuracy")) < 0.15


def test_the_same_question_has_the_same_answer(landscape: Landscape, told: dict[int, Candidate]) -> None:
    asked = asked_space(landscape.space, TIGHT)
    assert best_under(told, landscape.original, TIGHT, asked) == best_under(told, landscape.original, TIGHT, asked)


def test_other_metrics_and_few_candidates_are_answered_from_what_was_evaluated(
    landscape: Landscape, told: dict[int, Candidate]
) -> None:
    asked = asked_space(landscape.space, TIGHT)
    few = dict(list(told.items())[:4])
    assert {a.source for a in best_under(few, landscape.original, TIGHT, asked)} <= {"evaluated"}
    (smallest,) = best_under(told, landscape.original, TIGHT, asked, metric="macs")
    least = min(c.measurement.value("macs") for c in told.values() if c.measurement is not None)
    assert smallest.measurement.value("macs") == least


def test_what_cannot_be_had_is_refused_with_what_can(landscape: Landscape) -> None:
    with pytest.raises(Infeasible, match="smallest reachable"):
        asked_space(landscape.space, [Constraint.parse("macs_ratio <= 0.00001")])
    with pytest.raises(InvalidInput, match="say what must hold"):
        asked_space(landscape.space, [])


def test_a_finished_job_is_asked_from_the_command_line(tmp_path: Path) -> None:
    import typer

    from search.query_commands import best

    inputs, plan = tiny.inputs(tmp_path), tiny.plan(("random", "uniform"), candidates=12, deliver=0)
    begin(tmp_path / "job", plan, inputs)
    with pytest.raises(InvalidInput, match="has not begun"):
        query(tmp_path / "job", TIGHT, "accuracy")
    recorder = FolderRecorder(tmp_path / "job", plan, show=lambda *_: None, say=lambda *_: None)
    run_job(plan, inputs, recorder)
    recorder.close()
    app = typer.Typer()
    app.command()(best)
    asked = ["--constraint", "latency_ratio <= 0.5", "--output", "json"]
    result = CliRunner().invoke(app, [str(tmp_path / "job"), *asked])
    assert result.exit_code == 0, result.output
    answers = json.loads(result.stdout)
    assert [answer["source"] for answer in answers] == ["evaluated", "predicted"]
    whole = kept(tmp_path / "job")[2]
    limit = 0.5 * whole[0].measurement.value("latency_ms")  # type: ignore[union-attr]
    assert all(answer["latency_ms"] <= limit for answer in answers)
    assert answers[1]["obtained"]["accuracy"]["how"] == "predicted"
