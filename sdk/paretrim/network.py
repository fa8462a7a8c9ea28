"""A neural network as paretrim sees it: operations, the groups that tie their channels, what a policy makes of them.

Standard library only. Nothing here knows torch, ONNX or a device; `compressors` writes these values, `hw_models` and
`search` read them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from paretrim.errors import InvalidPolicy
from paretrim.problem import FULL_PRECISION, Bits, Policy
from paretrim.sparsity import SPARSE_KINDS, Sparsity

#: kinds of operations that hold weights and so are layers
LAYER_KINDS = frozenset({"conv1d", "conv2d", "conv_transpose2d", "linear", "lstm", "gru", "embedding"})

#: sized operations a network remembers
REMEMBERED_SIZES = 100_000

#: fewest bits of first and last layers, which every published mixed-precision network keeps wide
END_BITS = 8


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of a channel axis: all units of one group, or channels that never change.

    An axis holds either every unit of a group or none, so the width of an axis under a policy is
    `sum(kept units of the group x channels_per_unit)`.
    """

    group: str | None  #: None: these channels are in no group and always stay
    units: int
    channels_per_unit: int = 1  #: > 1 where one unit stands for several channels here (flatten, grouped conv)

    @property
    def channels(self) -> int:
        """Channels before compression."""
        return self.units * self.channels_per_unit


Axis = tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class Operation:
    """One node of the network, in execution order. Spatial tuples are () where there is none."""

    name: str
    #: `conv2d`, `linear`, `batch_norm`, `relu`, `add`, `concat`, `max_pool`, `avg_pool`, `global_avg_pool`, `flatten`,
    #: `pad`, `slice`, `matmul`, `softmax`, ...
    kind: str
    inputs: tuple[str, ...]  #: names of the operations that feed it; `input` is the network's own input
    in_axis: Axis  #: channel axis of the first input
    out_axis: Axis
    in_hw: tuple[int, ...] = ()  #: extent of the first input but for batch and channels: (h, w), (length,) or ()
    out_hw: tuple[int, ...] = ()
    kernel: tuple[int, ...] = ()
    stride: tuple[int, ...] = ()
    padding: tuple[int, ...] = ()  #: begin then end, as in ONNX `pads`: (top, left, bottom, right)
    dilation: tuple[int, ...] = ()
    groups: int = 1  #: convolution groups, before compression
    bias: bool = False
    removable_in: str | None = None  #: name of the block this operation disappears with
    extra: Mapping[str, int] = field(default_factory=dict)  #: what a kind needs beyond this, e.g. {"heads": 4}

    @property
    def is_layer(self) -> bool:
        """Whether it holds weights that can be compressed."""
        return self.kind in LAYER_KINDS

    @property
    def is_depthwise(self) -> bool:
        """One filter per input channel: its convolution groups shrink with its channels."""
        return self.groups > 1 and self.groups == axis_channels(self.in_axis)


@dataclass(frozen=True, slots=True)
class Group:
    """The layer ends whose channels must shrink together.

    A unit is what is removed at once: one channel at each end, or several (a conv group's share, an attention head).
    """

    name: str
    units: int
    producers: tuple[str, ...]  #: layers whose output channels these are
    consumers: tuple[str, ...]  #: layers that read them
    frozen: str | None = None  #: why it must not shrink; None if it may
    kind: str = "channels"  #: `channels`, `residual`, `heads`, `hidden`, ...

    def __str__(self) -> str:
        state = f", frozen: {self.frozen}" if self.frozen else ""
        return f"{self.name}: {self.units} units, {'+'.join(self.producers)} -> {'+'.join(self.consumers)}{state}"


@dataclass(frozen=True, slots=True)
class Block:
    """A residual block that may be removed whole; its shortcut remains."""

    name: str
    operations: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SizedOperation:
    """An operation as a policy leaves it: plain counts and bits."""

    name: str
    kind: str
    inputs: tuple[str, ...]
    in_channels: int
    out_channels: int
    in_hw: tuple[int, ...]
    out_hw: tuple[int, ...]
    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[int, ...]
    dilation: tuple[int, ...]
    groups: int
    bias: bool
    weight_bits: int
    activation_bits: int  #: of its input, if it is a layer; else 32, and what runs depends on its neighbours
    extra: Mapping[str, int]
    sparsity: Sparsity | None = None  #: zeros among its weights

    @property
    def is_layer(self) -> bool:
        """Whether it holds weights that can be compressed."""
        return self.kind in LAYER_KINDS


@dataclass(frozen=True)
class Network:
    """Operations in execution order and the groups of their channels. Layers and groups are known by name."""

    operations: tuple[Operation, ...]
    groups: tuple[Group, ...]
    input_shape: tuple[int, ...]  #: without the batch dimension
    output: str  #: name of the operation whose result is the network's output
    blocks: tuple[Block, ...] = ()

    def __post_init__(self) -> None:
        names = [operation.name for operation in self.operations]
        if len(set(names)) != len(names):
            raise ValueError("operation names must be unique")
        known = {group.name for group in self.groups}
        for operation in self.operations:
            for segment in (*operation.in_axis, *operation.out_axis):
                if segment.group is not None and segment.group not in known:
                    raise ValueError(f"{operation.name} refers to the unknown group {segment.group!r}")

    @cached_property
    def layers(self) -> tuple[Operation, ...]:
        """The operations that hold weights, in execution order."""
        return tuple(operation for operation in self.operations if operation.is_layer)

    @cached_property
    def prunable_groups(self) -> tuple[Group, ...]:
        """The groups that are not frozen, in order of their first producer."""
        return tuple(group for group in self.groups if group.frozen is None)

    @cached_property
    def free_groups(self) -> tuple[Group, ...]:
        """The groups a search may shrink: not frozen, not the network's input, not its output."""
        ends = {segment.group for segment in self.by_name[self.output].out_axis}
        for operation in self.operations:
            if "input" in operation.inputs:
                ends |= {segment.group for segment in operation.in_axis}
        return tuple(group for group in self.prunable_groups if group.name not in ends)

    @cached_property
    def end_layers(self) -> frozenset[str]:
        """The layers no other layer comes before, and those none comes after."""
        before: dict[str, frozenset[str]] = {"input": frozenset()}  # layers nearest above each operation's result
        first: set[str] = set()
        followed: set[str] = set()
        for operation in self.operations:
            above = frozenset[str]().union(*(before.get(name, frozenset()) for name in operation.inputs))
            if operation.is_layer:
                followed |= above
                if not above:
                    first.add(operation.name)
            before[operation.name] = frozenset({operation.name}) if operation.is_layer else above
        return frozenset(first | ({layer.name for layer in self.layers} - followed))

    def searched_bits(self, layer: str, legal: Iterable[Bits]) -> tuple[Bits, ...]:
        """Of the bits a device has for a layer, those a search may give it, rising by weight x activation bits.

        First and last layers keep at least END_BITS in both, or the most there is; without any choice, full precision.
        """
        rising = sorted(set(legal), key=lambda bits: (bits.weight * bits.activation, bits.weight))
        if layer in self.end_layers and rising:
            rising = [b for b in rising if min(b.weight, b.activation) >= END_BITS] or rising[-1:]
        return tuple(rising) or (FULL_PRECISION,)

    @cached_property
    def by_name(self) -> Mapping[str, Operation]:
        """Operations by name."""
        return {operation.name: operation for operation in self.operations}

    @cached_property
    def group_by_name(self) -> Mapping[str, Group]:
        """Groups by name."""
        return {group.name: group for group in self.groups}

    def check(self, policy: Policy) -> None:
        """Raise InvalidPolicy unless every name and value of the policy fits this network."""
        layers = {layer.name for layer in self.layers}
        for name, choice in policy.keep.items():
            group = self.group_by_name.get(name)
            if group is None:
                raise InvalidPolicy(f"{name!r} is not a group of this network; it has {_some(self.group_by_name)}")
            if group.frozen is not None:
                raise InvalidPolicy(f"group {name!r} cannot shrink: {group.frozen}")
            if isinstance(choice, tuple) and choice[-1] >= group.units:
                raise InvalidPolicy(
                    f"group {name!r} has units 0..{group.units - 1}, the policy keeps unit {choice[-1]}"
                )
        for name in (*policy.bits, *policy.rank, *policy.sparsity):
            if name not in layers:
                raise InvalidPolicy(f"{name!r} is not a layer of this network; it has {_some(layers)}")
        for name in policy.sparsity:
            self._check_sparse(name, policy)
        blocks = {block.name for block in self.blocks}
        for name in policy.removed:
            if name not in blocks:
                raise InvalidPolicy(f"{name!r} is not a removable block of this network; it has {_some(blocks)}")

    def _check_sparse(self, name: str, policy: Policy) -> None:
        kind = self.by_name[name].kind
        if kind not in SPARSE_KINDS:
            raise InvalidPolicy(
                f"layer {name!r} ({kind}) cannot be sparse; {', '.join(sorted(SPARSE_KINDS))} can",
                field=f"sparsity.{name}",
            )
        if name in policy.rank:
            raise InvalidPolicy(
                f"layer {name!r} cannot have both a lower rank and zeros; name one", field=f"sparsity.{name}"
            )
        if policy.bits.get(name, FULL_PRECISION).weight == 1:
            raise InvalidPolicy(
                f"layer {name!r} has weights of 1 bit, which cannot be zero; give it 2 or more, or no sparsity",
                field=f"sparsity.{name}",
            )

    def kept_units(self, policy: Policy) -> dict[str, int]:
        """Units each group keeps under the policy: at least one, ratios rounded half up."""
        kept = {}
        for group in self.groups:
            choice = policy.keep.get(group.name, 1.0)
            kept[group.name] = len(choice) if isinstance(choice, tuple) else units_kept(group.units, choice)
        return kept

    def sized(self, policy: Policy) -> tuple[SizedOperation, ...]:
        """Every operation as the policy leaves it; operations of removed blocks are gone.

        What read a removed block reads what the block read instead. A layer of lower rank is several operations in a
        row, the last under the layer's own name. Raises InvalidPolicy for a rank of a layer that cannot have one.
        """
        known, made = self._latest[0]
        if known is not policy:  # each cost of a policy asks for this
            made = self._sized(policy)
            self._latest[0] = policy, made
        return made

    def _sized(self, policy: Policy) -> tuple[SizedOperation, ...]:
        kept = self.kept_units(policy)
        gone = {name for block in self.blocks if block.name in policy.removed for name in block.operations}
        source: dict[str, str] = {}
        sized: list[SizedOperation] = []
        for operation in self.operations:
            if operation.name in gone:
                source[operation.name] = _source(operation.inputs[0], source)
                continue
            made = self._sized_one(operation, source, kept, policy.bits.get(operation.name, FULL_PRECISION))
            if policy.sparsity and operation.name in policy.sparsity:
                made = replace(made, sparsity=policy.sparsity[operation.name])
            share = policy.rank.get(operation.name)
            sized += [made] if share is None else factored_parts(made, share)
        return tuple(sized)

    def _sized_one(
        self, operation: Operation, source: Mapping[str, str], kept: Mapping[str, int], bits: Bits
    ) -> SizedOperation:
        """An operation as it is left; made once for each size it can have, since searches ask for thousands."""
        inputs = operation.inputs
        if source:
            inputs = tuple(dict.fromkeys(_source(name, source) for name in inputs))
        into, out = axis_channels(operation.in_axis, kept), axis_channels(operation.out_axis, kept)
        key = (operation.name, inputs, into, out, bits)
        made = self._sizes.get(key)
        if made is None:
            if len(self._sizes) >= REMEMBERED_SIZES:
                self._sizes.clear()
            made = self._sizes[key] = _size(operation, tuple(dict.fromkeys(inputs)), into, out, bits)
        return made

    @cached_property
    def _latest(self) -> list[tuple[Policy | None, tuple[SizedOperation, ...]]]:
        return [(None, ())]

    @cached_property
    def _sizes(self) -> dict[tuple[str, tuple[str, ...], int, int, Bits], SizedOperation]:
        return {}

    def to_json(self) -> dict[str, Any]:
        """Plain values, for reports and the wire."""
        return {
            "input_shape": list(self.input_shape),
            "output": self.output,
            "operations": [_operation_json(operation) for operation in self.operations],
            "groups": [
                {
                    "name": group.name,
                    "units": group.units,
                    "producers": list(group.producers),
                    "consumers": list(group.consumers),
                    "frozen": group.frozen,
                    "kind": group.kind,
                }
                for group in self.groups
            ],
            "blocks": [{"name": block.name, "operations": list(block.operations)} for block in self.blocks],
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Network:
        """The inverse of `to_json`."""
        return cls(
            operations=tuple(_operation_from(entry) for entry in value["operations"]),
            groups=tuple(
                Group(**{**entry, "producers": tuple(entry["producers"]), "consumers": tuple(entry["consumers"])})
                for entry in value["groups"]
            ),
            input_shape=tuple(value["input_shape"]),
            output=value["output"],
            blocks=tuple(Block(entry["name"], tuple(entry["operations"])) for entry in value["blocks"]),
        )


def units_kept(units: int, ratio: float) -> int:
    """How many of `units` a keep ratio leaves: rounded half up, never none."""
    return min(units, max(1, math.floor(units * ratio + 0.5)))


def axis_channels(axis: Axis, kept: Mapping[str, int] | None = None) -> int:
    """Channels along an axis, given the units kept by group (all, if None)."""
    if kept is None:
        return sum(segment.units * segment.channels_per_unit for segment in axis)
    total = 0
    for segment in axis:  # a search asks this more often than anything else
        units = segment.units if segment.group is None else kept[segment.group]
        total += units * segment.channels_per_unit
    return total


def _size(
    operation: Operation, inputs: tuple[str, ...], in_channels: int, out_channels: int, bits: Bits
) -> SizedOperation:
    return SizedOperation(
        name=operation.name,
        kind=operation.kind,
        inputs=inputs,
        in_channels=in_channels,
        out_channels=out_channels,
        in_hw=operation.in_hw,
        out_hw=operation.out_hw,
        kernel=operation.kernel,
        stride=operation.stride,
        padding=operation.padding,
        dilation=operation.dilation,
        groups=in_channels if operation.is_depthwise else operation.groups,
        bias=operation.bias,
        weight_bits=bits.weight,
        activation_bits=bits.activation,
        extra=operation.extra,
    )


def can_factor(operation: Operation | SizedOperation) -> bool:
    """Whether a layer can be made of lower rank: linear layers, and convolutions over images without groups."""
    return operation.kind == "linear" or (operation.kind == "conv2d" and operation.groups == 1)


def factored_parts(layer: SizedOperation, share: float) -> tuple[SizedOperation, ...]:
    """The thinner operations that stand for a layer at a share of its rank, in order; the last has the layer's name.

    Linear layers and 1 x 1 convolutions become two, of rank `share x min(in, out)`; larger kernels three, 1 x 1, k x k,
    1 x 1, with `share` of the input and of the output channels between them (Tucker-2, Kim et al., ICLR 2016).
    Raises InvalidPolicy.
    """
    if not can_factor(layer):
        raise InvalidPolicy(
            f"layer {layer.name!r} cannot have a lower rank; linear layers and convolutions without groups can",
            field=f"rank.{layer.name}",
        )
    inner, outer = layer.in_channels, layer.out_channels
    plain: dict[str, Any] = {"kernel": (1,) * len(layer.kernel), "padding": (0,) * len(layer.padding)}
    plain |= {"stride": (1,) * len(layer.stride), "dilation": (1,) * len(layer.dilation)}
    first, middle = f"{layer.name}.part0", f"{layer.name}.part1"
    if math.prod(layer.kernel) == 1:
        rank = units_kept(min(inner, outer), share)
        before = replace(layer, name=first, out_channels=rank, bias=False)  # strides as the layer does
        return before, replace(layer, inputs=(first,), in_channels=rank, in_hw=layer.out_hw, **plain)
    narrow, wide = units_kept(inner, share), units_kept(outer, share)
    before = replace(layer, name=first, out_channels=narrow, out_hw=layer.in_hw, bias=False, **plain)
    core = replace(layer, name=middle, inputs=(first,), in_channels=narrow, out_channels=wide, bias=False)
    return before, core, replace(layer, inputs=(middle,), in_channels=wide, in_hw=layer.out_hw, **plain)


def _source(name: str, source: Mapping[str, str]) -> str:
    return source.get(name, name)


def _some(names: Any) -> str:
    listed = sorted(names)
    return ", ".join(listed[:5]) + (", ..." if len(listed) > 5 else "") if listed else "none"


def _operation_json(operation: Operation) -> dict[str, Any]:
    axes = {
        side: [[segment.group, segment.units, segment.channels_per_unit] for segment in getattr(operation, side)]
        for side in ("in_axis", "out_axis")
    }
    plain = {
        name: list(getattr(operation, name))
        for name in ("inputs", "in_hw", "out_hw", "kernel", "stride", "padding", "dilation")
    }
    return {
        "name": operation.name,
        "kind": operation.kind,
        **axes,
        **plain,
        "groups": operation.groups,
        "bias": operation.bias,
        "removable_in": operation.removable_in,
        "extra": dict(operation.extra),
    }


def _operation_from(entry: Mapping[str, Any]) -> Operation:
    fields = dict(entry)
    for side in ("in_axis", "out_axis"):
        fields[side] = tuple(Segment(*segment) for segment in entry[side])
    for name in ("inputs", "in_hw", "out_hw", "kernel", "stride", "padding", "dilation"):
        fields[name] = tuple(entry[name])
    return Operation(**fields)
