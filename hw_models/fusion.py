"""From the operations of a network to the units its runtime executes, in order, with conversions between precisions.

Rules are found by the profiler and stored in the table: by precision, the chains of kinds that run as one, written
`conv2d+add+relu`. A batch norm after a layer is always folded (the exporter does it) and never appears in a chain.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from hw_models.counts import INPUT, VIEWS, consumers, folded_batch_norms, tensor_bits
from hw_models.units import Unit
from paretrim.network import SizedOperation
from paretrim.problem import Bits

#: kinds that hand on 8-bit tensors as they are or have 8-bit kernels in the runtimes we know
DEFAULT_INT8_KINDS = frozenset({"add", "max_pool", "avg_pool", "global_avg_pool", "concat", "pad", "slice"}) | VIEWS


@dataclass(frozen=True)
class Execution:
    """How a runtime executes a network: its kernels' bit-widths, what it fuses, what it converts."""

    kernels: tuple[Bits, ...]  #: bit-widths that layers can run at
    fusion: Mapping[str, frozenset[str]] = field(default_factory=dict)  #: `fp32` / `int8` -> chains of kinds
    int8_kinds: frozenset[str] = DEFAULT_INT8_KINDS  #: operations without weights that run on 8-bit tensors
    converts: bool = True  #: whether a change of precision between two units costs a unit of its own

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

    name: str  #: of its first operation; `NAME:quantize` and `NAME:dequantize` convert the result of NAME
    unit: Unit
    covers: tuple[str, ...]  #: the operations that it executes


def place(operations: Sequence[SizedOperation], execution: Execution, *, batch: int = 1) -> tuple[Placed, ...]:
    """The units that execute these operations, in order."""
    executed = _at_kernel_bits(operations, execution)
    bits = _result_bits(executed, execution)
    chains = _chains(executed, bits, execution)
    placed: list[Placed] = []
    converted: set[str] = set()
    if not execution.converts:
        return tuple(_placed(chain, bits, batch) for chain in chains)
    for chain in chains:
        for operation in chain:
            placed += _conversions(operation, executed, bits, converted, batch)
        placed.append(_placed(chain, bits, batch))
    last = executed[-1]
    if bits[last.name] <= 8:
        placed.append(_conversion(last.name, _shape(last.name, executed), "dequantize", batch))
    return tuple(placed)


def _at_kernel_bits(operations: Sequence[SizedOperation], execution: Execution) -> tuple[SizedOperation, ...]:
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


def _result_bits(operations: Sequence[SizedOperation], execution: Execution) -> dict[str, int]:
    """Bits of every result. With conversions, as its producer writes it; without, as its readers want it."""
    if not execution.converts:
        return tensor_bits(operations)
    bits = {INPUT: 32}
    for operation in operations:
        if operation.is_layer:
            bits[operation.name] = 8 if operation.activation_bits <= 8 else 32
        else:
            narrow = all(bits[name] <= 8 for name in operation.inputs)
            passes = _absorbed(operation, execution) or operation.kind in execution.int8_kinds
            bits[operation.name] = 8 if narrow and passes else 32
    return bits


def _absorbed(operation: SizedOperation, execution: Execution) -> bool:
    return any(chain.endswith(f"+{operation.kind}") for chain in execution.fusion.get("int8", ()))


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
        sources = sorted(
            (name for name in operation.inputs if name in chain_of), key=position.__getitem__, reverse=True
        )
        for name in sources:
            chain = chain_of[name]
            kinds = "+".join(member.kind for member in (*chain, operation))
            same_bits = (bits[chain[0].name] <= 8) == (precision == "int8")
            if readers[name] == [operation.name] and same_bits and kinds in execution.fusion.get(precision, ()):
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
    runs_at = first.activation_bits if first.is_layer else bits[first.name]
    unit = Unit(
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
        fused=tuple(operation.kind for operation in chain[1:]),
        weight_bits=first.weight_bits if first.is_layer else runs_at,
        activation_bits=runs_at,
        output_bits=bits[last.name],
        inputs=max(1, len(first.inputs)),
        batch=batch,
        extra=tuple(sorted(first.extra.items())),
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
    wants_8 = operation.activation_bits <= 8 if operation.is_layer else bits[operation.name] <= 8
    found = []
    for name in operation.inputs:
        if (bits[name] <= 8) == wants_8 or name in converted:
            continue
        converted.add(name)
        found.append(_conversion(name, _shape(name, operations), "quantize" if wants_8 else "dequantize", batch))
    return found


def _shape(name: str, operations: Sequence[SizedOperation]) -> tuple[int, tuple[int, ...]]:
    if name == INPUT:
        return operations[0].in_channels, operations[0].in_hw
    producer = next(operation for operation in operations if operation.name == name)
    return producer.out_channels, producer.out_hw


def _conversion(name: str, shape: tuple[int, tuple[int, ...]], kind: str, batch: int) -> Placed:
    channels, hw = shape
    before, after = (32, 8) if kind == "quantize" else (8, 32)
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
    )
    return Placed(f"{name}:{kind}", unit, ())
