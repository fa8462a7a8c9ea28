"""Evaluates on several processes forked from this one: what a job's workers on one machine do, without Ray."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from types import TracebackType

from paretrim.problem import Policy
from search.evaluate import Evaluator, Outcome
from search.plan import Interrupted, Wanted

#: of a forked process: what it was forked with
_evaluator: Evaluator | None = None


class ForkPool:
    """Implements `search.evaluate.Pool`. The evaluator is shared read-only, as it was when the pool was made.

    torch must have run on one thread only before: more do not survive a fork.
    """

    def __init__(self, evaluator: Evaluator, workers: int) -> None:
        context = multiprocessing.get_context("fork")
        self._processes = ProcessPoolExecutor(workers, context, initializer=_take, initargs=(evaluator,))

    def __enter__(self) -> ForkPool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._processes.shutdown(cancel_futures=True)

    def evaluate(
        self, policies: Sequence[Policy], wanted: Callable[[], Wanted], needed: Sequence[int] | None = None
    ) -> list[Outcome]:
        """One outcome a policy, in their order. Raises Interrupted."""
        now = wanted()
        if now != "run":
            raise Interrupted(now)
        return list(self._processes.map(_evaluated, policies, needed or [0] * len(policies)))


def _take(evaluator: Evaluator) -> None:
    global _evaluator
    _evaluator = evaluator


def _evaluated(policy: Policy, needed: int) -> Outcome:
    assert _evaluator is not None
    return _evaluator.evaluate(policy, needed)
