"""NSGA-II over the joint vector of keep ratios and bits (Deb et al., 2002), with Optuna's sampler.

Every member of a population is brought onto the cost constraints before it counts, so that no evaluation is spent on a
policy that could not be used. A guaranteed accuracy is handled by constrained domination.
"""

from __future__ import annotations

from optuna.samplers import NSGAIISampler

from paretrim.algorithms import Nsga2Options
from search.algorithm import Task
from search.optuna_search import OptunaSearch, population


class Nsga2(OptunaSearch):
    """Uniform crossover, mutation by drawing anew."""

    _adopted = {"NSGAIISampler:generation": 0}  # noqa: RUF012 - what was known before counts as the first generation

    def __init__(self, task: Task, options: Nsga2Options, seed: int) -> None:
        def sampler(seed: int) -> NSGAIISampler:
            return NSGAIISampler(
                population_size=options.population or population(task.budget),
                mutation_prob=options.mutation,
                crossover_prob=options.crossover,
                swapping_prob=options.swapping,
                seed=seed,
            )

        super().__init__(task, options.genome, sampler, seed)
