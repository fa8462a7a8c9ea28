"""Arrays become the file the service takes, or are refused with the split that is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from paretrim import Client, InvalidDataset
from paretrim._arrays import write_npz

X, Y = np.zeros((4, 1, 2, 2), np.float32), np.arange(4)


def test_splits_are_kept_as_they_are(tmp_path: Path) -> None:
    images = np.arange(4 * 12, dtype=np.uint8).reshape(4, 3, 2, 2)
    file = tmp_path / "x.npz"
    write_npz(file, {"train": (images, Y), "validation": (X, [0, 1, 0, 1]), "test": None}, [0.1] * 3, [0.2] * 3)
    with np.load(file) as data:
        assert sorted(data) == ["mean", "std", "train_x", "train_y", "validation_x", "validation_y"]
        assert data["train_x"].dtype == np.uint8
        np.testing.assert_array_equal(data["train_x"], images)
        assert data["validation_y"].tolist() == [0, 1, 0, 1]
        np.testing.assert_allclose(data["std"], 0.2)


def test_tensors_are_arrays_too(tmp_path: Path) -> None:
    write_npz(tmp_path / "x.npz", {"train": (torch.ones(4, 1, 2, 2, requires_grad=True), torch.arange(4))})
    with np.load(tmp_path / "x.npz") as data:
        assert data["train_x"].sum() == 16


def test_a_train_split_may_go_without_labels_if_the_others_have_theirs(tmp_path: Path) -> None:
    write_npz(tmp_path / "x.npz", {"train": (X, None), "validation": (X + 1, Y), "test": (X + 2, Y)})
    with np.load(tmp_path / "x.npz") as data:
        assert sorted(data) == ["test_x", "test_y", "train_x", "validation_x", "validation_y"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"train": (X, Y[:3])}, "train has 4 inputs but 3 labels"),
        ({"train": X}, "train must be a pair"),
        ({"train": (X, None)}, "train has no labels; networks are judged on them"),
        ({"train": (X, Y), "validation": (X, Y), "test": (X, None)}, "test has no labels"),
        ({"train": (X[:0], Y[:0])}, "train is empty"),
        ({"train": (np.array([{}, {}, {}, {}]), Y)}, "train holds Python objects"),
        ({"train": (X, 3)}, "train holds a single number"),
        ({"test": (X, Y)}, "needs train"),
        ({"train": (X, Y), "mean": [0.5]}, "mean and std belong together"),
        ({}, "either a file or arrays"),
        ({"dataset": "x.npz", "train": (X, Y)}, "either a file or arrays"),
        ({"dataset": "x.npz", "mean": [0.5]}, "mean and std of a file are in the file"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_sent(arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidDataset, match=said):
        Client("http://127.0.0.1:9", max_retries=0).datasets.upload(**arguments)
