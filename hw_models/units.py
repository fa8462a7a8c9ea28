"""What a device runs at once: an operation with those that its runtime fuses into it, or a conversion between bits.

A latency table has a row per unit, so a unit holds all that decides its time and nothing else: no names, no position
in a network.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from hw_models.counts import operation_macs, operation_weights
from paretrim.errors import InvalidTable
from paretrim.network import LAYER_KINDS

_SHAPES = ("in_hw", "out_hw", "kernel", "stride", "padding", "dilation")


@dataclass(frozen=True, slots=True)
class Unit:
    """One row of a latency table: an operation as it runs, after compression and fusion."""

    kind: str
    in_channels: int
    out_channels: int
    in_hw: tuple[int, ...] = ()
    out_hw: tuple[int, ...] = ()
    kernel: tuple[int, ...] = ()
    stride: tuple[int, ...] = ()
    padding: tuple[int, ...] = ()
    dilation: tuple[int, ...] = ()
    groups: int = 1
    fused: tuple[str, ...] = ()  #: kinds of operations that run inside it, in order: ("add", "relu")
    weight_bits: int = 32
    activation_bits: int = 32  #: of what it reads
    output_bits: int = 32  #: of what it writes
    inputs: int = 1
    batch: int = 1
    layout: str = ""  #: of its tensors, where a runtime has several: `blocked`, `last`, or plain
    extra: tuple[tuple[str, int], ...] = ()

    @property
    def is_layer(self) -> bool:
        """Whether it holds weights."""
        return self.kind in LAYER_KINDS

    @property
    def is_depthwise(self) -> bool:
        """One filter per input channel."""
        return self.groups > 1 and self.groups == self.in_channels

    @property
    def family(self) -> str:
        """Units whose times follow the same law: kind, split by depthwise, 1x1 and other kernels, and precision."""
        kind = self.kind
        if kind == "conv2d":
            kind = "depthwise2d" if self.is_depthwise else "conv2d_1x1" if math.prod(self.kernel) == 1 else "conv2d"
        return f"{kind}.{'fp32' if self.activation_bits > 8 else 'int8'}"

    @property
    def macs(self) -> int:
        """Multiply-adds for the whole batch."""
        return self.batch * operation_macs(self)

    @property
    def weights(self) -> int:
        """Weight elements."""
        return operation_weights(self)

    @property
    def elements_in(self) -> int:
        """Elements read from activations, over all inputs and the batch; a fused addition reads one more tensor."""
        read = self.in_channels * math.prod(self.in_hw) * (self.inputs if self.kind != "concat" else 1)
        added = self.out_channels * math.prod(self.out_hw) if "add" in self.fused else 0
        return self.batch * (read + added)

    @property
    def elements_out(self) -> int:
        """Elements written, over the batch."""
        return self.batch * self.out_channels * math.prod(self.out_hw)

    def to_json(self) -> dict[str, Any]:
        """Plain values; what has its default is left out."""
        plain: dict[str, Any] = {}
        for entry in fields(self):
            value = getattr(self, entry.name)
            if entry.default is not value and value != entry.default:
                plain[entry.name] = dict(value) if entry.name == "extra" else _plain(value)
        return plain

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Unit:
        """The inverse of `to_json`. Raises InvalidTable naming what is wrong."""
        known = {entry.name for entry in fields(cls)}
        unknown = set(value) - known
        if unknown:
            raise InvalidTable(f"an operation has no {', '.join(sorted(unknown))}", field="rows.op")
        arguments = dict(value)
        for name in (*_SHAPES, "fused"):
            if name in arguments:
                arguments[name] = tuple(arguments[name])
        if "extra" in arguments:
            arguments["extra"] = tuple(sorted(arguments["extra"].items()))
        unit = cls(**arguments)
        _check(unit)
        return unit


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


#: no real network has an operation beyond these; a table that claims one lies
_LARGEST: Mapping[str, int] = {
    **dict.fromkeys(("in_channels", "out_channels", "groups", "inputs"), 1 << 20),
    **dict.fromkeys(("in_hw", "out_hw", "batch"), 1 << 16),
    **dict.fromkeys(("kernel", "stride", "dilation"), 1 << 10),
    **dict.fromkeys(("weight_bits", "activation_bits", "output_bits"), 32),
}


def _check(unit: Unit) -> None:
    for name, largest in _LARGEST.items():
        value = getattr(unit, name)
        for number in value if isinstance(value, tuple) else (value,):
            if not _is_whole(number) or not 1 <= number <= largest:
                raise InvalidTable(f"op.{name} must be whole, from 1 to {largest}, got {number!r}", field="rows.op")
    if not all(_is_whole(number) and 0 <= number <= 1 << 10 for number in unit.padding):
        raise InvalidTable(f"op.padding must be whole numbers from 0, got {unit.padding!r}", field="rows.op")
    if (
        not isinstance(unit.kind, str)
        or not isinstance(unit.layout, str)
        or not all(isinstance(kind, str) for kind in unit.fused)
    ):
        raise InvalidTable("op.kind and op.fused must be names of operations", field="rows.op")
    if unit.in_channels % unit.groups or unit.out_channels % unit.groups:
        raise InvalidTable(f"op.groups {unit.groups} does not divide its channels", field="rows.op")


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
