"""The packed file (`.ptz`): a network at its own bits, and back, bit by bit.

    magic `PTZ` and version (4 bytes) | length of the header (4) | header, LZMA2 | payloads | sha256 of it all (32)

The header holds the length of a JSON text (4 bytes), the text (how every tensor is coded and how many bytes it takes)
and the ONNX graph without its tensors. Nothing in it can carry code. `unpack` gives back the very ONNX file that was
packed.
"""

from __future__ import annotations

import hashlib
import json
import lzma
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from google.protobuf.message import DecodeError
from onnx import numpy_helper

from compressors.coding import Coded, decode, encode
from paretrim.errors import InvalidInput, InvalidModel

MAGIC = b"PTZ\x01"
#: a file that would unpack to more elements than this is refused
MOST_ELEMENTS = 2**28
#: a header larger than this, inflated, is refused
MOST_HEADER_BYTES = 2**26
#: how headers are compressed; the size of the dictionary is fixed, so that no file can ask for more memory. Text and
#: protobuf are not laid out in fours: the place of a byte foretells nothing (pb=0); little text teaches little (lc=2).
HEADER_FILTERS: list[dict[str, int]] = [
    {"id": lzma.FILTER_LZMA2, "dict_size": 2**20, "preset": 9, "lc": 2, "lp": 0, "pb": 0}
]

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class PackedTensor:
    """What one tensor takes."""

    name: str
    coding: str  #: raw, half, short, fixed, bits, entropy, codebook, bitmap, gaps, csr, constant, or scaled
    elements: int
    original_bytes: int
    packed_bytes: int


@dataclass(frozen=True, slots=True)
class Packed:
    """A packed file. The tensors' bytes and `overhead_bytes` add up to the file's size exactly."""

    content: bytes
    tensors: tuple[PackedTensor, ...]
    overhead_bytes: int  #: graph, names and codings, checksum

    def by_layer(self) -> dict[str, int]:
        """Payload bytes of each operation's tensors: `conv1.weight`, `conv1.weight.scale` ... belong to `conv1`."""
        total: dict[str, int] = {}
        for tensor in self.tensors:
            layer = _layer_of(tensor.name)
            total[layer] = total.get(layer, 0) + tensor.packed_bytes
        return total


def pack(content: bytes, known: dict[bytes, Coded] | None = None) -> Packed:
    """Pack an ONNX file, as `write_onnx` writes it. Raises InvalidModel if it is not one.

    known: tensors that were coded before; saves time where many files share tensors, and is added to.
    """
    model = _parsed(content)
    tensors = list(model.graph.initializer)
    arrays = [numpy_helper.to_array(tensor) for tensor in tensors]
    if _rebuilt(_without_tensors(model), arrays) != content:
        raise InvalidModel("only files written by paretrim can be packed; import this one and write it first")
    coded = [_scaled(index, arrays) or _encoded(array, known) for index, array in enumerate(arrays)]
    return _assembled(_without_tensors(model).SerializeToString(), tensors, arrays, coded)


def unpack(content: bytes) -> bytes:
    """The ONNX file that was packed. Raises InvalidInput for anything but a whole, undamaged packed file."""
    header, payloads = _opened(content)
    try:
        size = int.from_bytes(header[:4], "little")
        model = onnx.load_model_from_string(header[4 + size :])
        plans = [(dict(plan), int(size)) for plan, size in json.loads(header[4 : 4 + size])]
    except (DecodeError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise InvalidInput(f"the packed file is damaged: {error!r}", field="file") from error
    tensors = model.graph.initializer
    if len(plans) != len(tensors) or any(size < 0 for _, size in plans) or sum(s for _, s in plans) != len(payloads):
        raise InvalidInput("the packed file is damaged: its parts do not add up", field="file")
    _check_sizes(tensors)
    arrays: list[Array] = []
    start = 0
    for (plan, size), tensor in zip(plans, tensors, strict=True):
        arrays.append(_array(plan, payloads[start : start + size], tensor, arrays))
        start += size
    return _rebuilt(model, arrays)


def _assembled(
    graph: bytes, tensors: Sequence[onnx.TensorProto], arrays: Sequence[Array], coded: Sequence[Coded]
) -> Packed:
    plans = json.dumps([[entry.plan, len(entry.payload)] for entry in coded], separators=(",", ":")).encode()
    header = len(plans).to_bytes(4, "little") + plans + graph
    deflated = lzma.compress(header, lzma.FORMAT_RAW, filters=HEADER_FILTERS)
    body = MAGIC + len(deflated).to_bytes(4, "little") + deflated + b"".join(entry.payload for entry in coded)
    content = body + hashlib.sha256(body).digest()
    entries = tuple(
        PackedTensor(tensor.name, str(entry.plan["way"]), array.size, array.nbytes, len(entry.payload))
        for tensor, array, entry in zip(tensors, arrays, coded, strict=True)
    )
    return Packed(content, entries, len(content) - sum(entry.packed_bytes for entry in entries))


def _opened(content: bytes) -> tuple[bytes, bytes]:
    """Header and payloads of a file whose checksum holds."""
    if content[:3] != MAGIC[:3]:
        raise InvalidInput("this is not a packed network (.ptz)", field="file")
    if len(content) > 3 and content[:4] != MAGIC:
        raise InvalidInput(f"packed files of version {content[3]} cannot be read; update paretrim", field="file")
    if len(content) < 40 or hashlib.sha256(content[:-32]).digest() != content[-32:]:
        raise InvalidInput("the packed file is damaged or cut off: its checksum is wrong", field="file")
    size = int.from_bytes(content[4:8], "little")
    inflater = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=HEADER_FILTERS)
    try:
        header = inflater.decompress(content[8 : min(8 + size, len(content) - 32)], MOST_HEADER_BYTES)
    except (lzma.LZMAError, EOFError) as error:
        raise InvalidInput(f"the packed file is damaged: {error}", field="file") from error
    if not inflater.eof:
        raise InvalidInput("the packed file is damaged: its header is too large or cut off", field="file")
    return header, content[8 + size : -32]


def _array(plan: dict[str, Any], payload: bytes, tensor: onnx.TensorProto, before: Sequence[Array]) -> Array:
    dtype = np.dtype(onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type))
    shape = tuple(tensor.dims)
    count = int(np.prod(shape, dtype=np.int64))
    if plan.get("way") != "scaled":
        return decode(plan, payload, dtype, count).reshape(shape)
    try:
        scale, vector = before[int(plan["by"])], before[int(plan["of"])]
        product = (scale.reshape(()) * vector).astype(dtype)
    except (KeyError, IndexError, ValueError, TypeError) as error:
        raise InvalidInput(f"the packed file is damaged: {error!r}", field="file") from error
    if product.shape != shape:
        raise InvalidInput("the packed file is damaged: a scale has the wrong shape", field="file")
    return product


def _encoded(array: Array, known: dict[bytes, Coded] | None) -> Coded:
    if known is None:
        return encode(array)
    key = hashlib.sha256(f"{array.dtype}{array.shape}".encode() + array.tobytes()).digest()
    if key not in known:
        known[key] = encode(array)
    return known[key]


def _scaled(index: int, arrays: Sequence[Array]) -> Coded | None:
    """A bias's scales are the input's scale times the weight's: nothing has to be stored for them."""
    array = arrays[index]
    if array.dtype != np.float32 or array.ndim != 1 or array.size < 2:
        return None
    vectors = [
        place for place in range(index) if arrays[place].dtype == np.float32 and arrays[place].shape == array.shape
    ]
    scalars = [place for place in range(index) if arrays[place].dtype == np.float32 and arrays[place].size == 1]
    for of in reversed(vectors):
        for by in reversed(scalars):
            if (arrays[by].reshape(()) * arrays[of]).astype(np.float32).tobytes() == array.tobytes():
                return Coded({"way": "scaled", "of": of, "by": by}, b"")
    return None


def _without_tensors(model: onnx.ModelProto) -> onnx.ModelProto:
    bare = onnx.ModelProto()
    bare.CopyFrom(model)
    for tensor in bare.graph.initializer:
        tensor.ClearField("raw_data")
    return bare


def _rebuilt(bare: onnx.ModelProto, arrays: Sequence[Array]) -> bytes:
    whole = onnx.ModelProto()
    whole.CopyFrom(bare)
    for tensor, array in zip(whole.graph.initializer, arrays, strict=True):
        tensor.raw_data = np.ascontiguousarray(array).tobytes()
    content: bytes = whole.SerializeToString()
    return content


def _parsed(content: bytes) -> onnx.ModelProto:
    try:
        return onnx.load_model_from_string(content)
    except DecodeError as error:
        raise InvalidModel("this is not an ONNX file", field="model") from error


def _check_sizes(tensors: Sequence[onnx.TensorProto]) -> None:
    total = 0
    for tensor in tensors:
        if any(extent < 0 for extent in tensor.dims) or tensor.data_type not in _TYPES:
            raise InvalidInput("the packed file is damaged: a tensor has no proper shape or type", field="file")
        count = 1
        for extent in tensor.dims:
            count *= extent
        total += count
    if total > MOST_ELEMENTS:
        raise InvalidInput(f"the packed file holds {total} numbers; at most {MOST_ELEMENTS} are read", field="file")


_TYPES = frozenset(
    {
        onnx.TensorProto.FLOAT,
        onnx.TensorProto.INT8,
        onnx.TensorProto.UINT8,
        onnx.TensorProto.INT32,
        onnx.TensorProto.INT64,
        onnx.TensorProto.BOOL,
    }
)

_OWN = ("weight_ih", "weight_hh", "running_mean", "running_var", "weight", "bias", "scale", "zero_point", "low", "high")


def _layer_of(tensor: str) -> str:
    """`layer1.0.conv1.weight.scale_2` -> `layer1.0.conv1`."""
    path = tensor.split(".")
    while len(path) > 1 and path[-1].rstrip("0123456789").rstrip("_") in _OWN:
        path.pop()
    return ".".join(path)
