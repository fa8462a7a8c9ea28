"""From the operations of a network to the units its runtime executes, with the conversions between precisions.

Rules are found by the profiler and stored in the table: by precision, the chains of kinds that run as one, written
`conv2d+add+relu`. A batch norm after a layer is always folded (the exporter does it) and never appears in a chain.

Where 8-bit layers stand in a file is a convention between the exporter and this room: an 8-bit layer reads its input
through a quantize/dequantize pair and its result (after a ReLU or clip that only it feeds) goes through another; an
operation without weights whose inputs are all such results is quantized too, if the runtime has a kernel for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from hw_models.counts import INPUT, VIEWS, consumers, external, folded_batch_norms, tensor_bits
from hw_models.units import Unit
from paretrim.network import SizedOperation
from paretrim.problem import Bits

#: operations without weights that have 8-bit kernels, or hand on 8-bit tensors as they are
DEFAULT_INT8_KINDS = (
    frozenset({"add", "mul", "max_pool", "avg_pool", "global_avg_pool", "concat", "pad", "slice"}) | VIEWS
)
#: units that change only the bits or the layout of a tensor
CONVERSIONS = frozenset({"quantize", "dequantize", "transpose", "reorder_input", "reorder_output"})
#: activations that the quantization of their result makes superfluous, and that cost nothing inside a convolution
CLAMPS = frozenset({"relu", "relu6", "clip"})


@dataclass(frozen=True, slots=True)
class Layout:
    """Tensor layouts of ONNX Runtime's CPU kernels, as the profiler finds them.

    Convolutions in floating point run on channels in blocks; 8-bit ones on channels last. See `lowering`.
    """

    block: int = 0  #: channels in a block; 0: there are no blocked kernels
    align: int = 1  #: a blocked kernel reads only channel counts that are multiples of this
    channels_last: bool = False  #: whether 8-bit convolutions want channels last


@dataclass(frozen=True)
class Execution:
    """How a runtime executes a network: its kernels' bit-widths, what it fuses, what it converts."""

    kernels: tuple[Bits, ...]  #: bit-widths that layers can run at
    fusion: Mapping[str, frozenset[str]] = field(default_factory=dict)  #: `fp32` / `int8` -> chains of kinds
    int8_kinds: frozenset[str] = DEFAULT_INT8_KINDS  #: operations without weights that run on 8-bit tensors
    converts: bool = True  #: whether a change of precision between two units costs a unit of its own
    layout: Layout | None = None  #: None: tensors have one layout only

    def executed(self, bits: Bits) -> Bits:
        """The bits a layer runs at: the narrowest kernel that is wide enough, or the widest there is.

        A width without a kernel so costs what the device really does, e.g. 4-bit weights as 8-bit ones.
        """
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


def at_kernel_bits(operations: Sequence[SizedOperation], execution: Execution) -> tuple[SizedOperation, ...]:
    """The operations without folded batch norms, layers at the bits they run at."""
    folded = folded_batch_norms(operations)
    executed = []
    for operation in operations:
        if operation.name in folded:
            continue
        changes: dict[str, object] = {}
        if operation.is_layer:
            kernel = execution.executed(Bits(operation.weight_bits, operation.activation_bits))
            changes = {"weight_bits": kernel.weight, "activation_bits": kernel.activation}
        if any(name in folded for name in operation.inputs):
            changes["inputs"] = tuple(folded.get(name, name) for name in operation.inputs)
        executed.append(replace(operation, **changes) if changes else operation)  # type: ignore[arg-type]
    return tuple(executed)


def result_bits(operations: Sequence[SizedOperation], execution: Execution, *, input_bits: int = 32) -> dict[str, int]:
    """Bits of every result and of the inputs: 8 if it passes through a quantize/dequantize pair, else 32.

    input_bits: 8 if the network is given integers. What is clamped before its pair counts as 32 itself. Where
    conversions cost nothing, a result has the bits that its readers want.
    """
    if not execution.converts:
        return tensor_bits(operations)
    clamp = absorbed_clamps(operations)
    bits = dict.fromkeys((INPUT, *external(operations)), input_bits)
    for operation in operations:
        if operation.is_layer:
            narrow = operation.activation_bits <= 8
        elif operation.name in clamp:
            narrow = bits.pop(clamp[operation.name]) <= 8
            bits[clamp[operation.name]] = 32
        else:
            narrow = operation.kind in execution.int8_kinds and all(bits[name] <= 8 for name in operation.inputs)
        bits[operation.name] = 8 if narrow else 32
    return bits


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


def reads_narrow(operation: SizedOperation, bits: Mapping[str, int]) -> bool:
    """Whether an operation reads its inputs through 8 bits."""
    return operation.activation_bits <= 8 if operation.is_layer else bits[operation.name] <= 8


def place(operations: Sequence[SizedOperation], execution: Execution, *, batch: int = 1) -> tuple[Placed, ...]:
    """The units of a runtime whose tensors have one layout, in order."""
    executed = at_kernel_bits(operations, execution)
    bits = result_bits(executed, execution)
    chains = _chains(executed, bits, execution)
    if not execution.converts:
        return tuple(_placed(chain, bits, batch) for chain in chains)
    placed: list[Placed] = []
    converted: set[str] = set()
    for chain in chains:
        for operation in chain:
            placed += _conversions(operation, executed, bits, converted, batch)
        placed.append(_placed(chain, bits, batch))
    last = executed[-1]
    if bits[last.name] <= 8:
        placed.append(conversion(last.name, "dequantize", last.out_channels, last.out_hw, batch=batch))
    return tuple(placed)


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


def _chains(
    operations: Sequence[SizedOperation], bits: Mapping[str, int], execution: Execution
) -> list[list[SizedOperation]]:
    """Operations that run as one, each chain at the place of its last member."""
    readers = consumers(operations)
    position = {operation.name: step for step, operation in enumerate(operations)}
    chain_of: dict[str, list[SizedOperation]] = {}
    chains: list[list[SizedOperation]] = []
    for operation in operations:
        precision = "int8" if bits[operation.name] <= 8 else "fp32"
        known = [name for name in operation.inputs if name in chain_of]
        for name in sorted(known, key=position.__getitem__, reverse=True):
            chain = chain_of[name]
            kinds = "+".join(member.kind for member in (*chain, operation))
            if readers[name] == [operation.name] and kinds in execution.fusion.get(precision, ()):
                chains.remove(chain)
                chain.append(operation)
                break
        else:
            chain = [operation]
        chain_of[operation.name] = chain
        chains.append(chain)
    return chains


def _placed(chain: Sequence[SizedOperation], bits: Mapping[str, int], batch: int) -> Placed:
    first, last = chain[0], chain[-1]
    unit = make_unit(
        first,
        last,
        fused=tuple(operation.kind for operation in chain[1:]),
        bits=first.activation_bits if first.is_layer else bits[last.name],
        output_bits=bits[last.name],
        batch=batch,
    )
    return Placed(first.name, unit, tuple(operation.name for operation in chain))


def _conversions(
    operation: SizedOperation,
    operations: Sequence[SizedOperation],
    bits: Mapping[str, int],
    converted: set[str],
    batch: int,
) -> list[Placed]:
    """What must be quantized or dequantized before the operation can read it, and was not for an earlier one."""
    narrow = reads_narrow(operation, bits)
    clamped = set(absorbed_clamps(operations).values())
    found = []
    for name in operation.inputs:
        if (bits[name] <= 8) == narrow or name in converted or name in clamped:
            continue
        converted.add(name)
        channels, hw = result_shape(name, operations)
        found.append(conversion(name, "quantize" if narrow else "dequantize", channels, hw, batch=batch))
    return found


def result_shape(name: str, operations: Sequence[SizedOperation]) -> tuple[int, tuple[int, ...]]:
    """Channels and extent of a result, or of the network's input."""
    producer = next((operation for operation in operations if operation.name == name), None)
    if producer is None:
        return external(operations)[name]
    return producer.out_channels, producer.out_hw
