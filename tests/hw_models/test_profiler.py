"""A table of the machine the tests run on: what it must hold, and how it grows. No absolute time is asserted."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from hw_models.cost import Costs
from hw_models.devices import load_device
from hw_models.profiler import extend_table, profile_host
from hw_models.profiler.host import is_this_host
from hw_models.validation import validate
from hw_models.validation.markdown import markdown
from hw_models.validation.plots import histogram, scatter
from paretrim.errors import InvalidInput, InvalidTable
from paretrim.problem import UNCHANGED, Bits, Policy
from tests.hw_models.networks import resnet


@pytest.fixture(scope="module")
def table() -> dict[str, Any]:
    """Taken once, quickly."""
    return profile_host(mode="quick", seed=0)


@pytest.fixture(scope="module")
def extended(table: dict[str, Any]) -> dict[str, Any]:
    """With the operations of a small residual network."""
    return extend_table(table, [resnet(8, side=16)])


def test_a_table_says_what_it_was_taken_on_and_how(table: dict[str, Any]) -> None:
    assert table["hardware"]["cores"] >= 1
    assert table["runtime"]["name"] == "onnxruntime"
    assert table["runtime"]["threads"] == 1
    assert table["method"]["clock"] == "thread_cpu"
    assert table["method"]["date"]
    assert is_this_host(table)


def test_no_row_takes_no_time(extended: dict[str, Any]) -> None:
    assert len(extended["rows"]) > 300
    assert all(row["latency_us"] > 0 for row in extended["rows"])


def test_it_is_json_and_comes_back_the_same(extended: dict[str, Any]) -> None:
    read = json.loads(json.dumps(extended))
    network = resnet(8, side=16)
    assert Costs(network, load_device(read)).original == Costs(network, load_device(extended)).original


def test_fusion_rules_and_steps_were_found_not_assumed(table: dict[str, Any]) -> None:
    assert any("relu" in rule for rule in table["fusion"]["fp32"])
    assert all(step >= 1 for step in table["steps"].values())


def test_missing_operations_are_measured_on_this_host(table: dict[str, Any], extended: dict[str, Any]) -> None:
    assert len(extended["rows"]) > len(table["rows"])
    prediction = load_device(extended).predict(resnet(8, side=16), UNCHANGED)
    assert prediction.low_ms <= prediction.latency_ms <= prediction.high_ms
    assert all(ms >= 0 for ms in prediction.by_operation.values())
    assert sum(prediction.by_operation.values()) > 0


def test_a_table_of_another_machine_is_left_as_it_is(table: dict[str, Any]) -> None:
    other = copy.deepcopy(table)
    other["hardware"]["cpu_model"] = "another processor"
    assert not is_this_host(other)
    assert extend_table(other, [resnet(8, side=16)]) == other


def test_smaller_networks_are_predicted_faster(extended: dict[str, Any]) -> None:
    network = resnet(8, side=16)
    costs = Costs(network, load_device(extended))
    half = Policy(keep={group.name: 0.25 for group in network.prunable_groups})
    assert costs.measure(half).value("latency_ms") < costs.original.value("latency_ms")


def test_bits_without_a_kernel_cost_what_the_runtime_really_does(extended: dict[str, Any]) -> None:
    """Three bits are stored small and computed as eight."""
    network = resnet(8, side=16)
    costs = Costs(network, load_device(extended))
    layers = [layer.name for layer in network.layers]
    eight, three = (costs.measure(Policy(bits=dict.fromkeys(layers, Bits(w, 8)))) for w in (8, 3))
    assert three.value("latency_ms") == eight.value("latency_ms")
    assert three.value("size_bytes") < eight.value("size_bytes")


@pytest.mark.parametrize("lie", [0.0, -1.0, float("nan"), float("inf"), 1e12, "fast", None])
def test_a_row_that_cannot_be_true_is_refused(table: dict[str, Any], lie: object) -> None:
    lying = {**table, "rows": [{**table["rows"][0], "latency_us": lie}, *table["rows"][1:20]]}
    with pytest.raises(InvalidTable, match="latency_us"):
        load_device(lying)


@pytest.mark.parametrize(
    ("field", "value"),
    [("version", 99), ("format", "other"), ("kind", "oracle"), ("rows", "none"), ("surprise", 1), ("kernels", [])],
)
def test_a_malformed_document_is_refused_with_the_field(table: dict[str, Any], field: str, value: object) -> None:
    with pytest.raises(InvalidTable) as raised:
        load_device({**table, field: value})
    assert field in (raised.value.field or "") or field in str(raised.value)


def test_a_table_is_judged_by_networks_it_has_never_seen(table: dict[str, Any], tmp_path: Path) -> None:
    card = validate(table, networks=12, measure=False, journal=tmp_path / "journal")
    assert card["networks"] == 12
    assert card["predicted_with"] == "interpolated"
    assert {"interpolated", "macs", "isolated", "random_forest"} <= set(card["ways"])
    assert card["overall"]["mape"] < card["ways"]["macs"]["mape"]
    assert card["repeat_error"]["median"] > 0
    assert all(point["measured_ms"] > 0 for point in card["points"])
    assert not (tmp_path / "journal").exists()
    page = markdown(card)
    assert f"| all | {card['networks']} |" in page
    assert "repeats within" in page
    for picture in (scatter(card), histogram(card)):
        assert ElementTree.fromstring(picture).tag.endswith("svg")


def test_a_table_of_another_version_of_the_runtime_is_not_judged_here(table: dict[str, Any]) -> None:
    other = {**table, "runtime": {**table["runtime"], "version": "1.0.0"}}
    with pytest.raises(InvalidInput, match=r"taken with onnxruntime 1\.0\.0.*profile"):
        validate(other, networks=12)


def test_too_few_networks_to_judge_with_are_refused(table: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match="at least 12"):
        validate(table, networks=3)
