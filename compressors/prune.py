"""Where the channels of every group are, and a network without some of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, fx, nn

from compressors.blocks import find_blocks
from compressors.cut import Cut, Kept, Piece
from compressors.graph import clone, clone_leaf
from compressors.imported import Imported
from compressors.operators import Operator, operator_of
from compressors.operators.convolution import is_depthwise
from compressors.operators.passing import Take
from compressors.provenance import Provenance, provenance
from paretrim.errors import InvalidPolicy
from paretrim.network import Network

Units = Mapping[str, Tensor | Sequence[int]]


@dataclass(frozen=True, eq=False)
class End:
    """One end of a group: the channels of an operation that its units are.

    side: `out` for a layer's output channels, `in` for the channels of a layer's input, `through` for per-channel
    parameters (norms, slopes, constants, depthwise filters). channels: (units, channels per unit).
    """

    operation: str
    side: Literal["in", "out", "through"]
    channels: Tensor


@dataclass(frozen=True, eq=False)
class ChannelMap:
    """Where the channels of every group are."""

    imported: Imported
    traced: Provenance
    groups: Mapping[str, int]  #: units by group, frozen ones too
    ends: Mapping[str, tuple[End, ...]]  #: by group

    def input_channels(self, layer: str, kept: Units | Kept) -> Tensor:
        """Channels of the layer's input tensor that stay. kept: units by group; a group not named stays whole."""
        return self._channels(self.traced.inputs[layer][0], layer, kept)

    def output_channels(self, layer: str, kept: Units | Kept) -> Tensor:
        """Channels of the layer's output that stay."""
        return self._channels(layer, layer, kept)

    def weight_input(self, layer: str, kept: Units | Kept) -> Tensor:
        """Places in the input dimension of the layer's weight that stay; differs from the channels in grouped ones."""
        module = self.imported.module.get_submodule(layer)
        channels = self.input_channels(layer, kept)
        groups = int(getattr(module, "groups", 1))
        if groups == 1:
            return channels
        each = int(module.in_channels) // groups  # type: ignore[arg-type]
        return channels[channels < each] if each > 1 else torch.zeros(1, dtype=torch.long)

    def looked_up(self, kept: Units) -> Kept:
        """The units that stay, ready to be asked of many layers."""
        return Kept(self.traced.offsets, kept)

    def _channels(self, tensor: str, layer: str, kept: Units | Kept) -> Tensor:
        outline = self.traced.outlines[tensor]
        axis = operator_of(self.imported.module.get_submodule(layer)).in_axis % len(outline.extents)
        left = Piece(outline, kept if isinstance(kept, Kept) else self.looked_up(kept)).positions(axis)
        return torch.arange(outline.extents[axis]) if left is None else left


def channel_map(imported: Imported) -> ChannelMap:
    """Where the channels of every group are."""
    traced = provenance(imported)
    ends: dict[str, list[End]] = {name: [] for name in traced.offsets}
    for name, reads in traced.inputs.items():
        module = imported.module.get_submodule(name)
        operator = operator_of(module)
        if operator.role == "plain" or not any(True for _ in (*module.parameters(), *module.buffers())):
            continue
        sides = _sides(module, operator)
        for side in sides:
            for group, channels in _by_group(traced, reads[0] if side == "in" else name).items():
                ends[group].append(End(name, side, channels))
    units = {name: count for name, (_, count) in traced.offsets.items()}
    return ChannelMap(imported, traced, units, {name: tuple(found) for name, found in ends.items()})


def _sides(module: nn.Module, operator: Operator) -> tuple[Literal["in", "out", "through"], ...]:
    if operator.role == "through" or (isinstance(module, nn.Conv1d | nn.Conv2d) and is_depthwise(module)):
        return ("through",)
    if isinstance(module, nn.Embedding):
        return ("out",)
    return ("in", "out")


def _by_group(traced: Provenance, tensor: str) -> dict[str, Tensor]:
    """Channels of a tensor by group, (units, channels per unit)."""
    outline = traced.outlines[tensor]
    if not outline.units:
        return {}
    along = next(iter(outline.units.values()))
    found = {}
    for group, (first, count) in traced.offsets.items():
        mine = ((along >= first) & (along < first + count)).nonzero().flatten()
        if mine.numel():
            order = torch.argsort(along[mine], stable=True)
            found[group] = mine[order].reshape(count, -1)
    return found


def slice_module(imported: Imported, network: Network, kept: Units, removed: Collection[str] = ()) -> fx.GraphModule:
    """The network with these units only, and without these blocks. It has its own parameters.

    kept: by group, the units that stay, rising; a group that is not named stays whole. Raises InvalidPolicy.
    """
    _check(network, kept)
    traced = provenance(imported)
    known = Kept(traced.offsets, kept)
    pieces = {name: Piece(outline, known) for name, outline in traced.outlines.items()}
    gone, shortcuts = _removed(imported, traced, removed)

    def make(name: str, module: nn.Module) -> nn.Module:
        if name in shortcuts:
            return Take(shortcuts[name])
        if name in gone:
            return Take(0)
        copied = clone_leaf(module)
        cut = Cut(tuple(pieces[read] for read in traced.inputs[name]), pieces[name])
        return operator_of(module).shrink(copied, cut) or copied

    return clone(imported.module, make)


def _check(network: Network, kept: Units) -> None:
    for group, units in kept.items():
        known = network.group_by_name.get(group)
        if known is None:
            raise InvalidPolicy(f"{group!r} is not a group of this network", field=f"keep.{group}")
        chosen = torch.as_tensor(units, dtype=torch.long)
        rising = bool((chosen[1:] > chosen[:-1]).all())
        if not chosen.numel() or not rising or int(chosen[0]) < 0 or int(chosen[-1]) >= known.units:
            raise InvalidPolicy(
                f"group {group!r} must keep rising units of 0..{known.units - 1}, at least one", field=f"keep.{group}"
            )
        if known.frozen is not None and chosen.numel() < known.units:
            raise InvalidPolicy(f"group {group!r} cannot shrink: {known.frozen}", field=f"keep.{group}")


def _removed(imported: Imported, traced: Provenance, removed: Collection[str]) -> tuple[set[str], dict[str, int]]:
    if not removed:
        return set(), {}
    blocks = {block.name: block for block in find_blocks(imported, traced)[0]}
    unknown = set(removed) - set(blocks)
    if unknown:
        raise InvalidPolicy(f"{sorted(unknown)[0]!r} is not a removable block of this network", field="removed")
    chosen = [blocks[name] for name in removed]
    gone = {name for block in chosen for name in block.operations}
    return gone, {block.addition: block.shortcut for block in chosen}
