"""Weights of a registered architecture that lie."""

from __future__ import annotations

import json
import struct
import zlib
from typing import Any

from tests.fuzz.hostile import DISGUISES, weights


def _safetensors(header: bytes, length: int | None = None, data: bytes = b"") -> bytes:
    return struct.pack("<Q", len(header) if length is None else length) + header + data


def _entry(**changes: Any) -> bytes:
    return json.dumps({"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]} | changes}).encode()


@weights
def safetensors_with_a_header_of_exabytes() -> bytes:
    return _safetensors(_entry(), length=2**60, data=bytes(8))


@weights
def safetensors_beyond_the_end() -> bytes:
    return _safetensors(_entry(data_offsets=[0, 2**40], shape=[2**38]), data=bytes(8))


@weights
def safetensors_before_the_beginning() -> bytes:
    return _safetensors(_entry(data_offsets=[-8, 0]), data=bytes(8))


@weights
def safetensors_that_lie_about_their_shape() -> bytes:
    return _safetensors(_entry(shape=[2**20]), data=bytes(8))


@weights
def safetensors_nested_beyond_reason() -> bytes:
    return _safetensors(b'{"w":' + b"[" * 100_000 + b"]" * 100_000 + b"}")


@weights
def safetensors_without_json() -> bytes:
    return _safetensors(b"{not json}", data=bytes(8))


@weights
def pickle_as_weights() -> bytes:
    return DISGUISES["pickle_2"]


@weights
def compressed_weights() -> bytes:
    return zlib.compress(bytes(1000))
