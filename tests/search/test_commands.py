"""`paretrim run` at the door: what cannot begin is usage, not a failed job, and leaves the folder free."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from paretrim._torch_export import export_module
from paretrim.cli import main


@pytest.fixture
def files(tmp_path: Path) -> Path:
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


def _run(files: Path, model: str, data: str, *more: str) -> int:
    common = ["--device", "bit-serial", "--algorithms", "random", "--candidates", "2", "--executor", "inline"]
    return main(["run", str(files / model), str(files / data), "--out", str(files / "out"), *common, *more])


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
    files: Path, capfd: pytest.CaptureFixture[str], model: str, data: str, more: tuple[str, ...], said: str
) -> None:
    assert _run(files, model, data, *more) == 2
    assert said in capfd.readouterr().err
    assert _run(files, "model.onnx", "data.npz", "--deliver", "0") == 0


def test_a_folder_that_holds_a_job_is_not_begun_again(files: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert _run(files, "model.onnx", "data.npz", "--deliver", "0") == 0
    assert _run(files, "model.onnx", "data.npz", "--deliver", "0") == 2
    assert "--resume" in capfd.readouterr().err
