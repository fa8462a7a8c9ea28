"""Tables as documents: what is refused, what is kept, what a miss does."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from hw_models.devices import load_device, shipped
from hw_models.lowering import lower
from hw_models.table import TableDevice, describe
from hw_models.units import Unit
from paretrim.errors import InvalidTable, NotMeasured
from paretrim.problem import UNCHANGED, Bits, Policy
from tests.hw_models.networks import resnet

NETWORK = resnet(8, side=16)


def make_document(microseconds: Callable[[Unit], float] = lambda unit: 1 + unit.macs / 1e4) -> dict[str, Any]:
    """A table that holds what the small residual network needs, in two precisions."""
    header: dict[str, Any] = {
        "format": "paretrim-device",
        "version": 1,
        "name": "paper-cpu",
        "kind": "table",
        "hardware": {"cpu_model": "paper"},
        "runtime": {"name": "onnxruntime", "version": "1.0", "threads": 1, "batch": 1},
        "method": {"clock": "thread_cpu"},
        "noise": {},
        "kernels": [[32, 32], [8, 8]],
        "fusion": {"fp32": ["conv2d+relu"], "int8": ["conv2d+relu"]},
        "steps": {"conv2d.fp32": 8, "conv2d.int8": 4},
        "calibration": {"scale": 1.1, "constant_ms": 0.002, "error": 0.05},
        "rows": [],
    }
    execution = TableDevice(header).execution
    narrow = Policy(bits={layer.name: Bits(8, 8) for layer in NETWORK.layers})
    units = {item.unit for policy in (UNCHANGED, narrow) for item in lower(NETWORK.sized(policy), execution)}
    rows = [{"op": unit.to_json(), "latency_us": microseconds(unit), "repeat_error": 0.02} for unit in units]
    return header | {"rows": sorted(rows, key=json.dumps)}


def change(path: str, value: Any) -> dict[str, Any]:
    document: Any = copy.deepcopy(make_document())
    *steps, last = path.split(".")
    part = document
    for step in steps:
        part = part[int(step) if step.isdigit() else step]
    part[int(last) if last.isdigit() else last] = value
    return dict(document)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("format", "something"),
        ("version", 2),
        ("version", None),
        ("name", "../../etc/passwd"),
        ("kind", "tables"),
        ("rows", None),
        ("rows", {"op": 1}),
        ("rows.0", 7),
        ("rows.0.latency_us", 0),
        ("rows.0.latency_us", -1.0),
        ("rows.0.latency_us", float("nan")),
        ("rows.0.latency_us", float("inf")),
        ("rows.0.latency_us", 1e12),
        ("rows.0.latency_us", 1e-9),
        ("rows.0.latency_us", "1"),
        ("rows.0.latency_us", True),
        ("rows.0.op.in_channels", 0),
        ("rows.0.op.in_channels", 1 << 40),
        ("rows.0.op.in_channels", 1.5),
        ("rows.0.op.batch", 4),
        ("rows.0.op.surprise", 1),
        ("rows.0.source", "dreamt"),
        ("rows.0.surprise", 1),
        ("rows.0.repeat_error", -1),
        ("kernels", []),
        ("kernels", [[9, 9]]),
        ("kernels", [[8]]),
        ("fusion", ["conv2d+relu"]),
        ("steps", {"conv2d.fp32": 0}),
        ("calibration", {"scale": 0}),
        ("calibration", {"scale": -1.0}),
        ("calibration", {"constant_ms": float("nan")}),
        ("hardware", {"deep": {"deeper": {"deepest": 1}}}),
        ("layout", {"block": -1}),
        ("interpolation", {"conv2d.fp32": {"coefficients": [1.0], "scale": [0.0]}}),
        ("interpolation", {"conv2d.fp32": {"coefficients": [1.0], "scale": [1.0], "trees": {"roots": [5]}}}),
        ("surprise", 1),
    ],
)
def test_a_document_that_is_wrong_or_lies_is_refused_and_the_field_named(path: str, value: Any) -> None:
    with pytest.raises(InvalidTable) as caught:
        load_device(change(path, value))
    assert caught.value.field


@pytest.mark.parametrize("value", [None, [], "table", 3])
def test_what_is_no_document_at_all_is_refused(value: Any) -> None:
    with pytest.raises(InvalidTable):
        load_device(value)


def test_a_row_that_is_there_twice_is_refused() -> None:
    document = make_document()
    document["rows"].append(document["rows"][0])
    with pytest.raises(InvalidTable, match="repeats"):
        load_device(document)


def test_a_table_comes_back_from_its_document() -> None:
    device = load_device(make_document())
    again = load_device(json.loads(json.dumps(device.document())))
    assert again.document() == device.document()
    assert again.predict(NETWORK, UNCHANGED) == device.predict(NETWORK, UNCHANGED)


def test_a_prediction_is_constant_plus_scale_times_the_rows() -> None:
    device = load_device(make_document(lambda _: 5.0))
    placed = lower(NETWORK.sized(UNCHANGED), device.execution)
    prediction = device.predict(NETWORK, UNCHANGED)
    assert prediction.latency_ms == pytest.approx(0.002 + 1.1 * len(placed) * 5e-3)
    assert prediction.low_ms < prediction.latency_ms < prediction.high_ms
    assert set(prediction.sources.values()) == {"measured"}


def test_what_the_table_lacks_is_an_error_and_never_nothing() -> None:
    device = load_device(make_document())
    with pytest.raises(NotMeasured, match="conv2d"):
        device.predict(NETWORK, Policy(keep={group.name: 0.5 for group in NETWORK.prunable_groups}))


def test_bits_without_a_kernel_cost_what_the_next_wider_kernel_costs() -> None:
    device = load_device(make_document())
    times = [
        device.predict(NETWORK, Policy(bits={layer.name: bits for layer in NETWORK.layers})).latency_ms
        for bits in (Bits(8, 8), Bits(4, 8), Bits(3, 5))
    ]
    assert times[0] == times[1] == times[2]


def test_steps_are_those_of_the_kernel_that_runs() -> None:
    device = load_device(make_document())
    layer = next(layer for layer in NETWORK.layers if layer.kernel == (3, 3))
    assert device.channel_step(layer, Bits(32, 32)) == 8
    assert device.channel_step(layer, Bits(4, 8)) == 4


def test_every_unit_comes_back_from_its_json() -> None:
    for row in make_document()["rows"]:
        unit = Unit.from_json(row["op"])
        assert unit.to_json() == row["op"]
        assert describe(unit)


@pytest.mark.parametrize("name", sorted(shipped()))
def test_shipped_devices_say_where_their_parameters_are_from(name: str) -> None:
    document = shipped()[name]
    assert document["name"] == name
    assert len(document["source"]) > 40
    assert load_device(document).document() == document


@pytest.mark.parametrize("parameter", ["clock_mhz"])
@pytest.mark.parametrize("value", [0, -1, "fast", None, float("inf")])
def test_an_analytic_device_with_impossible_parameters_is_refused(parameter: str, value: Any) -> None:
    for document in shipped().values():
        document["parameters"][parameter] = value
        with pytest.raises(InvalidTable, match=parameter):
            load_device(document)


def test_the_web_process_can_load_devices_without_a_runtime() -> None:
    code = (
        "import sys, hw_models.cost, hw_models.table, hw_models.devices, hw_models.reach;"
        "heavy = {'torch', 'onnxruntime', 'sklearn', 'scipy', 'onnx', 'ray'} & set(sys.modules);"
        "sys.exit(', '.join(sorted(heavy)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr


def test_how_a_table_did_on_unseen_networks_stays_with_it() -> None:
    known = {"networks": 54, "mape": 0.068, "families": ["plain", "vgg"]}
    judged = make_document() | {"validation": known}
    assert load_device(judged).document()["validation"] == known
    assert "validation" not in load_device(make_document()).document()
    with pytest.raises(InvalidTable, match="plain values"):
        load_device(change("hardware", {}) | {"validation": {"mape": float("nan")}})
