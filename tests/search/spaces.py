"""Small networks, devices and cost models for the tests of the search, made of words and arithmetic only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from paretrim.network import Axis, Group, Network, Operation, Segment, SizedOperation
from paretrim.problem import UNCHANGED, Bits, Constraint, Measurement, Objective, Policy
from search.space import Space

FP32, INT8 = Bits(32, 32), Bits(8, 8)
MIXED = (FP32, *(Bits(w, a) for w in range(2, 9) for a in range(2, 9)))


def wide(group: str | None, units: int, per_unit: int = 1) -> Axis:
    return (Segment(group, units, per_unit),)


def conv(name: str, source: str, inputs: Axis, outputs: Axis, side: int, **more: object) -> Operation:
    kernel = int(more.pop("kernel", 3))  # type: ignore[call-overload]
    stride = int(more.pop("stride", 1))  # type: ignore[call-overload]
    return Operation(
        name,
        "conv2d",
        (source,),
        inputs,
        outputs,
        (side * stride, side * stride),
        (side, side),
        (kernel, kernel),
        (stride, stride),
        (kernel // 2,) * 4,
        (1, 1),
        **more,  # type: ignore[arg-type]
    )


def plain(widths: Sequence[int] = (16, 32, 64), side: int = 8) -> Network:
    """A chain of convolutions and a classifier."""
    operations, groups, before = [], [], wide(None, 3)
    source = "input"
    for i, width in enumerate(widths):
        name = f"conv{i}"
        after = f"conv{i + 1}" if i + 1 < len(widths) else "fc"
        operations.append(conv(name, source, before, wide(f"g{i}", width), max(1, side >> i)))
        groups.append(Group(f"g{i}", width, (name,), (after,)))
        before, source = wide(f"g{i}", width), name
    operations.append(Operation("fc", "linear", (source,), before, wide("classes", 10), bias=True))
    groups.append(Group("classes", 10, ("fc",), (), "the network's output"))
    return Network(tuple(operations), tuple(groups), (3, side, side), "fc")


def resnet(blocks: int = 3, widths: Sequence[int] = (16, 32, 64), side: int = 32) -> Network:
    """A CIFAR ResNet: residual streams are groups with many ends, blocks have an inner group each."""
    operations = [conv("stem", "input", wide(None, 3), wide("stream0", widths[0]), side)]
    producers: dict[str, list[str]] = {"stream0": ["stem"]}
    consumers: dict[str, list[str]] = {}
    groups, source, stream = [], "stem", "stream0"
    units = {"stream0": widths[0]}
    for stage, width in enumerate(widths):
        for block in range(blocks):
            name, stride = f"s{stage}b{block}", 2 if stage and not block else 1
            extent = side >> stage
            inner, into = wide(f"{name}.inner", width), wide(stream, units[stream])
            consumers.setdefault(stream, []).append(f"{name}.conv1")
            operations.append(conv(f"{name}.conv1", source, into, inner, extent, stride=stride))
            if stride == 2:
                consumers[stream].append(f"{name}.down")
                stream = f"stream{stage}"
                units[stream], producers[stream] = width, [f"{name}.down"]
                out = wide(stream, width)
                operations.append(conv(f"{name}.down", source, into, out, extent, stride=2, kernel=1))
                source = f"{name}.down"
            out = wide(stream, width)
            operations.append(conv(f"{name}.conv2", f"{name}.conv1", inner, out, extent))
            producers[stream].append(f"{name}.conv2")
            operations.append(
                Operation(f"{name}.add", "add", (f"{name}.conv2", source), out, out, (extent,) * 2, (extent,) * 2)
            )
            groups.append(Group(f"{name}.inner", width, (f"{name}.conv1",), (f"{name}.conv2",)))
            source = f"{name}.add"
    consumers.setdefault(stream, []).append("fc")
    operations.append(Operation("fc", "linear", (source,), wide(stream, widths[-1]), wide(None, 10), bias=True))
    streams = [
        Group(n, units[n], tuple(producers[n]), tuple(consumers.get(n, ())), None, "residual") for n in producers
    ]
    return Network(tuple(operations), (*streams, *groups), (3, side, side), "fc")


def mobilenet(widths: Sequence[int] = (16, 24, 48, 96), side: int = 16) -> Network:
    """Depthwise and pointwise convolutions in turn."""
    operations = [conv("stem", "input", wide(None, 3), wide("g0", widths[0]), side)]
    groups, source = [], "stem"
    for i, width in enumerate(widths):
        into = wide(f"g{i}", width)
        last = i + 1 == len(widths)
        extent = max(1, side >> i)
        operations.append(conv(f"dw{i}", source, into, into, extent, groups=width))
        producers = ("stem", "dw0") if i == 0 else (f"pw{i - 1}", f"dw{i}")
        groups.append(Group(f"g{i}", width, producers, (f"dw{i}", "fc" if last else f"pw{i}")))
        source = f"dw{i}"
        if not last:
            operations.append(conv(f"pw{i}", source, into, wide(f"g{i + 1}", widths[i + 1]), extent, kernel=1))
            source = f"pw{i}"
    operations.append(Operation("fc", "linear", (source,), wide(f"g{len(widths) - 1}", widths[-1]), wide(None, 10)))
    return Network(tuple(operations), tuple(groups), (3, side, side), "fc")


@dataclass(frozen=True)
class PaperDevice:
    """Legal bits and steps as given."""

    bits: tuple[Bits, ...] = (FP32, INT8)
    step: int = 1

    def legal_bits(self, operation: Operation | SizedOperation) -> tuple[Bits, ...]:
        return self.bits

    def channel_step(self, operation: Operation | SizedOperation, bits: Bits) -> int:
        return self.step


@dataclass
class PaperCosts:
    """Costs by arithmetic: time is MACs at a rate that 8 bits double, plus a constant for every operation."""

    network: Network
    asked: int = 0
    original: Measurement = field(init=False)

    def __post_init__(self) -> None:
        self.original = self.measure(UNCHANGED)

    def measure(self, policy: Policy) -> Measurement:
        self.asked += 1
        macs = size = bops = 0
        time = 0.0
        peak = 0
        for op in self.network.sized(policy):
            area = op.out_hw[0] * op.out_hw[1] if op.out_hw else 1
            inside = op.in_hw[0] * op.in_hw[1] if op.in_hw else 1
            peak = max(peak, (op.in_channels * inside + op.out_channels * area) * op.activation_bits // 8)
            if op.is_layer:
                kernel = op.kernel[0] * op.kernel[1] if op.kernel else 1
                weights = op.in_channels * op.out_channels * kernel // op.groups
                macs += weights * area
                size += -(-weights * op.weight_bits // 8)
                bops += weights * area * op.weight_bits * op.activation_bits
                time += weights * area * (1e-6 if op.weight_bits > 8 else 0.5e-6) + 0.002
        return Measurement(
            latency_ms=time, size_bytes=size, macs=macs, bops=bops, peak_memory_bytes=peak, energy_mj=macs * 1e-7
        )


def space(
    network: Network | None = None,
    constraints: Sequence[str] = ("macs_ratio <= 0.5",),
    objectives: Sequence[str] = ("accuracy",),
    bits: tuple[Bits, ...] = (FP32, INT8),
    step: int = 1,
) -> Space:
    """A space over a paper device."""
    network = network or plain()
    return Space(
        network,
        PaperDevice(bits, step),
        PaperCosts(network),
        objectives=[Objective(name) for name in objectives],
        constraints=[Constraint.parse(text) for text in constraints],
    )
