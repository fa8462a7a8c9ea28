from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from compressors import describe, read_onnx, write_onnx
from compressors.parity import compare
from compressors.restore import restore
from hw_models.fusion import Execution
from hw_models.lowering import lower
from hw_models.profiler import host
from hw_models.runtimes import RUNTIMES, TITLES, installed_version
from paretrim.problem import FULL_PRECISION, Measurement, Objective, Policy
from search.craft import judge, precision, run_onnx
from search.data import load_dataset
from search.deliver import choose
from search.front import Front
from search.plan import JobInputs, SearchPlan
from search.run import run_job
from tests.search import tiny
from tests.search.records import MemoryRecorder

ORIGINAL = Measurement(accuracy=0.9, latency_ms=4.0)


def front(points: list[tuple[float, float]]) -> Front:
    """Candidates 1, 2, ... with these accuracies and latencies."""
    made = Front((Objective("accuracy"), Objective("latency_ms")), (), ORIGINAL)
    for n, (accuracy, latency_ms) in enumerate(points, start=1):
        made.add(n, Measurement(accuracy=accuracy, latency_ms=latency_ms))
    return made


def test_all_members_are_chosen_if_they_are_few() -> None:
    assert set(choose(front([(0.8, 2.0), (0.7, 1.0)]), 2)) == {1, 2}


def test_members_are_chosen_over_the_whole_front_beginning_with_the_best() -> None:
    line = front([(0.9 - 0.1 * i, 4.0 - 0.4 * i) for i in range(9)])
    assert set(choose(line, 1)) == {1}
    assert set(choose(line, 2)) == {1, 9}
    assert set(choose(line, 3)) == {1, 5, 9}


def test_nothing_is_chosen_where_nothing_is_wanted_and_the_original_needs_no_delivery() -> None:
    made = front([(0.8, 2.0)])
    made.add(0, ORIGINAL)
    assert choose(made, 0) == ()
    assert choose(made, 5) == (1,)


def test_an_onnx_file_is_judged_as_the_network_scores(tmp_path: Path) -> None:
    test = load_dataset(tiny.dataset(tmp_path), 0).test
    accuracy, interval = judge(tiny.model(), test, "top1")
    own = run_onnx(tiny.model(), test.inputs()).argmax(1).numpy()
    assert accuracy == pytest.approx(float(np.mean(own == test.y)))
    assert interval.low < accuracy < interval.high


def test_fine_tuning_is_recorded_and_never_makes_a_network_worse(tmp_path: Path) -> None:
    recorder = MemoryRecorder()
    inputs: JobInputs = tiny.inputs(tmp_path)
    run_job(tiny.plan(("random",), candidates=4, finetune_epochs=2.0), inputs, recorder)
    (made,) = recorder.made.values()
    assert len(made.report["finetuning"]) == 2
    assert made.report["validation"]["after"] >= made.report["validation"]["before"]
    assert made.report["host"]["speedup"] > 0
    assert made.report["faster"] == (made.report["host"]["latency_ms"] < made.report["host"]["original_latency_ms"])
    assert b"Not faster" in made.files["report.md"] or made.report["faster"]
    assert precision(recorder.recorded("s0").candidates[0].policy, 5) in ("fp32", "int8", "mixed")


def saw_tooth() -> dict[str, Any]:
    """A table of some other machine that runs blocks of 4 channels, and pays half as much again elsewhere."""
    execution, network = Execution(kernels=(FULL_PRECISION,)), describe(read_onnx(tiny.model()))
    rows: dict[str, dict[str, Any]] = {}
    for stem, down in itertools.product(range(1, 13), range(1, 25)):
        keep = {"stem": stem / 12, "first": min(down, 12) / 12, "down": down / 24}
        for item in lower(network.sized(Policy(keep=keep)), execution):
            unit = item.unit
            sides = [-(-side // 4) * (1.5 if side % 4 else 1.0) for side in (unit.in_channels, unit.out_channels)]
            latency = 5.0 * sides[0] * sides[1] if unit.is_layer else 0.1
            rows[str(unit)] = {"op": unit.to_json(), "latency_us": latency, "source": "imported"}
    return {
        **{"format": "paretrim-device", "version": 1, "name": "saw", "kind": "table", "kernels": [[32, 32]]},
        "runtime": {"name": "elsewhere", "version": "1"},
        "rows": list(rows.values()),
    }


def test_channels_are_padded_with_zeros_where_the_device_is_faster_so_and_the_files_say_it(tmp_path: Path) -> None:
    recorder = MemoryRecorder()
    given = SearchPlan("s0", 0, "given", {"policies": [{"keep": {"stem": 7 / 12, "down": 14 / 24}}]}, seed=3)
    run_job(tiny.plan(candidates=1, searches=(given,), constraints=()), tiny.inputs(tmp_path, saw_tooth()), recorder)
    (made,) = recorder.made.values()
    padding = made.report["padding"]
    assert padding["refused"] is None
    assert padding["widths"] == {"stem": [7, 8], "down": [14, 16]}
    assert padding["measured_ms"] is None  # the device is another machine
    assert padding["predicted_ms"][1] < padding["predicted_ms"][0]
    assert made.measurement.latency_ms == pytest.approx(padding["predicted_ms"][1])
    weights = {t.name: tuple(t.dims) for t in onnx.load_model_from_string(made.files["model.onnx"]).graph.initializer}
    policy = json.loads(made.files["policy.json"])
    for group, (kept, width) in padding["widths"].items():
        assert kept == len(policy["kept"][group])
        assert policy["padded"][group] == width == weights[f"{group}.weight"][0]
        row = next(row for row in made.report["layers"] if row["layer"] == group)
        assert f"padded {kept} -> {width}" in row["became"]
    assert b"Channels of zeros" in made.files["report.md"]
    original = read_onnx(tiny.model())
    restored = restore(original, json.loads(made.files["policy.json"]), made.files["weights.safetensors"])
    plain = write_onnx(restored, original, policy=recorder.recorded("s0").candidates[-1].policy)
    x = load_dataset(tiny.dataset(tmp_path), 0).test.inputs()
    assert compare(run_onnx(plain, x).numpy(), run_onnx(made.files["model.onnx"], x).numpy()).max_rel_error < 1e-5


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_on_the_device_itself_both_files_are_timed_in_its_runtime_and_the_faster_one_is_kept(
    runtime: str, tmp_path: Path
) -> None:
    if installed_version(runtime) is None:
        pytest.skip(f"{runtime} is not installed: pip install 'paretrim[{runtime}]'")
    here = {"hardware": host.hardware(), "runtime": host.runtime(threads=1, batch=1, name=runtime)}
    given = SearchPlan("s0", 0, "given", {"policies": [{"keep": {"stem": 7 / 12, "down": 14 / 24}}]}, seed=3)
    wanted = (Objective("accuracy"), Objective("macs"))  # nothing that has to be measured before
    recorder = MemoryRecorder()
    plan = tiny.plan(candidates=1, searches=(given,), constraints=(), objectives=wanted)
    run_job(plan, tiny.inputs(tmp_path, {**saw_tooth(), **here}), recorder)
    (made,) = recorder.made.values()
    assert made.measurement.obtained["latency_ms"].where.startswith(TITLES[runtime])
    before, after = made.report["padding"]["measured_ms"]
    assert (made.report["padding"]["refused"] is None) == (after <= 0.99 * before)
    shapes = [tuple(t.dims) for t in onnx.load_model_from_string(made.files["model.onnx"]).graph.initializer]
    assert ((8, 1, 3, 3) in shapes) == (after <= 0.99 * before)
