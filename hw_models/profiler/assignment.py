"""Which kernel of an optimised graph executes which unit."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hw_models.fusion import CONVERSIONS, Placed
from hw_models.sessions import Kernel
from hw_models.units import Unit

_CONVERTS = {
    "QuantizeLinear": "quantize",
    "DequantizeLinear": "dequantize",
    "Transpose": "transpose",
    "ReorderInput": "reorder_input",
    "ReorderOutput": "reorder_output",
}
#: conversions that leave the bits as they are
_MOVES = ("transpose", "reorder_input", "reorder_output")
#: parts of one operation that the file spells as several nodes
_PARTS = (".matmul", ".product")
#: what the runtime puts before the name of a matrix product that took in its activation
_FUSED = "fused "


@dataclass(frozen=True, slots=True)
class Assignment:
    """Durations by unit, one array per occurrence, and what could not be told."""

    durations_us: tuple[tuple[Unit, NDArray[np.float64]], ...]
    unexpected: tuple[str, ...]  #: kernels that no unit accounts for
    missing: tuple[Unit, ...]  #: units that no kernel accounts for


def assign(kernels: Sequence[Kernel], placed: Sequence[Placed]) -> Assignment:
    """Match kernels with the units that were predicted: by name, conversions by what they convert."""
    by_operation = {name: item for item in placed for name in item.covers}
    open_conversions = [item for item in placed if item.unit.kind in CONVERSIONS]
    found: dict[str, tuple[Unit, NDArray[np.float64]]] = {}
    unexpected = []
    for kernel in kernels:
        durations = np.asarray(kernel.durations_us, dtype=np.float64)
        item = _of_conversion(kernel, open_conversions) if kernel.operator in _CONVERTS else None
        if item is not None:
            open_conversions.remove(item)
            found[f"{item.name}#{len(found)}"] = (item.unit, durations)
            continue
        item = by_operation.get(_operation(kernel.name))
        if item is None or not _agrees(kernel, item.unit):
            unexpected.append(f"{kernel.operator} {kernel.name}")
        elif item.name in found:
            found[item.name] = (item.unit, found[item.name][1] + durations)
        else:
            found[item.name] = (item.unit, durations)
    matched = set(found)
    missing = [item.unit for item in placed if item.covers and item.name not in matched]
    return Assignment(tuple(found.values()), tuple(unexpected), (*missing, *(item.unit for item in open_conversions)))


def _operation(name: str) -> str:
    name = name.removeprefix(_FUSED)
    for part in _PARTS:
        name = name.removesuffix(part)
    return name


def _agrees(kernel: Kernel, unit: Unit) -> bool:
    """Whether the kernel runs in the precision and layout that the unit says."""
    if unit.kind == "conv2d":
        return kernel.narrow == (unit.activation_bits <= 8) and kernel.blocked == (unit.layout == "blocked")
    return unit.kind not in ("add", "linear", "mul") or kernel.narrow == (unit.activation_bits <= 8)


def _of_conversion(kernel: Kernel, candidates: Sequence[Placed]) -> Placed | None:
    kind = _CONVERTS[kernel.operator]
    shape = kernel.input_shape if kernel.operator == "ReorderInput" else kernel.output_shape
    for item in candidates:
        unit = item.unit
        if unit.kind != kind or math.prod(shape) != unit.elements_out:
            continue
        if kind in _MOVES and kernel.narrow != (unit.activation_bits <= 8):
            continue
        if kind == "transpose" and not _same_way(kernel, unit):
            continue
        return item
    return None


def _same_way(kernel: Kernel, unit: Unit) -> bool:
    """Whether a transposition leads where the unit's does."""
    if unit.activation_bits > 8 or not unit.out_hw or math.prod(unit.out_hw) == 1:
        return True
    last = (unit.batch, *unit.out_hw, unit.out_channels)
    plain = (unit.batch, unit.out_channels, *unit.out_hw)
    return kernel.output_shape == (last if unit.layout == "last" else plain)
