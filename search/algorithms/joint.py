"""One agent for widths and bits: each layer's keep ratio, weight bits and activation bits, decided in one episode.

AMC decides widths and HAQ decides bits, each as if the other did not exist; yet what a layer can do without of the one
depends on what it has of the other. Here both are turns of the same walk, and share one budget.
"""

from __future__ import annotations

from paretrim.algorithms import JointOptions
from search.agent_search import AgentSearch
from search.algorithm import Task


class Joint(AgentSearch):
    """DDPG, everything that is free."""

    def __init__(self, task: Task, options: JointOptions, seed: int) -> None:
        super().__init__(task, options, seed, kind="ddpg", genome="joint")
