"""Bayesian optimisation with a Gaussian process and expected improvement of the hypervolume. Optuna's.

The most frugal with candidates where coordinates are few, and the dearest to ask: every proposal fits the process anew.
"""

from __future__ import annotations

from optuna.samplers import GPSampler

from paretrim.algorithms import GpOptions
from paretrim.problem import Policy
from search.algorithm import Task
from search.optuna_search import OptunaSearch


class Gp(OptunaSearch):
    """Matern kernel with a length of its own for each coordinate."""

    def __init__(self, task: Task, options: GpOptions, seed: int) -> None:
        def sampler(seed: int) -> GPSampler:
            startup = max(4, task.budget.candidates // 10) if options.startup is None else options.startup
            return GPSampler(n_startup_trials=startup, deterministic_objective=True, seed=seed)

        super().__init__(task, options.genome, sampler, seed)

    def ask(self) -> Policy:
        """Fitted from scratch: the sampler would start from its last fit, which a resumed search does not have."""
        for cache in ("_gprs_cache_list", "_constraints_gprs_cache_list"):
            setattr(self._sampler, cache, None)
        return super().ask()
