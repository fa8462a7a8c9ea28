"""Many predictions at once are those of one at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from hw_models.cost import Costs
from hw_models.device import Device
from hw_models.devices import load_device, shipped
from hw_models.interpolation import fit
from hw_models.lowering import lower
from hw_models.many import ManyCosts
from hw_models.profiler.sweep import spread
from hw_models.table import TableDevice
from paretrim.errors import InvalidPolicy
from paretrim.network import Network
from paretrim.problem import Bits, Policy
from tests.hw_models.networks import resnet

NETWORK = resnet(8, side=16)


def table(layout: dict[str, Any] | None) -> TableDevice:
    """A table of laws only, with or without layouts."""
    header: dict[str, Any] = {
        "format": "paretrim-device",
        "version": 1,
        "name": "paper",
        "kind": "table",
        "kernels": [[32, 32], [8, 8]],
        "fusion": {"fp32": ["conv2d+relu", "conv2d+add", "conv2d+add+relu"], "int8": ["conv2d+relu", "add+relu"]},
        "layout": layout,
        "calibration": {"scale": 1.1, "constant_ms": 0.002, "error": 0.05},
        "rows": [],
    }
    execution = TableDevice(header).execution
    units = spread(240, ("fp32", "int8", "mixed"), execution, seed=0, batch=1)
    models = fit({unit: 1 + unit.macs / 1e4 + unit.elements_out / 1e3 for unit in units[:240]})
    laws = {family: {**model.to_json(), "trees": None} for family, model in models.items()}
    return TableDevice({**header, "interpolation": laws})


DEVICES: dict[str, Device] = {
    "layouts": table({"block": 8, "align": 4, "channels_last": True}),
    "one layout": table(None),
    **{name: load_device(shipped()[name]) for name in ("bit-serial", "ethos-u55-128", "mcu-m4")},
}


def policies(device: Device, count: int, seed: int, network: Network = NETWORK) -> list[Policy]:
    """Random widths; a third at one precision, a third mixed."""
    random = np.random.default_rng(seed)
    kernels = device.execution.kernels
    found = []
    for turn in range(count):
        keep = {group.name: float(random.uniform(0.05, 1)) for group in network.prunable_groups}
        one = kernels[int(random.integers(len(kernels)))]
        bits = {
            layer.name: kernels[int(random.integers(len(kernels)))] if turn % 3 == 2 else one
            for layer in network.layers
        }
        found.append(Policy(keep=keep, bits={} if turn % 3 == 0 else bits))
    return found


@pytest.mark.parametrize("name", sorted(DEVICES))
def test_many_at_once_are_those_of_one_at_a_time(name: str) -> None:
    device = DEVICES[name]
    some = policies(device, 24, seed=1)
    costs, many = Costs(NETWORK, device), ManyCosts(NETWORK, device)
    expected = [costs.predict(policy).latency_ms for policy in some]
    for _ in range(2):  # filling its tables, and out of them
        assert many.of_policies(some) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("name", sorted(DEVICES))
def test_one_at_a_time_is_exact(name: str) -> None:
    device = DEVICES[name]
    many = ManyCosts(NETWORK, device)
    asked = 0
    for policy in policies(device, 24, seed=2):
        expected = device.predict(NETWORK, policy).latency_ms
        assert many.one(policy) is None or asked  # the first time that a combination occurs, another has to say
        for _ in range(2):
            found = many.one(policy)
            assert found is None or found == expected
            asked += found is not None
    assert asked > 24


def test_what_does_more_than_narrow_and_round_has_to_be_asked() -> None:
    many = ManyCosts(NETWORK, DEVICES["layouts"])
    assert many.one(Policy(rank={NETWORK.layers[1].name: 0.5})) is None


def test_policies_that_differ_in_widths_alone_share_one_template() -> None:
    many = ManyCosts(NETWORK, DEVICES["layouts"])
    sizes = [group.units for group in NETWORK.groups]
    random = np.random.default_rng(0)
    kept = np.stack([random.integers(1, size // 8 + 1, 500) * 8 for size in sizes], axis=1)
    frozen = [index for index, group in enumerate(NETWORK.groups) if group.frozen is not None]
    kept[:, frozen] = np.array(sizes)[frozen]
    latencies = many.latency_ms(kept, np.zeros((500, len(NETWORK.layers)), dtype=np.int64))
    assert len(many._templates) == 1
    assert len(np.unique(latencies)) > 3
    assert (latencies > 0).all()


def test_widths_that_are_not_there_are_refused() -> None:
    many = ManyCosts(NETWORK, DEVICES["bit-serial"])
    kept = np.array([[group.units for group in NETWORK.groups]])
    bits = np.zeros((1, len(NETWORK.layers)), dtype=np.int64)
    for wrong in (0, 1000):
        kept[0, -1] = wrong
        with pytest.raises(InvalidPolicy):
            many.latency_ms(kept, bits)


def test_bits_without_a_kernel_are_those_of_the_next_wider_one() -> None:
    many = ManyCosts(NETWORK, DEVICES["layouts"])
    layers = [layer.name for layer in NETWORK.layers]
    three, eight = (Policy(bits=dict.fromkeys(layers, Bits(b, b))) for b in (3, 8))
    first, second = many.of_policies([three, eight])
    assert first == second


def test_a_result_that_is_converted_twice_costs_both_times() -> None:
    """Every reader in floating point dequantizes an 8-bit result for itself."""
    device = DEVICES["layouts"]
    for policy in policies(device, 30, seed=3):
        placed = lower(NETWORK.sized(policy), device.execution)
        names = [item.name for item in placed]
        if len(set(names)) < len(names):
            break
    else:
        pytest.fail("no policy converts a result twice")
    fit_ = device.calibration
    sums = sum(device.unit_cost(item.unit).latency_ms for item in placed)
    prediction = device.predict(NETWORK, policy)
    assert prediction.latency_ms == pytest.approx(fit_.constant_ms + fit_.scale * sums)
    assert sum(prediction.by_operation.values()) == pytest.approx(fit_.scale * sums)
