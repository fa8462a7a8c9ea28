"""Search by one of Optuna's samplers, through its `ask` and `tell`, on a study in memory.

A sampler thinks in points of the unit cube. What it proposes is brought onto the budget before the study sees it, so
that it learns from what was carried out. Its state is the record of its trials and its random states, as JSON; a study
rebuilt from these goes on as the first would have.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, FloatDistribution
from optuna.samplers import BaseSampler
from optuna.samplers._lazy_random_state import LazyRandomState
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState, create_trial

from paretrim.algorithms import Genome
from paretrim.problem import Budget, Candidate, Policy
from search.algorithm import Task
from search.front import Front
from search.novelty import KEY_DIGITS, Seen, load_rng_state, rng_state, something_new
from search.opening import openings
from search.projection import Vector

optuna.logging.set_verbosity(optuna.logging.WARNING)  # a study would announce itself on stderr

#: where Optuna keeps a constraint's value among a trial's attributes, as `Trial.set_constraint` does
CONSTRAINT = "constraints:accuracy"

#: a population, unless it is given: this share of the budget, so that there are generations enough to evolve
POPULATION_SHARE, FEWEST, MOST = 0.1, 8, 50


def population(budget: Budget) -> int:
    """Individuals of a generation for a budget."""
    return min(max(round(budget.candidates * POPULATION_SHARE), FEWEST), MOST)


#: trials that the gauges look at
LATEST = 32


class OptunaSearch:
    """A sampler over the vectors of a space, with as many objectives as the job has."""

    #: attributes that a trial of another search needs, for the sampler to count it
    _adopted: Mapping[str, Any] = {}

    def __init__(self, task: Task, genome: Genome, make_sampler: Callable[[int], BaseSampler], seed: int) -> None:
        """make_sampler: a sampler for a seed. Raises Infeasible, InvalidInput if there is nothing to search."""
        self._space = task.space.restricted(genome)
        self._task = task
        self._front = Front(task.objectives, task.constraints, task.original)
        self._rng = np.random.default_rng([seed, 2])
        self._seen = Seen()
        self._opening = openings(self._space)
        self._opened = 0
        self._pending: dict[str, int] = {}  # number of the trial by the key of its policy
        self._proposal: Policy | None = None
        self._distributions = {f"x{i}": FloatDistribution(0.0, 1.0) for i in range(self._space.size)}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            self._sampler = make_sampler(int(np.random.SeedSequence([seed, 3]).generate_state(1)[0]))
        self._study = self._fresh_study()

    def ask(self) -> Policy:
        """What the sampler proposes, brought onto the budget."""
        trial = self._study.ask(dict(self._distributions))
        policy = self._proposal
        assert policy is not None  # the sampler has just set it
        self._pending[policy.key[:KEY_DIGITS]] = trial.number
        return policy

    def gauges(self) -> dict[str, float]:
        """The latest trials' generation, where the sampler has any, and their diversity: how far coordinates vary."""
        latest = self._study.get_trials(deepcopy=False)[-LATEST:]
        points = np.array([list(trial.params.values()) for trial in latest if len(trial.params) == self._space.size])
        said = {"diversity": float(points.std(axis=0).mean())} if len(points) > 1 else {}
        generations = [
            value for trial in latest for name, value in trial.system_attrs.items() if name.endswith(":generation")
        ]
        return said | ({"generation": float(max(generations))} if generations else {})

    def tell(self, candidate: Candidate) -> None:
        """Complete the trial; a candidate that nobody asked for becomes a trial too."""
        self._seen.add(candidate.policy)
        number = self._pending.pop(candidate.policy.key[:KEY_DIGITS], None)
        measurement = candidate.measurement
        if number is None:
            self._adopt(candidate)
        elif measurement is None:
            self._study.tell(number, state=TrialState.FAIL)
        else:
            trial_id = self._study.get_trials(deepcopy=False)[number]._trial_id
            for name, value in self._attributes(candidate).items():
                self._study._storage.set_trial_system_attr(trial_id, name, value)
            self._study.tell(number, self._front.losses(measurement).tolist())

    def learn(self, candidates: Sequence[Candidate]) -> None:
        """Candidates of others become trials."""
        for candidate in candidates:
            self.tell(candidate)

    def state(self) -> tuple[dict[str, Any], bytes]:
        """The study's record, random states, known policies."""
        storage, study = self._study._storage, self._study._study_id
        return {
            "opened": self._opened,
            "rng": rng_state(self._rng),
            "seen": self._seen.state(),
            "pending": dict(self._pending),
            "trials": [_trial_json(trial) for trial in self._study.get_trials(deepcopy=False)],
            "study": storage.get_study_system_attrs(study),
            "sampler": [_legacy_state(state) for state in _random_states(self._sampler)],
        }, b""

    def load_state(self, state: Mapping[str, Any], arrays: bytes) -> None:  # noqa: ARG002 - there are none
        """The inverse of `state`."""
        self._opened = int(state["opened"])
        load_rng_state(self._rng, state["rng"])
        self._seen.load_state(state["seen"])
        self._pending = {key: int(number) for key, number in state["pending"].items()}
        self._study = self._fresh_study()
        for entry in state["trials"]:
            self._study.add_trial(self._trial_from(entry))
        for name, value in state["study"].items():
            self._study._storage.set_study_system_attr(self._study._study_id, name, value)
        for random, saved in zip(_random_states(self._sampler), state["sampler"], strict=True):
            _load_legacy_state(random, saved)

    def _fresh_study(self) -> Study:
        sampler = _Executing(self._sampler, self._distributions, self._execute)
        return optuna.create_study(directions=["minimize"] * len(self._task.objectives), sampler=sampler)

    def _execute(self, draw: Callable[[], Vector]) -> Vector:
        """The next proposal: an opening, or what the sampler draws, brought onto the budget; and new."""

        def propose() -> Policy:
            if self._opened < len(self._opening):
                self._opened += 1
                return self._opening[self._opened - 1]
            return self._space.project(self._space.decode(draw()))

        self._proposal = something_new(propose, self._space, self._seen, self._rng, None)
        return self._space.encode(self._proposal)

    def _adopt(self, candidate: Candidate) -> None:
        """Add somebody else's candidate to the record; failures teach a sampler nothing."""
        if candidate.measurement is not None:
            trial = create_trial(
                params=self._params(self._space.encode(candidate.policy)),
                distributions=dict(self._distributions),
                values=self._front.losses(candidate.measurement).tolist(),
                system_attrs={**self._attributes(candidate), **self._adopted},
            )
            self._study.add_trial(trial)

    def _params(self, vector: Vector) -> dict[str, float]:
        return dict(zip(self._distributions, vector.tolist(), strict=True))

    def _attributes(self, candidate: Candidate) -> dict[str, float]:
        """What the sampler has to know beside the objectives: by how much accuracy misses what it must be."""
        original, measurement = self._task.original, candidate.measurement
        bounds = [c.limit(original) for c in self._task.constraints if c.base_metric == "accuracy"]
        if not bounds or measurement is None:
            return {}
        return {CONSTRAINT: max(bounds) - measurement.value("accuracy")}

    def _trial_from(self, entry: Mapping[str, Any]) -> FrozenTrial:
        state = TrialState[entry["state"]]
        return create_trial(
            state=state,
            params=self._params(np.array(entry["vector"])),
            distributions=dict(self._distributions),
            values=entry["values"],
            system_attrs=dict(entry["attributes"]),
        )


class _Executing(BaseSampler):
    """A sampler whose every point is replaced by the one carried out, before the study records it."""

    def __init__(
        self,
        sampler: BaseSampler,
        distributions: Mapping[str, BaseDistribution],
        execute: Callable[[Callable[[], Vector]], Vector],
    ) -> None:
        self._sampler, self._distributions, self._execute = sampler, distributions, execute

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """All parameters, always."""
        self._inferred = self._sampler.infer_relative_search_space(study, trial)
        return dict(self._distributions)

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """What the sampler draws, parameters it leaves out drawn one by one; then what becomes of that."""

        def draw() -> Vector:
            drawn = self._sampler.sample_relative(study, trial, self._inferred)
            for name, distribution in search_space.items():
                if name not in drawn:
                    drawn[name] = self._sampler.sample_independent(study, trial, name, distribution)
            return np.array([drawn[name] for name in search_space], dtype=np.float64)

        return dict(zip(search_space, self._execute(draw).tolist(), strict=True))

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """Never needed: all parameters are drawn together."""
        return self._sampler.sample_independent(study, trial, param_name, param_distribution)

    def before_trial(self, study: Study, trial: FrozenTrial) -> None:
        """The sampler's own."""
        self._sampler.before_trial(study, trial)

    def after_trial(self, study: Study, trial: FrozenTrial, state: TrialState, values: Sequence[float] | None) -> None:
        """The sampler's own."""
        self._sampler.after_trial(study, trial, state, values)


def _trial_json(trial: FrozenTrial) -> dict[str, Any]:
    return {
        "state": trial.state.name,
        "vector": list(trial.params.values()),
        "values": trial.values,
        "attributes": trial.system_attrs,
    }


def _random_states(sampler: BaseSampler) -> list[np.random.RandomState]:
    """Every random state that a sampler and its parts hold, each once, in a fixed order."""
    found: dict[int, np.random.RandomState] = {}
    parts: list[Any] = [sampler]
    looked_at: set[int] = set()
    while parts:
        part = parts.pop()
        if id(part) in looked_at:
            continue
        looked_at.add(id(part))
        if isinstance(part, LazyRandomState):
            found[id(part.rng)] = part.rng
        elif type(part).__module__.startswith("optuna.samplers") and hasattr(part, "__dict__"):
            parts += [value for _, value in sorted(vars(part).items())]
    return list(found.values())


def _legacy_state(random: np.random.RandomState) -> dict[str, Any]:
    state = random.get_state(legacy=False)
    assert isinstance(state, dict)
    inner = {
        name: value.tolist() if isinstance(value, np.ndarray) else int(value) for name, value in state["state"].items()
    }
    return {**state, "state": inner}


def _load_legacy_state(random: np.random.RandomState, saved: Mapping[str, Any]) -> None:
    key = np.array(saved["state"]["key"], dtype=np.uint32)
    random.set_state({**saved, "state": {"key": key, "pos": saved["state"]["pos"]}})
