import math

import numpy as np
import pytest

from paretrim.problem import UNCHANGED, Candidate
from search.allocation import greedy, solved
from search.novelty import every_policy
from search.predictor import Predictor
from search.surrogate import Additive
from tests.search.landscapes import DENSE, Landscape
from tests.search.spaces import plain, resnet, space


def _told(landscape: Landscape, count: int, seed: int = 0) -> list[Candidate]:
    found, rng = landscape.space, np.random.default_rng(seed)
    policies = [found.project(found.decode(rng.random(found.size))) for _ in range(count)]
    return [landscape.candidate(i, policy) for i, policy in enumerate(policies)]


def test_keeping_more_is_never_taken_for_worse() -> None:
    landscape = Landscape(space(plain(), ("size_ratio <= 0.5",)))
    model = Additive(landscape.space, DENSE)
    model.fit(_told(landscape, 12))
    for damages in model.damages():
        assert np.all(np.diff(damages) <= 1e-12)


def test_a_separable_landscape_is_learned() -> None:
    landscape = Landscape(space(resnet(), ("macs_ratio <= 0.5",)), coupling=0.0)
    model = Additive(landscape.space, DENSE)
    model.fit(_told(landscape, 60))
    fresh = _told(landscape, 40, seed=1)
    guessed = model.accuracy([landscape.space.levels(candidate.policy) for candidate in fresh])
    true = [landscape.accuracy(candidate.policy) for candidate in fresh]
    assert np.corrcoef(guessed, true)[0, 1] > 0.8


def test_failures_teach_the_model_nothing() -> None:
    landscape = Landscape(space(plain()))
    known = _told(landscape, 8)
    with_failure = [*known, Candidate(8, UNCHANGED, failure="out of memory")]
    models = [Additive(landscape.space, DENSE) for _ in range(2)]
    for model, told in zip(models, (known, with_failure), strict=True):
        model.fit(told)
    assert np.array_equal(models[0].coefficients, models[1].coefficients)


@pytest.mark.parametrize("answer", ["greedy", "solved"])
def test_an_answer_meets_the_budget_and_comes_near_the_best_of_all_policies(answer: str) -> None:
    found = space(plain((6, 6)), ("macs_ratio <= 0.5",))
    model = Additive(found, DENSE)
    model.fit(_told(Landscape(found), 20))
    damages = model.damages()
    policy = greedy(found, damages, {}) if answer == "greedy" else solved(found, damages, found.anchor, {})
    assert found.fits(policy)
    feasible = [found.levels(other) for other in every_policy(found) if found.fits(other)]
    best = float(model.accuracy(feasible).max())
    assert float(model.accuracy([found.levels(policy)])[0]) > 0.9 * best


def test_the_predictor_is_less_sure_of_what_it_has_not_seen() -> None:
    landscape = Landscape(space(resnet(), ("macs_ratio <= 0.5",)))
    known = _told(landscape, 40)
    predictor = Predictor(landscape.space, DENSE)
    predictor.fit(known, np.random.default_rng(0))
    mean, seen = predictor.guess([candidate.policy for candidate in known])
    _, unseen = predictor.guess([candidate.policy for candidate in _told(landscape, 40, seed=1)])
    true = [landscape.accuracy(candidate.policy) for candidate in known]
    assert np.corrcoef(mean, true)[0, 1] > 0.9
    assert seen.mean() < unseen.mean()
    assert all(math.isfinite(value) for value in unseen)
