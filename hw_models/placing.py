"""The units of a runtime whose kernels agree on a layout: chains of operations, and conversions between precisions.

For runtimes of which no more is known, and for OpenVINO, whose kernels hold images channels last.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from hw_models.counts import VIEWS, consumers, external, tensor_bits
from hw_models.fusion import CLAMPS, Execution, Placed, absorbed_clamps, conversion, make_unit
from hw_models.precision import OUTPUT, plan_precision
from paretrim.network import SizedOperation

#: operations whose results are not negative, so that they are quantized with a zero point of 0
RECTIFIED = CLAMPS | {"sigmoid", "hard_sigmoid", "softmax"}


def place(
    operations: Sequence[SizedOperation], execution: Execution, *, batch: int = 1, narrow_inputs: bool = False
) -> tuple[Placed, ...]:
    """The units in order, of operations at their kernels' bits. narrow_inputs: the network is given integers."""
    if not execution.converts:
        bits = tensor_bits(operations)
        return tuple(_placed(chain, bits, batch) for chain in _chains(operations, bits, execution))
    return _Placing(operations, execution, batch, narrow_inputs).units()


class _Placing:
    """Places chains, with the conversions before each of them.

    Where all kernels run on channels last (OpenVINO; observed with 2026.4 on its graphs as executed): images are
    reordered as they come in, before they are flattened and as they go out; an 8-bit unit writes floating point for
    nothing if that is all that is read of it and its result was rectified, so that its zero point is 0.
    """

    def __init__(
        self, operations: Sequence[SizedOperation], execution: Execution, batch: int, narrow_inputs: bool
    ) -> None:
        self.operations, self.execution, self.batch = operations, execution, batch
        self.precision = plan_precision(operations, narrow_inputs=narrow_inputs)
        self.readers = consumers(operations)
        inputs = external(operations)
        self.inputs = frozenset(inputs)
        self.bits = {name: 8 if narrow_inputs else 32 for name in inputs}
        self.bits |= {operation.name: 8 if operation.name in self.precision.narrow else 32 for operation in operations}
        self.shapes = inputs | {operation.name: (operation.out_channels, operation.out_hw) for operation in operations}
        self.by_name = {operation.name: operation for operation in operations}
        for clamp, source in absorbed_clamps(operations).items():
            self.bits[clamp] = self.bits[source]  # the quantization of its result makes it superfluous
        self.last = execution.layout is not None and execution.layout.everywhere
        self.converted: set[str] = set()
        self.reordered: set[str] = set()
        self.placed: list[Placed] = []

    def units(self) -> tuple[Placed, ...]:
        for chain in _chains(self.operations, self.bits, self.execution):
            for operation in chain:
                self._convert(operation)
            self.placed.append(_placed(chain, self.bits, self.batch))
        for name, reading in self.readers.items():
            if reading or name not in self.by_name:
                continue
            if (OUTPUT, name) in self.precision.edges:
                self._add(name, "dequantize")
            if self.last and math.prod(self.shapes[name][1]) > 1:
                self._add(name, "reorder_output")
        return tuple(self.placed)

    def _convert(self, operation: SizedOperation) -> None:
        """What must be converted before the operation can read it, and was not for an earlier one."""
        narrow = operation.name in self.precision.narrow
        for name in operation.inputs:
            there = self.bits.get(name, 32) <= 8
            quantized = self.precision.quantized(operation.name, name)
            if there != narrow and name not in self.converted and quantized and not (there and self._leaves_free(name)):
                self.converted.add(name)
                self._add(name, "quantize" if narrow else "dequantize")
            if self.last and name not in self.reordered:
                self._reorder(name, operation, 8 if narrow else 32)

    def _reorder(self, name: str, operation: SizedOperation, bits: int) -> None:
        hw = self.shapes[name][1]
        if name in self.inputs and math.prod(hw) > 1 and operation.kind not in VIEWS:
            self._add(name, "reorder_input", bits=bits)
        elif name not in self.inputs and operation.kind in VIEWS and math.prod(hw) > 1:
            self._add(name, "reorder_output", bits=bits)
        else:
            return
        self.reordered.add(name)

    def _leaves_free(self, name: str) -> bool:
        """Whether a unit in 8 bits writes its result in floating point at once."""
        if (
            not self.last
            or name in self.inputs
            or any(reader in self.precision.narrow for reader in self.readers[name])
        ):
            return False
        return self.by_name[name].kind in RECTIFIED

    def _add(self, name: str, kind: str, *, bits: int = 32) -> None:
        self.placed.append(conversion(name, kind, *self.shapes[name], batch=self.batch, bits=bits))


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
        if execution.layout is None:  # else the first input's
            known.sort(key=position.__getitem__, reverse=True)
        for name in known:
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
