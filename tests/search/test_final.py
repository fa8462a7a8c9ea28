from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from paretrim.problem import Candidate, Measurement, Objective, Policy, Provenance
from search.deliver import choose
from search.final import finalists, play
from search.ledger import Ledger
from search.plan import Checkpoint, CurveStep, JobPlan, Wanted
from search.run import run_job
from tests.search import tiny
from tests.search.records import MemoryRecorder

ALL_ROWS = {"accuracy": Provenance("measured", "validation split, 1000 rows")}
DROPPED = {"accuracy": Provenance("measured", "validation split, 250 of 1000 rows: dropped")}


def a_plan(**changes: Any) -> JobPlan:
    made = tiny.plan(("random",), 8, objectives=(Objective("accuracy"),), constraints=(), finetune_epochs=1.0)
    return replace(made, **changes)


def ledger(plan: JobPlan, accuracies: list[float], dropped: int | None = None) -> Ledger:
    """Candidates 1, 2, ... with these accuracies."""
    candidates = [
        Candidate(
            i,
            Policy(keep={"stem": 0.1 * (i + 1)}),
            Measurement(accuracy=accuracy, latency_ms=1.0, obtained=DROPPED if i + 1 == dropped else ALL_ROWS),
        )
        for i, accuracy in enumerate(accuracies)
    ]
    recorder = MemoryRecorder()
    curve = [CurveStep(c.index, None, 0.0, 0.0) for c in candidates]
    recorder.record(plan.searches[0], candidates, curve, Checkpoint(len(candidates), {}))
    return Ledger(plan, Measurement(accuracy=0.5, latency_ms=2.0, obtained=ALL_ROWS), recorder)


class Rehearsals:
    """A workshop that only tells how tuning would end."""

    def __init__(self, tuned: Mapping[int, float]) -> None:
        self.tuned = tuned
        self.asked: list[tuple[int, float]] = []

    def craft(self, basis: Any, policies: Mapping[int, Policy], wanted: Callable[[], Wanted]) -> Any:
        raise AssertionError((basis, policies, wanted))

    def rehearse(
        self, basis: Any, policies: Mapping[int, Policy], epochs: float, wanted: Callable[[], Wanted]
    ) -> Iterator[tuple[int, float | str]]:
        del basis
        assert wanted() == "run"
        for number in sorted(policies, reverse=True):
            self.asked.append((number, epochs))
            yield number, self.tuned.get(number, "it cannot be tuned")


def test_the_front_plays_first_then_those_that_lack_least_but_nobody_who_was_dropped() -> None:
    plan = a_plan()
    assert finalists(ledger(plan, [0.7, 0.8, 0.5, 0.78, 0.79], dropped=5), 3) == (2, 4, 1)


def test_who_is_best_after_tuning_is_delivered_though_another_led_the_search() -> None:
    plan = a_plan(finalists=3, deliver=1)
    records, workshop = ledger(plan, [0.80, 0.79, 0.78, 0.5]), Rehearsals({1: 0.85, 2: 0.87, 3: 0.84})
    front = play(plan, records, None, workshop)  # type: ignore[arg-type]
    assert choose(front, plan.deliver) == (2,)
    assert sorted(workshop.asked) == [(1, 0.5), (2, 0.5), (3, 0.5)]


def test_each_round_tunes_half_as_many_for_twice_as_long() -> None:
    plan = a_plan(finalists=4, deliver=1)
    records = ledger(plan, [0.80, 0.79, 0.78, 0.77])
    workshop = Rehearsals({1: 0.81, 2: 0.82, 3: 0.84, 4: 0.83})
    assert choose(play(plan, records, None, workshop), 1) == (3,)  # type: ignore[arg-type]
    assert sorted(workshop.asked) == [(1, 0.25), (2, 0.25), (3, 0.25), (3, 0.5), (4, 0.25), (4, 0.5)]


def test_without_anybody_who_can_be_tuned_the_search_decides() -> None:
    plan = a_plan(finalists=2, deliver=1)
    front = play(plan, ledger(plan, [0.80, 0.79]), None, Rehearsals({}))  # type: ignore[arg-type]
    assert choose(front, 1) == (1,)


def test_a_job_delivers_the_winner_of_its_final(tmp_path: Path) -> None:
    recorder = MemoryRecorder()
    run_job(a_plan(finalists=3, deliver=1, validation_samples=100), tiny.inputs(tmp_path), recorder)
    (said,) = [text for _, text in recorder.messages if text.startswith("final, round 1 of 1, 0.5 epochs each")]
    winner = said.partition("each: ")[2].partition(":")[0]
    assert list(recorder.made) == [int(winner)]
