"""Several ways to propose, judged by what comes of them: the default for those who do not want to choose.

- `model`: the separable model's own answer, by greed (what `greedy` proposes);
- `program`: its answer by integer programming (what `ilp` proposes);
- `evolve`: some generations of children of the best candidates, bred by what they promise;
- `agent`: an AMC agent that learns from everybody's candidates (off-policy, so it can).

Each makes several policies where costs are objectives, and proposes the one that promises most: whose expected growth
of the front is largest, by the accuracy predictor (`search.promise`). Which of them is asked is drawn by Thompson's
rule from what each has added to the front's hypervolume or, where accuracy within a budget is all that counts, how
often it came near the best so far. The openings come first: what is foreseen to lose the least, along the whole front
where there is one, or uniform policies; then a few policies around them.
"""

from __future__ import annotations

import bisect
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from paretrim.algorithms import AgentSearchOptions, PortfolioOptions
from paretrim.problem import Candidate, Policy
from search.agent_search import AgentSearch
from search.algorithm import Task
from search.allocation import greedy, solved
from search.front import Front
from search.novelty import KEY_DIGITS
from search.opening import foreseen
from search.promise import Promise
from search.proposer import Proposer
from search.surrogate import Additive

#: first policies: so many beside the openings, and their deviation from one
PROBES, SPREAD = 2, 0.25

#: children of a generation, generations of which one child is proposed, parents of the second generation and on
CHILDREN, GENERATIONS, SURVIVORS = 32, 3, 8

#: coordinates changed in a child on average, and by how much
CHANGES, STEP = 2.0, 0.2

#: policies along the front that it begins with, beside the whole network
OPENINGS = 6

#: policies of the model, of the program's starts and of the agent, of which one is proposed; each to limits of its own
ANSWERS = 6

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
        self._front = Front(task.objectives, task.constraints, task.original)
        if self._aim.metrics:
            self._opening = self._along_the_front()
        original = task.original.value("accuracy")
        self._model = Additive(self._space, original, task.damages)
        self._promise = Promise(task, self._space, seed)
        self._agent = self._made_agent(task, options, seed) if options.agent else None
        self._ways = {"model": self._by_model, "program": self._by_program, "evolve": self._by_evolution}
        if options.agent:
            self._ways["agent"] = self._by_agent
        self._record = {arm: list(FIRST_RECORD[arm]) for arm in self._ways}  # successes, failures
        self._gains: list[float] = []  # of hypervolume, by the candidates told last
        self._worths: list[float] = []  # of all that were told, rising
        self._pending: dict[str, str] = {}  # arm by the key of what it proposed
        self._probed = self._studied = 0

    def ask(self) -> Policy:
        """What comes next is waited for."""
        policy = super().ask()
        self._promise.ask(policy)
        return policy

    def _propose(self, limits: Mapping[str, float]) -> Policy:
        if self._probed < PROBES or len(self._promise.told) < 4:
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
        self._promise.tell(candidate)

    def _success(self, candidate: Candidate) -> float:
        """In [0, 1]. Where there is a front, what it grew by beside the most that lately was; else 1 near the best."""
        if candidate.measurement is None:
            return 0.0
        before = self._front.hypervolume
        moved = self._front.add(len(self._promise.told), candidate.measurement)
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
        self._model.fit(self._promise.told, self._rng.exponential(size=len(self._promise.told)))
        damages = self._model.damages()
        return self._most_promising([greedy(self._space, damages, walls) for walls in self._walls(limits)])

    def _by_program(self, limits: Mapping[str, float]) -> Policy:
        self._model.fit(self._promise.told, self._rng.exponential(size=len(self._promise.told)))
        damages = self._model.damages()
        by_greed = {greedy(self._space, damages, walls): walls for walls in self._walls(limits)}
        start = self._most_promising(list(by_greed))
        return self._most_promising([solved(self._space, damages, start, by_greed[start]), start])

    def _along_the_front(self) -> list[Policy]:
        """Openings at costs between the most and the least, spread evenly; what is foreseen to lose least, if it is."""
        found: list[Policy] = []
        for share in np.linspace(1.0, 0.0, OPENINGS + 2)[:-1].tolist():
            limits = self._aim.limits(share)
            within = foreseen(self._space, self._task.damages, limits)
            if not within:
                within = [self._space.project(policy, limits) for policy in self._opening]
            within = list(dict.fromkeys(within))
            found.append(within[len(found) % len(within)])
        return list(dict.fromkeys(found))

    def _walls(self, limits: Mapping[str, float]) -> list[Mapping[str, float]]:
        """These limits, and where proposals have any, others."""
        return [limits, *(self._aim.draw(self._rng) for _ in range(ANSWERS - 1))] if limits else [limits]

    def _by_evolution(self, limits: Mapping[str, float]) -> Policy:
        """The most promising of several generations of children, bred by what is expected of them alone."""
        parents = self._parents(limits)
        known: dict[Policy, float] = {}
        for _ in range(GENERATIONS):
            children = list(dict.fromkeys(self._child(parents) for _ in range(CHILDREN)))
            new = [child for child in children if child not in known and child not in self._seen]
            known |= dict(zip(new, self._promise.of(new).tolist(), strict=True))
            parents = sorted(known, key=lambda policy: -known[policy])[:SURVIVORS] or parents
        return parents[0]

    def _most_promising(self, policies: Sequence[Policy]) -> Policy:
        """Of those that are new; the first if none is."""
        new = [policy for policy in dict.fromkeys(policies) if policy not in self._seen]
        if len(new) < 2:
            return [*new, *policies][0]
        return new[int(self._promise.of(new).argmax())]

    def _by_agent(self, limits: Mapping[str, float]) -> Policy:
        assert self._agent is not None
        if self._studied < len(self._promise.told):  # there is something new to learn from
            self._agent.study(LESSONS)
            self._studied = len(self._promise.told)
        return self._most_promising([self._agent.episode(walls) for walls in self._walls(limits)])

    def _parents(self, limits: Mapping[str, float]) -> list[Policy]:
        """The candidates worth most of those that cost about what is aimed at; the rest are too unlike."""
        aim = np.array(self._aim.share(limits))
        scored = [
            (self._worth(c) - 0.5 * float(np.abs(np.array(self._aim.share(self._aim.of(c))) - aim).sum()), -i)
            for i, c in enumerate(self._promise.told)
        ]
        return [self._promise.told[-place].policy for _, place in sorted(scored, reverse=True)[:8]]

    def _child(self, parents: Sequence[Policy]) -> Policy:
        first, second = (self._space.encode(parents[int(i)]) for i in self._rng.integers(len(parents), size=2))
        mixed = np.where(self._rng.random(self._space.size) < 0.5, first, second)
        return self._around(self._space.decode(mixed), {}, STEP, CHANGES, fill=False)

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
        return {
            "promise": self._promise.state(),
            "record": self._record,
            "gains": self._gains,
            "pending": self._pending,
            "probed": self._probed,
            "studied": self._studied,
            "front": list(self._front.numbers),
        }

    def _load_own_state(self, state: Mapping[str, Any]) -> None:
        self._promise.load_state(state["promise"])
        for i, candidate in enumerate(self._promise.told):
            assert candidate.measurement is not None
            self._front.add(i, candidate.measurement)
        self._record = {arm: list(record) for arm, record in state["record"].items()}
        self._gains = list(state["gains"])
        self._worths = [] if self._aim.metrics else sorted(self._worth(candidate) for candidate in self._promise.told)
        self._pending = dict(state["pending"])
        self._probed, self._studied = int(state["probed"]), int(state["studied"])
