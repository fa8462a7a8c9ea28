"""What a runtime executes at once, and the units this makes.

Rules are found by the profiler and stored in the table: by precision, the chains of kinds that run as one, written
`conv2d+add+relu`. A batch norm after a layer is always folded (the exporter does it) and never appears in a chain.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from hw_models.counts import consumers
from hw_models.units import Unit
from paretrim.network import SizedOperation
from paretrim.problem import Bits

#: units that change only the bits or the layout of a tensor
CONVERSIONS = frozenset({"quantize", "dequantize", "transpose", "reorder_input", "reorder_output"})
#: activations that the quantization of their result makes superfluous, and that cost nothing inside a convolution
CLAMPS = frozenset({"relu", "relu6", "clip"})


@dataclass(frozen=True, slots=True)
class Layout:
    """Tensor layouts of a runtime's CPU kernels, as the profiler finds them.

    ONNX Runtime: convolutions in floating point run on channels in blocks; 8-bit ones on channels last. See `lowering`.
    OpenVINO: everything runs on channels last. See `placing`.
    """

    block: int = 0  #: channels in a block; 0: there are no blocked kernels
    align: int = 1  #: a blocked kernel reads only channel counts that are multiples of this
    channels_last: bool = False  #: whether 8-bit convolutions want channels last
    everywhere: bool = False  #: whether all kernels do: only a network's inputs and results are reordered


@dataclass(frozen=True)
class Execution:
    """How a runtime executes a network: its kernels' bit-widths, what it fuses, what it converts."""

    kernels: tuple[Bits, ...]  #: bit-widths that layers can run at
    fusion: Mapping[str, frozenset[str]] = field(default_factory=dict)  #: `fp32` / `int8` -> chains of kinds
    converts: bool = True  #: whether a change of precision between two units costs a unit of its own
    layout: Layout | None = None  #: None: tensors have one layout only

    def executed(self, bits: Bits) -> Bits:
        """The bits a layer runs at: the narrowest kernel that is wide enough, or the widest there is.

        A width without a kernel so costs what the device really does, e.g. 4-bit weights as 8-bit ones.
        """
        known = self._executed.get(bits)
        if known is None:
            known = self._executed[bits] = self._kernel(bits)
        return known

    @cached_property
    def _executed(self) -> dict[Bits, Bits]:
        return {}

    def _kernel(self, bits: Bits) -> Bits:
        wide_enough = [k for k in self.kernels if k.weight >= bits.weight and k.activation >= bits.activation]
        if wide_enough:
            return min(wide_enough, key=lambda kernel: (kernel.weight * kernel.activation, kernel.weight))
        return max(self.kernels, key=lambda kernel: (kernel.weight * kernel.activation, kernel.weight))


@dataclass(frozen=True, slots=True)
class Placed:
    """A unit at its place in a network."""

    name: str  #: of its first operation; `NAME:quantize` and the like convert the result of NAME
    unit: Unit
    covers: tuple[str, ...]  #: the operations that it executes


def absorbed_clamps(operations: Sequence[SizedOperation]) -> dict[str, str]:
    """Clamps that alone read the result of a layer or an addition: clamp -> producer."""
    readers = consumers(operations)
    by_name = {operation.name: operation for operation in operations}
    absorbed = {}
    for operation in operations:
        source = by_name.get(operation.inputs[0]) if operation.kind in CLAMPS else None
        if source is not None and (source.is_layer or source.kind == "add") and len(readers[source.name]) == 1:
            absorbed[operation.name] = source.name
    return absorbed


def make_unit(
    first: SizedOperation,
    last: SizedOperation,
    *,
    fused: tuple[str, ...] = (),
    bits: int,
    output_bits: int,
    batch: int,
    layout: str = "",
) -> Unit:
    """The unit that begins with one operation and ends with another. bits: of what it reads."""
    return Unit(
        kind=first.kind,
        in_channels=first.in_channels,
        out_channels=last.out_channels,
        in_hw=first.in_hw,
        out_hw=last.out_hw,
        kernel=first.kernel,
        stride=first.stride,
        padding=first.padding,
        dilation=first.dilation,
        groups=first.groups,
        fused=fused,
        weight_bits=first.weight_bits if first.is_layer else bits,
        activation_bits=bits,
        output_bits=output_bits,
        inputs=max(1, len(first.inputs)),
        batch=batch,
        layout=layout,
        extra=tuple(sorted(first.extra.items())),
    )


def conversion(
    name: str, kind: str, channels: int, hw: tuple[int, ...], *, batch: int, bits: int = 32, layout: str = ""
) -> Placed:
    """A unit that changes only bits or layout of the result NAME.

    bits: of the tensor, for a transposition; layout: `last` if it leads to channels last.
    """
    before, after = {"quantize": (32, 8), "dequantize": (8, 32)}.get(kind, (bits, bits))
    unit = Unit(
        kind=kind,
        in_channels=channels,
        out_channels=channels,
        in_hw=hw,
        out_hw=hw,
        weight_bits=8,
        activation_bits=before,
        output_bits=after,
        batch=batch,
        layout=layout,
    )
    return Placed(f"{name}:{kind}", unit, ())
