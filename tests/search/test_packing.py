"""Packed files of delivered networks: promised, delivered, taken apart; and the commands that make them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from compressors import unpack
from hw_models.devices import shipped
from paretrim.cli import app
from paretrim.compression import Compression
from paretrim.errors import JobFailed
from paretrim.problem import Objective
from search.deliver import cautions
from search.local import plan_from, plan_json
from search.plan import Delivered
from search.run import run_job
from tests.search import tiny
from tests.search.records import MemoryRecorder

#: a device without a flash of its own: what it stores is the packed file
STORING = {**shipped()["bit-serial"], "kernels": [[32, 32], [8, 8]]}


def delivered(folder: Path, **options: object) -> list[Delivered]:
    """What a small job for small files comes to."""
    recorder = MemoryRecorder()
    plan = tiny.plan(
        ("random",),
        candidates=4,
        deliver=4,
        objectives=(Objective("accuracy"), Objective("size_bytes")),
        constraints=(),
        compression=Compression.from_json(options),
    )
    run_job(plan, tiny.inputs(folder, STORING), recorder)
    return list(recorder.made.values())


def test_every_delivered_network_has_a_packed_file_whose_size_was_predicted(tmp_path: Path) -> None:
    made = delivered(tmp_path, storage_bits=[2, 4], four_bit_linear=True)
    assert made
    for each in made:
        packed = each.report["packed"]
        assert unpack(each.files["model.ptz"]) == each.files["model.onnx"]
        assert packed["size_bytes"] == each.measurement.size_bytes == len(each.files["model.ptz"])
        assert packed["size_bytes"] == pytest.approx(packed["predicted_bytes"], rel=0.04)  # of a few kilobytes
        assert sum(packed["layers"].values()) + packed["overhead_bytes"] == packed["size_bytes"]
        assert b"What each step contributed" in each.files["report.md"]


def test_contributions_add_up_from_the_original_to_the_delivered(tmp_path: Path) -> None:
    for each in delivered(tmp_path, weight_quantizer="kmeans", equalize=True):
        steps = each.report["contributions"]
        assert steps[0]["step"] == "original"
        assert steps[-1]["size_bytes"] == each.measurement.size_bytes
        total = steps[0]["accuracy"] + sum(step["accuracy_change"] for step in steps[1:])
        assert total == pytest.approx(steps[-1]["accuracy"])
        assert not each.report["integers"]["fallen_back"]


def test_layers_that_miss_their_kernels_and_mixed_networks_that_are_slower_are_warned_of() -> None:
    report = {
        "integers": {"intended": ["a", "b"], "fallen_back": ["b"], "floating_latency_ms": 1.0},
        "host": {"latency_ms": 1.5},
    }
    first, second = cautions(report)
    assert "b" in first
    assert "slower" in second
    report["integers"] = {"intended": ["a"], "fallen_back": [], "floating_latency_ms": 2.0}
    assert cautions(report) == []


def test_a_layer_that_is_not_there_stops_the_job_at_the_door(tmp_path: Path) -> None:
    with pytest.raises(JobFailed, match="nowhere"):
        delivered(tmp_path, weight_quantizers={"nowhere": "binary"})


def test_a_plan_keeps_its_options() -> None:
    plan = tiny.plan(compression=Compression(weight_quantizer="ternary", storage_bits=(2,)))
    assert plan_from(json.loads(json.dumps(plan_json(plan)))) == plan


def test_files_are_packed_and_unpacked_from_the_command_line(tmp_path: Path) -> None:
    source = tmp_path / "net.onnx"
    source.write_bytes(tiny.model())
    runner = CliRunner()
    shown = runner.invoke(app, ["pack", str(source), "--output", "json"])
    assert shown.exit_code == 0
    (whole,) = [sum(row["bytes"] for row in json.loads(shown.stdout))]
    assert whole == (tmp_path / "net.ptz").stat().st_size
    assert (
        runner.invoke(app, ["unpack", str(tmp_path / "net.ptz"), "--out", str(tmp_path / "back.onnx")]).exit_code == 0
    )
    assert (tmp_path / "back.onnx").read_bytes() == source.read_bytes()
    (tmp_path / "net.ptz").write_bytes(b"PTZ\x01 and nonsense")
    assert runner.invoke(app, ["unpack", str(tmp_path / "net.ptz")]).exit_code != 0
