"""AMC: DDPG over keep ratios, group by group (He et al., ECCV 2018).

As published: eleven features, 300-300 networks, truncated normal noise that decays, the final reward for every step, a
moving reward baseline, warm-up by chance. Different, each for a reason measured in the reference code:

- a decision is per group, since coupled layers cannot shrink apart; it is about output channels, not input channels;
- the budget is met by projecting the whole episode after rounding, from above and below, not by clipping each step from
  above (which spends 0.30 of an allowed 0.50, or overshoots);
- the action that was carried out goes into replay, not the one that was proposed;
- warm-up and noise are scaled to the budget of the search; the first episode is the whole network, projected.
"""

from __future__ import annotations

from paretrim.algorithms import AmcOptions
from search.agent_search import AgentSearch
from search.algorithm import Task


class Amc(AgentSearch):
    """DDPG, widths only."""

    def __init__(self, task: Task, options: AmcOptions, seed: int) -> None:
        super().__init__(task, options, seed, kind="ddpg", genome="keep")
