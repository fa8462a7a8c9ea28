"""Integer programming over a separable model: what the living rivals do (MCT, SPDY, HALP), with the model kept honest.

They measure each layer alone, once, on the whole network, and solve once. Here the model is fitted to networks that
meet the budget, and fitted again after every window, so that it is right where its answers lie.
"""

from __future__ import annotations

from collections.abc import Mapping

from paretrim.problem import Policy
from search.allocation import solved
from search.surrogate import Array
from search.surrogate_search import SurrogateSearch


class Ilp(SurrogateSearch):
    """Exact for the model, by scipy's HiGHS."""

    def _answer(self, damages: list[Array], start: Policy, limits: Mapping[str, float]) -> Policy:
        return solved(self._space, damages, start, limits)
