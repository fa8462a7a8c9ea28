"""Racing: candidates are scored on ever more validation rows, and dropped as soon as they cannot enter the front.

What a candidate costs is known before it is run, so the accuracy it needs to enter the front is known too: more than
every member that costs no more has. After each rung, half the rows of the next, the chance that a network which is good
enough would look as bad as this one is reckoned exactly: rows are drawn without replacement from those that decide, so
the number of right answers among them is hypergeometric. A candidate goes if that chance is below (1 - confidence) /
rungs. So at most 1 - confidence of the candidates that belong on the front are lost (Bonferroni).

Only what was told before a window decides over it, so the answer depends neither on workers nor on pauses.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from paretrim.problem import Measurement
from search.front import Front
from search.plan import CONFIDENCE

#: metrics that are shares of rows answered rightly
SHARES = frozenset({"top1", "top5"})

#: rows of the first rung; fewer say too little
FIRST_ROWS = 250


def rungs(rows: int, confidence: float = CONFIDENCE) -> tuple[int, ...]:
    """Rows after which a candidate may be dropped, doubling, and at last all rows. confidence: 0: no racing."""
    steps = [rows]
    while confidence > 0.0 and (half := steps[0] // 2) >= FIRST_ROWS:
        steps.insert(0, half // FIRST_ROWS * FIRST_ROWS)
    return tuple(steps)


def rights_needed(front: Front, costs: Measurement, rows: int) -> int:
    """Right answers out of `rows` with which a candidate of these costs would enter the front.

    More than `rows` if it cannot, 0 if anything would do. costs: without accuracy.
    """
    needed = 0
    for constraint in front.constraints:
        if constraint.base_metric == "accuracy" and (constraint.relation == ">=") != (
            constraint.metric == "accuracy_drop"
        ):
            needed = max(needed, math.ceil(constraint.limit(front.original) * rows - 1e-6))
    best = front.best_within(costs)
    if best is None:
        return needed
    if all(objective.metric != "accuracy" for objective in front.objectives):
        return rows + 1  # somebody is as good in every objective
    return max(needed, math.floor(best * rows + 1e-6) + 1)


def hopeless(right: int, seen: int, rows: int, needed: int, risk: float) -> bool:
    """Whether `right` of the first `seen` rows say that not `needed` of all `rows` will be answered rightly.

    The chance of so few in a random sample of a network that has just enough is below `risk`, or it cannot be any more.
    """
    if right + rows - seen < needed:
        return True
    if seen >= rows or right >= needed:
        return False
    from scipy.stats import hypergeom  # takes a second to load, and not every job races

    return float(hypergeom.cdf(right, rows, needed, seen)) < risk


def dropped_after(right: Sequence[int], steps: Sequence[int], needed: int, confidence: float) -> int | None:
    """The first rung after which a candidate goes, None if it goes to the end. right: so far, after each rung known."""
    risk = (1.0 - confidence) / max(1, len(steps) - 1)
    for place, count in enumerate(right[: len(steps) - 1]):
        if hopeless(count, steps[place], steps[-1], needed, risk):
            return place
    return None


def spread_rows(margins: npt.NDArray[np.float64], seed: int) -> npt.NDArray[np.intp]:
    """An order of rows whose every beginning is spread evenly over easy and hard ones.

    margins: (n,) by how much the original network is right. Ranks are taken in van der Corput's order (1935) from a
    start that the seed draws: a systematic sample, whose share of right answers varies less than that of a random one.
    """
    count = len(margins)
    ranked = np.argsort(margins, kind="stable")
    digits = max(1, (count - 1).bit_length())
    places = np.arange(count)
    reversed_bits = np.zeros(count, dtype=np.int64)
    for digit in range(digits):
        reversed_bits |= ((places >> digit) & 1) << (digits - 1 - digit)
    start = int(np.random.default_rng([seed, 5]).integers(count))
    order: npt.NDArray[np.intp] = ranked[(np.argsort(reversed_bits, kind="stable") + start) % count]
    return order
