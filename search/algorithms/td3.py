"""AMC's walk with TD3 in DDPG's place: two critics, delayed actor, smoothed targets (Fujimoto et al., 2018)."""

from __future__ import annotations

from paretrim.algorithms import Td3Options
from search.agent_search import AgentSearch
from search.algorithm import Task


class Td3(AgentSearch):
    """Widths by default."""

    def __init__(self, task: Task, options: Td3Options, seed: int) -> None:
        super().__init__(task, options, seed, kind="td3", genome=options.genome)
