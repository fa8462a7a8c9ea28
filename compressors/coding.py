"""Arrays as few bytes: every way that gives the array back exactly is tried, the shortest is taken.

`constant`, `raw`, `half` (numbers that half precision holds exactly), `short` (numbers whose last binary places are all
zero: the others as integers), `fixed` (integers times a power of two), `bits` (integers in as many bits as their range
needs), `entropy` (integers by range coding, with their counts as the model), `bell` (the same, with a bell-shaped model
that takes three numbers instead of a table), `codebook` (few distinct numbers: a table and coded places in it),
`vectors` (rows made of few distinct pieces: a table of pieces and coded places in it), and for arrays with many zeros
the other values alone, with their places as `bitmap`, as `gaps` (relative index, Han et al. 2016, section 2) or as
`csr` (columns and row lengths).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Context, Decimal
from typing import Any

import constriction
import numpy as np
import numpy.typing as npt

from paretrim.errors import InvalidInput

Array = npt.NDArray[Any]

#: most symbols of an alphabet for range coding
_ALPHABET = 4096
#: most distinct values of a codebook
_CODEBOOK = 256
#: most symbols of an alphabet for a bell-shaped model
_BELL_ALPHABET = 512
#: standard deviations a bell may have: from 0.25 in steps of an eighth of an octave
_WIDTHS = tuple(0.25 * 2 ** (index / 8) for index in range(88))
#: binary places of fixed-point numbers
_POINT = 60
#: binary digits of the largest number that is coded as an integer times a power of two
_FIXED_DIGITS = 20
#: the bits of a single-precision number that are not its sign
_SIZE = 2**31 - 1
#: exp(-1 / 2 w^2) for each of them, exact to as many places everywhere
_RATIOS = tuple(
    int((Decimal(-1) / (2 * Decimal(1) / 16 * Decimal(2) ** (Decimal(index) / 4))).exp(Context(prec=40)) * 2**_POINT)
    for index in range(88)
)


@dataclass(frozen=True, slots=True)
class Coded:
    """An array as bytes. plan: what is needed to decode it besides the payload and the array's shape; JSON values."""

    plan: dict[str, Any]
    payload: bytes

    @property
    def size(self) -> int:
        """Bytes, with what the plan takes about."""
        return len(self.payload) + sum(2 + len(str(value)) for value in self.plan.values())


def encode(array: Array) -> Coded:
    """The shortest of all ways."""
    return min(_all_ways(array), key=lambda coded: coded.size)


def decode(plan: Mapping[str, Any], payload: bytes, dtype: np.dtype[Any], count: int) -> Array:
    """The flat array of `count` elements. Raises InvalidInput if plan and payload are not one made by `encode`."""
    try:
        decoder = _DECODERS[plan["way"]]
        array = decoder(plan, payload, dtype, count)
    except (KeyError, ValueError, IndexError, TypeError, OverflowError, AssertionError) as error:
        raise InvalidInput(f"the packed file is damaged: {error!r}", field="file") from error
    if array.shape != (count,):
        raise InvalidInput(f"the packed file is damaged: {array.size} values where {count} belong", field="file")
    return array.astype(dtype, copy=False)


def _all_ways(array: Array) -> Iterator[Coded]:
    flat = array.reshape(-1)
    yield from _dense_ways(flat)
    if array.ndim == 2 and array.dtype == np.float32:
        yield from _vector_ways(array)
    zeros = flat == 0
    if flat.size > 64 and zeros.mean() > 0.3 and not _has_negative_zero(flat):
        values = min(_dense_ways(flat[~zeros]), key=lambda coded: coded.size)
        rows = array.shape[0] if array.ndim > 1 else 1
        yield from _sparse_ways(zeros, values, rows)


def _dense_ways(flat: Array) -> Iterator[Coded]:
    """Ways that do not look at zeros."""
    yield Coded({"way": "raw"}, flat.tobytes())
    if flat.size == 0:
        return
    if flat.tobytes() == flat[:1].tobytes() * flat.size:
        yield Coded({"way": "constant"}, flat[:1].tobytes())
    if flat.dtype.kind in "iu":
        yield from _integer_ways(flat.astype(np.int64))
    elif flat.dtype == np.float32:
        with np.errstate(over="ignore"):
            half = flat.astype(np.float16)
        if half.astype(np.float32).tobytes() == flat.tobytes():
            yield Coded({"way": "half"}, half.tobytes())
        yield from _short_ways(flat)
        yield from _fixed_ways(flat)
        values, places = np.unique(flat.view(np.uint32), return_inverse=True)
        if len(values) <= min(_CODEBOOK, flat.size // 2):
            inner = min(_integer_ways(places.astype(np.int64)), key=lambda coded: coded.size)
            yield Coded({"way": "codebook", "n": len(values), "in": inner.plan}, values.tobytes() + inner.payload)


def _integer_ways(values: npt.NDArray[np.int64]) -> Iterator[Coded]:
    low, high = int(values.min()), int(values.max())
    width = max(1, (high - low).bit_length())
    if width <= 32:
        yield Coded({"way": "bits", "low": low, "width": width}, _packed(values - low, width))
    size = high - low + 1
    if 2 < size <= min(_BELL_ALPHABET, 4 * values.size):
        centre = round(float(values.mean()) - low)
        spread = float(np.sqrt(np.mean((values - low - centre) ** 2)))
        narrow = min(len(_WIDTHS) - 1, int(np.searchsorted(_WIDTHS, max(spread, _WIDTHS[0]))))
        coded = [_bell(values - low, low, size, centre, width) for width in range(max(0, narrow - 1), narrow + 1)]
        yield min(coded, key=lambda each: each.size)
    if size <= min(_ALPHABET, 4 * values.size):
        counts = np.bincount(values - low, minlength=size)
        if np.count_nonzero(counts) > 1:
            table = counts.astype("<u4")
            short = table.astype("<u2") if table.max() < 2**16 else table
            words = _encode_symbols(values - low, counts)
            plan = {"way": "entropy", "low": low, "n": size, "t": short.itemsize}
            yield Coded(plan, short.tobytes() + words.tobytes())


def _short_ways(flat: npt.NDArray[np.float32]) -> Iterator[Coded]:
    """Sizes without the binary places that are zero in all of them, counted from the least; minus ones below zero."""
    patterns = flat.view(np.uint32).astype(np.int64)
    used = int(np.bitwise_or.reduce(patterns & _SIZE))
    places = (used & -used).bit_length() - 1
    if places >= 8:
        sizes = (patterns & _SIZE) >> places
        low = int(sizes.min())
        signed = np.where(patterns > _SIZE, low - sizes - 1, sizes - low)
        inner = min(_integer_ways(signed), key=lambda coded: coded.size)
        yield Coded({"way": "short", "p": places, "low": low, "in": inner.plan}, inner.payload)


def _fixed_ways(flat: npt.NDArray[np.float32]) -> Iterator[Coded]:
    """The integers that are left after division by the largest power of two that divides all."""
    if not np.isfinite(flat).all() or _has_negative_zero(flat) or not flat.any():
        return
    share, exponent = np.frexp(flat[flat != 0].astype(np.float64))
    digits = np.abs(share * 2**24).astype(np.int64)
    power = int((exponent - 24 + np.log2(digits & -digits).astype(np.int64)).min())
    if int(exponent.max()) - power <= _FIXED_DIGITS:
        inner = min(_integer_ways(np.ldexp(flat.astype(np.float64), -power).astype(np.int64)), key=lambda c: c.size)
        yield Coded({"way": "fixed", "e": power, "in": inner.plan}, inner.payload)


def _bell(symbols: npt.NDArray[np.int64], low: int, size: int, centre: int, width: int) -> Coded:
    words = _encode_symbols(symbols, _bell_counts(size, centre, width))
    return Coded({"way": "bell", "low": low, "n": size, "c": centre, "w": width}, words.tobytes())


def _bell_counts(size: int, centre: int, width: int) -> npt.NDArray[np.int64]:
    """Frequencies of 0 .. size-1 in proportion to exp(-(k - centre)^2 / 2 w^2), by whole numbers only.

    Every machine comes to the same ones: neighbours differ by powers of one ratio, in fixed point.
    """
    ratio = _RATIOS[width]  # exp(-1 / 2 w^2)
    square = ratio * ratio >> _POINT
    heights, height, step = [], 1 << _POINT, ratio
    for _ in range(max(centre, size - 1 - centre) + 1):
        heights.append(height)
        height, step = height * step >> _POINT, step * square >> _POINT
    return np.array([(heights[abs(k - centre)] >> (_POINT - 24)) + 1 for k in range(size)], dtype=np.int64)


def _vector_ways(array: Array) -> Iterator[Coded]:
    rows, columns = array.shape
    for span in (2, 4, 8):
        pieces = np.pad(array, ((0, 0), (0, -columns % span))).reshape(-1, span)
        if len(pieces) < 8:
            continue
        table, places = np.unique(pieces.view(np.uint32), axis=0, return_inverse=True)
        if len(table) <= min(_CODEBOOK, len(pieces) // 2):
            inner = min(_integer_ways(places.reshape(-1).astype(np.int64)), key=lambda coded: coded.size)
            plan = {"way": "vectors", "n": len(table), "d": span, "rows": rows, "in": inner.plan}
            yield Coded(plan, table.tobytes() + inner.payload)


def _sparse_ways(zeros: npt.NDArray[np.bool_], values: Coded, rows: int) -> Iterator[Coded]:
    split = {"zeros": int(zeros.sum()), "in": values.plan, "v": len(values.payload)}
    yield Coded({"way": "bitmap", **split}, values.payload + np.packbits(~zeros).tobytes())
    places = np.flatnonzero(~zeros)
    if places.size == 0:
        return
    gaps = min(_integer_ways(np.diff(places, prepend=-1) - 1), key=lambda coded: coded.size)
    yield Coded({"way": "gaps", **split, "g": gaps.plan}, values.payload + gaps.payload)
    if rows > 1 and zeros.size % rows == 0:
        columns = min(_integer_ways(places % (zeros.size // rows)), key=lambda coded: coded.size)
        lengths = min(_integer_ways((~zeros).reshape(rows, -1).sum(1).astype(np.int64)), key=lambda coded: coded.size)
        plan = {"way": "csr", **split, "rows": rows, "c": columns.plan, "l": lengths.plan, "p": len(columns.payload)}
        yield Coded(plan, values.payload + columns.payload + lengths.payload)


def _packed(values: npt.NDArray[np.int64], width: int) -> bytes:
    bits = (values[:, None] >> np.arange(width - 1, -1, -1)) & 1
    return np.packbits(bits.astype(np.uint8)).tobytes()


def _encode_symbols(symbols: npt.NDArray[np.int64], counts: npt.NDArray[np.int64]) -> npt.NDArray[np.uint32]:
    coder = constriction.stream.queue.RangeEncoder()
    coder.encode(symbols.astype(np.int32), _model(counts))
    words: npt.NDArray[np.uint32] = coder.get_compressed()
    return words


def _model(counts: npt.NDArray[np.int64]) -> Any:
    share = counts.astype(np.float64) / counts.sum()
    return constriction.stream.model.Categorical(share, perfect=False)


def _decode_raw(_: Mapping[str, Any], payload: bytes, dtype: np.dtype[Any], count: int) -> Array:
    return np.frombuffer(payload, dtype, count)


def _decode_constant(_: Mapping[str, Any], payload: bytes, dtype: np.dtype[Any], count: int) -> Array:
    return np.repeat(np.frombuffer(payload, dtype, 1), count)


def _decode_half(_: Mapping[str, Any], payload: bytes, dtype: np.dtype[Any], count: int) -> Array:
    return np.frombuffer(payload, np.float16, count).astype(dtype)


def _decode_bits(plan: Mapping[str, Any], payload: bytes, _: np.dtype[Any], count: int) -> Array:
    width = int(plan["width"])
    if not 1 <= width <= 32:
        raise ValueError(f"{width} bits")
    bits = np.unpackbits(np.frombuffer(payload, np.uint8), count=count * width).reshape(count, width)
    values: Array = (bits.astype(np.int64) << np.arange(width - 1, -1, -1)).sum(1) + int(plan["low"])
    return values


def _decode_entropy(plan: Mapping[str, Any], payload: bytes, _: np.dtype[Any], count: int) -> Array:
    size, wide = int(plan["n"]), int(plan["t"])
    if not 2 <= size <= _ALPHABET or wide not in (2, 4):
        raise ValueError("alphabet")
    counts = np.frombuffer(payload, f"<u{wide}", size).astype(np.int64)
    if counts.sum() != count or np.count_nonzero(counts) < 2:
        raise ValueError("counts")
    coder = constriction.stream.queue.RangeDecoder(np.frombuffer(payload[size * wide :], np.uint32))
    symbols: Array = coder.decode(_model(counts), count)
    return symbols.astype(np.int64) + int(plan["low"])


def _decode_bell(plan: Mapping[str, Any], payload: bytes, _: np.dtype[Any], count: int) -> Array:
    size, centre, width = int(plan["n"]), int(plan["c"]), int(plan["w"])
    if not 2 < size <= _BELL_ALPHABET or not 0 <= centre < size or not 0 <= width < len(_WIDTHS):
        raise ValueError("bell")
    coder = constriction.stream.queue.RangeDecoder(np.frombuffer(payload, np.uint32))
    symbols: Array = coder.decode(_model(_bell_counts(size, centre, width)), count)
    return symbols.astype(np.int64) + int(plan["low"])


def _decode_short(plan: Mapping[str, Any], payload: bytes, _: np.dtype[Any], count: int) -> Array:
    places, low = int(plan["p"]), int(plan["low"])
    signed = _inner(plan["in"], payload, count)
    sizes = np.where(signed < 0, low - signed - 1, signed + low)
    if not 8 <= places <= 30 or not 0 <= sizes.min() <= sizes.max() <= _SIZE >> places:
        raise ValueError("short numbers")
    patterns = (sizes << places) | np.where(signed < 0, _SIZE + 1, 0)
    numbers: Array = patterns.astype(np.uint32).view(np.float32)
    return numbers


def _decode_fixed(plan: Mapping[str, Any], payload: bytes, dtype: np.dtype[Any], count: int) -> Array:
    power = int(plan["e"])
    if not -200 <= power <= 200:
        raise ValueError("power of two")
    numbers: Array = np.ldexp(_inner(plan["in"], payload, count).astype(np.float64), power).astype(dtype)
    return numbers


def _decode_vectors(plan: Mapping[str, Any], payload: bytes, dtype: np.dtype[Any], count: int) -> Array:
    size, span, rows = int(plan["n"]), int(plan["d"]), int(plan["rows"])
    if not 1 <= size <= _CODEBOOK or span not in (2, 4, 8) or rows < 1 or count % rows:
        raise ValueError("vectors")
    columns = count // rows
    pieces = rows * -(-columns // span)
    table = np.frombuffer(payload, np.uint32, size * span).view(dtype).reshape(size, span)
    found = table[_inner(plan["in"], payload[4 * size * span :], pieces)].reshape(rows, -1)
    whole: Array = found[:, :columns].reshape(-1)
    return whole


def _decode_codebook(plan: Mapping[str, Any], payload: bytes, dtype: np.dtype[Any], count: int) -> Array:
    size = int(plan["n"])
    if not 1 <= size <= _CODEBOOK:
        raise ValueError("codebook")
    table = np.frombuffer(payload, np.uint32, size).view(dtype)
    found: Array = table[_inner(plan["in"], payload[4 * size :], count)]
    return found


def _decode_bitmap(plan: Mapping[str, Any], payload: bytes, dtype: np.dtype[Any], count: int) -> Array:
    bits = np.unpackbits(np.frombuffer(payload[int(plan["v"]) :], np.uint8), count=count).astype(bool)
    return _placed(plan, payload, dtype, count, np.flatnonzero(bits))


def _decode_gaps(plan: Mapping[str, Any], payload: bytes, dtype: np.dtype[Any], count: int) -> Array:
    gaps = _inner(plan["g"], payload[int(plan["v"]) :], count - int(plan["zeros"]))
    return _placed(plan, payload, dtype, count, np.cumsum(gaps + 1) - 1)


def _decode_csr(plan: Mapping[str, Any], payload: bytes, dtype: np.dtype[Any], count: int) -> Array:
    start, rows, kept = int(plan["v"]), int(plan["rows"]), count - int(plan["zeros"])
    middle = start + int(plan["p"])
    lengths = _inner(plan["l"], payload[middle:], rows)
    columns = _inner(plan["c"], payload[start:middle], kept)
    if lengths.min() < 0 or lengths.sum() != kept:
        raise ValueError("row lengths")
    return _placed(plan, payload, dtype, count, np.repeat(np.arange(rows), lengths) * (count // rows) + columns)


def _placed(plan: Mapping[str, Any], payload: bytes, dtype: np.dtype[Any], count: int, places: Array) -> Array:
    kept = count - int(plan["zeros"])
    if len(places) != kept or (kept and not 0 <= places.min() <= places.max() < count):
        raise ValueError("places")
    result = np.zeros(count, dtype)
    result[places] = decode(plan["in"], payload[: int(plan["v"])], dtype, kept)
    return result


def _inner(plan: Mapping[str, Any], payload: bytes, count: int) -> npt.NDArray[np.int64]:
    if plan["way"] not in ("bits", "entropy", "bell") or count < 0:
        raise ValueError("nesting")
    return decode(plan, payload, np.dtype(np.int64), count)


_DECODERS = {
    "raw": _decode_raw,
    "constant": _decode_constant,
    "half": _decode_half,
    "bits": _decode_bits,
    "entropy": _decode_entropy,
    "bell": _decode_bell,
    "codebook": _decode_codebook,
    "short": _decode_short,
    "fixed": _decode_fixed,
    "vectors": _decode_vectors,
    "bitmap": _decode_bitmap,
    "gaps": _decode_gaps,
    "csr": _decode_csr,
}


def _has_negative_zero(flat: Array) -> bool:
    return flat.dtype.kind == "f" and bool(np.signbit(flat[flat == 0]).any())


def entropy_bytes(values: Array) -> float:
    """Bytes an ideal code for these values takes, by their own frequencies, without any table."""
    _, counts = np.unique(values, return_counts=True)
    share = counts / counts.sum()
    return float(-(counts * np.log2(share)).sum()) / 8
