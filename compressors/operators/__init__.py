"""All operators in plain sight: how ONNX nodes become modules (READERS), and what is known of each module (OPERATORS).

One file per family, both directions in it. A module's subclasses count as the module itself.
"""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

from compressors.operators import (
    activation,
    attention,
    channels,
    convolution,
    elementwise,
    embedding,
    factored,
    linear,
    normalization,
    padding,
    passing,
    pooling,
    recurrent,
    resampling,
    selection,
    shaping,
)
from compressors.operators.operator import Geometry, Operator
from compressors.reading import Builder, Node, Value

Reader = Callable[[Node, Builder], Value | list[Value]]

_FAMILIES = (
    activation, attention, channels, convolution, elementwise, embedding, factored, linear, normalization, padding,
    passing, pooling, recurrent, resampling, selection, shaping,
)  # fmt: skip

READERS: dict[str, Reader] = {name: reader for family in _FAMILIES for name, reader in family.READERS.items()}
OPERATORS: dict[type[nn.Module], Operator] = {
    module: operator for family in _FAMILIES for module, operator in family.OPERATORS.items()
}


def operator_of(module: nn.Module) -> Operator:
    """What is known of a module. Raises TypeError for a module of a class nobody has described."""
    for ancestor in type(module).__mro__:
        if ancestor in OPERATORS:
            return OPERATORS[ancestor]
    raise TypeError(f"{type(module).__name__} is not an operator paretrim knows")


__all__ = ["OPERATORS", "READERS", "Geometry", "Operator", "Reader", "operator_of"]
