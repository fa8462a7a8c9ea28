"""Evaluates on Ray: a job's workers as one of its searches sees them.

Ray retries nothing. A policy whose worker died is tried again, and is a failure when it has brought down three: it may
have been the policy of another search that the worker died of.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
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
#: seconds that one call to a worker may take, as far as is known: quick evaluations share calls, each of which costs
CALL_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class _Errand:
    """A policy to evaluate, and the right answers that would do. Equal ones have the same outcome."""

    policy: Policy
    needed: int

    @property
    def key(self) -> tuple[str, int]:
        return self.policy.key, self.needed


@dataclass(frozen=True, slots=True)
class _Call:
    """What one worker was asked at once, and when."""

    place: int
    generation: int
    errands: tuple[_Errand, ...]
    began: float  #: by the monotonic clock


class RayPool:
    """Keeps every worker busy that is there; other searches use them at the same time."""

    def __init__(self, desk: Actor, first: int) -> None:
        """first: the place to begin with, so that searches do not all queue at the same worker."""
        self._desk = desk
        self._first = first
        self._known: dict[tuple[str, int], Outcome] = {}
        self._dead: set[tuple[int, int]] = set()  #: place and generation
        self._workers: dict[int, tuple[int, Actor]] = {}  #: by place, as last heard of at the desk
        self._seconds: float | None = None  #: that the last evaluation took, with its share of waiting

    def evaluate(
        self, policies: Sequence[Policy], wanted: Callable[[], Wanted], needed: Sequence[int] | None = None
    ) -> list[Outcome]:
        """See `search.evaluate.Pool`."""
        errands = [_Errand(*pair) for pair in zip(policies, needed or [0] * len(policies), strict=True)]
        todo = deque({errand.key: errand for errand in errands if errand.key not in self._known}.values())
        lives = {errand.key: LIVES for errand in todo}
        fresh: dict[tuple[str, int], Outcome] = {}
        busy: dict[Any, _Call] = {}  # by reference
        seen = asked = float("-inf")  # with every outcome would cost more than many workers leave time for
        while todo or busy:
            if todo and (not busy or time.monotonic() - seen >= PATIENCE_SECONDS):
                self._workers, seen = ray.get(self._desk.workers.remote()), time.monotonic()
            self._hand_out(todo, lives, busy)
            done = _finished(busy)
            if time.monotonic() - asked >= PATIENCE_SECONDS:
                asked = time.monotonic()
                if (now := wanted()) != "run":
                    raise Interrupted(now)
            for reference in done:
                call = busy.pop(reference)
                try:
                    outcomes = ray.get(reference)
                except RayActorError:
                    self._dead.add((call.place, call.generation))
                    seen = float("-inf")  # somebody may be there in his place
                    ray.get(self._desk.died.remote(call.place, call.generation))
                    self._try_again(call.errands, todo, lives, fresh)
                else:
                    self._seconds = (time.monotonic() - call.began) / len(call.errands)
                    fresh |= {errand.key: outcome for errand, outcome in zip(call.errands, outcomes, strict=True)}
        return self._in_order(errands, fresh)

    def _hand_out(self, todo: deque[_Errand], lives: Mapping[tuple[str, int], int], busy: dict[Any, _Call]) -> None:
        """A call for every worker that has none of ours: one errand, or several if they are many and quick."""
        if not todo:
            return
        workers = self._workers
        taken = {(call.place, call.generation) for call in busy.values()} | self._dead
        idle = [place for place in workers if (place, workers[place][0]) not in taken]
        each = self._errands_a_call(len(todo), len(idle))
        for place in sorted(idle, key=lambda place: (place - self._first) % len(workers)):
            if not todo:
                return
            errands = [todo.popleft()]
            # one that a worker died of goes alone, so that it takes nobody with it
            while len(errands) < each and todo and lives[todo[0].key] == lives[errands[0].key] == LIVES:
                errands.append(todo.popleft())
            generation, worker = workers[place]
            reference = worker.evaluate.remote([(errand.policy, errand.needed) for errand in errands])
            busy[reference] = _Call(place, generation, tuple(errands), time.monotonic())

    def _errands_a_call(self, waiting: int, idle: int) -> int:
        if not idle or self._seconds is None:
            return 1
        return max(1, min(-(-waiting // idle), int(CALL_SECONDS / max(self._seconds, 1e-3))))

    @staticmethod
    def _try_again(
        errands: Sequence[_Errand],
        todo: deque[_Errand],
        lives: dict[tuple[str, int], int],
        fresh: dict[tuple[str, int], Outcome],
    ) -> None:
        """What was asked of a worker that died is asked of others, but for what has brought down too many."""
        for errand in reversed(errands):
            lives[errand.key] -= 1
            if lives[errand.key]:
                todo.appendleft(errand)
            else:
                fresh[errand.key] = Outcome(failure=f"the process evaluating it died, {LIVES} times")

    def _in_order(self, errands: Sequence[_Errand], fresh: dict[tuple[str, int], Outcome]) -> list[Outcome]:
        """Each errand's outcome; only the first of equal ones has cost anything."""
        outcomes = []
        for errand in errands:
            if errand.key in fresh:
                outcome = fresh.pop(errand.key)
                self._known[errand.key] = replace(outcome, seconds={})
            else:
                outcome = self._known[errand.key]
            outcomes.append(outcome)
        return outcomes


def _finished(busy: Mapping[Any, object]) -> list[Any]:
    """All references that have come, as soon as one has; none after a while."""
    if not busy:
        time.sleep(PATIENCE_SECONDS)  # until there are workers again
        return []
    done, _ = ray.wait(list(busy), timeout=PATIENCE_SECONDS)
    if done:
        done, _ = ray.wait(list(busy), num_returns=len(busy), timeout=0)
    return list(done)
