"""Agents that users bring: anything of stable-baselines3 that acts in a box runs on the walk of a search."""

from __future__ import annotations

import pytest
from stable_baselines3 import A2C, PPO
from stable_baselines3.common.base_class import BaseAlgorithm

from paretrim.problem import Candidate, Policy
from search.walk_environment import walk_environment
from tests.search.landscapes import Landscape, task
from tests.search.spaces import plain, space


@pytest.mark.parametrize("kind", [A2C, PPO])
def test_an_agent_of_the_library_searches_within_the_budget(kind: type[BaseAlgorithm]) -> None:
    landscape = Landscape(space(plain((8, 16)), ("macs_ratio <= 0.5",)))
    evaluated: list[Candidate] = []

    def evaluate(policy: Policy) -> Candidate:
        evaluated.append(landscape.candidate(len(evaluated), policy))
        return evaluated[-1]

    environment = walk_environment(task(landscape), evaluate, genome="keep")
    batch = {"batch_size": 8, "n_epochs": 1} if kind is PPO else {}
    agent = kind("MlpPolicy", environment, n_steps=8, seed=0, device="cpu", **batch)  # type: ignore[call-arg]
    agent.learn(24)
    assert len(evaluated) == 24 // landscape.space.size
    assert all(landscape.space.fits(candidate.policy) for candidate in evaluated)
    assert len({candidate.policy for candidate in evaluated}) > 1
