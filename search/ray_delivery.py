"""A workshop on Ray: one actor a core, each with the network and the splits."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import ray
import torch
from ray.exceptions import RayActorError

from paretrim.problem import Policy
from search.craft import CraftBasis, Crafted, Workbench
from search.plan import Interrupted, Wanted
from search.ray_pool import LIVES, PATIENCE_SECONDS, Actor


class Craft:
    """A workbench in a process of its own."""

    def __init__(self, basis: CraftBasis) -> None:
        torch.set_num_threads(1)
        self._bench = Workbench(basis)

    def craft(self, policy: Policy) -> Crafted | str:
        """See `Workbench.craft`."""
        return self._bench.craft(policy)


#: `remote(basis)` starts a Craft on a CPU of its own
CraftActor: Any = ray.remote(num_cpus=1, max_restarts=0, max_task_retries=0)(Craft)


class RayWorkshop:
    """Makes as many networks at once as there are workers."""

    def __init__(self, workers: int) -> None:
        self._workers = workers

    def craft(
        self, basis: CraftBasis, policies: Mapping[int, Policy], wanted: Callable[[], Wanted]
    ) -> Iterator[tuple[int, Crafted | str]]:
        """See `search.craft.Workshop`."""
        if not policies:
            return
        shared = ray.put(basis)
        idle = deque(CraftActor.remote(shared) for _ in range(min(self._workers, len(policies))))
        todo, lives = deque(policies), dict.fromkeys(policies, LIVES)
        busy: dict[Any, tuple[int, Actor]] = {}
        try:
            while todo or busy:
                while todo and idle:
                    number, actor = todo.popleft(), idle.popleft()
                    busy[actor.craft.remote(policies[number])] = (number, actor)
                done, _ = ray.wait(list(busy), timeout=PATIENCE_SECONDS)
                if (now := wanted()) != "run":
                    raise Interrupted(now)
                for reference in done:
                    number, actor = busy.pop(reference)
                    try:
                        result: Crafted | str = ray.get(reference)
                    except RayActorError:
                        actor, result = CraftActor.remote(shared), f"the process making it died, {LIVES} times"
                        lives[number] -= 1
                        if lives[number]:
                            todo.append(number)
                            idle.append(actor)
                            continue
                    idle.append(actor)
                    yield number, result
        finally:
            for actor in (*idle, *(actor for _, actor in busy.values())):
                ray.kill(actor)
