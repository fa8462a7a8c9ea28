"""One bit per filter: masks on the budget, repaired by the criterion's order."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from paretrim.algorithms import TecOptions
from paretrim.problem import Candidate, Policy
from search.algorithms.tec import Tec
from tests.search.landscapes import Landscape, drive, task
from tests.search.spaces import plain, space


def _made(seed: int = 0, budget: int = 80) -> tuple[Tec, Landscape]:
    landscape = Landscape(space(plain((16, 16, 16)), ("macs_ratio <= 0.5",)))
    given = task(landscape, (), budget)
    orders = {
        group.name: tuple(np.random.default_rng(5).permutation(group.units).tolist())
        for group in landscape.space.network.free_groups
    }
    return Tec(replace(given, orders=orders), TecOptions(population=8), seed), landscape


def test_individuals_name_their_units_and_stay_on_the_budget() -> None:
    algorithm, landscape = _made()
    candidates = drive(algorithm, landscape, 80)
    masks = [choice for c in candidates for choice in c.policy.keep.values() if isinstance(choice, tuple)]
    assert len(masks) > 80
    for candidate in candidates:
        assert landscape.space.fits(candidate.policy)
        assert all(choice for choice in candidate.policy.keep.values())


def test_units_are_chosen_beyond_what_the_criterion_would_keep() -> None:
    algorithm, landscape = _made()
    chosen: set[tuple[str, bool]] = set()
    for candidate in drive(algorithm, landscape, 60):
        for name, choice in candidate.policy.keep.items():
            if isinstance(choice, tuple):
                best = tuple(sorted(algorithm._order[name][-len(choice) :].tolist()))
                chosen.add((name, choice == best))
    assert {known for _, known in chosen} == {True, False}


def test_a_filter_that_matters_is_found_though_the_criterion_ranks_it_last() -> None:
    """Accuracy depends on unit 3 of the first group alone, which the order would remove first."""
    algorithm, landscape = _made()
    group = landscape.space.network.free_groups[0].name
    algorithm._order[group] = np.array([3, *(u for u in range(16) if u != 3)])

    def told(index: int, policy: Policy) -> Candidate:
        candidate = landscape.candidate(index, policy)
        assert candidate.measurement is not None
        choice = policy.keep.get(group, 1.0)
        kept = 3 in choice if isinstance(choice, tuple) else choice == 1.0
        return replace(candidate, measurement=replace(candidate.measurement, accuracy=0.9 if kept else 0.1))

    hits = []
    for index in range(80):
        candidate = told(index, algorithm.ask())
        algorithm.tell(candidate)
        assert candidate.measurement is not None
        hits.append(candidate.measurement.accuracy == 0.9)
    assert sum(hits[-20:]) > sum(hits[:20])
    assert sum(hits[-20:]) >= 10
