"""Costs of units that do not touch one another are those of the whole network's prediction, to the last bit."""

from __future__ import annotations

import pytest

from hw_models.cost import Costs
from hw_models.devices import load_device, shipped
from hw_models.separate import separate_units
from paretrim.network import Network
from paretrim.problem import Policy
from tests.compressors.families import FAMILIES
from tests.compressors.test_families import imported
from tests.hw_models.networks import resnet
from tests.hw_models.test_many import DEVICES, policies

FORMULAS = ("bit-serial", "ethos-u55-128", "mcu-m4")


@pytest.fixture(scope="module", params=["resnet20", *sorted(FAMILIES)])
def network(request: pytest.FixtureRequest) -> Network:
    return resnet(20) if request.param == "resnet20" else imported(request.param)[1]


@pytest.mark.parametrize("name", FORMULAS)
def test_costs_are_those_of_the_prediction(name: str, network: Network) -> None:
    device = load_device(shipped()[name])
    units = separate_units(network, device)
    assert units is not None
    for policy in policies(device, 12, seed=3, network=network):
        expected = device.predict(network, policy)
        for _ in range(2):  # asking the device, and remembering
            assert units.cost(policy) == (expected.latency_ms, expected.energy_mj)


def test_units_that_depend_on_their_neighbours_are_not_separate() -> None:
    network = resnet(8)
    assert separate_units(network, DEVICES["layouts"]) is None
    assert separate_units(network, DEVICES["one layout"]) is None


def test_what_changes_operations_has_to_be_predicted() -> None:
    network, device = resnet(8), DEVICES["bit-serial"]
    units = separate_units(network, device)
    assert units is not None
    policy = Policy(rank={network.layers[1].name: 0.5})
    assert units.cost(policy) is None
    assert Costs(network, device).measure(policy).latency_ms == device.predict(network, policy).latency_ms
