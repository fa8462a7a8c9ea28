"""Search by an agent that walks the network: the part that AMC, HAQ and their relatives have in common.

An episode is one proposal. The actor decides turn by turn, the decisions are projected onto the budget, and what is
stored is what was carried out: states are rebuilt from the projected policy, so the critic never learns the value of
an action that nobody took. Candidates of other searches are episodes as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from agents.noise import truncated_normal
from agents.offpolicy import AgentOptions, Kind, OffPolicyAgent
from agents.replay import Transition
from paretrim.algorithms import AgentSearchOptions, Genome
from paretrim.problem import Candidate, Policy
from search.aim import Aim
from search.algorithm import Task
from search.novelty import Seen, load_rng_state, rng_state, something_new
from search.opening import openings
from search.projection import Vector
from search.walk import Array, Walk
from search.worth import Worth, weighed

#: share of the noise that is left at the end of the budget, unless its decay is given
LAST_NOISE = 0.05

#: warm-up if it is not given: this share of the budget, but no more than AMC's
WARMUP_SHARE, MOST_WARMUP = 0.25, 100


class AgentSearch:
    """An off-policy agent over the walk of a space."""

    def __init__(self, task: Task, options: AgentSearchOptions, seed: int, *, kind: Kind, genome: Genome) -> None:
        """Raises Infeasible, InvalidInput if there is nothing of this genome to search."""
        self._space = task.space.weighing(weighed(options.soft)).restricted(genome)
        self._options = options
        self._aim = Aim(task, self._space, soft=options.soft is not None)
        self._worth = Worth(task, options.soft, options.soft_exponent)
        self._walk = Walk(self._space, aims=len(self._aim.metrics))
        self._rng = np.random.default_rng([seed, 1])
        self._seen = Seen()
        self._opening = openings(self._space)
        self._asked = self._told = 0
        self._rewards: list[float] = []  # since the gauges were last read
        planned = task.budget.candidates
        self._warmup = min(round(planned * WARMUP_SHARE), MOST_WARMUP) if options.warmup is None else options.warmup
        after = max(1, planned - self._warmup)
        self._decay = LAST_NOISE ** (1 / after) if options.noise_decay is None else options.noise_decay
        self._agent = OffPolicyAgent(kind, self._walk.features, 1, seed=seed, options=self._settings())

    def ask(self) -> Policy:
        """The next episode, brought onto the budget."""
        limits = self._aim.draw(self._rng)
        aims = self._aim.share(limits)

        def draw() -> Policy:
            return self._space.project(self._space.decode(self._decide(aims)), limits)

        policy = something_new(draw, self._space, self._seen, self._rng, limits)
        self._asked += 1
        return policy

    def episode(self, limits: Mapping[str, float]) -> Policy:
        """An episode under these limits, perhaps one that is known: for those that propose in several ways."""
        self._asked += 1
        return self._space.project(self._space.decode(self._decide(self._aim.share(limits))), limits)

    def note(self, candidate: Candidate) -> None:
        """Store the episode, and learn nothing yet: for those that ask this agent now and then."""
        self._note(candidate)

    def study(self, steps: int) -> None:
        """So many gradient steps for each turn of the walk."""
        self._agent.learn(steps * len(self._walk))

    def tell(self, candidate: Candidate) -> None:
        """Store the episode, and learn once warm-up is over."""
        self._note(candidate)
        if self._told > self._warmup:
            self._agent.learn(self._options.updates * len(self._walk))
        elif self._told == self._warmup:
            self._agent.learn(self._options.updates * len(self._walk) * self._warmup)

    def learn(self, candidates: Sequence[Candidate]) -> None:
        """Store episodes of others and learn from them; they count as warm-up."""
        for candidate in candidates:
            self._note(candidate)
        self._warmup = max(0, self._warmup - len(candidates))
        self._told = 0
        self._agent.learn(self._options.updates * len(self._walk) * len(candidates))

    def gauges(self) -> dict[str, float]:
        """Mean reward of the episodes told since the last time, and the noise that the next are explored with."""
        rewards, self._rewards = self._rewards, []
        warm = self._asked < self._warmup
        said = {} if warm else {"noise": self._noise()}
        return said | ({"reward": sum(rewards) / len(rewards)} if rewards else {})

    def adopt(self, arrays: bytes) -> None:
        """Begin as an agent that has walked another network: its networks, not its memory; no warm-up.

        arrays: of its `state`. Raises InvalidInput if it saw other features.
        """
        self._agent.adopt(arrays)
        self._warmup = 0

    def state(self) -> tuple[dict[str, Any], bytes]:
        """Random states, known policies, aim, agent."""
        agent, arrays = self._agent.state()
        counts = {"asked": self._asked, "told": self._told, "warmup": self._warmup}
        own = {"rng": rng_state(self._rng), "seen": self._seen.state(), "aim": self._aim.state(), "agent": agent}
        return counts | own, arrays

    def load_state(self, state: Mapping[str, Any], arrays: bytes) -> None:
        """The inverse of `state`."""
        self._asked, self._told, self._warmup = (int(state[name]) for name in ("asked", "told", "warmup"))
        load_rng_state(self._rng, state["rng"])
        self._seen.load_state(state["seen"])
        self._aim.load_state(state["aim"])
        self._agent.load_state(state["agent"], arrays)

    def _settings(self) -> AgentOptions:
        options = self._options
        return AgentOptions(
            hidden=options.hidden,
            actor_rate=options.actor_rate,
            critic_rate=options.critic_rate,
            batch=options.batch,
            tau=options.tau,
            gamma=options.gamma,
            capacity=options.replay * len(self._walk),
            baseline_decay=options.baseline_decay,
        )

    def _decide(self, aims: Sequence[float]) -> Vector:
        """A vector: the openings first, chance during warm-up, then the actor with noise."""
        if self._asked < min(len(self._opening), self._warmup):
            return self._space.encode(self._opening[self._asked])
        if self._asked < self._warmup:
            return self._rng.random(self._space.size)
        noise = self._noise()

        def act(state: Array) -> float:
            return float(truncated_normal(self._agent.act(state), noise, self._rng)[0])

        return self._walk.choose(act, aims)

    def _noise(self) -> float:
        """Deviation of what is added to the actor's choice in the next episode, once warm-up is over."""
        return float(self._options.noise * self._decay ** (self._asked - self._warmup))

    def _note(self, candidate: Candidate) -> None:
        self._seen.add(candidate.policy)
        self._aim.tell(candidate)
        self._told += 1
        vector = self._space.encode(candidate.policy)
        aims = self._aim.share(self._aim.of(candidate))
        states, actions = self._walk.states(vector, aims), self._walk.actions(vector)
        reward, last = self._worth(candidate), len(states) - 1
        self._rewards.append(reward)
        self._agent.remember(
            Transition(state, np.array([action], dtype=np.float32), reward, states[min(step + 1, last)], step == last)
            for step, (state, action) in enumerate(zip(states, actions, strict=True))
        )
