"""Genetic search over one bit per filter (TEC: Wang et al., Towards Evolutionary Compression, KDD 2018).

An individual is a compressed network: for every group the units that are kept. Parents are drawn by roulette on
fitness, which is accuracy plus a share of what was saved; a child is a copy, a cross of whole layers or of a range of
one, or a mutant with a range of bits flipped, and is brought onto the budget by the criterion's order of units. The
published constants of the paper are not known; these are those of its authors' later code for the same encoding. There
generations follow each other; here every child is born from the best individuals told so far, which keeps the elite and
lets candidates be evaluated in windows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paretrim.algorithms import TecOptions
from paretrim.problem import Candidate, Policy
from search.algorithm import Task
from search.proposer import Proposer

Genome = dict[str, NDArray[np.bool_]]  # by group: which units are kept, (units,)

#: share of a first individual's bits that differ from the criterion's choice
SHAKEN = 0.1


class Tec(Proposer):
    """Roulette, crossover by layer, mutation by ranges, elitism, repair."""

    def __init__(self, task: Task, options: TecOptions, seed: int) -> None:
        super().__init__(task, "keep", seed, soft=options.soft, exponent=options.soft_exponent)
        self._options = options
        self._size = options.population or max(4, min(32, task.budget.candidates // 5))
        self._population: list[tuple[float, Policy]] = []  # the best told, fittest first
        self._units = {group.name: group.units for group in self._space.network.free_groups}
        self._order = {name: np.array(task.orders.get(name, range(units))) for name, units in self._units.items()}

    def _propose(self, limits: Mapping[str, float]) -> Policy:
        if len(self._population) < min(self._size, 4) or self._rng.random() < self._options.fresh:
            return self._founder(limits)
        draw = self._rng.random()
        child = self._bits(self._parent())
        if draw < self._options.crossover:
            child = self._crossed(child, self._bits(self._parent()))
        else:
            child = self._mutated(child)
        return self._repaired(child, limits)

    def gauges(self) -> dict[str, float]:
        """Fitness of the population: of its best, and of the individual in its middle."""
        fitness = [value for value, _ in self._population]
        return {"best fitness": fitness[0], "median fitness": float(np.median(fitness))} if fitness else {}

    def _take_in(self, candidate: Candidate) -> None:
        fitness = self._fitness(candidate)
        self._population.append((fitness, candidate.policy))
        self._population.sort(key=lambda entry: (-entry[0], entry[1].key))
        del self._population[self._size :]

    def _fitness(self, candidate: Candidate) -> float:
        """Accuracy term plus compression term; what failed is worth nothing."""
        if candidate.measurement is None:
            return float("-1e9")
        kept = self._space.network.kept_units(candidate.policy)
        removed = 1.0 - sum(kept[name] for name in self._units) / sum(self._units.values())
        return self._worth(candidate) + self._options.compression * removed

    def _founder(self, limits: Mapping[str, float]) -> Policy:
        """Random widths on the budget; the units the criterion would keep, some of them exchanged."""
        projected = self._space.project(self._space.decode(self._rng.random(self._space.size)), limits)
        counts = self._space.network.kept_units(projected)
        genome = {name: self._chosen(name, counts[name]) for name in self._units}
        for bits in genome.values():
            swaps = self._rng.binomial(int(min(bits.sum(), (~bits).sum())), SHAKEN)
            for _ in range(swaps):
                bits[self._rng.choice(np.flatnonzero(bits))] = False
                bits[self._rng.choice(np.flatnonzero(~bits))] = True
        return self._policy(genome, projected)

    def _parent(self) -> Policy:
        """By roulette: a chance in proportion to the fitness above the worst."""
        fitness = np.array([max(value, -10.0) for value, _ in self._population])
        wheel = fitness - fitness.min() + 0.1 * max(float(np.ptp(fitness)), 1e-9)
        return self._population[int(self._rng.choice(len(wheel), p=wheel / wheel.sum()))][1]

    def _crossed(self, genome: Genome, other: Genome) -> Genome:
        """Whole layers from the other parent; of one layer only a range of bits."""
        taken = {name: (other if self._rng.random() < 0.5 else genome)[name].copy() for name in genome}
        name = self._any_group()
        low, high = self._range(name)
        taken[name] = genome[name].copy()
        taken[name][low:high] = other[name][low:high]
        return taken

    def _mutated(self, genome: Genome) -> Genome:
        """A range of bits of a few layers flipped."""
        for _ in range(1 + self._rng.binomial(len(genome), self._options.mutation)):
            name = self._any_group()
            low, high = self._range(name)
            genome[name][low:high] ^= True
        return genome

    def _repaired(self, genome: Genome, limits: Mapping[str, float]) -> Policy:
        """Onto the budget: a layer that must shrink loses its least important units, one that may grow gets back the
        most important it lacks. No layer is left empty."""
        shares = {name: max(1, int(bits.sum())) / self._units[name] for name, bits in genome.items()}
        projected = self._space.project(Policy(keep=shares, bits=self._space.most.bits), limits)
        counts = self._space.network.kept_units(projected)
        for name, bits in genome.items():
            rising = self._order[name]
            surplus = int(bits.sum()) - counts[name]
            if surplus > 0:
                bits[rising[bits[rising]][:surplus]] = False
            elif surplus < 0:
                bits[rising[~bits[rising]][surplus:]] = True
        return self._policy(genome, projected)

    def _policy(self, genome: Genome, projected: Policy) -> Policy:
        """Masks where units are missing; all else as projected."""
        masks: dict[str, float | tuple[int, ...]] = {
            name: tuple(np.flatnonzero(bits).tolist()) for name, bits in genome.items() if not bits.all()
        }
        return Policy(keep={**projected.keep, **masks}, bits=projected.bits)

    def _bits(self, policy: Policy) -> Genome:
        kept = self._space.network.kept_units(policy)
        genome = {}
        for name, units in self._units.items():
            choice = policy.keep.get(name, 1.0)
            if isinstance(choice, tuple):
                genome[name] = np.zeros(units, dtype=np.bool_)
                genome[name][list(choice)] = True
            else:
                genome[name] = self._chosen(name, kept[name])
        return genome

    def _chosen(self, name: str, count: int) -> NDArray[np.bool_]:
        """The units that matter most."""
        bits = np.zeros(self._units[name], dtype=np.bool_)
        bits[self._order[name][self._units[name] - count :]] = True
        return bits

    def _any_group(self) -> str:
        names = list(self._units)
        return names[int(self._rng.integers(len(names)))]

    def _range(self, name: str) -> tuple[int, int]:
        low, high = sorted(self._rng.integers(0, self._units[name] + 1, 2).tolist())
        return low, max(high, low + 1)

    def _own_state(self) -> dict[str, Any]:
        return {"population": [[fitness, policy.to_json()] for fitness, policy in self._population]}

    def _load_own_state(self, state: Mapping[str, Any]) -> None:
        self._population = [(float(fitness), Policy.from_json(policy)) for fitness, policy in state["population"]]
