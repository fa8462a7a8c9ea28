from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest

from paretrim.errors import InvalidDataset
from service.npz_file import inspect_npz
from tests.service import worlds


def inspect(**arrays: Any) -> dict[str, Any]:
    return inspect_npz(io.BytesIO(worlds.npz(**arrays)))


def arrays(**changes: Any) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    made: dict[str, Any] = {
        "train_x": rng.standard_normal((20, 3, 4, 4)).astype(np.float32),
        "train_y": rng.integers(0, 7, 20),
        "test_x": rng.standard_normal((5, 3, 4, 4)).astype(np.float32),
        "test_y": rng.integers(0, 7, 5),
    }
    return {name: value for name, value in (made | changes).items() if value is not None}


def test_splits_labels_and_what_will_be_carved_are_told() -> None:
    made = arrays(train_y=np.arange(20) % 9, extra=np.zeros(3))
    found = inspect(**made)
    train = {"samples": 20, "shape": [3, 4, 4], "dtype": "float32", "target_shape": [], "target_dtype": "int64"}
    assert found["splits"] == {"train": train, "test": train | {"samples": 5}}
    assert (found["classes"], found["label_min"], found["label_max"]) == (9, 0, 8)
    assert found["carved"] == ["validation"]
    assert found["warnings"] == ["arrays that mean nothing here are ignored: extra"]


def test_compressed_and_column_major_files_are_read_alike() -> None:
    made = arrays(train_y=np.asfortranarray(np.arange(20)[:, None]))
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **made)
    assert inspect_npz(buffer)["label_max"] == 19


def test_uint8_inputs_come_with_mean_and_std() -> None:
    made = arrays(train_x=np.ones((20, 3, 4, 4), np.uint8), test_x=np.ones((5, 3, 4, 4), np.uint8))
    with pytest.raises(InvalidDataset, match="mean and std"):
        inspect(**made)
    found = inspect(**made, mean=np.array([0.5, 0.4, 0.3]), std=np.array([0.2]))
    assert (found["mean"], found["std"]) == ([0.5, 0.4, 0.3], [0.2])


def test_a_train_split_may_go_without_labels_where_the_others_have_theirs() -> None:
    made = arrays(train_y=None)
    found = inspect(**made, validation_x=made["test_x"] + 1, validation_y=made["test_y"])
    assert found["unlabelled"] is True
    assert found["splits"]["train"]["samples"] == 20
    assert "declare data: unlabeled" in found["warnings"][0]
    assert "unlabelled" not in inspect(**arrays())


def test_float_targets_are_no_classes() -> None:
    found = inspect(**arrays(train_y=np.zeros((20, 2), np.float32), test_y=np.zeros((5, 2), np.float32)))
    assert (found["classes"], found["splits"]["train"]["target_shape"]) == (None, [2])


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"train_x": None, "train_y": None, "test_x": None, "test_y": None, "x": np.zeros(3)}, "train_x", "holds x"),
        ({"train_y": None}, "train_y", "at least those of validation and test"),
        ({"train_y": None, "test_y": None}, "train_y", "judged on validation and test rows with labels"),
        ({"test_y": None}, "test_y", "networks are judged on them"),
        ({"train_x": None}, "train_x", "beside it"),
        ({"train_y": np.zeros(19, int)}, "train_y", "20 rows"),
        ({"train_y": np.zeros((20, 7), int)}, "train_y", "argmax"),
        ({"train_y": np.full(20, -1)}, "train_y", "label -1"),
        ({"train_x": np.zeros((20,), np.float32)}, "train_x", "rows"),
        ({"train_x": np.zeros((0, 3, 4, 4), np.float32), "train_y": np.zeros(0, int)}, "train_x", "rows"),
        ({"test_x": np.ones((5, 3, 4, 5), np.float32)}, "test_x", "alike"),
        ({"test_x": np.ones((5, 3, 4, 4), np.float64)}, "test_x", "alike"),
        ({"train_x": np.full((20, 3, 4, 4), np.nan, np.float32)}, "train_x", "960 values that are not finite"),
        ({"test_y": np.array([0, 1, 2, np.inf, 0])}, "test_y", "not finite"),
        ({"train_x": np.ones((20, 3, 4, 4), np.complex64)}, "train_x", "complex64"),
        ({"train_x": np.ones((20, 3, 4, 4), bool), "test_x": np.ones((5, 3, 4, 4), bool)}, "train_x", "truth"),
        ({"mean": np.zeros(3)}, "std", "come together"),
        ({"mean": np.zeros(2), "std": np.ones(2)}, "mean", "1 or 3"),
        ({"mean": np.zeros(3), "std": np.zeros(3)}, "std", "above 0"),
        ({"train_x": None, "train_y": None}, "validation_x", "carve"),
        ({"train_x": np.ones((9, 3, 4, 4), np.float32), "train_y": np.zeros(9, int)}, "train_x", "10 are needed"),
    ],
)
def test_what_is_wrong_is_named_with_the_remedy(changes: dict[str, Any], field: str, words: str) -> None:
    with pytest.raises(InvalidDataset, match=words) as caught:
        inspect(**arrays(**changes))
    assert caught.value.field == field


def test_it_agrees_with_what_the_job_will_do(tmp_path: Any) -> None:
    """What inspection takes, the search loads, and with the same splits."""
    from search.data import load_dataset

    content = worlds.dataset_file()
    (tmp_path / "data.npz").write_bytes(content)
    splits = load_dataset(tmp_path / "data.npz", 0).present()
    found = inspect_npz(io.BytesIO(content))
    assert {name: len(split) for name, split in splits.items()} == {n: s["samples"] for n, s in found["splits"].items()}
