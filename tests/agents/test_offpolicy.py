"""Agents over vectors: they learn, they are reproducible, and they resume exactly."""

from __future__ import annotations

import json
from typing import get_args

import numpy as np
import pytest

from agents.offpolicy import AgentOptions, Kind, OffPolicyAgent
from agents.replay import Transition

KINDS = get_args(Kind)
SMALL = AgentOptions(hidden=32, actor_rate=3e-3, critic_rate=1e-2, batch=32, capacity=512)


def _bandit(random: np.random.Generator, count: int) -> list[Transition]:
    """One-step walks: the action that equals the state's first entry is worth most."""
    transitions = []
    for _ in range(count):
        state = random.random(3).astype(np.float32)
        action = random.random(1).astype(np.float32)
        reward = -float((action[0] - state[0]) ** 2)
        transitions.append(Transition(state, action, reward, np.zeros(3, dtype=np.float32), last=True))
    return transitions


def _states() -> np.ndarray:
    return np.random.default_rng(9).random((20, 3)).astype(np.float32)


def _acts(agent: OffPolicyAgent) -> list[float]:
    return [float(agent.act(state)[0]) for state in _states()]


@pytest.mark.parametrize("kind", KINDS)
def test_an_agent_learns_which_action_a_state_asks_for(kind: Kind) -> None:
    agent = OffPolicyAgent(kind, 3, 1, seed=0, options=SMALL)
    before = np.abs(np.array(_acts(agent)) - _states()[:, 0]).mean()
    agent.remember(_bandit(np.random.default_rng(1), 400))
    agent.learn(400)
    after = np.abs(np.array(_acts(agent)) - _states()[:, 0]).mean()
    assert after < 0.6 * before


@pytest.mark.parametrize("kind", KINDS)
def test_actions_lie_between_zero_and_one(kind: Kind) -> None:
    agent = OffPolicyAgent(kind, 3, 2, seed=0, options=SMALL)
    for state in 100.0 * _states():
        action = agent.act(state)
        assert action.shape == (2,)
        assert np.all((action >= 0.0) & (action <= 1.0))


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_seed_gives_the_same_agent_whatever_the_global_state(kind: Kind) -> None:
    answers = []
    for noise in (1, 2):
        np.random.seed(noise)  # the library's own buffer would draw from this
        agent = OffPolicyAgent(kind, 3, 1, seed=5, options=SMALL)
        agent.remember(_bandit(np.random.default_rng(1), 64))
        agent.learn(20)
        answers.append(_acts(agent))
    assert answers[0] == answers[1]


@pytest.mark.parametrize("kind", KINDS)
def test_an_agent_continues_exactly_where_its_state_was_taken(kind: Kind) -> None:
    whole = OffPolicyAgent(kind, 3, 1, seed=5, options=SMALL)
    whole.remember(_bandit(np.random.default_rng(1), 600))  # more than the ring holds
    whole.learn(15)
    values, arrays = whole.state()

    resumed = OffPolicyAgent(kind, 3, 1, seed=77, options=SMALL)
    resumed.load_state(json.loads(json.dumps(values)), arrays)
    for agent in (whole, resumed):
        agent.remember(_bandit(np.random.default_rng(2), 30))
        agent.learn(15)
    assert _acts(resumed) == _acts(whole)
    assert resumed.remembered == whole.remembered == SMALL.capacity


def test_learning_from_nothing_changes_nothing() -> None:
    agent = OffPolicyAgent("ddpg", 3, 1, seed=0, options=SMALL)
    before = _acts(agent)
    agent.learn(10)
    assert _acts(agent) == before


def test_actor_and_critic_have_rates_of_their_own() -> None:
    agent = OffPolicyAgent("ddpg", 3, 1, seed=0, options=AgentOptions(actor_rate=1e-12, critic_rate=1e-2, hidden=32))
    before = _acts(agent)
    agent.remember(_bandit(np.random.default_rng(1), 64))
    agent.learn(10)
    assert np.allclose(_acts(agent), before, atol=1e-6)
