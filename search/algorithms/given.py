"""The user's own policies, one after the other: to have them evaluated, compared and delivered like any other."""

from __future__ import annotations

from collections.abc import Iterator

from hw_models.legal import given_policies
from paretrim.algorithms import GivenOptions
from paretrim.errors import Infeasible, InvalidInput
from paretrim.problem import Policy
from search.algorithm import Task
from search.sweep import Sweep


class Given(Sweep):
    """Deterministic. A policy may name anything that the network can have, searched for or not."""

    def __init__(self, task: Task, options: GivenOptions, seed: int) -> None:  # noqa: ARG002 - nothing is random
        """Raises InvalidInput if there are no policies or one does not fit the network, Infeasible if one costs too
        much."""
        if not options.policies:
            raise InvalidInput(
                'give this algorithm policies to evaluate, e.g. [{"keep": {"conv1": 0.5}}]',
                field="algorithms.given.options.policies",
            )
        self._given = given_policies(task.space.network, task.space.device, options.policies)
        for place, policy in enumerate(self._given):
            costs = task.space.measure(policy)
            for constraint in task.space.constraints:
                if not constraint.holds(costs, task.original):
                    found = constraint.value(costs, task.original)
                    raise Infeasible(
                        f"policy {place} has {constraint.metric} {found:.4g}, the job asks for {constraint}",
                        reachable={constraint.metric: found},
                    )
        super().__init__(task, "joint")

    def _policies(self) -> Iterator[Policy]:
        yield from self._given
