"""What paretrim knows of one kind of module: one value per module class, gathered in `compressors.operators`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from torch import nn

from compressors.cut import Cut
from compressors.flow import Flow, Labels, Traced, same
from compressors.writing import Writer


@dataclass(frozen=True, slots=True)
class Geometry:
    """Window of an operation, as `paretrim.network.Operation` wants it."""

    kernel: tuple[int, ...] = ()
    stride: tuple[int, ...] = ()
    padding: tuple[int, ...] = ()
    dilation: tuple[int, ...] = ()
    groups: int = 1
    bias: bool = False
    extra: Mapping[str, int] = field(default_factory=dict)


def _first_labels(_: nn.Module, __: Flow, inputs: Sequence[Traced], ___: Sequence[int]) -> Labels:
    return same(inputs)


def _nothing(_: nn.Module, __: Cut) -> None:
    return None


def _no_geometry(_: nn.Module) -> Geometry:
    return Geometry()


@dataclass(frozen=True, slots=True)
class Operator:
    """How one class of modules is named, followed, made smaller and written."""

    #: kind of `paretrim.network.Operation`
    kind: Callable[[Any], str]
    #: (module, writer, operation name, names of the input tensors) -> name of the output tensor
    write: Callable[[Any, Writer, str, Sequence[str]], str]
    #: (module, flow, inputs, output extents) -> labels of the output
    flow: Callable[[Any, Flow, Sequence[Traced], Sequence[int]], Labels] = _first_labels
    #: changes a copy of the module, so that it fits what is left of its inputs and output; or gives another module
    shrink: Callable[[Any, Cut], nn.Module | None] = _nothing
    geometry: Callable[[Any], Geometry] = _no_geometry
    #: "layer": weights between input and output channels; "through": per-channel parameters
    role: Literal["layer", "through", "plain"] = "plain"
    #: axis of the first input that a layer contracts
    in_axis: int = 1
