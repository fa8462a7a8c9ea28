from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from paretrim.errors import InvalidDataset
from search.data import Normalization, check_declared, check_fits, digest, load_dataset, rows_shared


def images(count: int, seed: int, classes: int = 3) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (count, 2, 4, 4), dtype=np.uint8), rng.integers(0, classes, count)


def saved(folder: Path, **arrays: Any) -> Path:
    path = folder / "data.npz"
    np.savez(path, **arrays)
    return path


def whole(seed: int = 0) -> dict[str, Any]:
    arrays: dict[str, Any] = {"mean": np.array([0.5, 0.25]), "std": np.array([0.5, 2.0])}
    for turn, (name, count) in enumerate([("train", 60), ("validation", 20), ("test", 20)]):
        arrays[f"{name}_x"], arrays[f"{name}_y"] = images(count, seed + turn)
    return arrays


def test_splits_are_taken_as_they_are_given(tmp_path: Path) -> None:
    arrays = whole()
    splits = load_dataset(saved(tmp_path, **arrays), seed=0)
    assert splits.train is not None
    assert splits.notes == ()
    for name, split in splits.present().items():
        assert (split.x == arrays[f"{name}_x"]).all()
        assert (split.y == arrays[f"{name}_y"]).all()


def test_bytes_are_scaled_and_normalized_by_channel(tmp_path: Path) -> None:
    arrays = whole()
    splits = load_dataset(saved(tmp_path, **arrays), seed=0)
    expected = (arrays["test_x"] / 255 - np.array([0.5, 0.25]).reshape(1, 2, 1, 1)) / np.array([0.5, 2.0]).reshape(
        1, 2, 1, 1
    )
    assert torch.allclose(splits.test.inputs(), torch.tensor(expected, dtype=torch.float32), atol=1e-6)


def test_floats_are_taken_as_the_network_takes_them() -> None:
    rows = np.random.default_rng(0).normal(size=(3, 2, 4)).astype(np.float32)
    assert (Normalization()(torch.from_numpy(rows)).numpy() == rows).all()


def test_wide_integers_stay_indices() -> None:
    assert Normalization()(torch.tensor([[1, 2, 3]], dtype=torch.int32)).dtype == torch.int64


def test_missing_splits_are_carved_from_train_by_seed_and_said_so(tmp_path: Path) -> None:
    x, y = images(100, seed=0)
    path = saved(tmp_path, train_x=x, train_y=y, mean=[0.0], std=[1.0])
    one, same, other = (load_dataset(path, seed) for seed in (0, 0, 1))
    assert {name: len(split) for name, split in one.present().items()} == {"train": 60, "validation": 20, "test": 20}
    assert one.summary() == same.summary()
    assert digest(one.test) != digest(other.test)
    assert len([note for note in one.notes if "carved" in note]) == 2
    together = np.concatenate([split.x for split in one.present().values()])
    assert sorted(row.tobytes() for row in together) == sorted(row.tobytes() for row in x)


def test_a_carved_split_has_every_class_in_its_share(tmp_path: Path) -> None:
    x, _ = images(100, seed=0)
    y = np.repeat([0, 1], [80, 20])
    splits = load_dataset(saved(tmp_path, train_x=x, train_y=y, mean=[0.0], std=[1.0]), seed=3)
    assert np.bincount(splits.validation.y).tolist() == [16, 4]


def test_rows_that_a_later_split_holds_are_dropped_and_counted(tmp_path: Path) -> None:
    arrays = whole()
    arrays["train_x"][:3] = arrays["test_x"][:3]
    arrays["train_x"][3] = arrays["validation_x"][5]
    arrays["validation_x"][0] = arrays["test_x"][9]
    splits = load_dataset(saved(tmp_path, **arrays), seed=0)
    assert rows_shared(splits.present().values()) == 0
    assert {name: len(split) for name, split in splits.present().items()} == {
        "train": 56,
        "validation": 19,
        "test": 20,
    }
    assert any(note.startswith("4 rows of train") for note in splits.notes)
    assert any(note.startswith("1 rows of validation") for note in splits.notes)


def test_duplicates_within_a_split_stay(tmp_path: Path) -> None:
    arrays = whole()
    arrays["train_x"][1] = arrays["train_x"][0]
    splits = load_dataset(saved(tmp_path, **arrays), seed=0)
    assert splits.train is not None
    assert len(splits.train) == 60


def test_a_validation_set_that_is_the_test_set_is_refused(tmp_path: Path) -> None:
    arrays = whole() | {"validation_x": whole()["test_x"], "validation_y": whole()["test_y"]}
    with pytest.raises(InvalidDataset, match="must not share rows") as caught:
        load_dataset(saved(tmp_path, **arrays), seed=0)
    assert caught.value.field == "validation_x"


def test_without_train_nothing_can_be_fine_tuned_and_it_says_so(tmp_path: Path) -> None:
    arrays = {name: value for name, value in whole().items() if not name.startswith("train")}
    splits = load_dataset(saved(tmp_path, **arrays), seed=0)
    assert splits.train is None
    assert "nothing is fine-tuned" in splits.notes[0]


def test_a_train_split_without_labels_can_only_be_looked_at(tmp_path: Path) -> None:
    arrays = whole()
    del arrays["train_y"]
    splits = load_dataset(saved(tmp_path, **arrays), seed=0)
    assert splits.train is not None
    assert len(splits.train) == 60
    assert "learn from its inputs only" in splits.notes[0]
    check_declared(splits, learns_from_labels=False)
    with pytest.raises(InvalidDataset, match="declare data: unlabeled"):
        check_declared(splits, learns_from_labels=True)


def test_the_top_five_of_five_classes_tell_nothing(tmp_path: Path) -> None:
    splits = load_dataset(saved(tmp_path, **whole()), seed=0)
    check_fits(splits, (2, 4, 4), (6,), "top5")
    with pytest.raises(InvalidDataset, match="choose metric 'top1'"):
        check_fits(splits, (2, 4, 4), (5,), "top5")


BROKEN: list[tuple[dict[str, Any], str, str]] = [
    ({"train_x": np.zeros((9, 2), object)}, "not an .npz file of plain arrays", ""),
    ({"train_x": np.full((60, 2, 4, 4), "a")}, "must be numbers", "train_x"),
    ({"train_y": np.zeros(59, int)}, "60 rows", "train_y"),
    ({"train_y": np.zeros((60, 2), int)}, "class numbers of shape", "train_y"),
    ({"train_y": None, "test_x": None, "test_y": None}, "at least those of validation and test", "train_y"),
    ({"train_y": None, "validation_y": None, "test_y": None}, "validation_y is missing too", "train_y"),
    ({"test_y": None}, "networks are judged on them", "test_y"),
    ({"validation_x": None}, "no validation_x beside it", "validation_x"),
    ({"mean": None}, "uint8 inputs need mean", "mean"),
    ({"mean": np.zeros(3)}, "mean must be 1 or 2", "mean"),
    ({"std": np.array([1.0, 0.0])}, "above 0", "std"),
    ({"validation_x": np.zeros((20, 2, 4, 5), np.uint8)}, "must be alike", "validation_x"),
]


@pytest.mark.parametrize(("change", "message", "field"), BROKEN)
def test_what_is_wrong_is_named_with_its_remedy(
    tmp_path: Path, change: dict[str, Any], message: str, field: str
) -> None:
    arrays = {name: value for name, value in (whole() | change).items() if value is not None}
    with pytest.raises(InvalidDataset, match=message) as caught:
        load_dataset(saved(tmp_path, **arrays), seed=0)
    assert (caught.value.field or "") == field


def test_values_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    x = np.zeros((20, 2), np.float32)
    x[3, 1] = np.nan
    with pytest.raises(InvalidDataset, match="1 values that are not finite"):
        load_dataset(saved(tmp_path, train_x=x, train_y=np.zeros(20, int)), seed=0)


def test_a_file_that_is_no_archive_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "data.npz"
    path.write_bytes(b"PK\x03\x04 and then nothing")
    with pytest.raises(InvalidDataset, match=r"numpy\.savez"):
        load_dataset(path, seed=0)


def test_pickled_arrays_are_never_loaded(tmp_path: Path) -> None:
    with pytest.raises(InvalidDataset):
        load_dataset(saved(tmp_path, train_x=np.array([print], dtype=object)), seed=0)


def test_rows_must_fit_the_input_of_the_model(tmp_path: Path) -> None:
    splits = load_dataset(saved(tmp_path, **whole()), seed=0)
    check_fits(splits, (2, 4, 4), (3,), "top1")
    with pytest.raises(InvalidDataset, match=r"the model takes \(2, 8, 8\)") as caught:
        check_fits(splits, (2, 8, 8), (3,), "top1")
    assert caught.value.field == "train_x"
    with pytest.raises(InvalidDataset, match="NHWC"):
        check_fits(splits, (4, 2, 4), (3,), "top1")


def test_labels_must_be_within_what_the_model_tells_apart(tmp_path: Path) -> None:
    splits = load_dataset(saved(tmp_path, **whole()), seed=0)
    with pytest.raises(InvalidDataset, match="labels 0 to 2, the model tells 2 classes apart"):
        check_fits(splits, (2, 4, 4), (2,), "top1")
    with pytest.raises(InvalidDataset, match="metric 'mse'"):
        check_fits(splits, (2, 4, 4), (3,), "mse")


def test_a_sample_is_chosen_by_the_seed_and_keeps_its_order(tmp_path: Path) -> None:
    test = load_dataset(saved(tmp_path, **whole()), seed=0).test
    chosen = test.sample(7, seed=1)
    assert (chosen.x == test.sample(7, seed=1).x).all()
    places = [next(i for i, row in enumerate(test.x) if (row == one).all()) for one in chosen.x]
    assert places == sorted(places)
    assert test.sample(None, seed=1) is test
