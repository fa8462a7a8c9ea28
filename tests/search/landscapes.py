"""Accuracy by arithmetic: a stand-in for a trained network that every algorithm can be driven over in milliseconds.

Each group and layer matters to a degree of its own, drawn from a seed; taking away a little costs little, a lot costs
much; and neighbours share a burden, so that the landscape is not separable.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from paretrim.algorithms import check_options
from paretrim.errors import SearchExhausted
from paretrim.problem import Budget, Candidate, Constraint, Measurement, Policy
from search.algorithm import Algorithm, Task
from search.algorithms import ALGORITHMS
from search.front import Front
from search.space import Space

DENSE = 0.9


class Landscape:
    """What a policy of a space is worth: a figure for accuracy and the space's own costs."""

    def __init__(self, space: Space, seed: int = 0, *, coupling: float = 1.0, noise: float = 0.0) -> None:
        rng = np.random.default_rng(seed)
        network = space.network
        self.space, self._noise = space, noise
        self._units = {group.name: group.units for group in network.prunable_groups}
        self._groups = {name: (rng.gamma(1.0, 0.06), rng.uniform(1.2, 3.0)) for name in self._units}
        self._layers = {layer.name: rng.gamma(1.0, 0.3) for layer in network.layers}
        names = list(self._units)
        self._pairs = [(a, b, coupling * rng.gamma(1.0, 0.06)) for a, b in itertools.pairwise(names)]

    @property
    def original(self) -> Measurement:
        """Of the whole network."""
        return replace(self.space.original, accuracy=DENSE)

    def accuracy(self, policy: Policy) -> float:
        """In (0.1, 0.9]."""
        kept = self.space.network.kept_units(policy)
        lost = {name: 1 - kept[name] / units for name, units in self._units.items()}
        damage = sum(weight * lost[name] ** power for name, (weight, power) in self._groups.items())
        damage += sum(weight * lost[a] * lost[b] for a, b, weight in self._pairs)
        for layer, bits in policy.bits.items():
            damage += self._layers[layer] * (4.0**-bits.weight + 4.0**-bits.activation)
        if self._noise:
            damage *= 1 + self._noise * (int(policy.key[:8], 16) / 2**32 - 0.5)
        return 0.1 + (DENSE - 0.1) * math.exp(-2.0 * damage)

    def candidate(self, index: int, policy: Policy) -> Candidate:
        """The policy, measured."""
        return Candidate(index, policy, replace(self.space.costs.measure(policy), accuracy=self.accuracy(policy)))


def task(landscape: Landscape, constraints: Sequence[str] = (), candidates: int = 40) -> Task:
    """The landscape's space as a task; constraints: those on accuracy, beside the space's own."""
    space = landscape.space
    more = tuple(Constraint.parse(text) for text in constraints)
    return Task(space, space.objectives, (*space.constraints, *more), landscape.original, Budget(candidates))


def make(name: str, task: Task, seed: int = 0, **options: object) -> Algorithm:
    """An algorithm by name."""
    return ALGORITHMS[name](task, check_options(name, options), seed)


def drive(
    algorithm: Algorithm, landscape: Landscape, count: int, *, window: int = 4, start: int = 0
) -> list[Candidate]:
    """Ask, measure and tell in windows, as a job does."""
    candidates: list[Candidate] = []
    while len(candidates) < count:
        policies = []
        try:
            for _ in range(min(window, count - len(candidates))):
                policies.append(algorithm.ask())
        except SearchExhausted:
            if not policies:
                break
        told = [landscape.candidate(start + len(candidates) + i, policy) for i, policy in enumerate(policies)]
        for candidate in told:
            algorithm.tell(candidate)
        candidates += told
    return candidates


def front(task: Task, candidates: Sequence[Candidate]) -> Front:
    """The front of candidates."""
    grown = Front(task.objectives, task.constraints, task.original)
    grown.extend((candidate.index, candidate) for candidate in candidates)
    return grown
