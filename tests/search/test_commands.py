"""`paretrim run` and its siblings, through the real command line."""

from __future__ import annotations

import csv
import ctypes
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import numpy_helper

from hw_models.devices import shipped
from paretrim._torch_export import export_module
from paretrim.cli import main
from tests.search import tiny


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a model and its data; nothing is found in the user's home."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    (tmp_path / "model.onnx").write_bytes(tiny.model())
    tiny.dataset(tmp_path)
    return tmp_path


def arguments(files: Path, *more: str) -> list[str]:
    return [
        "run",
        str(files / "model.onnx"),
        str(files / "digits.npz"),
        *("--device", "mcu-m4", "--algorithms", "random", "--candidates", "6", "--deliver", "1"),
        *("--constraint", "latency_ratio <= 0.6", "--finetune-epochs", "0", "--validation-samples", "200"),
        *("--executor", "inline", "--out", str(files / "out")),
        *more,
    ]


def test_a_run_leaves_its_front_files_and_report(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments(files, "--output", "json")) == 0
    shown = capsys.readouterr()
    front = json.loads((files / "out" / "front.json").read_text())
    assert json.loads(shown.out) == front
    delivered = [member for member in front if member["file"]]
    assert len(delivered) == 1
    assert delivered[0]["split"] == "test"
    assert delivered[0]["obtained"]["accuracy"]["how"] == "measured"
    assert delivered[0]["obtained"]["latency_ms"]["how"] == "predicted"
    onnxruntime.InferenceSession(str(files / "out" / delivered[0]["file"]), providers=["CPUExecutionProvider"])
    assert all(member["split"] == "validation" for member in front if not member["file"])
    report = (files / "out" / "report.md").read_text()
    assert "uniform (baseline)" in report
    with (files / "out" / "candidates.csv").open() as lines:
        rows = list(csv.DictReader(lines))
    assert rows[0]["algorithm"] == "original"
    assert {int(row["n"]) for row in rows if row["on_front"] == "True"} == {member["n"] for member in front}


def test_a_finished_run_can_be_resumed_and_shows_the_same(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments(files)) == 0
    capsys.readouterr()
    before = (files / "out" / "front.json").read_text()
    assert main(["run", "--resume", str(files / "out"), "--executor", "inline"]) == 0
    assert (files / "out" / "front.json").read_text() == before


WRONG: list[tuple[list[str], str]] = [
    (["--algorithms", "magic"], "magic"),
    (["--constraint", "latency_ratio < 0.5"], "is not a constraint"),
    (["--objectives", "speed"], "speed"),
    (["--device", "no-such-device"], "choose from"),
    (["--option", "random.size=3"], "no option 'size'"),
    (["--option", "amc.warmup=3"], "ALGORITHM.NAME=VALUE"),
    (["--candidates", "0"], "candidates"),
]


@pytest.mark.parametrize(("more", "said"), WRONG)
def test_wrong_use_is_told_on_stderr_with_status_2(
    files: Path, capsys: pytest.CaptureFixture[str], more: list[str], said: str
) -> None:
    assert main(arguments(files, *more)) == 2
    shown = capsys.readouterr()
    assert said in shown.err
    assert shown.out == ""
    assert not (files / "out" / "front.json").exists()


def test_a_job_that_fails_ends_with_status_3(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A network whose outputs are not numbers can be read, but not be judged."""
    network = onnx.load(files / "model.onnx")
    bias = next(tensor for tensor in network.graph.initializer if tensor.name == "classify.bias")
    bias.CopyFrom(numpy_helper.from_array(np.full(10, 3e38, np.float32), bias.name))
    weight = next(tensor for tensor in network.graph.initializer if tensor.name == "classify.weight")
    weight.CopyFrom(numpy_helper.from_array(np.full((10, 24), 3e38, np.float32), weight.name))
    onnx.save(network, files / "model.onnx")
    assert main(arguments(files)) == 3
    assert "not finite" in capsys.readouterr().err


@pytest.fixture
def door(tmp_path: Path) -> Path:
    """A small network and a dataset that fits it."""
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Conv2d(1, 4, 3), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(16, 3))
    (tmp_path / "model.onnx").write_bytes(export_module(net, torch.zeros(1, 1, 4, 4)))
    random = np.random.default_rng(0)
    splits = {"train": 30, "validation": 10, "test": 10}
    arrays = {f"{name}_x": random.random((n, 1, 4, 4)).astype(np.float32) for name, n in splits.items()}
    arrays |= {f"{name}_y": random.integers(0, 3, n) for name, n in splits.items()}
    np.savez(tmp_path / "data.npz", **arrays)
    np.savez(tmp_path / "labels.npz", **(arrays | {"train_y": arrays["train_y"] + 7}))
    (tmp_path / "garbage.onnx").write_bytes(b"this is no network")
    return tmp_path


def _run(door: Path, model: str, data: str, *more: str) -> int:
    common = ["--device", "bit-serial", "--algorithms", "random", "--candidates", "2", "--executor", "inline"]
    return main(["run", str(door / model), str(door / data), "--out", str(door / "out"), *common, *more])


@pytest.mark.parametrize(
    ("model", "data", "more", "said"),
    [
        ("garbage.onnx", "data.npz", (), "not an ONNX file"),
        ("model.onnx", "labels.npz", (), "labels"),
        ("model.onnx", "data.npz", ("--constraint", "latency_ratio <= 0.0001"), "smallest reachable"),
        ("model.onnx", "data.npz", ("--constraint", "speed <= 1"), "cannot be constrained"),
        ("model.onnx", "absent.npz", (), "no file"),
    ],
)
def test_bad_input_is_usage_and_the_folder_stays_free(
    door: Path, capfd: pytest.CaptureFixture[str], model: str, data: str, more: tuple[str, ...], said: str
) -> None:
    assert _run(door, model, data, *more) == 2
    assert said in capfd.readouterr().err
    assert _run(door, "model.onnx", "data.npz", "--deliver", "0") == 0


def test_baselines_alone_are_not_what_was_asked_for(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """HAQ has nothing to choose where only multiply-adds count; the baseline goes on."""
    chosen = ["--algorithms", "haq", "--objectives", "accuracy", "--constraint", "macs_ratio <= 0.6"]
    call = [word for word in arguments(files) if word not in ("latency_ratio <= 0.6", "--constraint")]
    assert main([*call, *chosen, "--output", "json"]) == 3
    shown = capsys.readouterr()
    assert "there is nothing to search" in shown.err
    assert json.loads(shown.out) == json.loads((files / "out" / "front.json").read_text()) != []


def test_what_a_library_prints_is_not_among_the_data(
    files: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import search.run

    whole = search.run.run_job

    def noisy(*inputs: Any, **options: Any) -> None:
        ctypes.CDLL(None).printf(b"solver: hello\n")
        whole(*inputs, **options)

    monkeypatch.setattr(search.run, "run_job", noisy)
    assert main(arguments(files, "--output", "json")) == 0
    shown = capfd.readouterr()
    assert "solver: hello" in shown.err
    assert json.loads(shown.out)


def test_a_folder_that_holds_a_job_is_not_overwritten(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments(files)) == 0
    assert main(arguments(files)) == 2
    assert "--resume" in capsys.readouterr().err


def test_inspect_shows_layers_groups_and_what_they_cost(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", str(files / "model.onnx"), "--device", "mcu-m4", "--output", "json"]) == 0
    found = json.loads(capsys.readouterr().out)[0]
    assert [layer["layer"] for layer in found["layers"]] == ["stem", "first", "second", "down", "classify"]
    assert sum(layer["macs"] for layer in found["layers"]) == found["macs"]
    assert found["latency_ms"] > 0
    assert [group["frozen"] for group in found["groups"]].count("") == 3


def test_devices_found_here_are_listed_and_a_broken_table_is_named(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = files / "share" / "paretrim" / "devices"
    folder.mkdir(parents=True)
    (folder / "mine.json").write_text("{}")
    assert main(["devices", "local", "--output", "json"]) == 0
    found = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert set(found) == {*shipped(), "mine"}
    assert "profile it again" in found["mine"]["fault"]
