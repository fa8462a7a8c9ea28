"""Files that mean harm, or lie: every one of them has to be refused, quickly, in little memory, and with a reason.

Here are those that are something else altogether; `hostile_networks`, `hostile_datasets`, `hostile_weights` add theirs.
"""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Callable

Maker = Callable[[], bytes]
MODELS: dict[str, Maker] = {}
DATASETS: dict[str, Maker] = {}
WEIGHTS: dict[str, Maker] = {}  #: uploaded as safetensors of an architecture


def model(make: Maker) -> Maker:
    """Add a file that is uploaded as a model."""
    MODELS[make.__name__] = make
    return make


def dataset(make: Maker) -> Maker:
    """Add a file that is uploaded as a dataset."""
    DATASETS[make.__name__] = make
    return make


def weights(make: Maker) -> Maker:
    """Add a file that is uploaded as weights."""
    WEIGHTS[make.__name__] = make
    return make


# --- not networks at all

DISGUISES = {
    "empty": b"\x00",
    "text": b"hello, world" * 10,
    "pickle_2": b"\x80\x02cposix\nsystem\nX\x02\x00\x00\x00id\x85R.",
    "pickle_4": b"\x80\x04\x95\x1b\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x8c\x06system\x93\x8c\x02id\x85R.",
    "pickle_0": b"cos\nsystem\n(S'id'\ntR.",
    "elf": b"\x7fELF\x02\x01\x01" + bytes(57),
    "script": b"#!/bin/sh\nid\n",
    "windows_program": b"MZ" + bytes(62),
    "gzip": gzip.compress(bytes(1000)),
    "hdf5": b"\x89HDF\r\n\x1a\n" + bytes(100),
    "html": b"<script>alert(1)</script>",
    "json": b'{"graph": {"node": []}}',
    "gguf": b"GGUF" + bytes(100),
    "pdf": b"%PDF-1.7\n",
    "only_zeros": bytes(4096),
    "only_ones": b"\xff" * 4096,
    "npy": b"\x93NUMPY\x01\x00" + bytes(100),
}
for _name, _content in DISGUISES.items():
    MODELS[f"disguised_{_name}"] = lambda content=_content: content
    DATASETS[f"disguised_{_name}"] = lambda content=_content: content


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """An archive."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


@model
def torch_checkpoint() -> bytes:
    return zipped({"archive/data.pkl": DISGUISES["pickle_2"], "archive/version": b"3"})


@model
def torch_export_archive() -> bytes:
    return zipped({"archive_format": b"pt2", "data/weights/weight_0": b"x", "models/model.json": b"{}"})


@model
def torchscript() -> bytes:
    return zipped({"model/code/__torch__.py": b"import os", "model/constants.pkl": DISGUISES["pickle_2"]})
