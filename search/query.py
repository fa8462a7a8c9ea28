"""The best under constraints that nobody had in mind when a job ran, from its candidates and what they teach.

No search, no evaluation. Two answers, each called what it is: the best candidate that was evaluated, and the policy
that the accuracy predictor expects most of, with how unsure it is. The second is a guess until somebody evaluates it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from paretrim.errors import InvalidInput
from paretrim.problem import Candidate, Constraint, Measurement, Objective, Policy, Provenance
from search.allocation import greedy
from search.opening import openings
from search.predictor import Predictor
from search.space import Space
from search.surrogate import Additive

#: candidates that new policies are bred from, rounds of it, and children in each
PARENTS, ROUNDS, CHILDREN = 12, 4, 24

#: a child differs from its parent in so many coordinates on average, by this deviation
CHANGES, STEP = 2.0, 0.2

#: candidates below which there is nothing to learn from
FEWEST = 8


@dataclass(frozen=True, slots=True)
class Answer:
    """A policy within the constraints, and how its accuracy is known."""

    source: Literal["evaluated", "predicted"]
    policy: Policy
    measurement: Measurement
    n: int | None = None  #: the candidate's number, if it was evaluated
    deviation: float | None = None  #: of a predicted accuracy

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "source": self.source,
            "n": self.n,
            **self.measurement.to_json(),
            "deviation": self.deviation,
            "policy": self.policy.to_json(),
        }


def best_under(
    candidates: Mapping[int, Candidate],
    original: Measurement,
    constraints: Sequence[Constraint],
    space: Space,
    *,
    metric: str = "accuracy",
    seed: int = 0,
) -> list[Answer]:
    """The answers there are, evaluated first; none if no candidate is within the constraints and none is predicted.

    candidates: by number; space: of the constraints asked about. Only accuracy is predicted: for any other metric, or
    with fewer than eight measured candidates, the answer is an evaluated one. Raises InvalidInput for a metric that was
    not measured.
    """
    objective = Objective(metric)
    within = {
        n: c.measurement
        for n, c in candidates.items()
        if c.measurement is not None and all(constraint.holds(c.measurement, original) for constraint in constraints)
    }
    answers = []
    if within:
        n = min(within, key=lambda number: (objective.loss(within[number]), number))
        answers.append(Answer("evaluated", candidates[n].policy, within[n], n))
    measured = [c for c in candidates.values() if c.measurement is not None and c.measurement.accuracy is not None]
    if metric != "accuracy" or len(measured) < FEWEST:
        return answers
    guess = _predicted(measured, original, space, np.random.default_rng([seed, 6]))
    needed = [c for c in constraints if c.base_metric == "accuracy"]
    if guess is not None and all(constraint.holds(guess.measurement, original) for constraint in needed):
        answers.append(guess)
    return answers


def _predicted(
    measured: Sequence[Candidate], original: Measurement, space: Space, rng: np.random.Generator
) -> Answer | None:
    """What the predictor expects most of among policies that were not evaluated; None if there are no others."""
    space = space.restricted("full" if any(c.policy.rank or c.policy.removed for c in measured) else "joint")
    dense = original.value("accuracy")
    predictor, model = Predictor(space, dense), Additive(space, dense)
    predictor.fit(measured, rng)
    known = {candidate.policy for candidate in measured}
    ranked = sorted(measured, key=lambda c: -c.measurement.value("accuracy") if c.measurement is not None else 0.0)
    pool = [space.project(c.policy) for c in ranked[:PARENTS]] + openings(space)
    for _ in range(ROUNDS):
        model.fit(measured, rng.exponential(size=len(measured)))
        pool.append(greedy(space, model.damages(), {}))
    pool = list(dict.fromkeys(pool))
    for _ in range(ROUNDS):
        parents = _most_promising(pool, predictor)[:PARENTS]
        pool = list(dict.fromkeys([*parents, *(_child(parents, space, rng) for _ in range(CHILDREN))]))
    fresh = [policy for policy in _most_promising(pool, predictor) if policy not in known]
    if not fresh:
        return None
    mean, deviation = predictor.guess(fresh[:1])
    costs = space.measure(fresh[0])
    said = Provenance("predicted", f"accuracy predictor over {len(measured)} candidates of this job")
    accuracy = float(np.clip(mean[0], 0.0, 1.0))
    measurement = replace(costs, accuracy=accuracy, obtained={**costs.obtained, "accuracy": said})
    return Answer("predicted", fresh[0], measurement, deviation=float(deviation[0]))


def _most_promising(pool: Sequence[Policy], predictor: Predictor) -> list[Policy]:
    """By the accuracy that the predictor is fairly sure of: mean less one deviation."""
    mean, deviation = predictor.guess(pool)
    return [pool[int(place)] for place in np.argsort(deviation - mean, kind="stable")]


def _child(parents: Sequence[Policy], space: Space, rng: np.random.Generator) -> Policy:
    first, second = (space.encode(parents[int(i)]) for i in rng.integers(len(parents), size=2))
    mixed = np.where(rng.random(space.size) < 0.5, first, second)
    moved = rng.random(space.size) < CHANGES / space.size
    drifted = np.clip(mixed + rng.normal(0.0, STEP, space.size), 0.0, 1.0)
    return space.project(space.decode(np.where(moved, drifted, mixed)))


def asked_space(space: Space, constraints: Sequence[Constraint]) -> Space:
    """The space of the same network and device within other constraints, that spends what these allow.

    Raises Infeasible with the smallest reachable value; InvalidInput if nothing is constrained.
    """
    if not any(constraint.base_metric != "accuracy" for constraint in constraints):
        raise InvalidInput("say what must hold, e.g. --constraint 'latency_ratio <= 0.3'", field="constraint")
    return Space(space.network, space.device, space.costs, constraints=constraints)
