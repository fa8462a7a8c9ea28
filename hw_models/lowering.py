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
- A linear layer in 8 bits may give floating point.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from hw_models.counts import ACTIVATIONS, VIEWS, consumers, external
from hw_models.fusion import CLAMPS, Execution, Layout, Placed, absorbed_clamps, conversion, make_unit
from hw_models.placing import place
from hw_models.precision import OUTPUT, Precision, at_kernel_bits, plan_precision
from paretrim.network import SizedOperation

PLAIN, BLOCKED, LAST, PLAIN8, LAST8 = "plain", "blocked", "last", "plain8", "last8"
_NARROW = frozenset({PLAIN8, LAST8})
#: activations that a convolution on plain or blocked channels takes in
_FUSED_ACTIVATIONS = CLAMPS | {"leaky_relu", "sigmoid", "tanh", "hard_sigmoid", "hard_swish"}
#: operations in floating point that transpositions are pushed through
_ANY_LAYOUT = ACTIVATIONS | {"add", "mul", "concat", "slice", "pad"}


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
    operations: Sequence[SizedOperation], execution: Execution, *, batch: int = 1, narrow_inputs: bool = False
) -> tuple[Placed, ...]:
    """The units that execute these operations, conversions included. narrow_inputs: the network is given integers."""
    executed = at_kernel_bits(operations, execution)
    if execution.layout is None or execution.layout.everywhere:
        return place(executed, execution, batch=batch, narrow_inputs=narrow_inputs)
    precision = plan_precision(executed, narrow_inputs=narrow_inputs)
    executed = _without_padding(executed, precision)
    return _Lowering(executed, precision, execution.layout, batch, narrow_inputs).units()


def _without_padding(operations: tuple[SizedOperation, ...], precision: Precision) -> tuple[SizedOperation, ...]:
    """The operations with padding around an image moved into the convolution in floating point that alone reads it."""
    readers = consumers(operations)
    by_name = {operation.name: operation for operation in operations}
    moved: dict[str, SizedOperation] = {}
    for pad in operations:
        reader = by_name.get(readers[pad.name][0]) if pad.kind == "pad" and len(readers[pad.name]) == 1 else None
        if reader is None or reader.kind != "conv2d" or reader.name in precision.narrow:
            continue
        if pad.in_channels == pad.out_channels and pad.name not in precision.narrow:
            added = [after - before for before, after in zip(pad.in_hw, pad.out_hw, strict=True)]
            around = (*(count // 2 for count in added), *(count - count // 2 for count in added))
            padding = tuple(own + more for own, more in zip(reader.padding or (0,) * 4, around, strict=True))
            moved[pad.name] = reader
            moved[reader.name] = replace(reader, inputs=pad.inputs, in_hw=pad.in_hw, padding=padding)
    kept = (operation for operation in operations if not (operation.kind == "pad" and operation.name in moved))
    return tuple(moved.get(operation.name, operation) for operation in kept)


class _Lowering:
    """Walks the operations once and keeps, for every result, the layouts it is there in."""

    def __init__(
        self,
        operations: tuple[SizedOperation, ...],
        precision: Precision,
        layout: Layout,
        batch: int,
        narrow_inputs: bool,
    ) -> None:
        self.operations, self.precision, self.layout, self.batch = operations, precision, layout, batch
        self.readers = consumers(operations)
        self.by_name = {operation.name: operation for operation in operations}
        self.clamps = absorbed_clamps(operations)
        self.clamp_of = {source: clamp for clamp, source in self.clamps.items()}
        self.shapes = external(operations)
        self.home = dict.fromkeys(self.shapes, PLAIN8 if narrow_inputs else PLAIN)
        self.there = {name: {layout} for name, layout in self.home.items()}
        self.chains: dict[str, _Chain] = {}  #: by the result that ends it
        self.order: list[_Chain | Placed] = []
        self._leading: dict[str, bool] = {}

    def units(self) -> tuple[Placed, ...]:
        for operation in self.operations:
            self._lower(operation)
            self.shapes[operation.name] = (operation.out_channels, operation.out_hw)
        for operation in self.operations:
            if not self.readers[operation.name]:
                self._read(operation.name, PLAIN, OUTPUT)
        return tuple(self._finished(item) if isinstance(item, _Chain) else item for item in self.order)

    def _finished(self, chain: _Chain) -> Placed:
        quantized_by_runtime = chain.bits <= 8 and chain.first.weight_bits > 8
        unit = make_unit(
            replace(chain.first, weight_bits=8) if quantized_by_runtime else chain.first,
            chain.last,
            fused=tuple(chain.fused),
            bits=chain.bits,
            output_bits=8 if self.home[chain.covers[-1]] in _NARROW else 32,
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
        elif operation.kind == "transpose":
            blocked = self.home[operation.inputs[0]] == BLOCKED  # leaving blocks writes channels last as easily
            self._convert(operation.inputs[0], "reorder_output" if blocked else "transpose")
            self._holds(operation.name, PLAIN)
        elif self._comes_last(operation):
            for name in operation.inputs:
                if self.home[name] == LAST8:
                    self._convert(name, "dequantize")
            self._emit(operation, PLAIN, 32)
            self._holds(operation.name, LAST)
        else:
            layout = BLOCKED if self._stays_blocked(operation) else PLAIN
            self._run(operation, layout, layout)

    def _comes_last(self, operation: SizedOperation) -> bool:
        """Whether an operation on single elements in floating point is left in the layout that 8-bit kernels gave."""
        elementwise = operation.kind in ("add", "mul", "concat") or operation.kind in ACTIVATIONS
        return elementwise and all(self.home[name] in (LAST8, LAST) for name in operation.inputs)

    def _is_narrow(self, operation: SizedOperation) -> bool:
        return operation.name in self.precision.narrow

    def _lower_narrow(self, operation: SizedOperation) -> None:
        if operation.kind == "linear":
            self._run(operation, PLAIN8, PLAIN8 if self._leaves_narrow(operation) else PLAIN, bits=8)
        elif operation.kind in VIEWS:
            self._run(operation, PLAIN8, PLAIN8, bits=8)
        elif operation.kind == "transpose":
            self._transpose_narrow(operation)
        elif operation.kind == "pad":
            self._pad_narrow(operation)
        else:
            layout = self._narrow_layout(operation)
            self._run(operation, layout, layout, bits=8)
            if operation.kind == "global_avg_pool" and not operation.out_hw:
                self._flatten_pooled(operation, layout)

    def _narrow_layout(self, operation: SizedOperation) -> str:
        return LAST8 if operation.in_hw and self.layout.channels_last else PLAIN8

    def _pad_narrow(self, operation: SizedOperation) -> None:
        """Padding has no 8-bit kernel: out of 8 bits and back, in the layout it comes in."""
        layout = self._narrow_layout(operation)
        for name in operation.inputs:
            self._read(name, layout, operation.name)
            self._convert(name, "dequantize")
        self._emit(operation, PLAIN, 32)
        self.shapes[operation.name] = (operation.out_channels, operation.out_hw)
        self._convert(operation.name, "quantize")
        self._holds(operation.name, layout)

    def _transpose_narrow(self, operation: SizedOperation) -> None:
        """To channels last: nothing is left to do for what is there already."""
        source = operation.inputs[0]
        if LAST8 not in self.there[source]:
            self._run(operation, PLAIN8, PLAIN8, bits=8)
        else:
            self._holds(operation.name, PLAIN8)

    def _flatten_pooled(self, operation: SizedOperation, layout: str) -> None:
        """A mean over positions that drops them is written as pooling and a reshape."""
        ones = (1,) * len(operation.in_hw)
        chain = self.chains[operation.name]
        chain.last = replace(operation, out_hw=ones)
        if layout == LAST8:
            self.shapes[operation.name] = (operation.out_channels, ones)
            self._convert(operation.name, "transpose", bits=8)
        view = replace(operation, name=f"{operation.name}:flatten", kind="flatten", in_hw=ones, extra={})
        self._emit(view, PLAIN8, 8)
        self._holds(view.name, PLAIN8)
        self._holds(operation.name, PLAIN8)

    def _leaves_narrow(self, operation: SizedOperation) -> bool:
        """Whether all that read a linear layer's result read it quantized."""
        end = self.clamp_of.get(operation.name, operation.name)
        readers = self.readers[end] or [OUTPUT]
        return all(self.precision.quantized(reader, end) for reader in readers)

    def _run(self, operation: SizedOperation, reads: str, writes: str, *, bits: int = 32) -> None:
        for name in operation.inputs:
            self._read(name, reads, operation.name)
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
        if operation.kind in _FUSED_ACTIVATIONS:
            chain = self._chain_read_only_here(operation.inputs[0])
            if chain is None or chain.first.kind != "conv2d" or self._has_activation(chain):
                return False
            self._extend(chain, operation, [] if operation.kind in CLAMPS else [operation.kind])
            return True
        return operation.kind == "add" and len(operation.inputs) == 2 and self._joins_addition(operation)

    def _joins_clamp(self, operation: SizedOperation) -> bool:
        source = self.clamps[operation.name]
        chain = self.chains[source]
        if chain.bits <= 8:
            inside = self.home[source] in _NARROW
        else:
            inside = chain.first.kind in ("conv2d", "linear") or self._is_read_quantized(operation.name)
        if inside:
            self._extend(chain, operation, [])
        return inside

    def _joins_addition(self, operation: SizedOperation) -> bool:
        homes = [self.home[name] for name in operation.inputs]
        if self._is_narrow(operation) or (BLOCKED in homes and set(homes) & _NARROW):
            return False
        wanted = BLOCKED if homes == [BLOCKED, BLOCKED] else PLAIN
        for mine, other in (operation.inputs, operation.inputs[::-1]):
            chain = self._chain_read_only_here(mine)
            if chain is not None and chain.takes_addition and chain.layout == wanted:
                self._read(other, wanted, operation.name)
                self._extend(chain, operation, ["add"])
                return True
        return False

    def _chain_read_only_here(self, name: str) -> _Chain | None:
        chain = self.chains.get(name)
        alone = chain is not None and len(self.readers[name]) == 1 and self.home[name] not in _NARROW
        return chain if alone else None

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
            return whole and bool(operation.out_hw)
        same = len({self.shapes[name] for name in operation.inputs}) == 1
        elementwise = operation.kind in _FUSED_ACTIVATIONS | {"batch_norm"}
        return elementwise or (operation.kind in ("add", "mul") and same)

    def _read(self, name: str, wanted: str, reader: str) -> None:
        """Convert a result into the layout its reader wants, unless it is there in it already."""
        if wanted in _NARROW:
            self._read_narrow(name, wanted)
        elif self.home[name] in _NARROW:
            self._leave(name, reader)  # every reader dequantizes for itself
            if wanted == BLOCKED:
                self._convert(name, "reorder_input")
        elif self.precision.quantized(reader, name):
            self._read_narrow(name, PLAIN8)  # rounded, though nobody computes with integers here
            self._convert(name, "dequantize")
            if wanted == BLOCKED:
                self._convert(name, "reorder_input")
        elif wanted not in self.there[name]:
            self._make_plain(name)
            if wanted == BLOCKED:
                self._convert(name, "reorder_input")
                self.there[name].add(wanted)

    def _make_plain(self, name: str) -> None:
        """From blocks, or from channels last in floating point, unless it was done for an earlier reader."""
        if PLAIN not in self.there[name]:
            self._convert(name, "reorder_output" if self.home[name] == BLOCKED else "transpose")
            self.there[name].add(PLAIN)

    def _read_narrow(self, name: str, wanted: str) -> None:
        if wanted in self.there[name]:
            return
        if wanted == LAST8:
            self._read_narrow(name, PLAIN8)
            self._convert(name, "transpose", bits=8, layout="last")
        elif LAST8 in self.there[name]:
            self._convert(name, "transpose", bits=8)
        else:
            self._make_plain(name)
            self._convert(name, "quantize")
        self.there[name].add(wanted)

    def _leave(self, name: str, reader: str) -> None:
        """From 8 bits to floating point."""
        joins = reader != OUTPUT and self.by_name[reader].kind in ("add", "mul", "concat")
        if joins and self.home[name] == LAST8 and self._leads_to_narrow(reader):
            for kind in ("dequantize", "transpose", "quantize", "dequantize"):
                self._convert(name, kind)
            return
        self._read_narrow(name, PLAIN8)
        self._convert(name, "dequantize")

    def _is_read_quantized(self, name: str) -> bool:
        """Whether what an operation in floating point writes is quantized for every reader."""
        return all(self.precision.quantized(reader, name) for reader in self.readers[name] or [OUTPUT])

    def _leads_to_narrow(self, name: str) -> bool:
        """Whether an 8-bit kernel reads a result, be it behind operations that do not care for the layout.

        The runtime then pushes the transposition forward in the hope that it cancels, and leaves two pairs behind.
        """
        if name not in self._leading:
            self._leading[name] = any(
                self.precision.quantized(reader, name)
                if self.by_name[reader].kind not in _ANY_LAYOUT or reader in self.precision.narrow
                else self._leads_to_narrow(reader)
                for reader in self.readers[name]
            )
        return self._leading[name]

    def _convert(self, name: str, kind: str, *, bits: int = 32, layout: str = "") -> None:
        channels, hw = self.shapes[name]
        self.order.append(conversion(name, kind, channels, hw, batch=self.batch, bits=bits, layout=layout))
