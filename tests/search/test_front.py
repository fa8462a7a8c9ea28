import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paretrim.errors import InvalidInput
from paretrim.problem import UNCHANGED, Candidate, Constraint, Measurement, Objective
from search.front import Front, exclusive_volume, hypervolume, is_on_front

ORIGINAL = Measurement(accuracy=0.9, latency_ms=4.0, size_bytes=1000, macs=100)


def grids(objectives: int) -> st.SearchStrategy[list[list[int]]]:
    """Points on a small grid, so that ties and repeats are common and volume can be counted cell by cell."""
    return st.lists(st.lists(st.integers(0, 5), min_size=objectives, max_size=objectives), max_size=12)


def cells_dominated(points: list[list[int]], objectives: int) -> int:
    """Unit cells of [0, 5)^m that some point dominates, one by one."""
    return sum(
        any(all(p <= c for p, c in zip(point, cell, strict=True)) for point in points)
        for cell in itertools.product(range(5), repeat=objectives)
    )


def beats(a: list[int], b: list[int]) -> bool:
    return all(x <= y for x, y in zip(a, b, strict=True)) and a != b


@given(points=st.integers(1, 4).flatmap(grids))
def test_the_front_is_what_comparing_all_pairs_gives(points: list[list[int]]) -> None:
    if points:
        found = is_on_front(np.array(points, dtype=float))
        assert found.tolist() == [not any(beats(other, point) for other in points) for point in points]


@pytest.mark.parametrize("objectives", [1, 2, 3, 4])
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_hypervolume_is_what_counting_cells_gives(objectives: int, data: st.DataObject) -> None:
    points = data.draw(grids(objectives))
    losses = np.array(points, dtype=float).reshape(-1, objectives)
    assert hypervolume(losses, np.full(objectives, 5.0)) == pytest.approx(cells_dominated(points, objectives))


@pytest.mark.parametrize("objectives", [2, 3, 4])
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_a_point_adds_the_difference_of_two_hypervolumes(objectives: int, data: st.DataObject) -> None:
    points = data.draw(grids(objectives).filter(bool))
    losses, reference = np.array(points, dtype=float), np.full(objectives, 5.0)
    with_it, without = hypervolume(losses, reference), hypervolume(losses[1:], reference)
    assert exclusive_volume(losses[0], losses[1:], reference) == pytest.approx(with_it - without)


def measured(accuracy: float, latency_ms: float, size_bytes: int = 500) -> Measurement:
    return Measurement(accuracy=accuracy, latency_ms=latency_ms, size_bytes=size_bytes)


@settings(deadline=None)
@given(figures=st.lists(st.tuples(st.integers(0, 10), st.integers(0, 8), st.integers(0, 1200)), max_size=30))
def test_a_front_grown_one_by_one_is_the_front_of_all(figures: list[tuple[int, int, int]]) -> None:
    objectives = [Objective("accuracy"), Objective("latency_ms"), Objective("size_bytes")]
    front = Front(objectives, [Constraint.parse("latency_ratio <= 0.75")], ORIGINAL)
    every = [measured(a / 10, latency / 2, size) for a, latency, size in figures]
    for n, measurement in enumerate(every):
        front.add(n, measurement)
    feasible = [m for m in every if m.value("latency_ms") <= 3.0]
    losses = np.array([front.losses(m) for m in feasible]).reshape(-1, 3)
    kept = {tuple(row) for row in losses[is_on_front(losses)]} if len(losses) else set()
    assert {tuple(front.losses(m)) for m in front.members.values()} == kept
    assert front.hypervolume == pytest.approx(hypervolume(losses, np.array([0.0, 1.0, 1.0])))


def test_a_candidate_that_breaks_a_constraint_is_not_on_the_front() -> None:
    front = Front([Objective("accuracy")], [Constraint.parse("latency_ratio <= 0.5")], ORIGINAL)
    assert not front.add(1, measured(0.9, 2.1))
    assert front.add(2, measured(0.8, 2.0))
    assert front.numbers == (2,)
    assert front.best == {"accuracy": 0.8}


def test_of_equal_candidates_the_first_stays_alone() -> None:
    front = Front([Objective("accuracy"), Objective("latency_ms")], [], ORIGINAL)
    assert front.add(4, measured(0.8, 2.0))
    assert not front.add(1, measured(0.8, 2.0))
    assert front.numbers == (4,)


def test_the_original_adds_no_volume_once_a_cost_is_an_objective() -> None:
    front = Front([Objective("accuracy"), Objective("latency_ms")], [], ORIGINAL)
    front.add(0, ORIGINAL)
    assert front.hypervolume == 0.0
    front.add(1, measured(0.8, 1.0))
    assert front.hypervolume == pytest.approx(0.8 * 0.75)
    assert front.numbers == (0, 1)


def test_failures_are_passed_over() -> None:
    front = Front([Objective("accuracy")], [], ORIGINAL)
    assert not front.extend([(1, Candidate(0, UNCHANGED, failure="out of memory"))])
    assert front.extend([(2, Candidate(1, UNCHANGED, measurement=ORIGINAL))])


def test_an_objective_the_original_has_no_figure_for_is_refused() -> None:
    with pytest.raises(InvalidInput, match="energy_mj"):
        Front([Objective("energy_mj")], [], ORIGINAL)
