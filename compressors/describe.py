"""A network as the rest of paretrim sees it: operations with sizes, groups with their layer ends, removable blocks."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from compressors.blocks import find_blocks
from compressors.flow import NOBODY
from compressors.imported import Imported
from compressors.operators import Operator, operator_of
from compressors.operators.attention import MatMul
from compressors.provenance import Provenance, output_of, provenance
from paretrim.network import LAYER_KINDS, Axis, Block, Group, Network, Operation, Segment

_CONVOLUTIONS = ("conv1d", "conv2d", "conv_transpose2d")


def describe(imported: Imported) -> Network:
    """Operations, groups and blocks of a network, without its weights."""
    traced = provenance(imported)
    kinds = {name: operator_of(imported.module.get_submodule(name)) for name in traced.inputs}
    blocks, first_input = find_blocks(imported, traced)
    inside = {name: block.name for block in blocks for name in block.operations}
    group_at = _groups_by_unit(traced)
    operations = tuple(
        _operation(imported, traced, name, kinds[name], group_at, inside.get(name), first_input.get(name, 0))
        for name in traced.inputs
    )
    return Network(
        operations=operations,
        groups=_groups(traced, operations),
        input_shape=imported.input_shape,
        output=output_of(imported.module),
        blocks=tuple(Block(block.name, block.operations) for block in blocks),
    )


def _groups_by_unit(traced: Provenance) -> list[str]:
    return [name for name, (_, units) in traced.offsets.items() for _ in range(units)]


def _operation(
    imported: Imported,
    traced: Provenance,
    name: str,
    operator: Operator,
    group_at: list[str],
    block: str | None,
    first: int,
) -> Operation:
    module = imported.module.get_submodule(name)
    reads = traced.inputs[name]
    ordered = (*reads[first:], *reads[:first])
    window = operator.geometry(module)
    fixed = operator.in_axis if operator.role == "layer" else None
    in_axis, in_hw = _axis(traced, ordered[0], fixed, group_at)
    out_axis, out_hw = _axis(traced, name, fixed, group_at)
    extra = dict(window.extra)
    if "vocabulary" in extra:
        in_axis, in_hw = (Segment(None, extra["vocabulary"]),), traced.outlines[reads[0]].extents[1:]
    if "directions" in extra:
        out_axis = tuple(Segment(s.group, s.units, s.channels_per_unit * extra["directions"]) for s in out_axis)
        out_hw = in_hw
    if isinstance(module, MatMul):
        extra |= _product(traced, module, reads, name)
    return Operation(
        name=name,
        kind=operator.kind(module),
        inputs=ordered,
        in_axis=in_axis,
        out_axis=out_axis,
        in_hw=in_hw,
        out_hw=out_hw,
        kernel=window.kernel,
        stride=window.stride,
        padding=window.padding,
        dilation=window.dilation,
        groups=window.groups,
        bias=window.bias,
        removable_in=block,
        extra=extra,
    )


def _product(traced: Provenance, module: MatMul, reads: tuple[str, ...], name: str) -> dict[str, int]:
    """Multiply-adds of a matrix product for each channel of its output, or of its input if those are contracted."""
    first, out = traced.outlines[reads[0]], traced.outlines[name]
    rank = len(first.extents)
    contracted = rank - 2 if module.constant_first else rank - 1
    total = math.prod(out.extents) * first.extents[contracted]
    if contracted in first.units:
        return {"macs_per_in_channel": total // first.extents[contracted]}
    return {"macs_per_out_channel": total // out.extents[traced.channel_axis(name, 1)]}


def _axis(traced: Provenance, tensor: str, fixed: int | None, group_at: list[str]) -> tuple[Axis, tuple[int, ...]]:
    """Channel axis of a tensor as segments, and its other extents but for the batch."""
    outline = traced.outlines[tensor]
    rank = len(outline.extents)
    axis = traced.channel_axis(tensor, 1) if fixed is None else fixed % rank
    others = tuple(
        extent
        for place, extent in enumerate(outline.extents)
        if place != axis and (place != outline.batch_axis or extent > 1)
    )
    units = outline.units.get(axis)
    if units is None:
        return (Segment(None, outline.extents[axis]),), others
    found, first, often = np.unique(units.numpy(), return_index=True, return_counts=True)
    segments: dict[str | None, list[int]] = {}
    for place in np.argsort(first):
        unit = int(found[place])
        group = None if unit == NOBODY else group_at[unit]
        entry = segments.setdefault(group, [0, int(often[place])])
        entry[0] += 1 if group is not None else int(often[place])
    return tuple(
        Segment(group, count, 1 if group is None else each) for group, (count, each) in segments.items()
    ), others


def _groups(traced: Provenance, operations: tuple[Operation, ...]) -> tuple[Group, ...]:
    by_name: Mapping[str, Operation] = {operation.name: operation for operation in operations}
    groups = []
    for name, members in traced.members.items():
        layers = [operation for operation in operations if operation.kind in LAYER_KINDS]
        producers = tuple(layer.name for layer in layers if _holds(layer.out_axis, name))
        consumers = tuple(layer.name for layer in layers if _holds(layer.in_axis, name))
        places = [by_name[place] for place in members.places if place in by_name]
        groups.append(Group(name, members.units, producers, consumers, members.frozen, _kind(places, producers)))
    return tuple(groups)


def _kind(places: list[Operation], producers: tuple[str, ...]) -> str:
    """What a group's units are: attention heads, a residual stream, a hidden width, or channels."""
    if any(place.kind == "matmul" for place in places):
        return "heads"
    if len(producers) > 1 and any(place.kind == "add" and len(place.inputs) > 1 for place in places):
        return "residual"
    return "hidden" if all(place.kind not in _CONVOLUTIONS for place in places) else "channels"


def _holds(axis: Axis, group: str) -> bool:
    return any(segment.group == group for segment in axis)
