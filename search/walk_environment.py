"""A search as a Gymnasium environment, so that any stable-baselines3 agent can be trained on it.

    environment = walk_environment(task, evaluate)
    PPO("MlpPolicy", environment).learn(2000)

One episode is one candidate. For searches within a job use the algorithms: they propose in windows and can be resumed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from agents.environment import WalkEnvironment
from paretrim.algorithms import Genome
from paretrim.problem import Candidate, Policy
from search.algorithm import Task
from search.walk import Walk
from search.worth import Worth, weighed


def walk_environment(
    task: Task, evaluate: Callable[[Policy], Candidate], *, genome: Genome = "joint", soft: str | None = None
) -> WalkEnvironment:
    """The walk over a task's space; each episode's policy is brought onto the budget and evaluated.

    evaluate: measures a policy. soft: a soft budget, see `Worth`. Raises Infeasible, InvalidInput.
    """
    space = task.space.weighing(weighed(soft)).restricted(genome)
    walk, worth = Walk(space), Worth(task, soft)

    def judge(actions: Sequence[float]) -> tuple[float, Sequence[float]]:
        policy = space.project(space.decode(walk.vector(actions)))
        return worth(evaluate(policy)), walk.actions(space.encode(policy)).tolist()

    return WalkEnvironment(len(walk), walk.features, walk.state, judge)
