"""Several ways to propose, judged by what comes of them: the default for those who do not want to choose.

- `model`: the separable model's own answer, by greed (what `greedy` proposes);
- `program`: its answer by integer programming (what `ilp` proposes);
- `evolve`: children of the front, of which the accuracy predictor takes the most promising, unsure ones in doubt
  favoured;
- `agent`: an AMC agent that learns from everybody's candidates (off-policy, so it can).

Which is asked is drawn by Thompson's rule from what each has added to the front's hypervolume or, where accuracy within
a budget is all that counts, how often it came near the best so far. The openings come first: what is foreseen to lose
the least, and uniform policies; then policies around them, until the model has something to go by.
"""

from __future__ import annotations

import bisect
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from paretrim.algorithms import AgentSearchOptions, PortfolioOptions
from paretrim.problem import Candidate, Measurement, Policy
from search.agent_search import AgentSearch
from search.algorithm import Task
from search.allocation import greedy, solved
from search.front import Front
from search.novelty import KEY_DIGITS
from search.predictor import Predictor
from search.proposer import Proposer
from search.surrogate import Additive

#: first policies: so many beside the openings, and their deviation from one
PROBES, SPREAD = 8, 0.25

#: children of which one is proposed; coordinates changed in a child on average, and by how much
CHILDREN, CHANGES, STEP = 16, 2.0, 0.2

#: gradient steps of the agent, for each turn of its walk, when it is asked; it does not learn while nobody asks it
LESSONS = 8

#: how fast an arm's record is forgotten, per candidate
MEMORY = 0.98

#: a candidate among so many of the best counts as a success of whoever proposed it
NEAR_BEST = 0.1

#: gains of hypervolume that the next is measured by
REMEMBERED_GAINS = 20

#: successes and failures that each way to propose begins with: the agent has to prove itself, it learns slowly
FIRST_RECORD: Mapping[str, tuple[float, float]] = {
    "model": (2.0, 1.0),
    "program": (2.0, 1.0),
    "evolve": (1.0, 1.0),
    "agent": (1.0, 2.0),
}


class Portfolio(Proposer):
    """A bandit over ways to propose."""

    _draws = 3
    informed = True

    def __init__(self, task: Task, options: PortfolioOptions, seed: int) -> None:
        super().__init__(task, options.genome, seed)
        self._seed = seed
        self._front = Front(task.objectives, task.constraints, task.original)
        original = task.original.value("accuracy")
        self._model = Additive(self._space, original, task.damages)
        self._predictor = Predictor(self._space, original, task.damages)
        self._agent = self._made_agent(task, options, seed) if options.agent else None
        self._ways = {"model": self._by_model, "program": self._by_program, "evolve": self._by_evolution}
        if options.agent:
            self._ways["agent"] = self._by_agent
        self._record = {arm: list(FIRST_RECORD[arm]) for arm in self._ways}  # successes, failures
        self._gains: list[float] = []  # of hypervolume, by the candidates told last
        self._worths: list[float] = []  # of all that were told, rising
        self._pending: dict[str, str] = {}  # arm by the key of what it proposed
        self._told: list[Candidate] = []
        self._probed = self._fitted = self._studied = 0

    def _propose(self, limits: Mapping[str, float]) -> Policy:
        if self._probed < PROBES or len(self._told) < 4:
            self._probed += 1
            return self._around(self._beginning(limits), limits, SPREAD, self._space.size)
        arm = max(self._record, key=lambda name: float(self._rng.beta(self._record[name][0], self._record[name][1])))
        policy = self._ways[arm](limits)
        self._pending[policy.key[:KEY_DIGITS]] = arm
        return policy

    def _take_in(self, candidate: Candidate) -> None:
        if self._agent is not None:
            self._agent.note(candidate)
        arm = self._pending.pop(candidate.policy.key[:KEY_DIGITS], None)
        good = self._success(candidate)
        if arm is not None:
            self._record = {
                name: [first + MEMORY * (x - first) for first, x in zip(FIRST_RECORD[name], record, strict=True)]
                for name, record in self._record.items()
            }
            self._record[arm][0] += good
            self._record[arm][1] += 1.0 - good
        if candidate.measurement is not None:
            self._told.append(candidate)

    def _success(self, candidate: Candidate) -> float:
        """In [0, 1]. Where there is a front, what it grew by beside the most that lately was; else 1 near the best."""
        if candidate.measurement is None:
            return 0.0
        before = self._front.hypervolume
        moved = self._front.add(len(self._told), candidate.measurement)
        if self._aim.metrics:
            self._gains = [*self._gains, max(0.0, self._front.hypervolume - before)][-REMEMBERED_GAINS:]
            return self._gains[-1] / max(*self._gains, 1e-12)
        worth = self._worth(candidate)
        better = len(self._worths) - bisect.bisect_right(self._worths, worth)
        bisect.insort(self._worths, worth)
        return float(moved or better <= NEAR_BEST * len(self._worths))

    def gauges(self) -> dict[str, float]:
        """How often each way to propose succeeds, as the bandit sees it."""
        return {f"{arm} success": hits / (hits + misses) for arm, (hits, misses) in self._record.items()}

    def _by_model(self, limits: Mapping[str, float]) -> Policy:
        self._model.fit(self._told, self._rng.exponential(size=len(self._told)))
        return greedy(self._space, self._model.damages(), limits)

    def _by_program(self, limits: Mapping[str, float]) -> Policy:
        self._model.fit(self._told, self._rng.exponential(size=len(self._told)))
        damages = self._model.damages()
        return solved(self._space, damages, greedy(self._space, damages, limits), limits)

    def _by_evolution(self, limits: Mapping[str, float]) -> Policy:
        if self._fitted < len(self._told):
            # chance that depends on the candidates alone: fitted again after a pause, it is the same predictor
            self._predictor.fit(self._told, np.random.default_rng([self._seed, len(self._told)]))
            self._fitted = len(self._told)
        parents = self._parents(limits)
        children = list(dict.fromkeys(self._child(parents, limits) for _ in range(CHILDREN)))
        new = [child for child in children if child not in self._seen] or children
        mean, deviation = self._predictor.guess(new)
        best = new[int((mean + abs(self._rng.normal()) * deviation).argmax())]
        return self._space.project(best, limits)

    def _by_agent(self, limits: Mapping[str, float]) -> Policy:
        assert self._agent is not None
        if self._studied < len(self._told):  # there is something new to learn from
            self._agent.study(LESSONS)
            self._studied = len(self._told)
        return self._agent.episode(limits)

    def _parents(self, limits: Mapping[str, float]) -> list[Policy]:
        """The candidates worth most of those that cost about what is aimed at; the rest are too unlike."""
        aim = np.array(self._aim.share(limits))
        scored = [
            (self._worth(c) - 0.5 * float(np.abs(np.array(self._aim.share(self._aim.of(c))) - aim).sum()), -i)
            for i, c in enumerate(self._told)
        ]
        return [self._told[-place].policy for _, place in sorted(scored, reverse=True)[:8]]

    def _child(self, parents: Sequence[Policy], limits: Mapping[str, float]) -> Policy:
        first, second = (self._space.encode(parents[int(i)]) for i in self._rng.integers(len(parents), size=2))
        mixed = np.where(self._rng.random(self._space.size) < 0.5, first, second)
        return self._around(self._space.decode(mixed), limits, STEP, CHANGES, fill=False)

    def _around(
        self, policy: Policy, limits: Mapping[str, float], deviation: float, changes: float, fill: bool | None = None
    ) -> Policy:
        """fill: False spares the dear half of a projection, for those of which most are thrown away."""
        vector = self._space.encode(policy)
        moved = self._rng.random(self._space.size) < changes / self._space.size
        drifted = np.clip(vector + self._rng.normal(0.0, deviation, self._space.size), 0.0, 1.0)
        return self._space.project(self._space.decode(np.where(moved, drifted, vector)), limits, fill=fill)

    @staticmethod
    def _made_agent(task: Task, options: PortfolioOptions, seed: int) -> AgentSearch:
        settings = AgentSearchOptions(warmup=0, hidden=64, actor_rate=1e-3, noise=0.3)
        return AgentSearch(task, settings, seed, kind="ddpg", genome=options.genome)

    def state(self) -> tuple[dict[str, Any], bytes]:
        """What every proposer keeps, and the agent."""
        state, _ = super().state()
        if self._agent is None:
            return state, b""
        agent, arrays = self._agent.state()
        return state | {"agent": agent}, arrays

    def load_state(self, state: Mapping[str, Any], arrays: bytes) -> None:
        """The inverse of `state`."""
        super().load_state(state, b"")
        if self._agent is not None:
            self._agent.load_state(state["agent"], arrays)

    def _own_state(self) -> dict[str, Any]:
        told = [[c.policy.to_json(), c.measurement.to_json()] for c in self._told if c.measurement is not None]
        return {
            "told": told,
            "record": self._record,
            "gains": self._gains,
            "pending": self._pending,
            "probed": self._probed,
            "studied": self._studied,
            "seed": self._seed,
            "front": list(self._front.numbers),
        }

    def _load_own_state(self, state: Mapping[str, Any]) -> None:
        self._told = [
            Candidate(i, Policy.from_json(policy), Measurement.from_json(measurement))
            for i, (policy, measurement) in enumerate(state["told"])
        ]
        for i, candidate in enumerate(self._told):
            assert candidate.measurement is not None
            self._front.add(i, candidate.measurement)
        self._record = {arm: list(record) for arm, record in state["record"].items()}
        self._gains = list(state["gains"])
        self._worths = [] if self._aim.metrics else sorted(self._worth(candidate) for candidate in self._told)
        self._pending = dict(state["pending"])
        self._probed, self._seed = int(state["probed"]), int(state["seed"])
        self._studied = int(state["studied"])
