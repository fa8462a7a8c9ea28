"""One search: ask, evaluate, tell, window by window, until its budget is spent.

A window's policies are all asked for before the first of them is told, and told in index order. How many there are
belongs to the job, so the answer depends neither on the number of workers nor on which of them is faster.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from compressors import PackedSizes
from hw_models.cost import Costs
from hw_models.devices import load_device
from hw_models.stored_bits import StoredBits
from paretrim.algorithms import check_options
from paretrim.errors import NotMeasured, ParetrimError, SearchExhausted
from paretrim.network import Network
from paretrim.problem import Candidate, Measurement, Policy, Provenance
from search.agent_search import AgentSearch
from search.algorithm import Algorithm, Gauged, Task
from search.algorithms import ALGORITHMS
from search.evaluate import Outcome, Pool
from search.front import Front
from search.packed_costs import PackedCosts
from search.plan import (
    Checkpoint,
    CurveStep,
    Interrupted,
    JobPlan,
    LeaseLost,
    Recorded,
    SearchEnd,
    SearchPlan,
    Wanted,
)
from search.race import rights_needed, rungs
from search.space import CostModel, Space
from search.transfer import split, transferred

#: candidates of an earlier job that are evaluated anew, at most
MOST_AGAIN = 8


@dataclass(frozen=True, slots=True)
class Window:
    """Candidates that were told together, and all that is needed to go on from there."""

    candidates: tuple[Candidate, ...]
    curve: tuple[CurveStep, ...]
    checkpoint: Checkpoint
    cpu_seconds: float


@dataclass(frozen=True, slots=True)
class Ended:
    """The last word of a search."""

    end: SearchEnd
    message: str | None = None


Step = Window | Ended


@dataclass(frozen=True, slots=True)
class SearchSetting:
    """What a search needs beside its plan. Small, and made of values, so that it can be sent to another process."""

    network: Network
    device: Mapping[str, Any]  #: the device document that costs are predicted with
    original: Measurement
    judged: Provenance  #: how accuracies are obtained
    orders: Mapping[str, tuple[int, ...]] = field(default_factory=dict)  #: units by group, the least important first
    rows: int = 0  #: validation rows that decide over a candidate
    sizes: PackedSizes | None = None  #: where sizes mean packed files
    #: by group what is foreseen to be lost with its first 0, 1, ... units of `orders`; see `search.foresight`
    damages: Mapping[str, tuple[float, ...]] = field(default_factory=dict)

    def space(self, plan: JobPlan) -> Space:
        """The policies allowed. Raises Infeasible."""
        device = StoredBits(load_device(self.device), plan.compression)
        costs: CostModel = Costs(self.network, device)
        if self.sizes is not None:
            costs = PackedCosts(Costs(self.network, device), self.sizes)
        return Space(self.network, device, costs, objectives=plan.objectives, constraints=plan.constraints)


def explore(
    plan: JobPlan,
    search: SearchPlan,
    setting: SearchSetting,
    pool: Pool,
    recorded: Recorded,
    wanted: Callable[[], Wanted],
) -> Iterator[Step]:
    """Run a search from where its records end. Raises Interrupted when `wanted` is not `run`."""
    try:
        space = setting.space(plan)
        task = Task(
            space,
            plan.objectives,
            plan.constraints,
            setting.original,
            plan.budget,
            setting.orders,
            setting.damages,
        )
        algorithm = ALGORITHMS[search.algorithm](task, check_options(search.algorithm, search.options), search.seed)
        exploration = Exploration(plan, search, algorithm, space, setting.original, pool, setting.judged, setting.rows)
        exploration.resume(recorded)
        if recorded.checkpoint is None and not search.baseline:
            exploration.take_over()
    except (ParetrimError, KeyError) as error:
        yield Ended("failed", f"{search.algorithm}: {error}")
        return
    yield from exploration.steps(wanted)


@dataclass(slots=True)
class Exploration:
    """A search under way. Iterate over `steps`; leave at any time and take up again from what was recorded."""

    plan: JobPlan
    search: SearchPlan
    algorithm: Algorithm
    space: Space
    original: Measurement
    pool: Pool
    judged: Provenance  #: how accuracies are obtained
    rows: int = 0  #: validation rows that decide over a candidate
    told: int = 0
    measured: int = 0
    seconds: float = 0.0
    front: Front = field(init=False)
    opening: list[Policy] = field(default_factory=list)  #: what is evaluated before the algorithm is asked

    def __post_init__(self) -> None:
        self.front = Front(self.plan.objectives, self.plan.constraints, self.original)

    def resume(self, recorded: Recorded) -> None:
        """Continue where records end. Candidates and checkpoint were written together, so they agree."""
        if recorded.checkpoint is None:
            return
        if recorded.checkpoint.told != len(recorded.candidates):
            raise ParetrimError(
                f"search {self.search.id} has {len(recorded.candidates)} candidates on record and a checkpoint after"
                f" {recorded.checkpoint.told}; it cannot be continued, submit the job again"
            )
        self.algorithm.load_state(recorded.checkpoint.state, recorded.checkpoint.arrays)
        self.told, self.seconds = recorded.checkpoint.told, recorded.seconds
        self.measured = sum(candidate.failure is None for candidate in recorded.candidates)
        self.front.extend((candidate.index, candidate) for candidate in recorded.candidates)

    def take_over(self) -> None:
        """Learn from an earlier job before anything is asked. Raises InvalidInput if nothing of it fits."""
        plan = self.plan
        if plan.known:
            taken = transferred(plan.known, self.space)
            self.opening, rest = split(
                taken, self.space, plan.objectives, plan.constraints, self.original, min(plan.window, MOST_AGAIN)
            )
            self.algorithm.learn(rest)
        teacher = plan.teachers.get(self.search.algorithm)
        if teacher is not None and isinstance(self.algorithm, AgentSearch):
            self.algorithm.adopt(teacher)

    def steps(self, wanted: Callable[[], Wanted]) -> Iterator[Step]:
        """A Window each time one was told, then Ended. Raises Interrupted when `wanted` is not `run`."""
        exhausted = False
        reason = None
        while not exhausted and (reason := self._spent()) is None:
            start = time.monotonic()
            try:
                policies, exhausted = self._ask()
                if not policies:
                    break
                window = self._tell(policies, self.pool.evaluate(policies, wanted, self._needed(policies)), start)
            except (Interrupted, LeaseLost):
                raise
            except Exception as error:  # a search that breaks is a result; the job's other searches go on
                yield Ended("failed", f"{self.search.algorithm}: {type(error).__name__}: {error}")
                return
            yield window
        yield self._ended(reason)

    def _spent(self) -> str | None:
        """Why the search may not go on, None if it may."""
        if self.told >= self.plan.budget.candidates:
            return f"{self.told} candidates evaluated"
        if self.plan.budget.seconds is not None and self.seconds >= self.plan.budget.seconds:
            return f"{self.plan.budget.seconds:g} seconds are over, after {self.told} candidates"
        return None

    def _ask(self) -> tuple[list[Policy], bool]:
        """A window of policies, and whether there are no more to come."""
        if self.told == 0 and self.opening:
            return self.opening[: self.plan.budget.candidates], False
        policies: list[Policy] = []
        for _ in range(min(self._window(), self.plan.budget.candidates - self.told)):
            try:
                policies.append(self.algorithm.ask())
            except SearchExhausted:
                return policies, True
        return policies, False

    def _window(self) -> int:
        """Policies to ask for at once. Before the first is told there is nobody to race against: it goes alone."""
        races = len(rungs(self.rows, self.plan.racing)) > 1
        return 1 if races and not self.told else self.plan.window

    def _needed(self, policies: Sequence[Policy]) -> list[int]:
        """By policy the right answers that would bring it onto the front, as far as it was told: see `search.race`."""
        if self.plan.racing == 0.0:
            return [0] * len(policies)
        return [self._rights_needed(policy) for policy in policies]

    def _rights_needed(self, policy: Policy) -> int:
        try:
            return rights_needed(self.front, self.space.measure(policy), self.rows)
        except NotMeasured:
            return 0  # it will be a failure that says so

    def _tell(self, policies: Sequence[Policy], outcomes: Sequence[Outcome], start: float) -> Window:
        candidates = tuple(
            self._candidate(self.told + place, policy, outcome)
            for place, (policy, outcome) in enumerate(zip(policies, outcomes, strict=True))
        )
        curve = []
        for candidate in candidates:
            self.algorithm.tell(candidate)
            self.front.extend([(candidate.index, candidate)])
            curve.append(self._curve_step(candidate.index, self.seconds + time.monotonic() - start))
        self.told += len(candidates)
        self.measured += sum(candidate.failure is None for candidate in candidates)
        self.seconds += time.monotonic() - start
        state, arrays = self.algorithm.state()
        spent = sum(outcome.cpu_seconds for outcome in outcomes)
        return Window(candidates, tuple(curve), Checkpoint(self.told, state, arrays, self._gauges()), spent)

    def _gauges(self) -> dict[str, float]:
        """What the algorithm says of itself. Figures that are none are left out."""
        said = self.algorithm.gauges() if isinstance(self.algorithm, Gauged) else {}
        return {name: float(value) for name, value in said.items() if math.isfinite(value)}

    def _candidate(self, index: int, policy: Policy, outcome: Outcome) -> Candidate:
        if outcome.failure is not None:
            return Candidate(index, policy, failure=outcome.failure)
        try:
            costs = self.space.measure(policy)
        except NotMeasured as error:
            return Candidate(index, policy, failure=str(error))
        obtained = dict(costs.obtained) | {"accuracy": self._judged(outcome)}
        return Candidate(index, policy, replace(costs, accuracy=outcome.accuracy, obtained=obtained))

    def _judged(self, outcome: Outcome) -> Provenance:
        """How an accuracy was obtained: of a candidate that was dropped, on fewer rows."""
        if outcome.rows is None or outcome.rows >= self.rows:
            return self.judged
        return Provenance("measured", f"validation split, {outcome.rows} of {self.rows} rows: dropped")

    def _curve_step(self, index: int, seconds: float) -> CurveStep:
        best = self.front.best.get(self.plan.objectives[0].metric)
        return CurveStep(index, best, self.front.hypervolume, seconds)

    def _ended(self, reason: str | None) -> Ended:
        if self.told and not self.measured:
            return Ended("failed", f"all {self.told} candidates failed; the first failure says why")
        return Ended("succeeded", reason or f"nothing is left to propose after {self.told} candidates")
