from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from paretrim.problem import Candidate, Policy
from search.algorithm import Task
from search.improvement import Improvement
from search.predictor import Predictor
from search.promise import Promise
from tests.search.landscapes import DENSE, Landscape, front, task
from tests.search.spaces import MIXED, plain, space


def _landscape(objectives: Sequence[str], constraints: Sequence[str] = ()) -> Landscape:
    return Landscape(space(plain(), tuple(constraints), tuple(objectives), MIXED))


def _by_chance(landscape: Landscape, count: int, seed: int = 0) -> list[Candidate]:
    found, rng = landscape.space, np.random.default_rng(seed)
    policies = [found.project(found.decode(rng.random(found.size)), fill=False) for _ in range(count)]
    return [landscape.candidate(i, policy) for i, policy in enumerate(policies)]


def _improvement(asked: Task, candidates: Sequence[Candidate]) -> Improvement:
    made = Improvement(asked)
    for candidate in candidates:
        assert candidate.measurement is not None
        made.add(candidate.measurement.value("accuracy"), candidate.measurement)
    return made


@pytest.mark.parametrize(
    "objectives",
    [("accuracy",), ("accuracy", "latency_ms"), ("accuracy", "latency_ms", "size_bytes")],
    ids=["accuracy", "and time", "and size"],
)
def test_what_is_known_for_sure_is_expected_to_add_what_it_adds_to_the_hypervolume(objectives: Sequence[str]) -> None:
    landscape = _landscape(objectives)
    asked, told = task(landscape), _by_chance(landscape, 12)
    made, before = _improvement(asked, told), front(asked, told).hypervolume
    for candidate in _by_chance(landscape, 8, seed=1):
        assert candidate.measurement is not None
        accuracy = np.array([candidate.measurement.value("accuracy")])
        expected = made.expected(accuracy, np.zeros(1), [candidate.measurement])[0]
        added = front(asked, [*told, replace(candidate, index=99)]).hypervolume - before
        assert expected == pytest.approx(added, abs=0.002)


def test_being_unsure_is_worth_something_and_the_more_so_near_the_best() -> None:
    landscape = _landscape(("accuracy",), ("macs_ratio <= 0.5",))
    made = _improvement(task(landscape), _by_chance(landscape, 4))
    best = float(made.expected(np.array([DENSE]), np.zeros(1), [landscape.original])[0])
    means = np.array([DENSE - best - 0.01, DENSE - best - 0.01, DENSE - best - 0.1])
    sure, unsure, far = made.expected(means, np.array([0.0, 0.05, 0.05]), [landscape.original] * 3)
    assert sure == pytest.approx(0.0, abs=1e-6)
    assert unsure > far > sure


def test_below_a_guarantee_nothing_is_expected_and_above_it_only_what_is_cheaper() -> None:
    landscape = _landscape(("latency_ms",))
    asked = task(landscape, ("accuracy >= 0.5",))
    told = _by_chance(landscape, 1)
    assert told[0].measurement is not None
    cheap = replace(told[0].measurement, accuracy=0.6)
    made = Improvement(asked)
    made.add(0.6, cheap)
    dearer = replace(cheap, latency_ms=cheap.value("latency_ms") * 1.1)
    cheaper = replace(cheap, latency_ms=cheap.value("latency_ms") * 0.9)
    same, low, dear, good = made.expected(
        np.array([0.9, 0.3, 0.9, 0.6]), np.full(4, 0.01), [cheap, cheaper, dearer, cheaper]
    )
    assert max(same, low, dear) < 1e-9
    assert good > 0.01 * cheap.value("latency_ms") / landscape.original.value("latency_ms")


def test_what_is_asked_for_promises_less_the_second_time_until_it_fails() -> None:
    landscape = _landscape(("accuracy", "latency_ms"))
    promise = Promise(task(landscape), landscape.space, 0)
    for candidate in _by_chance(landscape, 12):
        promise.tell(candidate)
    fresh = [candidate.policy for candidate in _by_chance(landscape, 20, seed=1)]
    before = promise.of(fresh)
    chosen = fresh[int(before.argmax())]
    promise.ask(chosen)
    waited = promise.of([chosen])[0]
    assert waited < 0.9 * before.max()
    promise.tell(Candidate(99, chosen, failure="out of memory"))
    assert promise.of([chosen])[0] == pytest.approx(before.max())


def test_what_is_waited_for_survives_a_pause() -> None:
    landscape = _landscape(("accuracy", "latency_ms"))
    promise, resumed = (Promise(task(landscape), landscape.space, 0) for _ in range(2))
    for candidate in _by_chance(landscape, 12):
        promise.tell(candidate)
    fresh = [candidate.policy for candidate in _by_chance(landscape, 10, seed=1)]
    promise.ask(fresh[0])
    resumed.load_state(promise.state())
    assert resumed.of(fresh).tolist() == promise.of(fresh).tolist()


def test_what_is_believed_leaves_guesses_as_they_are_and_makes_them_surer() -> None:
    landscape = _landscape(("accuracy",), ("macs_ratio <= 0.5",))
    predictor = Predictor(landscape.space, DENSE)
    predictor.fit(_by_chance(landscape, 20), np.random.default_rng(0))
    believed: list[Policy] = [candidate.policy for candidate in _by_chance(landscape, 3, seed=1)]
    mean, deviation = predictor.guess(believed)
    predictor.believe(believed)
    again, surer = predictor.guess(believed)
    assert again.tolist() == mean.tolist()
    assert (surer < deviation).all()
