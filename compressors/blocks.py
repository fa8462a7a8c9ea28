"""Residual blocks that can be removed whole: the branch goes, the shortcut stays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from compressors.imported import Imported
from compressors.operators import operator_of
from compressors.operators.elementwise import Arithmetic
from compressors.provenance import INPUT, Provenance


@dataclass(frozen=True, slots=True)
class ResidualBlock:
    """operations: the branch and the addition. shortcut: which of the addition's inputs stays."""

    name: str
    operations: tuple[str, ...]
    addition: str
    shortcut: int


def find_blocks(imported: Imported, traced: Provenance) -> tuple[tuple[ResidualBlock, ...], dict[str, int]]:
    """The removable blocks, and for each of their additions the place of its shortcut input."""
    readers: dict[str, list[str]] = {}
    for name, reads in traced.inputs.items():
        for read in reads:
            readers.setdefault(read, []).append(name)
    blocks: list[ResidualBlock] = []
    for name, reads in traced.inputs.items():
        module = imported.module.get_submodule(name)
        if isinstance(module, Arithmetic) and module.operation == "add" and len(reads) == 2 and reads[0] != reads[1]:
            block = _block(imported, traced.inputs, readers, name, reads)
            if block is not None and _same_extents(traced, name, reads[block.shortcut]):
                taken = {other.name for other in blocks}
                blocks.append(replace(block, name=_unused(block.name, taken)))
    return tuple(blocks), {block.addition: block.shortcut for block in blocks}


def _same_extents(traced: Provenance, first: str, second: str) -> bool:
    return traced.outlines[first].extents == traced.outlines[second].extents


def _block(
    imported: Imported,
    inputs: Mapping[str, tuple[str, ...]],
    readers: Mapping[str, list[str]],
    addition: str,
    reads: tuple[str, ...],
) -> ResidualBlock | None:
    """The branch is the side with more layers; everything in it must be read by nobody outside."""
    sides = [_exclusive(inputs, readers, read, addition) for read in reads]
    layers = [sum(_is_layer(imported, name) for name in side) for side in sides]
    if layers[0] == layers[1]:
        return None
    branch = 0 if layers[0] > layers[1] else 1
    order = {name: place for place, name in enumerate(inputs)}
    operations = sorted(sides[branch], key=order.__getitem__)
    return ResidualBlock(_title(operations, addition), (*operations, addition), addition, 1 - branch)


def _exclusive(
    inputs: Mapping[str, tuple[str, ...]], readers: Mapping[str, list[str]], start: str, end: str
) -> frozenset[str]:
    """Operations whose results go nowhere but, through others of them, from `start` into `end`."""
    inside: set[str] = set()
    pending = [start]
    while pending:
        name = pending.pop()
        allowed = {end} if name == start else inside
        if name == INPUT or name in inside or not allowed.issuperset(readers[name]):
            continue
        inside.add(name)
        pending.extend(inputs[name])
    return frozenset(inside)


def _is_layer(imported: Imported, name: str) -> bool:
    return operator_of(imported.module.get_submodule(name)).role == "layer"


def _title(operations: list[str], addition: str) -> str:
    """What the names have in common, e.g. `layer1.0`; else the addition's name."""
    owners = [name.split(".")[:-1] for name in operations]
    common = []
    for steps in zip(*owners, strict=False):
        if len(set(steps)) > 1:
            break
        common.append(steps[0])
    return ".".join(common) or addition


def _unused(wanted: str, taken: set[str]) -> str:
    name, number = wanted, 1
    while name in taken:
        number += 1
        name = f"{wanted}#{number}"
    return name
