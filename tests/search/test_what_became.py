"""The report of a delivered network: its layers, where time goes, the job's batch, the control, and the way back."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from compressors import describe, fold, write_onnx
from compressors.parity import open_session
from compressors.restore import restore
from paretrim.problem import Policy
from paretrim.recovery import Recovery
from search.basis import read_model
from search.plan import Delivered, SearchPlan
from search.run import run_job
from search.what_became import layer_rows
from tests.search import tiny
from tests.search.records import MemoryRecorder

MINE = {"keep": {"first": 0.5}, "sparsity": {"down": [0.5, "kernel"]}}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Delivered:
    recorder = MemoryRecorder()
    search = SearchPlan("s0", 0, "given", {"policies": [MINE]}, 0)
    recovery = Recovery(data="few", few_rows=300, scratch_control=True, ema_decay=0.9)
    plan = replace(
        tiny.plan(("random",), candidates=1, finetune_epochs=1.0),
        searches=(search,),
        constraints=(),
        recovery=recovery,
        batch=8,
    )
    run_job(plan, tiny.inputs(tmp_path_factory.mktemp("data")), recorder)
    (delivered,) = recorder.made.values()
    return delivered


def test_every_layer_says_what_it_was_and_became(made: Delivered) -> None:
    rows = {row["layer"]: row for row in made.report["layers"]}
    assert rows["first"]["became"] == "12 -> 12, now 12 -> 6"
    assert rows["first"]["weights"] * 2 == rows["first"]["original_weights"]
    assert rows["second"]["macs"] * 2 == rows["second"]["original_macs"]
    assert rows["down"]["zero_share"] == 0.5
    assert rows["stem"]["became"] == "as it was"
    assert sum(row["macs"] for row in rows.values()) == made.measurement.macs


def test_time_is_measured_by_kernel_and_for_the_jobs_batch(made: Delivered) -> None:
    spots = made.report["hot_spots"]
    assert [s["time_us"] for s in spots] == sorted((s["time_us"] for s in spots), reverse=True)
    assert 0 < sum(s["share"] for s in spots) <= 1.0 + 1e-9
    assert made.report["batch"]["inputs"] == 8
    assert made.report["batch"]["latency_ms"] > made.report["host"]["latency_ms"]


def test_the_control_is_trained_from_nothing_and_judged_on_test(made: Delivered) -> None:
    control = made.report["scratch"]
    assert 0.0 < control["test"] < made.report["test"]["accuracy"]  # an epoch on 300 rows is little to begin with
    text = made.files["report.md"].decode()
    assert "trained from nothing" in text
    assert "the weights mattered" in text
    assert f"{made.report['parameters']['delivered']:,} parameters of" in text


def test_policy_and_weights_rebuild_the_file_that_was_delivered(made: Delivered) -> None:
    imported = read_model(tiny.model(), None)
    module = fold(restore(imported, json.loads(made.files["policy.json"]), made.files["weights.safetensors"]))
    x = torch.from_numpy(tiny.digits()["test_x"][:16])
    session = open_session(made.files["model.onnx"])
    expected = session.run(None, {session.get_inputs()[0].name: x.numpy()})[0]
    with torch.no_grad():
        np.testing.assert_allclose(module(x).numpy(), expected, rtol=1e-4, atol=1e-4)


def test_layers_of_lower_rank_are_the_sum_of_their_parts() -> None:
    network = describe(read_model(tiny.model(), None))
    rows = {row["layer"]: row for row in layer_rows(network, Policy(rank={"down": 0.5}), ())}
    assert rows["down"]["weights"] < rows["down"]["original_weights"]
    assert rows["down"]["became"].startswith("12 -> 24, now 12 -> ")
    assert list(rows) == [layer.name for layer in network.layers]


def test_a_network_of_integers_comes_back_to_the_byte(tmp_path: Path) -> None:
    recorder = MemoryRecorder()
    policy = {
        "keep": {"first": 0.5},
        "bits": {layer: [8, 8] for layer in ("stem", "first", "second", "down", "classify")},
    }
    search = SearchPlan("s0", 0, "given", {"policies": [policy]}, 0)
    plan = replace(tiny.plan(("random",), candidates=1, finetune_epochs=0.0), searches=(search,), constraints=())
    run_job(plan, tiny.inputs(tmp_path), recorder)
    (made,) = recorder.made.values()
    imported, chosen = read_model(tiny.model(), None), json.loads(made.files["policy.json"])
    module = fold(restore(imported, chosen, made.files["weights.safetensors"]))
    assert write_onnx(module, imported, policy=Policy.from_json(policy)) == made.files["model.onnx"]
