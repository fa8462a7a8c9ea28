"""The ways in which a job can weigh accuracy against cost, each on a real network."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hw_models.devices import shipped
from paretrim.problem import Candidate, Constraint, Objective
from search.plan import JobInputs
from search.run import run_job
from tests.search import tiny
from tests.search.landscapes import Landscape, make, task
from tests.search.records import MemoryRecorder
from tests.search.spaces import MIXED, plain, space


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> JobInputs:
    return tiny.inputs(tmp_path_factory.mktemp("data"), shipped()["mcu-m4"])


def found(recorder: MemoryRecorder) -> list[Candidate]:
    return [c for c in recorder.recorded("s0").candidates if c.measurement is not None]


def test_an_accuracy_guarantee_gives_the_smallest_network_that_keeps_it(inputs: JobInputs) -> None:
    plan = tiny.plan(
        ("greedy",),
        candidates=16,
        deliver=0,
        objectives=(Objective("macs"),),
        constraints=(Constraint.parse("accuracy_drop <= 0.05"),),
    )
    recorder = MemoryRecorder()
    run_job(plan, inputs, recorder)
    assert recorder.original is not None
    kept = [c for c in found(recorder) if plan.constraints[0].holds(c.measurement, recorder.original)]  # type: ignore[arg-type]
    (best,) = recorder.fronts[-1][0]
    cheapest = min(c.measurement.value("macs") for c in kept if c.measurement is not None)
    assert recorder.fronts[-1][2]["macs"] == cheapest < 0.9 * recorder.original.value("macs")
    assert best > 0


def test_a_soft_budget_may_be_missed_at_a_price(inputs: JobInputs) -> None:
    plan = tiny.plan(("annealing",), candidates=16, deliver=0, objectives=(Objective("accuracy"),), constraints=())
    options = {"soft": "latency_ratio <= 0.5", "soft_exponent": -1.0}
    plan = replace(plan, searches=tuple(replace(search, options=options) for search in plan.searches))
    recorder = MemoryRecorder()
    run_job(plan, inputs, recorder)
    assert recorder.original is not None
    times = [c.measurement.value("latency_ms") for c in found(recorder) if c.measurement is not None]
    assert len(times) == 16
    assert max(times) > 0.5 * recorder.original.value("latency_ms")  # no wall
    assert min(times) < 0.7 * recorder.original.value("latency_ms")  # but a slope


def test_what_a_soft_budget_is_about_is_searched() -> None:
    landscape = Landscape(space(plain((8, 16)), (), ("accuracy",), MIXED))
    widths_only = make("annealing", task(landscape), 0)
    with_bits = make("annealing", task(landscape), 0, soft="bops_ratio <= 0.1")
    sizes = [algorithm._space.size for algorithm in (widths_only, with_bits)]  # type: ignore[attr-defined]
    assert sizes[1] > sizes[0]
