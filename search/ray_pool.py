"""Evaluates on Ray: a job's workers as one of its searches sees them.

Ray retries nothing. A policy whose worker died is tried again, and is a failure when it has brought down three: it may
have been the policy of another search that the worker died of.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import ray
from ray.exceptions import RayActorError

from paretrim.problem import Policy
from search.evaluate import Outcome
from search.plan import Interrupted, Wanted
from search.ray_desk import Actor

#: seconds between two looks at what is wanted of the job
PATIENCE_SECONDS = 0.2
#: workers a policy may bring down before it is a failure
LIVES = 3


class RayPool:
    """Keeps every worker busy that is there; other searches use them at the same time."""

    def __init__(self, desk: Actor, first: int) -> None:
        """first: the place to begin with, so that searches do not all queue at the same worker."""
        self._desk = desk
        self._first = first
        self._known: dict[str, Outcome] = {}
        self._dead: set[tuple[int, int]] = set()  #: place and generation

    def evaluate(self, policies: Sequence[Policy], wanted: Callable[[], Wanted]) -> list[Outcome]:
        """One outcome a policy, in their order. Raises Interrupted as soon as `wanted` is not `run`."""
        todo = deque({policy.key: policy for policy in policies if policy.key not in self._known}.values())
        lives = {policy.key: LIVES for policy in todo}
        fresh: dict[str, Outcome] = {}
        busy: dict[Any, tuple[int, int, Policy]] = {}  # by reference: place, generation, policy
        while todo or busy:
            self._hand_out(todo, busy)
            if busy:
                done, _ = ray.wait(list(busy), timeout=PATIENCE_SECONDS)
            else:
                done = []
                time.sleep(PATIENCE_SECONDS)  # until there are workers again
            if (now := wanted()) != "run":
                raise Interrupted(now)
            for reference in done:
                place, generation, policy = busy.pop(reference)
                try:
                    fresh[policy.key] = ray.get(reference)
                except RayActorError:
                    self._dead.add((place, generation))
                    ray.get(self._desk.died.remote(place, generation))
                    lives[policy.key] -= 1
                    if lives[policy.key]:
                        todo.appendleft(policy)
                    else:
                        fresh[policy.key] = Outcome(failure=f"the process evaluating it died, {LIVES} times")
        return self._in_order(policies, fresh)

    def _hand_out(self, todo: deque[Policy], busy: dict[Any, tuple[int, int, Policy]]) -> None:
        """A policy for every worker that has none of ours."""
        if not todo:
            return
        workers: dict[int, tuple[int, Actor]] = ray.get(self._desk.workers.remote())
        taken = {(place, generation) for place, generation, _ in busy.values()} | self._dead
        for place in sorted(workers, key=lambda place: (place - self._first) % len(workers)):
            generation, worker = workers[place]
            if todo and (place, generation) not in taken:
                policy = todo.popleft()
                busy[worker.evaluate.remote(policy)] = (place, generation, policy)

    def _in_order(self, policies: Sequence[Policy], fresh: dict[str, Outcome]) -> list[Outcome]:
        """Each policy's outcome; only the first of equal policies has cost anything."""
        outcomes = []
        for policy in policies:
            if policy.key in fresh:
                outcome = fresh.pop(policy.key)
                self._known[policy.key] = Outcome(outcome.accuracy, outcome.failure)
            else:
                outcome = self._known[policy.key]
            outcomes.append(outcome)
        return outcomes
