"""What every algorithm promises, asked of each."""

import inspect
import json
import math
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from paretrim.algorithms import OPTIONS, SUMMARY, check_options, with_baselines
from paretrim.errors import Infeasible, InvalidInput, SearchExhausted
from paretrim.problem import Candidate, Policy
from search.algorithm import Algorithm, Gauged
from search.algorithms import ALGORITHMS
from tests.search.landscapes import Landscape, drive, make, task
from tests.search.spaces import plain, space

#: smaller than the defaults, so that the suite is quick
AGENT: dict[str, object] = {"hidden": 16, "batch": 8, "warmup": 4}
SMALL: dict[str, dict[str, object]] = dict.fromkeys(("amc", "haq", "joint", "sac", "td3"), AGENT)
SMALL["gp"] = {"startup": 20}
SMALL["given"] = {
    "policies": [{"keep": {"g0": 0.1}, "bits": {"conv0": [8, 8], "fc": [bits, bits]}} for bits in (8, 32)]
}

JOBS = {
    "accuracy within a budget": ((), ("macs_ratio <= 0.5", "size_ratio <= 0.6"), ("accuracy",)),
    "the whole front": ((), ("latency_ratio <= 0.5",), ("accuracy", "latency_ms")),
    "the smallest that is good enough": (("accuracy_drop <= 0.1",), (), ("size_bytes",)),
}


@pytest.fixture(params=sorted(ALGORITHMS))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def _landscape(job: str = "accuracy within a budget") -> tuple[Landscape, tuple[str, ...]]:
    accuracies, costs, objectives = JOBS[job]
    return Landscape(space(plain((8, 16)), costs, objectives)), accuracies


def _made(name: str, seed: int = 0, job: str = "accuracy within a budget") -> tuple[Algorithm, Landscape]:
    landscape, accuracies = _landscape(job)
    return make(name, task(landscape, accuracies, 24), seed, **SMALL.get(name, {})), landscape


def _policies(candidates: Sequence[Candidate]) -> list[Policy]:
    return [candidate.policy for candidate in candidates]


@pytest.mark.parametrize("job", JOBS)
def test_it_proposes_legal_policies_that_meet_every_cost_constraint(name: str, job: str) -> None:
    algorithm, landscape = _made(name, job=job)
    candidates = drive(algorithm, landscape, 24)
    assert candidates
    for candidate in candidates:
        landscape.space.network.check(candidate.policy)
        costs = landscape.space.costs.measure(candidate.policy)
        assert all(constraint.holds(costs, landscape.original) for constraint in landscape.space.constraints)


def test_it_never_proposes_a_policy_twice(name: str) -> None:
    algorithm, landscape = _made(name)
    policies = _policies(drive(algorithm, landscape, 24))
    assert len(set(policies)) == len(policies)


GAUGES = {
    **dict.fromkeys(("amc", "haq", "joint", "sac", "td3"), frozenset({"reward", "noise"})),
    **dict.fromkeys(("nsga2", "nsga3"), frozenset({"generation", "diversity"})),
    "tec": frozenset({"best fitness", "median fitness"}),
    "annealing": frozenset({"temperature"}),
}


@pytest.mark.parametrize("gauged", sorted(GAUGES))
def test_it_says_how_it_is_doing_and_saying_so_changes_nothing(gauged: str) -> None:
    asked, landscape = _made(gauged)
    silent = _made(gauged)[0]
    said: dict[str, float] = {}
    assert isinstance(asked, Gauged)
    for start in range(0, 16, 4):
        same = _policies(drive(asked, landscape, 4, start=start)) == _policies(drive(silent, landscape, 4, start=start))
        assert same, "gauges are only looked at"
        said |= asked.gauges()
    assert set(said) == GAUGES[gauged]
    assert all(math.isfinite(value) for value in said.values())


def test_an_agents_noise_falls_and_its_reward_is_what_its_episodes_were_worth() -> None:
    algorithm, landscape = _made("amc")
    assert isinstance(algorithm, Gauged)
    drive(algorithm, landscape, 8)
    before = algorithm.gauges()["noise"]
    told = drive(algorithm, landscape, 4, start=8)
    after = algorithm.gauges()
    assert after["noise"] < before
    assert after["reward"] == pytest.approx(sum(c.measurement.value("accuracy") for c in told if c.measurement) / 4)
    assert "reward" not in algorithm.gauges(), "nothing was told since"


def test_it_does_not_propose_what_it_learned_from_others(name: str) -> None:
    algorithm, landscape = _made(name)
    known = drive(_made(name)[0], landscape, 6)
    algorithm.learn(known)
    assert not set(_policies(known)) & set(_policies(drive(algorithm, landscape, 12)))


def test_the_same_seed_gives_the_same_policies(name: str) -> None:
    first, second = (_policies(drive(*_made(name, seed=3), 16)) for _ in range(2))
    assert first == second


@pytest.mark.parametrize("job", JOBS)
def test_it_resumes_exactly_where_its_state_was_taken(name: str, job: str) -> None:
    whole, landscape = _made(name, seed=1, job=job)
    drive(whole, landscape, 13)
    state, arrays = whole.state()
    resumed, _ = _made(name, seed=99, job=job)
    resumed.load_state(json.loads(json.dumps(state)), arrays)
    rest = [_policies(drive(algorithm, landscape, 11, start=13)) for algorithm in (whole, resumed)]
    assert rest[0] == rest[1]
    assert whole.state() == resumed.state()


def test_it_resumes_exactly_in_the_middle_of_a_window(name: str) -> None:
    whole, landscape = _made(name, seed=1)
    drive(whole, landscape, 6)
    try:
        asked = [whole.ask() for _ in range(2)]
    except SearchExhausted:
        pytest.skip("it has nothing more to propose")
    state, arrays = whole.state()
    resumed, _ = _made(name, seed=2)
    resumed.load_state(json.loads(json.dumps(state)), arrays)
    rest = []
    for algorithm in (whole, resumed):
        for index, policy in enumerate(asked):
            algorithm.tell(landscape.candidate(6 + index, policy))
        rest.append(_policies(drive(algorithm, landscape, 8, start=8)))
    assert rest[0] == rest[1]


def test_failed_candidates_do_not_stop_it(name: str) -> None:
    algorithm, landscape = _made(name)
    for index in range(12):
        try:
            policy = algorithm.ask()
        except SearchExhausted:
            break
        failed = Candidate(index, policy, failure="out of memory")
        algorithm.tell(failed if index % 3 else landscape.candidate(index, policy))
    assert index > 0


def test_it_says_so_when_there_is_nothing_left_to_propose(name: str) -> None:
    tiny = Landscape(space(plain((2,)), ("size_ratio <= 0.6",), ("accuracy",)))
    algorithm = make(name, task(tiny, (), 24), 0, **SMALL.get(name, {}))
    candidates = drive(algorithm, tiny, 24)
    assert 1 <= len(candidates) <= 2**3  # a group of two units, two layers of two bit-widths
    with pytest.raises(SearchExhausted):
        algorithm.ask()


def test_an_unknown_option_is_refused_with_what_there_is(name: str) -> None:
    with pytest.raises(InvalidInput, match="no option 'populaton'") as caught:
        check_options(name, {"populaton": 3})
    assert caught.value.field == f"algorithms.{name}.options.populaton"


def test_every_option_is_explained(name: str) -> None:
    assert SUMMARY[name].endswith(".")
    for option, field in OPTIONS[name].model_fields.items():
        assert field.description, f"{name}.{option}"


def test_a_budget_that_no_policy_meets_is_refused_with_what_can_be_had() -> None:
    with pytest.raises(Infeasible, match="smallest reachable is") as caught:
        space(plain((8, 16)), ("macs_ratio <= 0.0001",))
    assert caught.value.reachable["macs_ratio"] > 0.0001


def test_the_options_and_the_algorithms_have_the_same_names() -> None:
    assert set(OPTIONS) == set(ALGORITHMS) == set(SUMMARY)


def test_baselines_are_added_unless_they_were_asked_for() -> None:
    chosen = with_baselines(["amc", "random"])
    assert [(choice.name, choice.baseline) for choice in chosen] == [
        ("amc", False),
        ("random", False),
        ("uniform", True),
    ]


_ASK_ELSEWHERE = """
import json, sys
from tests.search.test_every_algorithm import _made, _policies, drive
for name in sys.argv[1:]:
    print(json.dumps([p.key for p in _policies(drive(*_made(name, seed=5), 12))]))
"""


def test_another_process_gives_the_same_policies() -> None:
    root = Path(inspect.getfile(_made)).parents[2]
    names = sorted(ALGORITHMS)
    answer = subprocess.run(
        [sys.executable, "-c", _ASK_ELSEWHERE, *names],
        capture_output=True,
        text=True,
        check=True,
        cwd=root,
        env={"PYTHONPATH": f"{root}:{root / 'sdk'}", "PYTHONHASHSEED": "7", "OMP_NUM_THREADS": "1"},
    )
    for name, line in zip(names, answer.stdout.splitlines(), strict=True):
        assert json.loads(line) == [policy.key for policy in _policies(drive(*_made(name, seed=5), 12))], name
