"""The rule that every course teaches: the later a layer, the sparser.

Keep ratios fall on a straight line from the first group to the last, with one slope after another; the other way round
too, to see what the rule is worth. Each line is brought onto the budget.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from paretrim.algorithms import TriangleOptions
from paretrim.problem import Policy
from search.algorithm import Task
from search.opening import alike, equal_bits
from search.sweep import Sweep, by_halves
from search.walk import Walk

#: by how much the ratio falls from the first group to the last, in the order tried
SLOPES = (0.5, 0.25, 0.75, 1.0, -0.25, 0.125, 0.375, 0.625, 0.875, -0.5)

#: ratios in the middle of the line, where costs are objectives, are multiples of this
FINEST = 1 / 16


class Triangle(Sweep):
    """Deterministic; the seed has no part in it."""

    def __init__(self, task: Task, options: TriangleOptions, seed: int) -> None:  # noqa: ARG002 - nothing is random
        widths = task.space.restricted("keep")
        self._groups = [knob.name for turn in Walk(widths).turns for knob in [widths.free_knobs[turn.coordinate]]]
        super().__init__(task, options.genome)

    def _policies(self) -> Iterator[Policy]:
        space = self._space
        for middle in [0.5] if space.fills else by_halves(FINEST):
            for slope in SLOPES:
                ratios = np.clip(middle + slope * np.linspace(0.5, -0.5, len(self._groups)), 0.01, 1.0)
                line = dict(zip(self._groups, ratios.tolist(), strict=True))
                for bits in [*equal_bits(space)] or (None,):
                    yield space.project(Policy(keep=line, bits=alike(space, 1.0, bits).bits))
