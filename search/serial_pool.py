"""Evaluates in this process, one policy after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from paretrim.problem import Policy
from search.evaluate import Evaluator, Outcome
from search.plan import Interrupted, Wanted


class SerialPool:
    """A pool of one: the caller itself."""

    def __init__(self, evaluator: Evaluator) -> None:
        self._evaluator = evaluator

    def evaluate(
        self, policies: Sequence[Policy], wanted: Callable[[], Wanted], needed: Sequence[int] | None = None
    ) -> list[Outcome]:
        """See `search.evaluate.Pool`."""
        outcomes = []
        for policy, enough in zip(policies, needed or [0] * len(policies), strict=True):
            now = wanted()
            if now != "run":
                raise Interrupted(now)
            outcomes.append(self._evaluator.evaluate(policy, enough))
        return outcomes
