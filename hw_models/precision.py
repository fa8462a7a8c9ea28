"""Where a delivered file quantizes tensors, and which operations the runtime therefore executes in 8 bits.

This is the exporter's convention, told from shapes alone; a test holds both together on really exported files:

- the inputs of 8-bit layers are quantized, and what 8-bit convolutions give, behind a ReLU or clip that only they feed;
- an addition, product, pooling or concatenation is quantized if integers come in and something behind it wants them;
- what only moves values about hands integers on.

The runtime executes in 8 bits what stands between quantized tensors on all sides, whatever it was meant to be; a linear
layer may give floating point.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from hw_models.counts import VIEWS, consumers, external, folded_batch_norms
from hw_models.fusion import CLAMPS, Execution
from paretrim.network import SizedOperation
from paretrim.problem import Bits

#: who reads the network's result
OUTPUT = "output"
#: operations that only move values about
MOVING = VIEWS | {"transpose", "slice", "pad", "max_pool", "gather"}
#: operations without weights that have 8-bit kernels
INTEGER = frozenset({"add", "mul", "avg_pool", "global_avg_pool", "concat"})
_CONVOLUTIONS = frozenset({"conv1d", "conv2d"})
_QUANTIZABLE = _CONVOLUTIONS | {"linear"}


@dataclass(frozen=True)
class Precision:
    """edges: (operation, tensor it reads) behind a quantize/dequantize pair. narrow: operations executed in 8 bits."""

    edges: frozenset[tuple[str, str]]
    narrow: frozenset[str]

    def quantized(self, reader: str, tensor: str) -> bool:
        """Whether an operation reads a tensor through a pair."""
        return (reader, tensor) in self.edges


def at_kernel_bits(operations: Sequence[SizedOperation], execution: Execution) -> tuple[SizedOperation, ...]:
    """The operations as they are executed: no folded batch norms, no identities, layers at the bits they run at."""
    source = dict(folded_batch_norms(operations))
    executed = []
    for operation in operations:
        if operation.kind in ("identity", "dropout"):
            source[operation.name] = operation.inputs[0]
        if operation.name in source:
            continue
        changes: dict[str, object] = {}
        if operation.is_layer:
            kernel = execution.executed(Bits(operation.weight_bits, operation.activation_bits))
            if (kernel.weight, kernel.activation) != (operation.weight_bits, operation.activation_bits):
                changes = {"weight_bits": kernel.weight, "activation_bits": kernel.activation}
        if any(name in source for name in operation.inputs):
            changes["inputs"] = tuple(_origin(name, source) for name in operation.inputs)
        executed.append(replace(operation, **changes) if changes else operation)  # type: ignore[arg-type]
    return tuple(executed)


def _origin(name: str, source: Mapping[str, str]) -> str:
    while name in source:
        name = source[name]
    return name


def plan_precision(operations: Sequence[SizedOperation], *, narrow_inputs: bool = False) -> Precision:
    """The plan for operations at their kernels' bits. narrow_inputs: the network is given integers."""
    return _Planner(operations, narrow_inputs).plan()


class _Planner:
    def __init__(self, operations: Sequence[SizedOperation], narrow_inputs: bool) -> None:
        self.by_name = {operation.name: operation for operation in operations}
        self.integer_inputs = frozenset(external(operations)) if narrow_inputs else frozenset()
        self.readers = consumers(operations)
        for operation in operations:
            if not self.readers[operation.name]:
                self.readers[operation.name].append(OUTPUT)
        self.layers = {
            operation.name
            for operation in operations
            if operation.kind in _QUANTIZABLE and operation.weight_bits <= 8 and operation.activation_bits <= 8
        }
        self.origins: dict[str, str] = {}
        self.aheads: dict[str, frozenset[str]] = {}

    def plan(self) -> Precision:
        edges = {
            (operation.name, tensor)
            for operation in self.by_name.values()
            for tensor in operation.inputs
            if self._is_quantized(operation, tensor)
        }
        for tensor, readers in self.readers.items():
            if OUTPUT in readers and self._from_convolution(tensor):
                edges.add((OUTPUT, tensor))
        return Precision(frozenset(edges), self._narrow(edges))

    def _is_quantized(self, operation: SizedOperation, tensor: str) -> bool:
        if operation.name in self.layers or operation.name in self.integer or tensor in self.integer_inputs:
            return True
        if self._fuses(operation.name, tensor):
            return False
        if operation.kind in MOVING:
            wanted = any(reader in self.integer or reader in self.layers for reader in self._ahead(operation.name))
            return wanted and self._is_integer(tensor, self.integer)
        return self._from_convolution(tensor)

    def _fuses(self, name: str, tensor: str) -> bool:
        """Whether the operation disappears in the one it reads, which nobody else reads."""
        return name in self.by_name and self.by_name[name].kind in CLAMPS and self.readers[tensor] == [name]

    def _origin(self, tensor: str) -> str:
        """The operation that computes a tensor, looking through what only moves values or fuses."""
        if tensor not in self.origins:
            operation = self.by_name.get(tensor)
            through = operation is not None and (operation.kind in MOVING or self._fuses(tensor, operation.inputs[0]))
            self.origins[tensor] = self._origin(operation.inputs[0]) if through and operation else tensor
        return self.origins[tensor]

    def _from_convolution(self, tensor: str) -> bool:
        origin = self._origin(tensor)
        return origin in self.layers and self.by_name[origin].kind in _CONVOLUTIONS

    @cached_property
    def integer(self) -> frozenset[str]:
        """Operations without weights with integers before and behind them."""
        chosen = {
            name
            for name, operation in self.by_name.items()
            if operation.kind in INTEGER and (operation.kind not in ("add", "mul") or len(operation.inputs) > 1)
        }
        while wrong := {name for name in chosen if not self._fits(name, chosen)}:
            chosen -= wrong
        return frozenset(chosen)

    def _fits(self, name: str, chosen: set[str]) -> bool:
        before = all(self._is_integer(tensor, chosen) for tensor in self.by_name[name].inputs)
        return before and any(reader in chosen or reader in self.layers for reader in self._ahead(name))

    def _is_integer(self, tensor: str, chosen: frozenset[str] | set[str]) -> bool:
        origin = self._origin(tensor)
        made = origin in chosen or origin in self.integer_inputs or self._from_convolution(tensor)
        return made or any(reader in self.layers for reader in self._ahead(origin))

    def _ahead(self, tensor: str) -> frozenset[str]:
        """Operations that compute with a tensor, looking through what only moves values or fuses."""
        if tensor not in self.aheads:
            found: set[str] = set()
            for reader in self.readers[tensor]:
                if reader != OUTPUT and (self.by_name[reader].kind in MOVING or self._fuses(reader, tensor)):
                    found |= self._ahead(reader)
                else:
                    found.add(reader)
            self.aheads[tensor] = frozenset(found)
        return self.aheads[tensor]

    def _narrow(self, edges: set[tuple[str, str]]) -> frozenset[str]:
        """Operations between quantized tensors on all sides; pairs pass through what only moves values."""
        narrow: set[str] = set()
        for operation in self.by_name.values():
            if operation.kind not in INTEGER | MOVING | _QUANTIZABLE:
                continue
            before = all(self._arrives_narrow(operation, tensor, edges, narrow) for tensor in operation.inputs)
            may_widen = operation.kind == "linear" and operation.name in self.layers
            if before and (may_widen or self._leaves_narrow(operation.name, edges)):
                narrow.add(operation.name)
        return frozenset(narrow)

    def _arrives_narrow(
        self, operation: SizedOperation, tensor: str, edges: set[tuple[str, str]], narrow: set[str]
    ) -> bool:
        """Whether an operation reads a tensor dequantized; what only moves values does if it was made narrow."""
        if (operation.name, tensor) in edges:
            return True
        source = self.by_name.get(tensor)
        if source is not None and self._fuses(tensor, source.inputs[0]):
            source = self.by_name.get(source.inputs[0])
        moved = source is not None and (operation.kind in MOVING or source.kind in MOVING)
        return moved and source is not None and source.name in narrow

    def _leaves_narrow(self, name: str, edges: set[tuple[str, str]]) -> bool:
        """Whether everything that reads a result reads it quantized, be it behind a clamp or what moves it."""
        for reader in self.readers[name]:
            if (reader, name) in edges:
                continue
            passes = reader in self.by_name and (self.by_name[reader].kind in MOVING or self._fuses(reader, name))
            if not passes or not self._leaves_narrow(reader, edges):
                return False
        return True
