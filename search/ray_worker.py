"""What holds the CPUs on Ray: actors that read the network and the data once, evaluate policies and make networks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import ray
import torch
from ray.exceptions import RayActorError

from paretrim.errors import JobFailed
from paretrim.problem import Policy
from search.basis import EvaluationBasis
from search.craft import CraftBasis, Crafted, Workbench
from search.evaluate import Outcome
from search.memory import keep_freed_memory
from search.ray_desk import Actor
from search.training_log import TrainingLog

#: workers that may fail to start, one after the other, before the job does
STARTS = 3


class Worker:
    """An evaluator, and a workbench once it is needed, in a process of their own."""

    def __init__(self, basis: EvaluationBasis) -> None:
        torch.set_num_threads(1)
        keep_freed_memory()
        self._evaluator = basis.evaluator()
        self._bench: Workbench | None = None

    def ready(self) -> None:
        """Answered once everything is read."""

    def evaluate(self, errands: Sequence[tuple[Policy, int]]) -> list[Outcome]:
        """One outcome for each policy and the right answers that would do, see `Evaluator.evaluate`."""
        return [self._evaluator.evaluate(*errand) for errand in errands]

    def craft(self, basis: CraftBasis, policy: Policy, log: TrainingLog | None = None, n: int = 0) -> Crafted | str:
        """See `Workbench.craft`. The basis is that of the first call ever after."""
        return self._workbench(basis).craft(policy, log=log, n=n)

    def rehearse(self, basis: CraftBasis, policy: Policy, epochs: float) -> float | str:
        """See `Workbench.rehearse`."""
        return self._workbench(basis).rehearse(policy, epochs)

    def _workbench(self, basis: CraftBasis) -> Workbench:
        if self._bench is None:
            self._bench = Workbench(basis)
        return self._bench


#: `remote(basis)` starts a Worker on a CPU of its own; Ray retries nothing
WorkerActor: Any = ray.remote(num_cpus=1, max_restarts=0, max_task_retries=0)(Worker)


class Crew:
    """The workers of a job. The process that runs the job hires them, and others in place of those that died."""

    def __init__(self, basis: EvaluationBasis, size: int) -> None:
        self._basis = ray.put(basis)
        self.workers: list[Actor] = []
        self._failed_starts = 0  #: in a row
        self._awaited: dict[Any, int] = {}  #: who has not said that he is ready; the place he will work in
        for place in range(size):
            self.workers.append(None)
            self.refill(place)

    def refill(self, place: int) -> None:
        """Hire somebody new for a place."""
        self.workers[place] = WorkerActor.remote(self._basis)
        self._awaited[self.workers[place].ready.remote()] = place

    @property
    def present(self) -> list[int]:
        """Places whose workers are known to be ready."""
        return sorted(set(range(len(self.workers))) - set(self._awaited.values()))

    def arrivals(self, timeout_seconds: float = 0.0) -> list[int]:
        """Places whose workers have become ready since last time. Raises JobFailed if none can start."""
        if not self._awaited:
            return []
        ready, _ = ray.wait(list(self._awaited), num_returns=len(self._awaited), timeout=timeout_seconds)
        arrived = []
        for reference in ready:
            place = self._awaited.pop(reference)
            try:
                ray.get(reference)
            except RayActorError as error:
                self._failed_starts += 1
                if self._failed_starts >= STARTS:
                    raise JobFailed(f"workers cannot start: {error}", code="worker_failed") from error
                self.refill(place)
            else:
                self._failed_starts = 0
                arrived.append(place)
        return arrived

    def dismiss(self) -> None:
        """End all of them, whatever they are at."""
        for worker in self.workers:
            ray.kill(worker)
