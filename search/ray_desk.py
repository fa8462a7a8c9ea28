"""Where a job's searches, its workers and the process that runs it meet. Light, so that it is there at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ray

if TYPE_CHECKING:
    from search.explore import Step
    from search.plan import Wanted

#: a handle of an actor, whose methods Ray makes up
Actor = Any


class Desk:
    """Passes on what is wanted, keeps results until they are fetched, and knows who works in which place."""

    def __init__(self) -> None:
        self._wanted: Wanted = "run"
        self._mail: list[tuple[str, Step]] = []
        self._present: dict[int, Actor] = {}  #: by place
        self._generations: dict[int, int] = {}  #: how often a place was filled
        self._vacant: set[int] = set()

    def wanted(self) -> Wanted:
        """What the user wants of the job, as last heard."""
        return self._wanted

    def want(self, wanted: Wanted) -> None:
        """Pass on what the user wants of the job."""
        self._wanted = wanted

    def post(self, search_id: str, step: Step) -> None:
        """A search has come one step further."""
        self._mail.append((search_id, step))

    def collect(self) -> tuple[list[tuple[str, Step]], list[int]]:
        """What was posted since last time, in the order of its coming; and the places that have come to be vacant."""
        mail, self._mail = self._mail, []
        vacant, self._vacant = self._vacant, set()
        return mail, sorted(vacant)

    def workers(self) -> dict[int, tuple[int, Actor]]:
        """By place, who is there and ready to work, and how often the place was filled."""
        return {place: (self._generations[place], worker) for place, worker in self._present.items()}

    def arrived(self, place: int, worker: Actor) -> None:
        """Somebody is ready to work there."""
        self._present[place] = worker
        self._generations[place] = self._generations.get(place, 0) + 1

    def died(self, place: int, generation: int) -> None:
        """The worker of a place is dead; whoever says so first has the place filled anew."""
        if self._generations.get(place) == generation and place in self._present:
            del self._present[place]
            self._vacant.add(place)


#: `remote()` starts a Desk, which needs no CPU
DeskActor: Any = ray.remote(num_cpus=0, max_restarts=0, max_task_retries=0)(Desk)
