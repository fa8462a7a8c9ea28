"""HAQ: DDPG over the bits of every layer, a turn for weights and a turn for activations (Wang et al., CVPR 2019).

Different from the released code, for what is wrong there: the budget is met by projection onto the device's own costs,
not by lowering bits in a fixed reverse sweep; what was carried out goes into replay; first and last layers keep 8 bits
always; the reward is accuracy on validation data, not on the batch that was trained on.
"""

from __future__ import annotations

from paretrim.algorithms import HaqOptions
from search.agent_search import AgentSearch
from search.algorithm import Task


class Haq(AgentSearch):
    """DDPG, bits only."""

    def __init__(self, task: Task, options: HaqOptions, seed: int) -> None:
        super().__init__(task, options, seed, kind="ddpg", genome="bits")
