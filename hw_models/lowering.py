"""What ONNX Runtime makes of a network on a CPU: which convolutions run on blocked channels, what changes layout where.

Observed with ONNX Runtime 1.32 on its optimised graphs, and checked against them by tests:

- A convolution in floating point runs on blocks of channels (NCHWc) if its input channels are fewer than a block, in
  which case it reads plain channels, or a multiple of 4. Its output is blocked, padded to whole blocks. Depthwise and
  grouped convolutions have rules of their own. Others run on plain channels, at several times the cost.
- An addition, activation, batch norm or concatenation stays blocked if all its inputs were produced blocked; pooling
  wants whole blocks. Whoever needs plain channels pays a reordering, shared by all who do.
- An addition disappears into a convolution that only it reads, in either layout.
- 8-bit convolutions and what lies between them run with channels last; entering costs quantize + transpose, leaving
  transpose + dequantize, the latter for each reader.
- A layer in floating point whose inputs and readers are all 8-bit runs in 8 bits, whatever its weights are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from hw_models.counts import ACTIVATIONS, VIEWS, consumers, external
from hw_models.fusion import (
    CLAMPS,
    Execution,
    Layout,
    Placed,
    absorbed_clamps,
    at_kernel_bits,
    conversion,
    make_unit,
    place,
    reads_narrow,
    result_bits,
)
from paretrim.network import SizedOperation

PLAIN, BLOCKED, PLAIN8, LAST8 = "plain", "blocked", "plain8", "last8"
#: activations that a convolution on plain or blocked channels takes in
_FUSED_ACTIVATIONS = CLAMPS | {"leaky_relu", "sigmoid", "tanh", "hard_sigmoid", "hard_swish"}


@dataclass(slots=True)
class _Chain:
    """A unit in the making: a convolution takes in what follows."""

    first: SizedOperation
    last: SizedOperation
    layout: str
    bits: int
    fused: list[str] = field(default_factory=list)
    covers: list[str] = field(default_factory=list)

    @property
    def takes_addition(self) -> bool:
        return self.first.kind == "conv2d" and self.bits == 32 and not self.fused and len(self.covers) == 1


def lower(
    operations: Sequence[SizedOperation], execution: Execution, *, batch: int = 1, input_bits: int = 32
) -> tuple[Placed, ...]:
    """The units that execute these operations, conversions included. input_bits: 8 if the network is given integers."""
    if execution.layout is None:
        return place(operations, execution, batch=batch)
    executed = at_kernel_bits(operations, execution)
    bits = executed_bits(executed, result_bits(executed, execution, input_bits=input_bits))
    return _Lowering(executed, bits, execution.layout, batch).units()


def executed_bits(operations: Sequence[SizedOperation], written: Mapping[str, int]) -> dict[str, int]:
    """Bits of every result as the runtime executes the file: also of layers that it quantizes of its own accord.

    written: the bits that the file says, see `fusion.result_bits`.
    """
    bits = dict(written)
    readers = consumers(operations)
    by_name = {operation.name: operation for operation in operations}
    clamp_of = {source: clamp for clamp, source in absorbed_clamps(operations).items()}
    for operation in operations:
        end = clamp_of.get(operation.name, operation.name)
        if operation.kind not in ("conv2d", "conv1d", "linear", "add", "mul") or bits[end] <= 8 or not readers[end]:
            continue
        enclosed = all(bits[name] <= 8 for name in operation.inputs)
        if enclosed and all(reads_narrow(by_name[name], bits) for name in readers[end]):
            bits[end] = 8
    return bits


class _Lowering:
    """Walks the operations once and keeps, for every result, the layouts it is there in."""

    def __init__(
        self, operations: tuple[SizedOperation, ...], bits: Mapping[str, int], layout: Layout, batch: int
    ) -> None:
        self.operations, self.bits, self.layout, self.batch = operations, bits, layout, batch
        self.readers = consumers(operations)
        self.by_name = {operation.name: operation for operation in operations}
        self.clamps = absorbed_clamps(operations)
        self.shapes = external(operations)
        self.home = {name: PLAIN if bits[name] > 8 else PLAIN8 for name in self.shapes}
        self.there = {name: {layout} for name, layout in self.home.items()}
        self.chains: dict[str, _Chain] = {}  #: by the result that ends it
        self.order: list[_Chain | Placed] = []

    def units(self) -> tuple[Placed, ...]:
        for operation in self.operations:
            self._lower(operation)
            self.shapes[operation.name] = (operation.out_channels, operation.out_hw)
        for operation in self.operations:
            if not self.readers[operation.name]:
                self._read(operation.name, PLAIN, None)
        return tuple(self._finished(item) if isinstance(item, _Chain) else item for item in self.order)

    def _finished(self, chain: _Chain) -> Placed:
        quantized_by_runtime = chain.bits <= 8 and chain.first.weight_bits > 8
        unit = make_unit(
            replace(chain.first, weight_bits=8) if quantized_by_runtime else chain.first,
            chain.last,
            fused=tuple(chain.fused),
            bits=chain.bits,
            output_bits=chain.bits,
            batch=self.batch,
            layout="blocked" if chain.layout == BLOCKED else "",
        )
        return Placed(chain.first.name, unit, tuple(chain.covers))

    def _lower(self, operation: SizedOperation) -> None:
        if self._joins(operation):
            return
        if self._is_narrow(operation):
            self._lower_narrow(operation)
        elif operation.kind == "conv2d":
            blocked = self._runs_blocked(operation)
            reads_blocked = blocked and (operation.groups > 1 or operation.in_channels >= self.layout.block)
            self._run(operation, BLOCKED if reads_blocked else PLAIN, BLOCKED if blocked else PLAIN)
        else:
            layout = BLOCKED if self._stays_blocked(operation) else PLAIN
            self._run(operation, layout, layout)

    def _is_narrow(self, operation: SizedOperation) -> bool:
        """Whether it runs on 8 bits: everything it reads and what it writes is quantized."""
        end = next((clamp for clamp, source in self.clamps.items() if source == operation.name), operation.name)
        if self.bits[end] > 8:
            return False
        return reads_narrow(operation, self.bits) or all(self.bits[name] <= 8 for name in operation.inputs)

    def _lower_narrow(self, operation: SizedOperation) -> None:
        spatial = bool(operation.in_hw) and self.layout.channels_last
        if operation.kind in VIEWS or operation.kind == "linear":
            self._run(operation, PLAIN8, PLAIN8, bits=8)
        elif operation.kind == "pad":  # has no 8-bit kernel: leaves and comes back, in place
            layout = LAST8 if spatial else PLAIN8
            for name in operation.inputs:
                self._read(name, layout, operation)
                self._convert(name, "dequantize")
            self._emit(operation, PLAIN, 32)
            self.shapes[operation.name] = (operation.out_channels, operation.out_hw)
            self._convert(operation.name, "quantize")
            self._holds(operation.name, layout)
        else:
            layout = LAST8 if spatial else PLAIN8
            self._run(operation, layout, layout, bits=8)

    def _run(self, operation: SizedOperation, reads: str, writes: str, *, bits: int = 32) -> None:
        for name in operation.inputs:
            self._read(name, reads, operation)
        self._emit(operation, writes, bits)
        self._holds(operation.name, writes)

    def _emit(self, operation: SizedOperation, layout: str, bits: int) -> None:
        chain = _Chain(operation, operation, layout, bits, covers=[operation.name])
        self.chains[operation.name] = chain
        self.order.append(chain)

    def _holds(self, name: str, layout: str) -> None:
        self.there[name], self.home[name] = {layout}, layout

    def _joins(self, operation: SizedOperation) -> bool:
        """Whether the operation runs inside the unit before it."""
        if operation.name in self.clamps and self.clamps[operation.name] in self.chains:
            return self._joins_clamp(operation)
        if operation.kind in _FUSED_ACTIVATIONS and not self._is_narrow(operation):
            chain = self._chain_read_only_here(operation.inputs[0])
            if chain is None or chain.first.kind != "conv2d" or chain.bits <= 8 or self._has_activation(chain):
                return False
            self._extend(chain, operation, [] if operation.kind in CLAMPS else [operation.kind])
            return True
        return operation.kind == "add" and len(operation.inputs) == 2 and self._joins_addition(operation)

    def _joins_clamp(self, operation: SizedOperation) -> bool:
        chain = self.chains[self.clamps[operation.name]]
        requantized = self.bits[operation.name] > 8 and self._read_narrow_only(operation.name)
        inside = chain.bits <= 8 or chain.first.kind in ("conv2d", "linear") or requantized
        if inside:
            self._extend(chain, operation, [])
        return inside

    def _joins_addition(self, operation: SizedOperation) -> bool:
        if self._is_narrow(operation):
            return False
        homes = [self.home[name] for name in operation.inputs]
        if any(self.bits[name] <= 8 for name in operation.inputs) and BLOCKED in homes:
            return False
        wanted = BLOCKED if homes == [BLOCKED, BLOCKED] else PLAIN
        for mine, other in (operation.inputs, operation.inputs[::-1]):
            chain = self._chain_read_only_here(mine)
            if chain is not None and chain.takes_addition and chain.layout == wanted:
                self._read(other, wanted, operation)
                self._extend(chain, operation, ["add"])
                return True
        return False

    def _chain_read_only_here(self, name: str) -> _Chain | None:
        chain = self.chains.get(name)
        return chain if chain is not None and len(self.readers[name]) == 1 and self.bits[name] > 8 else None

    def _has_activation(self, chain: _Chain) -> bool:
        return any(self.by_name[name].kind in ACTIVATIONS for name in chain.covers)

    def _extend(self, chain: _Chain, operation: SizedOperation, fused: list[str]) -> None:
        chain.last = operation
        chain.fused += fused
        chain.covers.append(operation.name)
        self.chains[operation.name] = chain
        before = chain.covers[-2]
        self._holds(operation.name, self.home[before])

    def _runs_blocked(self, operation: SizedOperation) -> bool:
        """Whether a convolution in floating point has a kernel on blocked channels."""
        block, align = self.layout.block, self.layout.align
        if not block:
            return False
        if operation.groups == 1:
            return operation.in_channels < block or operation.in_channels % align == 0
        if operation.out_channels % align:
            return False
        if operation.groups == operation.in_channels == operation.out_channels:
            return True
        share_in, share_out = operation.in_channels // operation.groups, operation.out_channels // operation.groups
        return share_in % block == 0 and share_out % block == 0

    def _stays_blocked(self, operation: SizedOperation) -> bool:
        """Whether an operation without weights runs on blocked channels."""
        block = self.layout.block
        if not block or not operation.in_hw:
            return False
        whole = all(self.shapes[name][0] % block == 0 for name in operation.inputs)
        if operation.kind in ("max_pool", "avg_pool"):
            return whole
        if not all(self.home[name] == BLOCKED for name in operation.inputs):
            return False
        if operation.kind in ("global_avg_pool", "concat"):
            return whole
        same = len({self.shapes[name] for name in operation.inputs}) == 1
        elementwise = operation.kind in _FUSED_ACTIVATIONS | {"batch_norm"}
        return elementwise or (operation.kind in ("add", "mul") and same)

    def _read(self, name: str, wanted: str, reader: SizedOperation | None) -> None:
        """Convert a result into the layout its reader wants, unless it is there in it already."""
        if wanted in self.there[name] and not (wanted in (PLAIN, BLOCKED) and self.bits[name] <= 8):
            return
        if wanted == LAST8:
            self._read(name, PLAIN8, reader)
            self._convert(name, "transpose", bits=8, layout="last")
        elif wanted == PLAIN8:
            if LAST8 in self.there[name]:
                self._convert(name, "transpose", bits=8)
            else:
                self._read(name, PLAIN, reader)
                self._convert(name, "quantize")
        elif wanted == BLOCKED:
            self._read(name, PLAIN, reader)
            self._convert(name, "reorder_input")
        elif self.there[name] & {LAST8, PLAIN8}:
            self._leave(name, reader)
            return  # every reader dequantizes for itself
        else:
            self._convert(name, "reorder_output")
        self.there[name].add(wanted)

    def _leave(self, name: str, reader: SizedOperation | None) -> None:
        """From 8 bits to floating point."""
        requantized = reader is not None and not reader.is_layer and self._is_requantized(reader)
        if requantized and self.home[name] == LAST8 and reader is not None and reader.kind in ("add", "mul", "concat"):
            for kind in ("dequantize", "transpose", "quantize", "dequantize"):
                self._convert(name, kind)
            return
        if PLAIN8 not in self.there[name]:
            self._convert(name, "transpose", bits=8)
            self.there[name].add(PLAIN8)
        self._convert(name, "dequantize")

    def _is_requantized(self, operation: SizedOperation) -> bool:
        """Whether what an operation in floating point writes is quantized for a reader."""
        end = next((clamp for clamp, source in self.clamps.items() if source == operation.name), operation.name)
        return any(reads_narrow(self.by_name[name], self.bits) for name in self.readers[end])

    def _read_narrow_only(self, name: str) -> bool:
        """Whether every reader of a result quantizes it, which clamps it too."""
        readers = self.readers[name]
        return bool(readers) and all(reads_narrow(self.by_name[reader], self.bits) for reader in readers)

    def _convert(self, name: str, kind: str, *, bits: int = 32, layout: str = "") -> None:
        channels, hw = self.shapes[name]
        self.order.append(conversion(name, kind, channels, hw, batch=self.batch, bits=bits, layout=layout))
