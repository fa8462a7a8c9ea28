"""AMC's walk with SAC in DDPG's place: a stochastic actor that is paid for staying undecided (Haarnoja et al., 2018).

Explored as the others are, with truncated normal noise around the actor's mean: with so few episodes the noise that the
actor would learn to make comes too late.
"""

from __future__ import annotations

from paretrim.algorithms import SacOptions
from search.agent_search import AgentSearch
from search.algorithm import Task


class Sac(AgentSearch):
    """Widths by default."""

    def __init__(self, task: Task, options: SacOptions, seed: int) -> None:
        super().__init__(task, options, seed, kind="sac", genome=options.genome)
