"""Datasets that lie, blow up, or would be written where they should not be."""

from __future__ import annotations

import io
import struct
import zipfile
from typing import Any

import numpy as np

from tests.fuzz.hostile import DATASETS, DISGUISES, dataset, zipped


def npz(**arrays: Any) -> bytes:
    """A file that numpy itself writes."""
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def npy(header: str, data: bytes = b"", version: tuple[int, int] = (1, 0)) -> bytes:
    """An array with any header."""
    text = header.encode("latin-1") + b"\n"
    length = struct.pack("<H" if version == (1, 0) else "<I", len(text))
    return b"\x93NUMPY" + bytes(version) + length + text + data


def _described(descr: str, shape: str) -> str:
    return f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}"


LABELS = np.zeros(20, np.int64)


def _with_x(content: bytes, name: str = "train_x.npy") -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, LABELS)
    return zipped({name: content, "train_y.npy": buffer.getvalue()}, zipfile.ZIP_STORED)


@dataset
def objects() -> bytes:
    return npz(train_x=np.array([{"a": 1}] * 20, dtype=object), train_y=LABELS)


@dataset
def objects_by_header() -> bytes:
    return _with_x(npy(_described("'|O'", "(20, 4)"), DISGUISES["pickle_2"]))


@dataset
def structured_objects() -> bytes:
    return _with_x(npy(_described("[('a', '|O'), ('b', '<f4')]", "(20,)"), bytes(240)))


@dataset
def zeros_that_unpack_a_thousandfold() -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, train_x=np.zeros((20, 50_000_00), np.uint8), train_y=LABELS)
    return buffer.getvalue()


@dataset
def header_of_terabytes() -> bytes:
    return _with_x(npy(_described("'<f4'", f"({2**40}, 8)"), bytes(64)))


@dataset
def header_with_a_negative_extent() -> bytes:
    return _with_x(npy(_described("'<f4'", "(-20, -4)"), bytes(320)))


@dataset
def header_that_claims_less_than_there_is() -> bytes:
    return _with_x(npy(_described("'<f4'", "(20, 4)"), bytes(4000)))


@dataset
def header_that_is_a_program() -> bytes:
    return _with_x(npy("__import__('os').system('id')"))


@dataset
def header_that_is_nested_beyond_reason() -> bytes:
    return _with_x(npy("{'descr': '<f4', 'fortran_order': False, 'shape': " + "(" * 3000 + ")" * 3000 + "}"))


@dataset
def header_of_megabytes() -> bytes:
    return _with_x(npy(_described("'<f4'", "(20, 4)") + " " * 5_000_000, bytes(320), version=(2, 0)))


@dataset
def header_of_an_unknown_version() -> bytes:
    return _with_x(npy(_described("'<f4'", "(20, 4)"), bytes(320), version=(9, 9)))


@dataset
def shape_that_is_no_shape() -> bytes:
    return _with_x(npy(_described("'<f4'", "('20', 4)"), bytes(320)))


@dataset
def dtype_that_is_no_dtype() -> bytes:
    return _with_x(npy(_described("'<f99999999'", "(20, 4)"), bytes(320)))


@dataset
def dtype_of_text() -> bytes:
    return npz(train_x=np.array([["a" * 100]] * 20), train_y=LABELS)


for _how, _path in {
    "up": "../../../tmp/evil.npy",
    "absolute": "/tmp/evil.npy",
    "drive": "C:evil.npy",
    "backslash": "..\\evil.npy",
    "hidden": ".npy",
    "folder": "a/train_x.npy",
    "program": "train_x.py",
    "pickle": "train_x.pkl",
}.items():
    DATASETS[f"member_named_{_how}"] = lambda path=_path: _with_x(npy(_described("'<f4'", "(20, 4)"), bytes(320)), path)


@dataset
def a_link() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        entry = zipfile.ZipInfo("train_x.npy")
        entry.external_attr = 0o120777 << 16
        archive.writestr(entry, "/etc/passwd")
    return buffer.getvalue()


@dataset
def a_zip_within_a_zip() -> bytes:
    return zipped({"train_x.npy": zipped({"x": bytes(100)}), "train_y.npy": b""})


@dataset
def ten_thousand_members() -> bytes:
    return zipped({f"a{i}.npy": b"" for i in range(10_000)}, zipfile.ZIP_STORED)


@dataset
def the_same_member_twice() -> bytes:
    buffer = io.BytesIO()
    array = io.BytesIO()
    np.save(array, np.ones((20, 4), np.float32))
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in ("train_x.npy", "train_y.npy"):
            archive.writestr(name, array.getvalue())
    content = buffer.getvalue()
    return content.replace(b"train_y.npy", b"train_x.npy")


@dataset
def members_that_overlap() -> bytes:
    """Both entries of the directory lead to the same bytes."""
    content = bytearray(_with_x(npy(_described("'<f4'", "(20, 4)"), bytes(320))))
    first = content.index(b"PK\x01\x02")
    second = content.index(b"PK\x01\x02", first + 4)
    content[second + 42 : second + 46] = content[first + 42 : first + 46]
    return bytes(content)


@dataset
def directory_that_claims_a_larger_member() -> bytes:
    content = bytearray(_with_x(npy(_described("'<f4'", "(20, 4)"), bytes(320))))
    first = content.index(b"PK\x01\x02")
    content[first + 24 : first + 28] = struct.pack("<I", 2**31)
    return bytes(content)


@dataset
def wrong_checksum() -> bytes:
    content = bytearray(_with_x(npy(_described("'<f4'", "(20, 4)"), b"\x01" * 320)))
    at = content.index(b"\x01" * 320)
    content[at + 5] = 7
    return bytes(content)


@dataset
def broken_compression() -> bytes:
    content = bytearray(zipped({"train_x.npy": npy(_described("'<f4'", "(20, 400)"), bytes(range(250)) * 128)}))
    for at in range(80, 120):
        content[at] ^= 0xFF
    return bytes(content)


@dataset
def packed_in_a_way_numpy_does_not_use() -> bytes:
    return zipped({"train_x.npy": npy(_described("'<f4'", "(20, 4)"), bytes(320))}, zipfile.ZIP_LZMA)


@dataset
def encrypted() -> bytes:
    content = bytearray(_with_x(npy(_described("'<f4'", "(20, 4)"), bytes(320))))
    for magic, offset in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        content[content.index(magic) + offset] |= 1
    return bytes(content)


@dataset
def cut_off_archive() -> bytes:
    return _with_x(npy(_described("'<f4'", "(20, 4)"), bytes(320)))[:-40]


@dataset
def values_that_are_not_finite() -> bytes:
    return npz(train_x=np.full((20, 4), np.inf, np.float32), train_y=LABELS)


@dataset
def labels_that_are_negative() -> bytes:
    return npz(train_x=np.ones((20, 4), np.float32), train_y=LABELS - 1)


@dataset
def labels_of_complex_numbers() -> bytes:
    return npz(train_x=np.ones((20, 4), np.float32), train_y=LABELS.astype(np.complex128))


@dataset
def nothing_of_use() -> bytes:
    return npz(a=np.zeros(3))
