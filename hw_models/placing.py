"""The units of a runtime whose tensors have one layout: chains of operations, and conversions between precisions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hw_models.counts import consumers, external, tensor_bits
from hw_models.fusion import Execution, Placed, conversion, make_unit
from hw_models.precision import OUTPUT, Precision, plan_precision
from paretrim.network import SizedOperation

Shape = tuple[int, tuple[int, ...]]


def place(operations: Sequence[SizedOperation], execution: Execution, *, batch: int = 1) -> tuple[Placed, ...]:
    """The units in order, of operations at their kernels' bits."""
    if not execution.converts:
        bits = tensor_bits(operations)
        return tuple(_placed(chain, bits, batch) for chain in _chains(operations, bits, execution))
    precision = plan_precision(operations)
    bits = {operation.name: 8 if operation.name in precision.narrow else 32 for operation in operations}
    shapes = external(operations) | {
        operation.name: (operation.out_channels, operation.out_hw) for operation in operations
    }
    placed: list[Placed] = []
    converted: set[str] = set()
    for chain in _chains(operations, bits, execution):
        for operation in chain:
            placed += _conversions(operation, bits, shapes, precision, converted, batch)
        placed.append(_placed(chain, bits, batch))
    for name, reading in consumers(operations).items():
        if not reading and (OUTPUT, name) in precision.edges:
            placed.append(conversion(name, "dequantize", *shapes[name], batch=batch))
    return tuple(placed)


def _chains(
    operations: Sequence[SizedOperation], bits: Mapping[str, int], execution: Execution
) -> list[list[SizedOperation]]:
    """Operations that run as one, each chain at the place of its last member."""
    readers = consumers(operations)
    position = {operation.name: step for step, operation in enumerate(operations)}
    chain_of: dict[str, list[SizedOperation]] = {}
    chains: list[list[SizedOperation]] = []
    for operation in operations:
        known = [name for name in operation.inputs if name in chain_of]
        for name in sorted(known, key=position.__getitem__, reverse=True):
            chain = chain_of[name]
            precision = "int8" if bits[chain[0].name] <= 8 else "fp32"
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
        bits=first.activation_bits if first.is_layer else bits[first.name],
        output_bits=bits[last.name],
        batch=batch,
    )
    return Placed(first.name, unit, tuple(operation.name for operation in chain))


def _conversions(
    operation: SizedOperation,
    bits: Mapping[str, int],
    shapes: Mapping[str, Shape],
    precision: Precision,
    converted: set[str],
    batch: int,
) -> list[Placed]:
    """What must be quantized or dequantized before the operation can read it, and was not for an earlier one."""
    narrow = operation.name in precision.narrow
    found = []
    for name in operation.inputs:
        there = bits.get(name, 32) <= 8
        if there == narrow or name in converted or not precision.quantized(operation.name, name):
            continue
        converted.add(name)
        found.append(conversion(name, "quantize" if narrow else "dequantize", *shapes[name], batch=batch))
    return found
