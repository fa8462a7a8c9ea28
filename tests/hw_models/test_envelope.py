"""A table with a saw-tooth: what planning makes of it, and what it asks the exporter to pad."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from hw_models.cost import Costs
from hw_models.devices import load_device, shipped
from hw_models.envelope import Envelope
from hw_models.fusion import Execution
from hw_models.lowering import lower
from paretrim.network import Group, Network
from paretrim.problem import FULL_PRECISION, UNCHANGED, Policy
from tests.hw_models.networks import Builder, axis, resnet

UNITS = 24


def chain() -> Network:
    """3 x 8 x 8 -> 3x3 conv to 24 -> 1x1 conv to 5."""
    build = Builder(3, 8)
    build.conv("b", build.conv("a", "input", axis("g", UNITS)), axis(None, 5), kernel=1)
    return Network(tuple(build.operations), (Group("g", UNITS, ("a",), ("b",)),), build.input_shape, "b")


def saw_tooth(network: Network) -> dict[str, Any]:
    """Rows for every width: blocks of 4 channels at 10 us each, and half as much again for what is no whole block."""
    execution = Execution(kernels=(FULL_PRECISION,))
    rows: dict[str, dict[str, Any]] = {}
    for width in range(1, UNITS + 1):
        for item in lower(network.sized(Policy(keep={"g": width / UNITS})), execution):
            channels = item.unit.out_channels if item.name == "a" else item.unit.in_channels
            latency = 10.0 * -(-channels // 4) * (1.5 if channels % 4 else 1.0)
            rows[str(item.unit)] = {"op": item.unit.to_json(), "latency_us": latency}
    return {
        "format": "paretrim-device",
        "version": 1,
        "name": "saw",
        "kind": "table",
        "kernels": [[32, 32]],
        "rows": list(rows.values()),
    }


def kept(width: int) -> Policy:
    """The policy that leaves so many of the 24."""
    return Policy(keep={"g": width / UNITS})


@pytest.fixture
def costs() -> Costs:
    """Of the chain on the saw-tooth."""
    network = chain()
    return Costs(network, load_device(saw_tooth(network)))


@pytest.mark.parametrize(("width", "padded"), [(21, 24), (23, 24), (17, 20), (5, 8), (1, 4)])
def test_a_width_beside_a_block_costs_what_the_block_costs(costs: Costs, width: int, padded: int) -> None:
    assert costs.padding(kept(width)) == {"g": padded}
    measured = costs.measure(kept(width))
    assert measured.latency_ms == pytest.approx(2 * 10e-3 * padded / 4)
    assert measured.obtained["latency_ms"].where == "table saw, zero-padded"
    assert costs.figures(kept(width), ("latency_ms",)).latency_ms == measured.latency_ms
    assert costs.predict(kept(width)).latency_ms == pytest.approx(1.5 * measured.latency_ms)  # as it is


def test_what_is_a_block_already_and_the_original_stay_as_they_are(costs: Costs) -> None:
    for policy in (kept(20), kept(4), UNCHANGED):
        assert costs.padding(policy) == {}
        assert costs.measure(policy).obtained["latency_ms"].where == "table saw"


def test_latency_for_planning_falls_with_every_unit_and_the_counts_are_without_zeros(costs: Costs) -> None:
    found = [costs.measure(kept(width)) for width in range(1, UNITS + 1)]
    latencies = [measurement.value("latency_ms") for measurement in found]
    assert latencies == sorted(latencies)
    assert len({measurement.macs for measurement in found}) == UNITS
    assert found[20].peak_memory_bytes == found[23].peak_memory_bytes  # the zeros are held


def test_padding_keeps_the_other_groups_and_masks_of_units(costs: Costs) -> None:
    mask = Policy(keep={"g": tuple(range(2, 23))})
    assert costs.padding(mask) == {"g": 24}
    assert costs.measure(mask).latency_ms == costs.measure(kept(21)).latency_ms


def test_a_network_that_the_exporter_cannot_widen_is_not_planned_to_be() -> None:
    network = chain()
    first, second = network.operations
    odd = replace(network, operations=(first, replace(second, kind="conv_transpose2d")))
    device = load_device(saw_tooth(network))
    assert Envelope(network, device).widths(kept(23)) == {"g": 24}
    assert Envelope(odd, device).widths(kept(23)) == {}


def test_formulas_are_not_asked_for_padding() -> None:
    network = resnet()
    costs = Costs(network, load_device(shipped()["bitfusion-16x32"]))
    policy = Policy(keep={group.name: 0.37 for group in network.prunable_groups})
    assert costs.padding(policy) == {}
