"""A dataset file in, three disjoint splits out.

Rows that occur in two splits would let the search see what it is judged on. Exact duplicates do occur in real data, so
a row that also lies in a later split of train -> validation -> test is dropped from the earlier one and counted in
`notes`; a split that would lose half of its rows that way is a mistake and is refused.
"""

from __future__ import annotations

import hashlib
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from paretrim.errors import InvalidDataset

Array = npt.NDArray[Any]

SPLITS = ("train", "validation", "test")
#: marks arrays whose train_y is made up
NO_TARGETS = "no train_y"
ARRAYS = frozenset({f"{split}_{part}" for split in SPLITS for part in "xy"} | {"mean", "std"})

#: bytes of arrays a dataset may hold when unpacked
LARGEST_BYTES = 16 * 2**30
#: rows below which a fifth instead of a tenth is carved, so that accuracies are not too coarse
MANY_ROWS = 20_000
#: fewest rows anything can be carved from
FEWEST_ROWS = 10


@dataclass(frozen=True, slots=True)
class Normalization:
    """What turns stored values into what the network takes: (x * scale - mean) / std, by channel."""

    scale: float = 1.0  #: 1/255 for uint8
    mean: tuple[float, ...] = (0.0,)  #: one for all channels, or one each
    std: tuple[float, ...] = (1.0,)

    def __call__(self, rows: Tensor) -> Tensor:
        """Network inputs. Integers wider than 8 bits are indices, and stay integers.

        rows: (n, *input_shape). Returns the same shape, float32 or int64.
        """
        if not rows.is_floating_point() and rows.dtype != torch.uint8:
            return rows.long()
        if self == Normalization():
            return rows.float()
        extent = (1, -1) + (1,) * (rows.dim() - 2) if rows.dim() > 1 else (1,)
        mean, std = (torch.tensor(part, dtype=torch.float32).reshape(extent) for part in (self.mean, self.std))
        return (rows * self.scale).sub_(mean).div_(std)


@dataclass(frozen=True, slots=True)
class Split:
    """Rows as stored, with their labels (n,) int64 or targets (n, ...) float32."""

    x: Array
    y: Array
    normalization: Normalization = Normalization()
    has_targets: bool = True  #: whether `y` was given; else it is zeros, which nobody may learn from

    def __len__(self) -> int:
        return len(self.x)

    def stored(self) -> Tensor:
        """The rows as they are stored; `normalization` makes network inputs of them."""
        return _tensor(self.x)

    def inputs(self, start: int = 0, stop: int | None = None) -> Tensor:
        """Rows start..stop-1 as the network takes them."""
        return self.normalization(_tensor(self.x[start:stop]))

    def targets(self, start: int = 0, stop: int | None = None) -> Tensor:
        """Labels (n,) int64, or targets (n, ...) float32."""
        return _tensor(self.y[start:stop])

    def take(self, rows: npt.NDArray[np.intp]) -> Split:
        """The rows named, in that order."""
        return replace(self, x=self.x[rows], y=self.y[rows])

    def sample(self, count: int | None, seed: int) -> Split:
        """`count` rows chosen by the seed, in their old order; all of them if None or fewer."""
        if count is None or count >= len(self):
            return self
        return self.take(np.sort(np.random.default_rng(seed).permutation(len(self))[:count]))

    @property
    def is_labelled(self) -> bool:
        """Whether targets are class numbers."""
        return self.y.dtype.kind == "i"


@dataclass(frozen=True, slots=True)
class Splits:
    """Three disjoint parts of a dataset, and what was done to make them so."""

    train: Split | None  #: None: the file has none; calibrate on validation, and do not fine-tune
    validation: Split
    test: Split
    notes: tuple[str, ...] = ()

    def present(self) -> dict[str, Split]:
        """The splits there are, by name."""
        parts = {"train": self.train, "validation": self.validation, "test": self.test}
        return {name: split for name, split in parts.items() if split is not None}

    def summary(self) -> dict[str, Any]:
        """JSON: how many rows, and a digest of them, by split. Equal digests mean equal rows in equal order."""
        return {name: {"samples": len(split), "sha256": digest(split)} for name, split in self.present().items()}


def load_dataset(path: Path, seed: int) -> Splits:
    """Read an .npz file and cut it into disjoint splits. Raises InvalidDataset naming the array and the remedy."""
    arrays, notes = _read(path)
    normalization = _normalization(arrays)
    _give_targets(arrays)
    given = {name: _split(name, arrays, normalization) for name in SPLITS if f"{name}_x" in arrays}
    if NO_TARGETS in arrays:
        given["train"] = replace(given["train"], has_targets=False)
        notes.append("train has no labels: networks can learn from its inputs only")
    for name in SPLITS:
        if name not in given and f"{name}_y" in arrays:
            raise InvalidDataset(f"{name}_y has no {name}_x beside it; add it, or leave both out", field=f"{name}_x")
    _check_alike(given)
    splits, carved = _carve(given, seed)
    splits, dropped = _disjoint(splits)
    return Splits(splits.get("train"), splits["validation"], splits["test"], (*notes, *carved, *dropped))


def _give_targets(arrays: dict[str, Array]) -> None:
    """Zeros for a train split without labels, where the other two have theirs. Raises InvalidDataset without them."""
    if "train_x" not in arrays or "train_y" in arrays:
        return
    missing = [f"{name}_{part}" for name in SPLITS[1:] for part in "xy" if f"{name}_{part}" not in arrays]
    if missing:
        raise InvalidDataset(
            f"train_x has no train_y beside it, and {missing[0]} is missing too. Networks are judged on validation and"
            " test rows with labels, whatever they learn from: add the labels, or at least those of validation and test"
            " (then declare data: unlabeled)",
            field="train_y",
        )
    like = arrays["validation_y"]
    arrays["train_y"] = np.zeros((len(arrays["train_x"]), *like.shape[1:]), like.dtype)
    arrays[NO_TARGETS] = np.zeros(0)


def check_declared(splits: Splits, *, learns_from_labels: bool) -> None:
    """Raise InvalidDataset if a job that learns from labels has none to learn from."""
    if learns_from_labels and splits.train is not None and not splits.train.has_targets:
        raise InvalidDataset(
            "train_x has no train_y beside it; add the labels, or declare data: unlabeled", field="train_y"
        )


def check_fits(splits: Splits, input_shape: tuple[int, ...], output_shape: tuple[int, ...], metric: str) -> None:
    """Raise InvalidDataset unless the rows are inputs of the model and the labels can be its answers.

    Shapes are without the batch dimension.
    """
    for name, split in splits.present().items():
        _check_input(name, split.x, input_shape)
        if metric in ("top1", "top5"):
            classes = max(2, output_shape[-1] if output_shape else 1)
            _check_labels(name, split, classes)
            if metric == "top5" and classes <= 5:
                raise InvalidDataset(
                    f"metric 'top5' tells nothing of {classes} classes: it is always 1; choose metric 'top1'",
                    field="metric",
                )
        elif metric == "auc":
            _check_labels(name, split, 2)
        elif split.y.shape[1:] != output_shape or split.is_labelled:
            raise InvalidDataset(
                f"{name}_y has shape {split.y.shape[1:]} a row and type {split.y.dtype}; metric 'mse' compares it with"
                f" the model's output, float of shape {output_shape}",
                field=f"{name}_y",
            )


def digest(split: Split) -> str:
    """Of the stored rows, their labels and their order."""
    sha = hashlib.sha256()
    for part in (split.x, split.y):
        sha.update(f"{part.dtype.str}{part.shape}".encode())
        sha.update(np.ascontiguousarray(part).data)
    return sha.hexdigest()


def _tensor(values: Array) -> Tensor:
    """The same memory; a copy only of what lies in Ray's store, which must not be written."""
    return torch.from_numpy(values if values.flags.writeable else values.copy())


def _read(path: Path) -> tuple[dict[str, Array], list[str]]:
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(member.file_size for member in archive.infolist())
        if unpacked > LARGEST_BYTES:
            raise InvalidDataset(f"the dataset unpacks to {unpacked:,} bytes; at most {LARGEST_BYTES:,} are taken")
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files if name in ARRAYS}
            unknown = sorted(set(file.files) - ARRAYS)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError) as error:
        if isinstance(error, InvalidDataset):
            raise
        raise InvalidDataset(
            f"not an .npz file of plain arrays ({error}); write it with numpy.savez(path, train_x=..., train_y=...)"
        ) from error
    notes = [f"arrays that mean nothing here were ignored: {', '.join(unknown)}"] if unknown else []
    if not any(f"{split}_x" in arrays for split in SPLITS):
        raise InvalidDataset(
            f"no train_x, validation_x or test_x; the file holds {', '.join(unknown) or 'nothing'}", field="train_x"
        )
    return arrays, notes


def _normalization(arrays: Mapping[str, Array]) -> Normalization:
    stored = next(arrays[f"{name}_x"] for name in SPLITS if f"{name}_x" in arrays)
    missing = [name for name in ("mean", "std") if name not in arrays]
    if stored.dtype == np.uint8 and missing:
        raise InvalidDataset(
            f"uint8 inputs need {' and '.join(missing)}: the network is given (x / 255 - mean) / std; add the arrays"
            " (mean = [0], std = [1] if it was trained on x / 255)",
            field=missing[0],
        )
    if len(missing) == 1:
        raise InvalidDataset(f"mean and std come together; {missing[0]} is missing", field=missing[0])
    scale = 1 / 255 if stored.dtype == np.uint8 else 1.0
    if missing:
        return Normalization(scale)
    channels = stored.shape[1] if stored.ndim > 1 else 1
    mean, std = (_channel_values(name, arrays[name], channels) for name in ("mean", "std"))
    if min(std) <= 0:
        raise InvalidDataset("std must be above 0 in every channel", field="std")
    return Normalization(scale, mean, std)


def _channel_values(name: str, values: Array, channels: int) -> tuple[float, ...]:
    if values.dtype.kind not in "fiu" or values.size not in (1, channels) or not np.isfinite(values).all():
        raise InvalidDataset(
            f"{name} must be 1 or {channels} finite numbers, one a channel; got {values.dtype} of shape {values.shape}",
            field=name,
        )
    return tuple(float(value) for value in values.reshape(-1))


def _split(name: str, arrays: Mapping[str, Array], normalization: Normalization) -> Split:
    x, y = arrays[f"{name}_x"], arrays.get(f"{name}_y")
    if y is None:
        raise InvalidDataset(
            f"{name}_x has no {name}_y beside it; add the labels: networks are judged on them", field=f"{name}_y"
        )
    if x.ndim < 2 or len(x) == 0:
        raise InvalidDataset(f"{name}_x must hold rows, got shape {x.shape}", field=f"{name}_x")
    if y.ndim == 2 and y.shape[1] == 1 and y.dtype.kind in "iu":
        y = y[:, 0]
    if len(y) != len(x):
        raise InvalidDataset(f"{name}_x has {len(x)} rows, {name}_y has {len(y)}", field=f"{name}_y")
    if y.dtype.kind not in "iuf" or (y.dtype.kind in "iu" and y.ndim != 1):
        raise InvalidDataset(
            f"{name}_y must be class numbers of shape ({len(x)},) or float targets, got {y.dtype} of shape {y.shape}",
            field=f"{name}_y",
        )
    _check_values(f"{name}_x", x)
    _check_values(f"{name}_y", y)
    if x.dtype.kind == "f":
        x = x.astype(np.float32, copy=False)
    return Split(x, y.astype(np.float32 if y.dtype.kind == "f" else np.int64, copy=False), normalization)


def _check_values(name: str, values: Array) -> None:
    if values.dtype.kind not in "iuf":
        raise InvalidDataset(f"{name} must be numbers, got {values.dtype}", field=name)
    if values.dtype.kind == "f":
        bad = int(np.size(values) - np.count_nonzero(np.isfinite(values)))
        if bad:
            raise InvalidDataset(f"{name} holds {bad} values that are not finite; remove those rows", field=name)


def _check_alike(given: Mapping[str, Split]) -> None:
    first, *others = given
    for name in others:
        for part in "xy":
            one, other = getattr(given[first], part), getattr(given[name], part)
            if one.shape[1:] != other.shape[1:] or one.dtype != other.dtype:
                raise InvalidDataset(
                    f"{name}_{part} is {other.dtype} of shape {other.shape[1:]} a row,"
                    f" {first}_{part} is {one.dtype} of shape {one.shape[1:]}; they must be alike",
                    field=f"{name}_{part}",
                )


def _carve(given: Mapping[str, Split], seed: int) -> tuple[dict[str, Split], list[str]]:
    """Take what is missing of validation and test from train, the same share of every class."""
    missing = [name for name in ("validation", "test") if name not in given]
    if "train" not in given and missing:
        raise InvalidDataset(
            f"{missing[0]}_x is missing and there is no train_x to carve it from; add one of the two",
            field=f"{missing[0]}_x",
        )
    without_train = (
        "no train split: statistics are taken on validation and nothing is fine-tuned, unless the job has data: none"
    )
    notes = [] if "train" in given else [without_train]
    if not missing:
        return dict(given), notes
    train = given["train"]
    if len(train) < FEWEST_ROWS:
        raise InvalidDataset(
            f"train_x has {len(train)} rows; to carve {' and '.join(missing)} from it, {FEWEST_ROWS} are needed",
            field="train_x",
        )
    step = 10 if len(train) >= MANY_ROWS else 5
    order = np.random.default_rng(seed).permutation(len(train))
    if train.is_labelled:
        order = order[np.argsort(train.y[order], kind="stable")]
    place = np.empty(len(train), dtype=np.intp)
    place[order] = np.arange(len(train)) % step
    parts = dict(given)
    for turn, name in enumerate(missing):
        parts[name] = train.take(np.flatnonzero(place == turn))
        notes.append(f"{name} was carved from train with seed {seed}: {len(parts[name])} of {len(train)} rows")
    parts["train"] = train.take(np.flatnonzero(place >= len(missing)))
    return parts, notes


def _disjoint(splits: Mapping[str, Split]) -> tuple[dict[str, Split], list[str]]:
    """Drop from each split the rows that a later one holds."""
    parts = {name: splits[name] for name in SPLITS if name in splits}
    marks = {name: _marks(split.x) for name, split in parts.items()}
    notes = []
    for position, name in enumerate(parts):
        later = set().union(*(marks[other] for other in list(parts)[position + 1 :]))
        keep = np.array([mark not in later for mark in marks[name]], dtype=bool)
        lost = int((~keep).sum())
        if not lost:
            continue
        if 2 * lost > len(keep):
            raise InvalidDataset(
                f"{lost} of the {len(keep)} rows of {name}_x also lie in a later split; splits must not share rows"
                f" (leave validation or test out to have them carved from train)",
                field=f"{name}_x",
            )
        parts[name] = parts[name].take(np.flatnonzero(keep))
        marks[name] = [mark for mark, kept in zip(marks[name], keep, strict=True) if kept]
        notes.append(f"{lost} rows of {name} also lie in a later split and were dropped from {name}")
    return parts, notes


def _marks(rows: Array) -> list[bytes]:
    """A digest of every row."""
    flat = np.ascontiguousarray(rows).reshape(len(rows), -1)
    return [hashlib.blake2b(row.data, digest_size=16).digest() for row in flat]


def _check_input(name: str, x: Array, input_shape: tuple[int, ...]) -> None:
    if x.shape[1:] == input_shape:
        return
    remedy = f"reshape it to (n, {', '.join(map(str, input_shape))})"
    if len(input_shape) == 3 and x.shape[1:] == (*input_shape[1:], input_shape[0]):
        remedy = "it looks like NHWC: transpose it with x.transpose(0, 3, 1, 2)"
    raise InvalidDataset(
        f"{name}_x has rows of shape {x.shape[1:]}, the model takes {input_shape}; {remedy}", field=f"{name}_x"
    )


def _check_labels(name: str, split: Split, classes: int) -> None:
    if not split.is_labelled:
        raise InvalidDataset(f"{name}_y must be class numbers (integers), got {split.y.dtype}", field=f"{name}_y")
    low, high = int(split.y.min()), int(split.y.max())
    if low < 0 or high >= classes:
        raise InvalidDataset(
            f"{name}_y holds labels {low} to {high}, the model tells {classes} classes apart: use 0 to {classes - 1}",
            field=f"{name}_y",
        )


def rows_shared(splits: Iterable[Split]) -> int:
    """How many rows lie in more than one of the splits: 0, or they are not disjoint."""
    seen: set[bytes] = set()
    shared = 0
    for split in splits:
        own = set(_marks(split.x))
        shared += len(own & seen)
        seen |= own
    return shared
