"""Zeros inside a layer: how many of its weights, and in which pattern. Standard library only.

A pattern says which weights become zero together:

element   each weight by itself
vector    a row of a kernel: the last kernel axis (1 x k)
kernel    all weights between one input and one output channel
RxC       R output channels by C input channels at one place of the kernel, e.g. `4x1`
N:M       of every M input channels in a row N stay, at every place of the kernel, e.g. `2:4`; says how many, too
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from paretrim.errors import InvalidPolicy

_PATTERN = re.compile(r"^(element|vector|kernel|(\d{1,3})x(\d{1,3})|(\d{1,3}):(\d{1,3}))$")

#: kinds of layers whose weights can be thinned out
SPARSE_KINDS = frozenset({"conv1d", "conv2d", "conv_transpose2d", "linear"})


@dataclass(frozen=True, slots=True)
class Sparsity:
    """Share of a layer's weights that are zero, in (0, 1), and the pattern they lie in."""

    share: float
    pattern: str = "element"

    def __post_init__(self) -> None:
        match = _PATTERN.match(self.pattern) if isinstance(self.pattern, str) else None
        if match is None or 0 in self._numbers(match):
            raise InvalidPolicy(
                f"{self.pattern!r} is not a sparsity pattern; choose element, vector, kernel, a block such as 4x1, or"
                " N:M such as 2:4",
                field="sparsity",
            )
        if not isinstance(self.share, int | float) or not 0.0 < self.share < 1.0:
            raise InvalidPolicy(f"the share of zeros must be in (0, 1), got {self.share!r}", field="sparsity")
        if self.n_of_m is not None:
            left, of = self.n_of_m
            if left >= of or abs(self.share - (1 - left / of)) > 1e-9:
                raise InvalidPolicy(
                    f"pattern {self.pattern} keeps {left} of {of} weights, which does not go with a share of"
                    f" {self.share:g}; write the pattern alone",
                    field="sparsity",
                )

    @property
    def n_of_m(self) -> tuple[int, int] | None:
        """(N, M) of a pattern N:M."""
        if ":" not in self.pattern:
            return None
        left, of = self.pattern.split(":")
        return int(left), int(of)

    @property
    def block(self) -> tuple[int, int] | None:
        """(outputs, inputs) of a pattern RxC."""
        if not self.pattern[0].isdigit() or ":" in self.pattern:
            return None
        outputs, inputs = self.pattern.split("x")
        return int(outputs), int(inputs)

    def kept(self, units: int) -> int:
        """How many of so many units of the pattern stay: rounded half up, never none."""
        return min(units, max(1, math.floor(units * (1.0 - self.share) + 0.5)))

    def stored_bits(self, outputs: int, inputs: int, kernel: tuple[int, ...], weight_bits: int) -> int:
        """Bits of a layer's weights where zeros are left out: the others, and a map of where they are.

        inputs: that one output reads. The map holds a bit for every unit of the pattern; for N:M the place of each of
        the N in its M. Where that is more than all weights as they are, those.
        """
        weights = outputs * inputs * math.prod(kernel)
        if self.n_of_m is not None:
            left, of = self.n_of_m
            in_a_row = inputs // of * left + min(left, inputs % of)
            kept = outputs * math.prod(kernel) * in_a_row
            sparse = kept * weight_bits + kept * math.ceil(math.log2(of))
        else:
            units = self._units(outputs, inputs, kernel)
            sparse = math.ceil(weights * self.kept(units) / units) * weight_bits + units
        return min(sparse, weights * weight_bits)

    def to_json(self) -> str | list[Any]:
        """The pattern alone for N:M, else share and pattern."""
        return self.pattern if self.n_of_m is not None else [self.share, self.pattern]

    @classmethod
    def from_json(cls, value: Any) -> Sparsity:
        """A share, a pattern N:M, or both in a list. Raises InvalidPolicy."""
        if isinstance(value, Sparsity):
            return value
        if isinstance(value, str):
            match = _PATTERN.match(value)
            numbers = cls._numbers(match) if match and ":" in value else ()
            if len(numbers) == 2 and 0 < numbers[0] < numbers[1]:
                return cls(1 - numbers[0] / numbers[1], value)
            raise InvalidPolicy(f"{value!r} alone does not say how sparse; write [share, pattern]", field="sparsity")
        if isinstance(value, list | tuple) and len(value) == 2:
            return cls(*value)
        return cls(value)

    def _units(self, outputs: int, inputs: int, kernel: tuple[int, ...]) -> int:
        places = math.prod(kernel)
        if self.block is not None:
            return math.ceil(outputs / self.block[0]) * math.ceil(inputs / self.block[1]) * places
        together = {"element": 1, "kernel": places, "vector": kernel[-1] if kernel else 1}[self.pattern]
        return outputs * inputs * places // together

    @staticmethod
    def _numbers(match: re.Match[str]) -> tuple[int, ...]:
        return tuple(int(number) for number in match.groups()[1:] if number is not None)


def checked(sparsity: Mapping[str, Any]) -> dict[str, Sparsity]:
    """By layer, in the order of names, whatever `Sparsity.from_json` takes. Raises InvalidPolicy naming the layer."""
    found = {}
    for name, wanted in sorted(sparsity.items()):
        try:
            found[name] = Sparsity.from_json(wanted)
        except InvalidPolicy as error:
            raise InvalidPolicy(f"layer {name!r}: {error}", field=f"sparsity.{name}") from None
    return found
