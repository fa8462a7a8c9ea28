"""Arrays in the user's process become the `.npz` file that the service takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from paretrim.errors import InvalidDataset, ParetrimError

SPLITS = ("train", "validation", "test")

#: inputs (n, *shape) and labels (n,) of one split; anything numpy can make an array of. (inputs, None) for a train
#: split whose labels there are none of, beside validation and test that have theirs
Split = tuple[Any, Any]


def write_npz(
    to: Path,
    splits: Mapping[str, Split | None],
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
) -> None:
    """Write `train_x`, `train_y`, ... into one file, without pickle.

    splits: by name, None for a split that is not given. Inputs (n, *shape) as the model takes them, or uint8 with
    `mean` and `std` (one figure per channel). Raises InvalidDataset.
    """
    np = _numpy()
    arrays: dict[str, Any] = {}
    for name, split in splits.items():
        if split is not None:
            complete = all(splits.get(other) is not None for other in SPLITS)
            arrays |= _checked(name, split, optional=name == "train" and complete)
    if "train_x" not in arrays:
        raise InvalidDataset("a dataset needs train=(x, y); other splits are carved from it if absent", field="train")
    if (mean is None) != (std is None):
        raise InvalidDataset("mean and std belong together; give both or neither", field="mean")
    if mean is not None and std is not None:
        arrays["mean"], arrays["std"] = np.asarray(mean, np.float32), np.asarray(std, np.float32)
    with to.open("wb") as file:
        np.savez(file, **arrays)


def _checked(name: str, split: Split, *, optional: bool) -> dict[str, Any]:
    """Its arrays by their names in the file. optional: whether it may go without labels."""
    if not isinstance(split, tuple | list) or len(split) != 2:
        raise InvalidDataset(f"{name} must be a pair of arrays (inputs, labels)", field=name)
    if split[1] is None and not optional:
        raise InvalidDataset(
            f"{name} has no labels; networks are judged on them. A train split may go without, (inputs, None), beside"
            " validation and test that have theirs",
            field=name,
        )
    x, y = _plain(name, split[0]), None if split[1] is None else _plain(name, split[1])
    if y is None:
        return {f"{name}_x": x}
    if len(x) != len(y):
        raise InvalidDataset(f"{name} has {len(x)} inputs but {len(y)} labels; one label for each", field=name)
    if len(x) == 0:
        raise InvalidDataset(f"{name} is empty; leave it out instead", field=name)
    return {f"{name}_x": x, f"{name}_y": y}


def _plain(name: str, values: Any) -> Any:
    array = _numpy().asarray(values.detach().cpu() if hasattr(values, "detach") else values)
    if array.dtype.hasobject:
        raise InvalidDataset(f"{name} holds Python objects; give plain numbers of one shape", field=name)
    if array.ndim == 0:
        raise InvalidDataset(f"{name} holds a single number where an array was expected", field=name)
    return array


def _numpy() -> Any:
    try:
        import numpy
    except ImportError:
        raise ParetrimError("uploading arrays needs numpy: pip install 'paretrim[arrays]'") from None
    return numpy
