"""The client against the real service over real HTTP."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from paretrim import Client, wire
from tests.paretrim.conftest import digits


def test_a_torch_module_arrives_with_its_layers_and_batch_normalisation(model: wire.Model) -> None:
    assert model.state == "ready"
    assert model.name == "small"
    assert model.inspection is not None
    assert [layer["name"] for layer in model.inspection["layers"]]
    kinds = [operation["kind"] for operation in model.inspection["network"]["operations"]]
    assert kinds.count("batch_norm") == 2
    assert kinds.count("conv2d") == 2


def test_arrays_arrive_as_splits(dataset: wire.Dataset) -> None:
    assert dataset.state == "ready"
    assert dataset.inspection is not None
    assert {name: split["samples"] for name, split in dataset.inspection["splits"].items()} == {
        "train": 200,
        "validation": 50,
        "test": 50,
    }


def test_what_was_uploaded_comes_back_byte_for_byte(client: Client, tmp_path: Path) -> None:
    x, y = digits(300)
    np.savez(tmp_path / "data.npz", train_x=x, train_y=y)
    dataset = client.datasets.upload(tmp_path / "data.npz")
    assert dataset.size_bytes > 4096 * 3, "several parts are wanted"
    back = client.datasets.download(dataset, tmp_path / "back.npz")
    assert back.read_bytes() == (tmp_path / "data.npz").read_bytes()
