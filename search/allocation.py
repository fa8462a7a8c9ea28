"""Given what each knob's levels do to accuracy, which levels meet the budget at the least damage?

Two answers: by mixed-integer programming, exact for the separable model (what MCT, HALP and SPDY do), and by greed.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from scipy.optimize import Bounds, LinearConstraint, milp

from paretrim.problem import Policy
from search.projection import Levels
from search.space import Space

Array = npt.NDArray[np.float64]

#: levels of one knob that the program chooses between, beside the one at hand
CHOICES = 9

#: the costs of a network are not separable; so often they are taken apart around the last answer
ROUNDS = 3

#: when the solver may stop: an answer this near to the best is as good as the model. No clock, or answers would depend
#: on the machine
SOLVER: Mapping[str, float] = {"mip_rel_gap": 0.01, "node_limit": 200, "presolve": False}


def solved(space: Space, damages: Sequence[Array], start: Policy, limits: Mapping[str, float]) -> Policy:
    """The policy of least damage within the constraints and limits, by repeated integer programs.

    damages: for every free knob the damage at each level. Costs are taken apart knob by knob around the last answer,
    first around `start`. The answer is brought onto the budget as it really is.
    """
    best = space.project(start, limits)
    least = _damage(space, damages, best)
    around = best
    for _ in range(ROUNDS):
        levels = _program(space, damages, space.levels(around), limits)
        if levels is None:
            break
        around = space.project(space.policy(levels), limits)
        if (damage := _damage(space, damages, around)) < least:
            best, least = around, damage
    return best


def greedy(space: Space, damages: Sequence[Array], limits: Mapping[str, float], start: Policy | None = None) -> Policy:
    """From the whole network down, always by the step that does the least damage for what it saves.

    start: a policy to go down from instead. Stops at the first policy within the constraints and limits, which is then
    brought onto the budget. Prices are looked up again only when they come first: they change little, and mostly rise
    (Minoux' lazy greedy).
    """
    levels = space.levels(space.most if start is None else start)
    excess = space.excess(levels, limits)
    queue = [(0.0, k) for k in range(len(damages))]  # a price of 0 is looked up before anything is taken
    while excess > 1.0 and queue:
        _, k = heapq.heappop(queue)
        price, lower, after = _step_down(space, damages, k, levels, excess, limits)
        if lower is None:
            continue
        if queue and price > queue[0][0]:
            heapq.heappush(queue, (price, k))
            continue
        levels, excess = lower, after
        heapq.heappush(queue, (price, k))
    return space.project(space.policy(levels), limits)


def _step_down(
    space: Space, damages: Sequence[Array], k: int, levels: Levels, excess: float, limits: Mapping[str, float]
) -> tuple[float, Levels | None, float]:
    """The price of turning the k-th free knob down by a stride, what that gives, and the excess that is left."""
    place = space.free_places[k]
    stride = max(1, space.knobs[place].levels // CHOICES)
    level = max(0, levels[place] - stride)
    if level == levels[place]:
        return math.inf, None, excess
    lower = (*levels[:place], level, *levels[place + 1 :])
    after = space.excess(lower, limits)
    harm = max(0.0, float(damages[k][level] - damages[k][levels[place]]))
    return (harm + 1e-9) / max(excess - after, 1e-9), lower, after


def _program(space: Space, damages: Sequence[Array], around: Levels, limits: Mapping[str, float]) -> Levels | None:
    """The levels of least damage, if costs were the product of what each knob does to them; None if none fit.

    One binary variable for each choice of each knob; one row per knob that chooses exactly one; one row per wall.
    """
    choices = [_choices(space.knobs[i].levels, around[i]) for i in space.free_places]
    harm = np.concatenate([damage[levels] for damage, levels in zip(damages, choices, strict=True)])
    owner = np.repeat(np.arange(len(choices)), [len(levels) for levels in choices])
    one_each = (owner[None, :] == np.arange(len(choices))[:, None]).astype(np.float64)
    rows = [LinearConstraint(one_each, 1, 1)]
    changed = [
        (*around[:i], int(level), *around[i + 1 :])
        for i, levels in zip(space.free_places, choices, strict=True)
        for level in levels
    ]
    for metric, limit in space.limits(limits).items():
        here = space.cost(around).value(metric)
        factors = np.array([np.log(max(space.cost(levels).value(metric), 1e-12) / here) for levels in changed])
        rows.append(LinearConstraint(factors[None, :], -np.inf, np.log(limit / here)))
    answer = milp(
        harm,
        integrality=np.ones(len(harm)),
        bounds=Bounds(0, 1),
        constraints=rows,
        options=dict(SOLVER),
    )
    if answer.x is None:
        return None
    best = [int(levels[answer.x[owner == k].argmax()]) for k, levels in enumerate(choices)]
    chosen = dict(zip(space.free_places, best, strict=True))
    return tuple(chosen.get(i, level) for i, level in enumerate(around))


def _choices(levels: int, current: int) -> npt.NDArray[np.int64]:
    """Levels spread over all there are, and the current one."""
    spread = np.linspace(0, levels - 1, min(levels, CHOICES)).round().astype(np.int64)
    return np.unique(np.append(spread, current))


def _damage(space: Space, damages: Sequence[Array], policy: Policy) -> float:
    levels = space.levels(policy)
    return float(sum(damage[levels[i]] for damage, i in zip(damages, space.free_places, strict=True)))
