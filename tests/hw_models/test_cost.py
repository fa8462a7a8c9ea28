"""Counts that need no device, by hand and by rule."""

from __future__ import annotations

import pytest

from hw_models.cost import Costs, counts
from hw_models.devices import load_device, shipped
from paretrim.network import Group, Network
from paretrim.problem import UNCHANGED, Bits, Policy
from tests.hw_models.networks import Builder, axis, resnet
from tests.hw_models.test_many import DEVICES, NETWORK, policies


def _two_layers() -> Network:
    """3 x 8 x 8 -> 3x3 conv to 4 -> 1x1 conv to 5."""
    build = Builder(3, 8)
    build.conv("b", build.conv("a", "input", axis("g", 4)), axis(None, 5), kernel=1)
    return Network(tuple(build.operations), (Group("g", 4, ("a",), ("b",)),), build.input_shape, "b")


def test_multiply_adds_of_the_cifar_resnet_are_the_published_ones() -> None:
    assert counts(resnet().sized(UNCHANGED))["macs"] == pytest.approx(40.55e6, rel=1e-3)


def test_a_small_network_counted_by_hand() -> None:
    counted = counts(_two_layers().sized(UNCHANGED))
    assert counted["macs"] == 64 * (4 * 3 * 9 + 5 * 4)
    assert counted["size_bytes"] == 4 * (4 * 3 * 9 + 5 * 4)  # no biases
    assert counted["bops"] == 32 * 32 * counted["macs"]
    assert counted["peak_memory_bytes"] == 4 * 64 * (4 + 5)


def test_a_policy_shrinks_every_count() -> None:
    network = _two_layers()
    policy = Policy(keep={"g": 0.5}, bits={"a": Bits(8, 8), "b": Bits(8, 8)})
    whole, small = (counts(network.sized(p)) for p in (UNCHANGED, policy))
    assert small["macs"] == 64 * (2 * 3 * 9 + 5 * 2)
    assert small["bops"] == 64 * small["macs"]
    assert all(small[name] < whole[name] for name in whole)


@pytest.mark.parametrize("name", sorted(shipped()))
def test_every_device_that_ships_predicts_all_costs_and_says_that_it_predicts(name: str) -> None:
    measurement = Costs(resnet(), load_device(shipped()[name])).original
    for metric in ("latency_ms", "size_bytes", "macs", "bops", "peak_memory_bytes", "energy_mj"):
        assert measurement.value(metric) > 0
        assert measurement.obtained[metric].how == "predicted"


@pytest.mark.parametrize("name", sorted(shipped()))
def test_fewer_channels_are_never_slower_on_an_analytic_device(name: str) -> None:
    network, device = resnet(), load_device(shipped()[name])
    costs = Costs(network, device)
    names = [group.name for group in network.prunable_groups]
    ratios = [0.25, 0.5, 0.75, 1.0]
    times = [costs.measure(Policy(keep=dict.fromkeys(names, ratio))).value("latency_ms") for ratio in ratios]
    assert times == sorted(times)
    assert times[0] < times[-1]


def test_bit_widths_cost_what_a_bit_serial_engine_makes_of_them() -> None:
    """Compute-bound work takes time in proportion to weight bits x activation bits."""
    network = resnet()
    costs = Costs(network, load_device(shipped()["bit-serial"]))
    layers = [layer.name for layer in network.layers]
    at = {b: costs.measure(Policy(bits=dict.fromkeys(layers, Bits(b, b)))).value("latency_ms") for b in (2, 4, 8)}
    assert at[2] < at[4] < at[8]
    assert at[4] > at[8] / 4  # never faster than the engine could be


@pytest.mark.parametrize("name", ["bit-serial", "layouts"])
def test_what_a_search_asks_while_it_looks_is_exactly_what_is_reported(name: str) -> None:
    costs = Costs(NETWORK, DEVICES[name])
    for policy in policies(DEVICES[name], 12, seed=5):
        reported = costs.measure(policy)
        for _ in range(3):  # asked, remembered, and looked up
            assert costs.figures(policy, {"latency_ms"}).latency_ms == reported.latency_ms
            both = costs.figures(policy, {"latency_ms", "macs"})
            assert (both.latency_ms, both.macs) == (reported.latency_ms, reported.macs)
