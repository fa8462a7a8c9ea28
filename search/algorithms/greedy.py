"""Greed over a separable model: from the whole network down, by the step that costs least accuracy for its saving."""

from __future__ import annotations

from collections.abc import Mapping

from paretrim.problem import Policy
from search.allocation import greedy
from search.surrogate import Array
from search.surrogate_search import SurrogateSearch


class Greedy(SurrogateSearch):
    """Deterministic for a model; the models differ."""

    def _answer(self, damages: list[Array], start: Policy, limits: Mapping[str, float]) -> Policy:  # noqa: ARG002
        return greedy(self._space, damages, limits)
