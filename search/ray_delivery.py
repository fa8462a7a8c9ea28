"""A workshop on Ray: the workers that evaluated candidates make the networks that are delivered."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import ray
from ray.exceptions import RayActorError

from paretrim.problem import Policy
from search.craft import CraftBasis, Crafted
from search.plan import Interrupted, Wanted
from search.ray_desk import Actor
from search.ray_mailbox import Post
from search.ray_pool import PATIENCE_SECONDS
from search.ray_worker import Crew
from search.training_log import TrainingLog

#: workers a network may bring down before it is given up
LIVES = 2

#: gives the policy of a candidate to a worker
Begin = Callable[[Actor, int], Any]


class RayWorkshop:
    """Makes as many networks at once as there are workers, and hands them over while none is at work.

    Whoever takes them times them: beside busy neighbours, which share its caches, a file looks up to twice as slow.
    """

    def __init__(self, crew: Crew) -> None:
        self._crew = crew

    def craft(
        self,
        basis: CraftBasis,
        policies: Mapping[int, Policy],
        wanted: Callable[[], Wanted],
        log: TrainingLog | None = None,
    ) -> Iterator[tuple[int, Crafted | str]]:
        """See `search.craft.Workshop`."""
        shared = ray.put(basis)
        post = None if log is None or basis.epochs == 0 else Post(log)
        if post is None:
            yield from self._each(policies, wanted, lambda worker, n: worker.craft.remote(shared, policies[n]))
            return

        def begun(worker: Actor, n: int) -> Any:
            return worker.craft.remote(shared, policies[n], post.log_of(n), n)

        try:
            yield from self._each(policies, wanted, begun, post.fetch)
        finally:
            post.close()

    def rehearse(
        self, basis: CraftBasis, policies: Mapping[int, Policy], epochs: float, wanted: Callable[[], Wanted]
    ) -> Iterator[tuple[int, float | str]]:
        """See `search.craft.Workshop`."""
        shared = ray.put(basis)
        yield from self._each(policies, wanted, lambda worker, n: worker.rehearse.remote(shared, policies[n], epochs))

    def _each(
        self,
        numbers: Mapping[int, Policy],
        wanted: Callable[[], Wanted],
        begun: Begin,
        fetch: Callable[[], None] = lambda: None,
    ) -> Iterator[tuple[int, Any]]:
        """What workers make of candidates, by number; fetch: called again and again, what they report meanwhile."""
        todo, lives = deque(numbers), dict.fromkeys(numbers, LIVES)
        idle = deque(self._crew.present)
        busy: dict[Any, tuple[int, int]] = {}  # by reference: candidate, place
        held: list[tuple[int, Any]] = []
        while todo or busy or held:
            while todo and idle and not held:
                number, place = todo.popleft(), idle.popleft()
                busy[begun(self._crew.workers[place], number)] = (number, place)
            done = ray.wait(list(busy), timeout=PATIENCE_SECONDS)[0] if busy else []
            idle += self._crew.arrivals(0.0 if busy else PATIENCE_SECONDS)
            fetch()
            if (now := wanted()) != "run":
                yield from held
                raise Interrupted(now)
            for reference in done:
                number, place = busy.pop(reference)
                try:
                    made = ray.get(reference)
                    idle.append(place)
                    held.append((number, made))
                except RayActorError:
                    self._crew.refill(place)
                    lives[number] -= 1
                    if lives[number]:
                        todo.append(number)
                    else:
                        held.append((number, f"the process making it died, {LIVES} times"))
            if not busy:
                yield from held
                held.clear()
