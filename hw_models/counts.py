"""What a sized network holds and computes: multiply-adds, bytes, bit operations, live memory. No device is asked.

The rules, so that a figure can be checked by hand:

macs      multiply-adds of layers and of `matmul`. Convolution: output positions x kernel x in_channels / groups x
          out_channels. Linear: positions x in x out. Recurrent: steps x gates x hidden x (in + hidden), by direction.
          Biases, batch norm, pooling, activations and additions count nothing.
bops      macs x weight bits x activation bits, by layer; a `matmul` of two activations counts 32 x 32.
size      weights at their bits, packed, rounded up to whole bytes by layer; biases, and the scale and shift of a
          batch norm that cannot be folded, 4 bytes each. A batch norm that only follows a convolution or linear layer
          is folded into it: one bias per output channel remains. A layer of 8 bits or fewer holds besides a 4-byte
          scale per output channel, and a 4-byte scale and 1-byte zero point for its input. Weights of a sparse layer
          are those that are not zero, and a map of where they are: no runtime here skips zeros, so nothing else counts
          them.
memory    bytes of the activations alive at once, at the worst moment, in the order of the operations. What runs in
          place (activations, batch norm, reshapes) makes no second tensor. A tensor takes 1, 2 or 4 bytes an element:
          as its most precise reader needs it; fewer than 8 bits are not packed, since no runtime does that.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Protocol

from paretrim.network import LAYER_KINDS, SizedOperation

#: name under which operations refer to the network's own input
INPUT = "input"

#: element by element, one input: these can run in place
ACTIVATIONS = frozenset(
    {
        "relu",
        "relu6",
        "clip",
        "leaky_relu",
        "sigmoid",
        "hard_sigmoid",
        "tanh",
        "hard_swish",
        "silu",
        "gelu",
        "elu",
        "softplus",
    }
)
#: only look at their input in another way: no computation, no copy
VIEWS = frozenset({"flatten", "reshape", "identity", "squeeze", "unsqueeze", "dropout"})
IN_PLACE = ACTIVATIONS | VIEWS | {"batch_norm"}
GATES: Mapping[str, int] = {"lstm": 4, "gru": 3}
#: layers that a following batch norm is folded into
FOLDS_BATCH_NORM = frozenset({"conv1d", "conv2d", "conv_transpose2d", "linear"})


class Shaped(Protocol):
    """The shape of an operation: all that counting needs."""

    @property
    def kind(self) -> str: ...
    @property
    def in_channels(self) -> int: ...
    @property
    def out_channels(self) -> int: ...
    @property
    def in_hw(self) -> tuple[int, ...]: ...
    @property
    def out_hw(self) -> tuple[int, ...]: ...
    @property
    def kernel(self) -> tuple[int, ...]: ...
    @property
    def groups(self) -> int: ...
    @property
    def extra(self) -> Mapping[str, int] | tuple[tuple[str, int], ...]: ...


def operation_macs(operation: Shaped) -> int:
    """Multiply-adds of one operation."""
    if operation.kind == "embedding":
        return 0
    if operation.kind in GATES:
        steps = math.prod(operation.in_hw)
        return steps * _recurrent_weights(operation)
    if operation.kind == "matmul":
        return _matmul_macs(operation)
    if operation.kind not in LAYER_KINDS:
        return 0
    positions = math.prod(operation.in_hw if operation.kind == "conv_transpose2d" else operation.out_hw)
    return positions * operation_weights(operation)


def _matmul_macs(operation: Shaped) -> int:
    """Of two activations: as many as the description says for each channel, else as of a layer of the same shape."""
    extra = _extra(operation)
    if "macs_per_in_channel" in extra:
        return extra["macs_per_in_channel"] * operation.in_channels
    if "macs_per_out_channel" in extra:
        return extra["macs_per_out_channel"] * operation.out_channels
    return math.prod(operation.out_hw) * operation.in_channels * operation.out_channels


def operation_weights(operation: Shaped) -> int:
    """Weight elements of one operation, biases not counted."""
    if operation.kind in GATES:
        return _recurrent_weights(operation)
    if operation.kind not in LAYER_KINDS:
        return 0
    return math.prod(operation.kernel) * operation.in_channels // operation.groups * operation.out_channels


def macs(operations: Sequence[SizedOperation]) -> int:
    """Multiply-adds for one input."""
    return sum(operation_macs(operation) for operation in operations)


def bops(operations: Sequence[SizedOperation]) -> int:
    """Bit operations for one input: macs x weight bits x activation bits."""
    return sum(operation_macs(op) * op.weight_bits * op.activation_bits for op in operations)


def size_bytes(operations: Sequence[SizedOperation]) -> int:
    """Bytes of all parameters as stored: weights at their bits, biases, scales."""
    folded = folded_batch_norms(operations)
    with_bias = set(folded.values())
    return sum(operation_bytes(op, bias=op.bias or op.name in with_bias) for op in operations if op.name not in folded)


def operation_bytes(operation: SizedOperation, *, bias: bool) -> int:
    """Bytes of one operation's parameters; bias: whether it has one, its own or from a folded batch norm."""
    if operation.kind == "batch_norm":
        return 8 * operation.out_channels
    if not operation.is_layer:
        return 0
    total = math.ceil(_weight_storage_bits(operation) / 8)
    if operation.kind in GATES:
        total += 4 * 2 * GATES[operation.kind] * operation.out_channels if bias else 0
    else:
        total += 4 * operation.out_channels if bias else 0
    if operation.weight_bits <= 8:
        total += 4 * operation.out_channels
    if operation.activation_bits <= 8:
        total += 5
    return total


def _weight_storage_bits(operation: SizedOperation) -> int:
    if operation.sparsity is None:
        return operation_weights(operation) * operation.weight_bits
    inputs = operation.in_channels // operation.groups
    return operation.sparsity.stored_bits(operation.out_channels, inputs, operation.kernel, operation.weight_bits)


def folded_batch_norms(operations: Sequence[SizedOperation]) -> dict[str, str]:
    """Batch norms that disappear into the layer before them: norm -> layer."""
    readers = consumers(operations)
    by_name = {operation.name: operation for operation in operations}
    folded = {}
    for operation in operations:
        if operation.kind != "batch_norm":
            continue
        source = by_name.get(operation.inputs[0])
        if source is not None and source.kind in FOLDS_BATCH_NORM and readers[source.name] == [operation.name]:
            folded[operation.name] = source.name
    return folded


def peak_memory_bytes(operations: Sequence[SizedOperation]) -> int:
    """Bytes of activations alive at once, at the worst moment."""
    readers = consumers(operations)
    owner = _tensor_owners(operations, readers)
    sizes = _tensor_bytes(operations, owner, readers)
    last_use = {operations[-1].name: len(operations)}
    for step, operation in enumerate(operations):
        for name in operation.inputs:
            last_use[owner[name]] = max(step, last_use.get(owner[name], 0))
    last_use[owner[operations[-1].name]] = len(operations)
    alive: set[str] = {INPUT}
    worst = 0
    for step, operation in enumerate(operations):
        alive.add(owner[operation.name])
        worst = max(worst, sum(sizes[name] for name in alive))
        alive = {name for name in alive if last_use.get(name, 0) > step}
    return worst


def consumers(operations: Sequence[SizedOperation]) -> dict[str, list[str]]:
    """Names of the operations that read each operation's result, and the network's input."""
    readers: dict[str, list[str]] = {operation.name: [] for operation in operations}
    readers[INPUT] = []
    for operation in operations:
        for name in operation.inputs:
            readers.setdefault(name, []).append(operation.name)
    return readers


def external(operations: Sequence[SizedOperation]) -> dict[str, tuple[int, tuple[int, ...]]]:
    """Channels and extent of what the operations read but none of them writes: the network's inputs."""
    produced = {operation.name for operation in operations}
    found: dict[str, tuple[int, tuple[int, ...]]] = {}
    for operation in operations:
        for name in operation.inputs:
            if name not in produced:
                found.setdefault(name, (operation.in_channels, operation.in_hw))
    return found


def tensor_bits(
    operations: Sequence[SizedOperation], readers: Mapping[str, Sequence[str]] | None = None
) -> dict[str, int]:
    """Bits of every operation's result, and of the input: as many as its most precise reader needs; 32 for the output.

    A layer needs its activation bits, anything else what is needed of its own result. readers: `consumers` of them, if
    that is known.
    """
    readers = consumers(operations) if readers is None else readers
    by_name = {operation.name: operation for operation in operations}
    bits: dict[str, int] = {}
    for name in [*(operation.name for operation in reversed(operations)), INPUT]:
        needs = [
            by_name[reader].activation_bits if by_name[reader].is_layer else bits[reader] for reader in readers[name]
        ]
        bits[name] = max(needs, default=32)
    return bits


def _extra(operation: Shaped) -> dict[str, int]:
    extra = operation.extra
    return dict(extra.items() if isinstance(extra, Mapping) else extra)


def _recurrent_weights(operation: Shaped) -> int:
    directions = _extra(operation).get("directions", 1)
    hidden = operation.out_channels // directions
    return directions * GATES[operation.kind] * hidden * (operation.in_channels + hidden)


def _tensor_owners(operations: Sequence[SizedOperation], readers: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """For every result the name of the tensor that holds it: its own, or that of what it overwrites."""
    owner = {INPUT: INPUT}
    for operation in operations:
        source = operation.inputs[0] if operation.inputs else INPUT
        alone = readers.get(source) == [operation.name]
        in_place = operation.kind in VIEWS or (operation.kind in IN_PLACE and alone)
        owner[operation.name] = owner[source] if in_place else operation.name
    return owner


def _tensor_bytes(
    operations: Sequence[SizedOperation], owner: Mapping[str, str], readers: Mapping[str, Sequence[str]]
) -> dict[str, int]:
    bits = tensor_bits(operations, readers)
    first = operations[0]
    elements = {INPUT: first.in_channels * math.prod(first.in_hw)}
    elements |= {op.name: op.out_channels * math.prod(op.out_hw) for op in operations}
    sizes: dict[str, int] = {}
    for name, count in elements.items():
        each = 1 if bits[name] <= 8 else 2 if bits[name] <= 16 else 4
        sizes[owner[name]] = max(sizes.get(owner[name], 0), count * each)
    return sizes
