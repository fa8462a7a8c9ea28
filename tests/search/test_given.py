"""A user's own policies are evaluated as they are, or refused with what is wrong."""

import pytest

from paretrim.algorithms import check_options
from paretrim.errors import Infeasible, InvalidInput
from paretrim.problem import Policy
from tests.search.landscapes import Landscape, drive, make, task
from tests.search.spaces import plain, space

MINE = [
    {"keep": {"g0": [0, 3, 5]}},
    {"sparsity": {"conv1": "2:4"}, "rank": {"fc": 0.5}},
]


def landscape(*constraints: str) -> Landscape:
    return Landscape(space(plain((8, 16)), constraints, ("accuracy",)))


def test_they_are_proposed_in_their_order_and_unchanged() -> None:
    there = landscape()
    candidates = drive(make("given", task(there), policies=MINE), there, 10)
    assert [candidate.policy for candidate in candidates] == [Policy.from_json(policy) for policy in MINE]


def test_zeros_make_a_policy_smaller_and_nothing_else() -> None:
    there = landscape()
    sparse = drive(make("given", task(there), policies=[{"sparsity": {"conv1": "2:4"}}]), there, 1)[0].measurement
    assert sparse is not None
    assert sparse.value("macs") == there.original.value("macs")


@pytest.mark.parametrize(
    ("policies", "reason"),
    [
        ([], "give this algorithm policies"),
        ([{"keep": {"g0": 0.5}}, {"keep": {"nowhere": 0.5}}], "policy 1: 'nowhere' is not a group"),
        ([{"bits": {"conv1": [1, 8]}}], "layer 'conv1' cannot have 1/8 bits on .*; it has"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_place(policies: list[dict[str, object]], reason: str) -> None:
    with pytest.raises(InvalidInput, match=reason):
        make("given", task(landscape()), policies=policies)


def test_what_is_no_policy_is_refused_before_a_job_is_made() -> None:
    with pytest.raises(InvalidInput, match="not a sparsity pattern"):
        check_options("given", {"policies": [{"sparsity": {"conv1": [0.5, "stripes"]}}]})


def test_what_costs_more_than_the_job_allows_is_refused_with_the_figure() -> None:
    with pytest.raises(Infeasible, match=r"policy 0 has macs_ratio 0\.\d+, the job asks for macs_ratio <= 0.1"):
        make("given", task(landscape("macs_ratio <= 0.1")), policies=[{"keep": {"g0": 0.9}}])
