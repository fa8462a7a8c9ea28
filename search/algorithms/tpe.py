"""Tree-structured Parzen estimator: densities of good and of bad policies, proposals where their ratio is highest.

Bergstra et al., 2011; with several objectives Ozaki et al., 2022. Optuna's. Its cost grows with the candidates told.
"""

from __future__ import annotations

from optuna.samplers import TPESampler

from paretrim.algorithms import TpeOptions
from search.algorithm import Task
from search.optuna_search import OptunaSearch


class Tpe(OptunaSearch):
    """One density for each coordinate, or one for all."""

    def __init__(self, task: Task, options: TpeOptions, seed: int) -> None:
        def sampler(seed: int) -> TPESampler:
            startup = max(4, task.budget.candidates // 10) if options.startup is None else options.startup
            return TPESampler(n_startup_trials=startup, multivariate=options.multivariate, seed=seed)

        super().__init__(task, options.genome, sampler, seed)
