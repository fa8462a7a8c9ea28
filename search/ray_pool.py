"""Evaluates on Ray: actors that hold the network and the validation rows once, and a desk that everybody knows.

The desk hires the actors, replaces those that died, passes on what is wanted of the job, and keeps the searches'
results until the process that runs the job fetches them. Ray retries nothing; a policy whose actor died is tried once
more on another, and is a failure if that dies as well.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import ray
import torch
from ray.exceptions import RayActorError

from paretrim.problem import Policy
from search.evaluate import Evaluator, Outcome
from search.explore import Step
from search.plan import Interrupted, Wanted
from search.prepare import EvaluationBasis

#: a handle of one, whose methods Ray makes up
Actor = Any

#: seconds between two looks at what is wanted of the job
PATIENCE_SECONDS = 0.2
#: actors a policy may bring down before it is a failure
LIVES = 2


class Evaluation:
    """An evaluator in a process of its own."""

    def __init__(self, basis: EvaluationBasis) -> None:
        torch.set_num_threads(1)
        self._evaluator: Evaluator = basis.evaluator()

    def evaluate(self, policy: Policy) -> Outcome:
        """See `Evaluator.evaluate`."""
        return self._evaluator.evaluate(policy)


#: `remote(basis)` starts an Evaluation on a CPU of its own
EvaluationActor: Any = ray.remote(num_cpus=1, max_restarts=0, max_task_retries=0)(Evaluation)


class Desk:
    """Where searches, evaluation actors and the process that runs the job meet."""

    def __init__(self, basis: list[Any], workers: int) -> None:
        """basis: a list with one object reference to an EvaluationBasis, so that Ray passes the reference on."""
        self._basis = basis[0]
        self._wanted: Wanted = "run"
        self._mail: list[tuple[str, Step]] = []
        self._actors = [self._hire() for _ in range(workers)]
        self._generation = [0] * workers

    def wanted(self) -> Wanted:
        """What the user wants of the job, as last heard."""
        return self._wanted

    def want(self, wanted: Wanted) -> None:
        """Pass on what the user wants of the job."""
        self._wanted = wanted

    def post(self, search_id: str, step: Step) -> None:
        """A search has come one step further."""
        self._mail.append((search_id, step))

    def collect(self) -> list[tuple[str, Step]]:
        """What was posted since last time, in the order of its coming."""
        mail, self._mail = self._mail, []
        return mail

    def actors(self) -> list[tuple[int, Actor]]:
        """Every evaluation actor with its generation: how often its place was filled anew."""
        return list(zip(self._generation, self._actors, strict=True))

    def replace(self, place: int, generation: int) -> tuple[int, Actor]:
        """The actor of that place died; whoever says so first has another hired. Returns the one there now."""
        if self._generation[place] == generation:
            self._actors[place] = self._hire()
            self._generation[place] += 1
        return self._generation[place], self._actors[place]

    def _hire(self) -> Actor:
        actor: Actor = EvaluationActor.remote(self._basis)
        return actor


#: `remote([reference to a basis], workers)` starts a Desk, which needs no CPU
DeskActor: Any = ray.remote(num_cpus=0, max_restarts=0, max_task_retries=0)(Desk)


class RayPool:
    """The desk's actors, as one search sees them. Other searches use them at the same time."""

    def __init__(self, desk: Actor, first: int) -> None:
        """first: the place to begin with, so that searches do not all queue at the same actor."""
        self._desk = desk
        self._actors: list[tuple[int, Actor]] = ray.get(desk.actors.remote())
        self._first: int = first
        self._known: dict[str, Outcome] = {}

    def evaluate(self, policies: Sequence[Policy], wanted: Callable[[], Wanted]) -> list[Outcome]:
        """One outcome a policy, in their order. Raises Interrupted as soon as `wanted` is not `run`."""
        todo = deque({policy.key: policy for policy in policies if policy.key not in self._known}.values())
        lives = {policy.key: LIVES for policy in todo}
        busy: dict[Any, tuple[int, Policy]] = {}
        idle = deque((self._first + place) % len(self._actors) for place in range(len(self._actors)))
        fresh: dict[str, Outcome] = {}
        while todo or busy:
            while todo and idle:
                place, policy = idle.popleft(), todo.popleft()
                busy[self._actors[place][1].evaluate.remote(policy)] = (place, policy)
            done, _ = ray.wait(list(busy), timeout=PATIENCE_SECONDS)
            if (now := wanted()) != "run":
                raise Interrupted(now)
            for reference in done:
                place, policy = busy.pop(reference)
                idle.append(place)
                outcome = self._outcome(reference, place)
                lives[policy.key] -= outcome is None
                if outcome is None and lives[policy.key]:
                    todo.appendleft(policy)
                else:
                    fresh[policy.key] = outcome or Outcome(failure="the process evaluating it died, twice")
        return self._in_order(policies, fresh)

    def _outcome(self, reference: Any, place: int) -> Outcome | None:
        """None if the actor died over it."""
        try:
            outcome: Outcome = ray.get(reference)
        except RayActorError:
            generation, _ = self._actors[place]
            replaced: tuple[int, Actor] = ray.get(self._desk.replace.remote(place, generation))
            self._actors[place] = replaced
            return None
        return outcome

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
