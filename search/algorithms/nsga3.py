"""NSGA-III: NSGA-II with reference directions in place of crowding, for three objectives or more (Deb & Jain, 2014)."""

from __future__ import annotations

from optuna.samplers import NSGAIIISampler

from paretrim.algorithms import Nsga3Options
from search.algorithm import Task
from search.optuna_search import OptunaSearch, population


class Nsga3(OptunaSearch):
    """Uniform crossover, mutation by drawing anew."""

    _adopted = {"NSGAIIISampler:generation": 0}  # noqa: RUF012 - what was known before counts as the first generation

    def __init__(self, task: Task, options: Nsga3Options, seed: int) -> None:
        def sampler(seed: int) -> NSGAIIISampler:
            return NSGAIIISampler(
                population_size=options.population or population(task.budget),
                mutation_prob=options.mutation,
                crossover_prob=options.crossover,
                swapping_prob=options.swapping,
                dividing_parameter=options.divisions,
                seed=seed,
            )

        super().__init__(task, options.genome, sampler, seed)
