"""Looks into an .npz file without trusting anything it says about itself.

The headers are read directly and no array is loaded but labels, `mean` and `std`; the others are only streamed, to see
that they are as long as they claim and finite. Nothing here can execute what the file holds: object arrays are refused.
"""

from __future__ import annotations

import math
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from paretrim.errors import InvalidDataset

Array = npt.NDArray[Any]

SPLITS = ("train", "validation", "test")
KNOWN = frozenset({f"{split}_{part}" for split in SPLITS for part in "xy"} | {"mean", "std"})
MOST_MEMBERS = 64
MOST_BYTES = 8 * 2**30  #: of all arrays, unpacked
MOST_RATIO = 200  #: unpacked / packed; zeros compress 1000 : 1, images never 200 : 1
FREE_BYTES = 2**20  #: arrays so small may compress better than that
MOST_HEADER_BYTES = 10_000
MOST_LABEL_BYTES = 256 * 2**20
MOST_EXTENT = 2**40
FEWEST_ROWS = 10  #: from which other splits can be carved
CHUNK_BYTES = 2**20
_LOCAL_HEADER_BYTES = 30
_REMEDY = "write the file with numpy.savez(path, train_x=..., train_y=...)"


@dataclass(frozen=True, slots=True)
class Header:
    """What an array says of itself, after it was checked against the file."""

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    fortran: bool
    offset: int  #: of the first element within the member

    @property
    def data_bytes(self) -> int:
        """Length of the elements."""
        return math.prod(self.shape) * self.dtype.itemsize


def inspect_npz(file: IO[bytes]) -> dict[str, Any]:
    """What the dataset holds, as JSON. Raises InvalidDataset naming the array at fault and the remedy."""
    try:
        with zipfile.ZipFile(file) as archive:
            members = _members(archive)
            headers = {name: _header(archive, member, name) for name, member in members.items()}
            values = {name: _contents(archive, members[name], header) for name, header in headers.items()}
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, struct.error, OSError) as error:
        raise InvalidDataset(f"this is not an .npz file ({error}); {_REMEDY}", field="dataset") from error
    return _describe(headers, {name: value for name, value in values.items() if value is not None})


def _members(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    infos = archive.infolist()
    if not infos:
        raise InvalidDataset(f"the file holds nothing; {_REMEDY}", field="dataset")
    if len(infos) > MOST_MEMBERS:
        raise InvalidDataset(f"the file holds {len(infos)} members; at most {MOST_MEMBERS} are taken", field="dataset")
    total = sum(info.file_size for info in infos)
    if total > MOST_BYTES:
        raise InvalidDataset(f"the file unpacks to {total} bytes; at most {MOST_BYTES} are taken", field="dataset")
    members: dict[str, zipfile.ZipInfo] = {}
    for info in infos:
        name = _member_name(info)
        if name in members:
            raise InvalidDataset(f"the file holds {name!r} twice", field=name)
        members[name] = info
    _check_no_overlap(infos)
    return members


def _member_name(info: zipfile.ZipInfo) -> str:
    name = info.filename
    if not name.endswith(".npy") or "/" in name or "\\" in name or ":" in name or name.startswith("."):
        shown = name[:80]
        raise InvalidDataset(f"the file holds {shown!r}, which is not a plain array; {_REMEDY}", field="dataset")
    if stat.S_ISLNK(info.external_attr >> 16) or info.flag_bits & 0x1:
        raise InvalidDataset(f"{name[:80]!r} is a link or encrypted; {_REMEDY}", field="dataset")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise InvalidDataset(f"{name[:80]!r} is packed in a way numpy does not use; {_REMEDY}", field="dataset")
    if info.file_size > max(FREE_BYTES, MOST_RATIO * info.compress_size):
        raise InvalidDataset(
            f"{name[:80]!r} would unpack to {info.file_size} bytes from {info.compress_size}: it holds next to nothing;"
            " real data does not compress so well",
            field=name[: -len(".npy")][:80],
        )
    return name[: -len(".npy")][:80]


def _check_no_overlap(infos: list[zipfile.ZipInfo]) -> None:
    """Members that share bytes unpack to far more than the file holds."""
    end = 0
    for info in sorted(infos, key=lambda info: info.header_offset):
        if info.header_offset < end:
            raise InvalidDataset("members of the file overlap; it was not written by numpy", field="dataset")
        end = info.header_offset + _LOCAL_HEADER_BYTES + info.compress_size


def _header(archive: zipfile.ZipFile, member: zipfile.ZipInfo, name: str) -> Header:
    with archive.open(member) as stream:
        try:
            version = np.lib.format.read_magic(stream)
            read = {
                (1, 0): np.lib.format.read_array_header_1_0,
                (2, 0): np.lib.format.read_array_header_2_0,
            }[version]
            shape, fortran, dtype = read(stream, max_header_size=MOST_HEADER_BYTES)
        except (ValueError, KeyError, TypeError, SyntaxError, RecursionError, OverflowError, MemoryError) as error:
            raise InvalidDataset(f"{name} is not an array of numpy's format ({error})"[:300], field=name) from None
        header = Header(name, tuple(shape), dtype, fortran, stream.tell())
    _check_header(header, member)
    return header


def _check_header(header: Header, member: zipfile.ZipInfo) -> None:
    name = header.name
    if header.dtype.hasobject:
        raise InvalidDataset(f"{name} holds Python objects; only arrays of numbers are taken", field=name)
    if header.dtype.kind not in "uifb" or header.dtype.itemsize > 8 or header.dtype.fields is not None:
        raise InvalidDataset(f"{name} holds {header.dtype}; only numbers of up to 64 bits are taken", field=name)
    if len(header.shape) > 8 or any(not 0 <= extent <= MOST_EXTENT for extent in header.shape):
        raise InvalidDataset(f"{name} has the shape {header.shape}, which cannot be", field=name)
    held = member.file_size - header.offset
    if header.data_bytes != held:
        raise InvalidDataset(
            f"{name} claims the shape {header.shape} of {header.dtype}, but has {held} bytes",
            field=name,
        )


def _contents(archive: zipfile.ZipFile, member: zipfile.ZipInfo, header: Header) -> Array | None:
    """Labels, mean and std as arrays; the others are looked through and None. The checksum is verified either way."""
    keep = header.name.endswith("_y") or header.name in ("mean", "std")
    if keep and header.data_bytes > MOST_LABEL_BYTES:
        raise InvalidDataset(f"{header.name} has {header.data_bytes} bytes, more than labels have", field=header.name)
    kept = bytearray()
    bad = 0
    for chunk in _chunks(archive, member, header):
        if keep:
            kept += chunk
        if header.dtype.kind == "f":
            values = np.frombuffer(chunk, dtype=header.dtype)
            bad += values.size - int(np.count_nonzero(np.isfinite(values)))
    if bad:
        raise InvalidDataset(
            f"{header.name} holds {bad} values that are not finite; remove those rows", field=header.name
        )
    if not keep:
        return None
    return np.frombuffer(bytes(kept), dtype=header.dtype).reshape(header.shape, order="F" if header.fortran else "C")


def _chunks(archive: zipfile.ZipFile, member: zipfile.ZipInfo, header: Header) -> Iterator[bytes]:
    """The elements, in pieces of whole elements."""
    size = CHUNK_BYTES // header.dtype.itemsize * header.dtype.itemsize
    with archive.open(member) as stream:
        stream.read(header.offset)
        rest = b""
        while piece := stream.read(size):
            rest += piece
            whole = len(rest) // header.dtype.itemsize * header.dtype.itemsize
            yield rest[:whole]
            rest = rest[whole:]


def _describe(headers: Mapping[str, Header], values: Mapping[str, Array]) -> dict[str, Any]:
    splits: dict[str, dict[str, Any]] = {}
    unlabelled = "train_x" in headers and "train_y" not in headers
    if unlabelled:
        _check_judged(headers)
        headers = {**headers, "train_y": _zeros(headers)}
    for split in SPLITS:
        if f"{split}_x" in headers:
            splits[split] = _split(split, headers)
        elif f"{split}_y" in headers:
            raise InvalidDataset(f"{split}_y has no {split}_x beside it; add it, or leave both out", field=f"{split}_x")
    if not splits:
        held = ", ".join(sorted(headers)[:8])
        raise InvalidDataset(f"there is no train_x, validation_x or test_x; the file holds {held}", field="train_x")
    _check_alike(splits)
    first = next(iter(splits.values()))
    targets = {split: values[f"{split}_y"] for split in splits if f"{split}_y" in values}
    unknown = sorted(set(headers) - KNOWN)
    warnings = [f"arrays that mean nothing here are ignored: {', '.join(unknown)}"] if unknown else []
    if unlabelled:
        warnings.append("train has no labels: jobs on it declare data: unlabeled, or none")
    return {
        "splits": splits,
        **({"unlabelled": True} if unlabelled else {}),
        **_labels(targets),
        **_normalization(first, values),
        "carved": _carved(splits),
        "warnings": warnings,
    }


def _check_judged(headers: Mapping[str, Header]) -> None:
    """A train split may go without labels, if the other two have theirs."""
    missing = [f"{split}_{part}" for split in SPLITS[1:] for part in "xy" if f"{split}_{part}" not in headers]
    if missing:
        raise InvalidDataset(
            f"train_x has no train_y beside it, and {missing[0]} is missing too. Networks are judged on validation and"
            " test rows with labels, whatever they learn from: add the labels, or at least those of validation and test"
            " (and let jobs declare data: unlabeled)",
            field="train_y",
        )


def _zeros(headers: Mapping[str, Header]) -> Header:
    """What stands for the labels of train."""
    like = headers["validation_y"]
    rows = headers["train_x"].shape[:1] or (0,)
    return replace(like, name="train_y", shape=rows + like.shape[1:])


def _split(split: str, headers: Mapping[str, Header]) -> dict[str, Any]:
    x, y = headers[f"{split}_x"], headers.get(f"{split}_y")
    if y is None:
        raise InvalidDataset(
            f"{split}_x has no {split}_y beside it; add the labels: networks are judged on them", field=f"{split}_y"
        )
    if len(x.shape) < 2 or 0 in x.shape:
        raise InvalidDataset(f"{split}_x must hold rows, got shape {x.shape}", field=f"{split}_x")
    if not y.shape or y.shape[0] != x.shape[0]:
        raise InvalidDataset(f"{split}_x has {x.shape[0]} rows, {split}_y has shape {y.shape}", field=f"{split}_y")
    if x.dtype.kind == "b" or y.dtype.kind == "b":
        raise InvalidDataset(f"{split} holds truth values; store numbers", field=f"{split}_x")
    flat = len(y.shape) == 1 or (len(y.shape) == 2 and y.shape[1] == 1)
    if y.dtype.kind in "iu" and not flat:
        raise InvalidDataset(
            f"{split}_y must hold one class number a row, got shape {y.shape}; one-hot labels: take argmax(axis=1)",
            field=f"{split}_y",
        )
    return {
        "samples": x.shape[0],
        "shape": list(x.shape[1:]),
        "dtype": str(x.dtype),
        "target_shape": [] if y.dtype.kind in "iu" else list(y.shape[1:]),
        "target_dtype": str(y.dtype),
    }


def _check_alike(splits: Mapping[str, Mapping[str, Any]]) -> None:
    first, *others = splits
    for other in others:
        for part, field in (("shape", "x"), ("dtype", "x"), ("target_shape", "y")):
            if splits[first][part] != splits[other][part]:
                raise InvalidDataset(
                    f"{other}_{field} has {part} {splits[other][part]} a row, {first}_{field} has"
                    f" {splits[first][part]}; they must be alike",
                    field=f"{other}_{field}",
                )


def _labels(targets: Mapping[str, Array]) -> dict[str, Any]:
    if any(values.dtype.kind == "f" for values in targets.values()):
        return {"classes": None, "label_min": None, "label_max": None}
    low = min(int(values.min()) for values in targets.values())
    high = max(int(values.max()) for values in targets.values())
    if low < 0:
        split = next(name for name, values in targets.items() if values.min() < 0)
        raise InvalidDataset(f"{split}_y holds the label {low}; classes are numbered from 0", field=f"{split}_y")
    return {"classes": high + 1, "label_min": low, "label_max": high}


def _normalization(split: Mapping[str, Any], values: Mapping[str, Array]) -> dict[str, Any]:
    missing = [name for name in ("mean", "std") if name not in values]
    if split["dtype"] == "uint8" and missing:
        raise InvalidDataset(
            f"uint8 inputs need {' and '.join(missing)}: the model is given (x / 255 - mean) / std; add the arrays"
            " (mean = [0], std = [1] if it was trained on x / 255)",
            field=missing[0],
        )
    if len(missing) == 1:
        raise InvalidDataset(f"mean and std come together; {missing[0]} is missing", field=missing[0])
    if missing:
        return {"mean": None, "std": None}
    channels = split["shape"][0]
    for name in ("mean", "std"):
        if values[name].size not in (1, channels):
            raise InvalidDataset(f"{name} must have 1 or {channels} values, got {values[name].size}", field=name)
    if float(values["std"].min()) <= 0:
        raise InvalidDataset("std must be above 0 in every channel", field="std")
    return {name: [float(value) for value in values[name].reshape(-1)] for name in ("mean", "std")}


def _carved(splits: Mapping[str, Any]) -> list[str]:
    """The splits that will be taken from train with the job's seed."""
    missing = [split for split in ("validation", "test") if split not in splits]
    if missing and "train" not in splits:
        raise InvalidDataset(
            f"{missing[0]}_x is missing and there is no train_x to carve it from; add one of the two",
            field=f"{missing[0]}_x",
        )
    if missing and splits["train"]["samples"] < FEWEST_ROWS:
        raise InvalidDataset(
            f"train_x has {splits['train']['samples']} rows; to carve {' and '.join(missing)} from it, {FEWEST_ROWS}"
            " are needed",
            field="train_x",
        )
    return missing
