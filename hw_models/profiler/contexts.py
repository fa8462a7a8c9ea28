"""Puts a unit into the middle of a small network, so that it is timed among neighbours as it would have them for real.

Timed alone, operations are off by half on some families: every one then pays for layouts that a network pays for once.
A context is a stub that makes the unit's input, the unit, and a stub that reads its result.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial

from hw_models.fusion import CONVERSIONS, Execution
from hw_models.lowering import lower
from hw_models.sketch import Sketch
from hw_models.table import describe
from hw_models.units import Unit
from paretrim.errors import NotMeasured
from paretrim.network import SizedOperation
from paretrim.problem import FULL_PRECISION, Bits

#: channels of the tensors that a context begins and ends with
STUB_CHANNELS = 16
NARROW = Bits(8, 8)

Context = Callable[[Unit], Sketch]


def in_context(unit: Unit, execution: Execution) -> tuple[SizedOperation, ...]:
    """A small network in whose execution the unit occurs. Raises NotMeasured if none of the contexts does it."""
    for context in _contexts(unit, apart=execution.layout is not None and execution.layout.everywhere):
        operations = tuple(context(unit).operations)
        placed = lower(operations, execution, batch=unit.batch, narrow_inputs=is_given_integers(unit))
        if any(item.unit == unit for item in placed):
            return operations
    raise NotMeasured(f"{describe(unit)} cannot be timed in a network of its own")


def is_given_integers(unit: Unit) -> bool:
    """Integers in, if the unit reads integers: no conversion at the edge."""
    return unit.activation_bits <= 8 and unit.kind not in CONVERSIONS


def renamed(operations: Sequence[SizedOperation], prefix: str) -> tuple[SizedOperation, ...]:
    """The same network under other names, so that several fit into one file."""
    return tuple(
        replace(
            operation,
            name=f"{prefix}{operation.name}",
            inputs=tuple(f"{prefix}{name}" for name in operation.inputs),
        )
        for operation in operations
    )


def _contexts(unit: Unit, *, apart: bool) -> Iterator[Context]:
    """apart: the runtime makes one kernel of linear layers that follow one another (OpenVINO)."""
    if unit.kind in CONVERSIONS:
        yield from (_convert_around_layer, _convert_input, _convert_flat, _convert_addition)
        return
    if apart and unit.kind == "linear":
        yield partial(_surrounded, clamped=False, direct=True, read=False)
    for clamped in (False, True):
        for direct in (False, True):
            yield partial(_surrounded, clamped=clamped, direct=direct)
    yield partial(_surrounded, clamped=False, direct=True, read=False)


def _surrounded(unit: Unit, *, clamped: bool, direct: bool, read: bool = True) -> Sketch:
    """stub -> unit -> stub. clamped: the stub before has a ReLU; direct: the unit reads the network's input itself;
    read: whether there is a stub after it."""
    sketch = Sketch(STUB_CHANNELS, unit.in_hw, NARROW if unit.activation_bits <= 8 else FULL_PRECISION)
    shares = _shares(unit)
    sources = [_source(sketch, unit, index, share, clamped, direct) for index, share in enumerate(shares)]
    x = _append(sketch, unit, sources)
    for kind in unit.fused:
        if kind == "add":
            other = _source(sketch, unit, len(shares), unit.out_channels, clamped, direct, hw=unit.out_hw)
            x = sketch.append("add", [x, other], unit.out_channels, unit.out_hw)
        else:
            x = sketch.activation(x, kind)
    if not read or (unit.kind == "linear" and unit.output_bits > 8):
        return sketch
    if unit.out_hw:
        sketch.conv(x, STUB_CHANNELS, 1)
    else:
        sketch.linear(x, STUB_CHANNELS)
    return sketch


def _shares(unit: Unit) -> list[int]:
    """Channels of each input."""
    if unit.kind != "concat":
        return [unit.in_channels] * unit.inputs
    rest, others = unit.out_channels - unit.in_channels, unit.inputs - 1
    return [unit.in_channels, *(rest // others + (index < rest % others) for index in range(others))]


def _source(
    sketch: Sketch,
    unit: Unit,
    index: int,
    channels: int,
    clamped: bool,
    direct: bool,
    hw: tuple[int, ...] | None = None,
) -> str:
    extent = unit.in_hw if hw is None else hw
    name = f"input{index}"
    same = channels == unit.in_channels and extent == unit.in_hw  # what an input declares is its first reader's
    alone = same and (direct or (unit.is_layer and hw is None and channels <= 4))
    sketch.channels[name], sketch.hw[name] = (channels if alone else STUB_CHANNELS), extent
    if alone:
        return name
    stub = sketch.conv(name, channels, 1) if extent else sketch.linear(name, channels)
    return sketch.relu(stub) if clamped else stub


def _append(sketch: Sketch, unit: Unit, sources: Sequence[str]) -> str:
    shape = {name: getattr(unit, name) for name in ("kernel", "stride", "padding", "dilation")}
    return sketch.append(unit.kind, sources, unit.out_channels, unit.out_hw, groups=unit.groups, **shape)


def _convert_around_layer(unit: Unit) -> Sketch:
    """Full precision, 8 bits, full precision: every conversion of a tensor of this shape, there and back."""
    sketch = Sketch(STUB_CHANNELS, unit.in_hw)
    if not unit.in_hw:
        return _convert_flat(unit)
    x = sketch.relu(sketch.conv("input", unit.in_channels, 1))
    sketch.bits = NARROW
    x = sketch.relu(sketch.conv(x, STUB_CHANNELS, 1))
    x = sketch.relu(sketch.conv(x, unit.in_channels, 1))
    sketch.bits = FULL_PRECISION
    sketch.conv(x, STUB_CHANNELS, 1)
    return sketch


def _convert_input(unit: Unit) -> Sketch:
    """The network's own input, read by blocked kernels and by 8-bit ones; its output in blocks."""
    sketch = Sketch(unit.in_channels, unit.in_hw)
    if unit.kind == "reorder_input":
        sketch.bits = NARROW if unit.activation_bits <= 8 else FULL_PRECISION
        sketch.conv("input", STUB_CHANNELS, 1)
        return sketch
    sketch.bits = NARROW
    x = sketch.conv("input", STUB_CHANNELS, 1) if unit.in_hw else sketch.linear("input", STUB_CHANNELS)
    sketch.bits = FULL_PRECISION
    x = sketch.conv(x, STUB_CHANNELS, 1) if unit.in_hw else sketch.linear(x, STUB_CHANNELS)
    if unit.in_hw:
        sketch.conv(x, unit.in_channels, 1)
    return sketch


def _convert_flat(unit: Unit) -> Sketch:
    """A vector, or what is left of an image after pooling, read by an 8-bit layer; and its result."""
    sketch = Sketch(unit.in_channels, (4, 4), NARROW)
    x = sketch.conv("input", unit.in_channels, 1)
    pooled = sketch.append("global_avg_pool", [x], unit.in_channels, (1, 1))
    x = sketch.linear(sketch.append("flatten", [pooled], unit.in_channels, ()), STUB_CHANNELS)
    sketch.bits = FULL_PRECISION
    x = sketch.linear(x, STUB_CHANNELS)
    sketch.bits = NARROW
    x = sketch.linear(x, unit.in_channels)
    sketch.bits = FULL_PRECISION
    sketch.linear(x, STUB_CHANNELS)
    return sketch


def _convert_addition(unit: Unit) -> Sketch:
    """An 8-bit result added to one in full precision, and the sum quantized again."""
    sketch = Sketch(STUB_CHANNELS, unit.in_hw)
    wide = sketch.relu(sketch.conv("input", unit.in_channels, 1))
    sketch.bits = NARROW
    narrow = sketch.conv("input", unit.in_channels, 1)
    sketch.conv(sketch.relu(sketch.add(narrow, wide)), STUB_CHANNELS, 1)
    return sketch


def alone(unit: Unit) -> tuple[SizedOperation, ...]:
    """The unit and nothing else: it reads the network's inputs, its result is the network's output."""
    return tuple(_surrounded(unit, clamped=False, direct=True, read=False).operations)
