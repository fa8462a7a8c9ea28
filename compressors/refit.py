"""Refitting a pruned network layer by layer against the original's outputs, on the inputs its own layers really get.

Refits from the original's Gram matrices know nothing of the errors made before a layer. Here every layer is fitted, in
order, to what it should give from what it is given (He et al., Channel pruning, ICCV 2017, section 3.3); where its
output is added to a shortcut, it also makes good the shortcut's own error. Takes seconds, not milliseconds: for
delivery.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, fx, nn

from compressors.definite import cholesky
from compressors.gram import convolution_groups, draw_positions, outputs_at, patches_at
from compressors.neighbours import batch_norm_behind, nodes
from compressors.operators.elementwise import Arithmetic
from compressors.prune import ChannelMap
from compressors.rebuild import Kept

Batches = Sequence[Tensor]

#: times columns / rows, added to the ridge: the fewer rows, the less they can be trusted against the old weights
_FEW_ROWS = 0.1

#: smallest gain of a batch norm through which a shortcut's error is carried back
_LEAST_GAIN = 1e-2


def refit_in_order(
    small: fx.GraphModule,
    original: fx.GraphModule,
    channels: ChannelMap,
    kept: Kept,
    inputs: Tensor,
    *,
    ridge: float,
    rows_per_column: int = 40,
    batch_size: int = 64,
    seed: int = 0,
) -> dict[str, float]:
    """Overwrite the weights of `small`, a sliced copy of `original`, in place.

    inputs: (N, *input_shape), calibration data without labels. The ridge pulls the new weights towards the old ones.
    Memory: the activations of all N samples that are still to be read, of both networks. Returns the share of output
    variance that each refitted layer loses.
    """
    walk = _Walk(small, original, channels, kept, ridge, rows_per_column, torch.Generator().manual_seed(seed))
    with torch.no_grad():
        return walk.run(torch.split(inputs, batch_size))


@dataclass(eq=False)
class _Walk:
    small: fx.GraphModule
    original: fx.GraphModule
    channels: ChannelMap
    kept: Kept
    ridge: float
    rows_per_column: int
    generator: torch.Generator
    errors: dict[str, float] = field(default_factory=dict)
    _mine: dict[fx.Node, Batches] = field(default_factory=dict)
    _theirs: dict[fx.Node, Batches] = field(default_factory=dict)
    _changed: set[fx.Node] = field(default_factory=set)
    _pending: set[fx.Node] = field(default_factory=set)

    def run(self, batches: Batches) -> dict[str, float]:
        """Visit all operations; a shortcut is computed before the layer that is added to it."""
        for node in self.small.graph.nodes:
            if node.op == "placeholder":
                self._mine[node] = self._theirs[node] = batches
            elif node.op == "call_module":
                self._visit(node)
        return self.errors

    def _visit(self, node: fx.Node) -> None:
        if node in self._mine:
            return
        self._pending.add(node)
        for source in node.all_input_nodes:
            self._visit(source)
        name = str(node.target)
        mine, theirs = self.small.get_submodule(name), self.original.get_submodule(name)
        self._theirs[node] = _run(theirs, self._gather(node, self._theirs))
        if _narrower(mine, theirs) or any(source in self._changed for source in node.all_input_nodes):
            self._changed.add(node)
        if node in self._changed and isinstance(mine, nn.Conv1d | nn.Conv2d | nn.Linear):
            self._refit(node, mine)
        self._mine[node] = _run(mine, self._gather(node, self._mine))
        self._pending.discard(node)
        self._forget()

    def _refit(self, node: fx.Node, layer: nn.Conv1d | nn.Conv2d | nn.Linear) -> None:
        name, (source,) = str(node.target), node.all_input_nodes
        outputs = self.channels.output_channels(name, self.kept)
        wanted = [batch.index_select(_channel_axis(layer, batch), outputs) for batch in self._theirs[node]]
        behind = batch_norm_behind(self.small, node)
        wanted = self._with_shortcut(node, behind, wanted)
        seen = self._mine[source]
        width = layer.weight[0].numel()
        total = max(4096, self.rows_per_column * width)
        each = -(-total * len(seen[0]) // sum(len(batch) for batch in seen))
        sums = _Normal(convolution_groups(layer), width, len(outputs))
        for given, target in zip(seen, wanted, strict=True):
            positions = draw_positions(layer, given, each, self.generator)
            sums.add(patches_at(layer, given, positions), outputs_at(layer, target, positions))
        intercept = layer.bias is not None or behind is not None
        weight, constant, self.errors[name] = sums.solve(layer.weight.flatten(1), self.ridge, intercept)
        layer.weight.copy_(weight.reshape(layer.weight.shape))
        if layer.bias is not None:
            layer.bias.copy_(constant)
        elif behind is not None:
            norm, whole = self.small.get_submodule(behind), self.original.get_submodule(behind)
            norm.running_mean.copy_(whole.running_mean[outputs] - constant)  # type: ignore[index, operator]

    def _with_shortcut(self, node: fx.Node, behind: str | None, wanted: list[Tensor]) -> list[Tensor]:
        """The outputs wanted, plus what the shortcut they will be added to lacks, seen through the batch norm."""
        last = node if behind is None else nodes(self.small)[behind]
        addition = next(iter(last.users)) if len(last.users) == 1 else None
        if addition is None or not self._adds(addition):
            return wanted
        others = [source for source in addition.all_input_nodes if source is not last]
        if len(others) != 1 or self._is_waiting(others[0]):
            return wanted
        (other,) = others
        self._visit(other)
        if other not in self._changed:
            return wanted
        outputs = self.channels.output_channels(str(node.target), self.kept)
        axis = _channel_axis(self.original.get_submodule(str(node.target)), wanted[0])
        if self._theirs[other][0].shape != self._theirs[node][0].shape:
            return wanted  # it is broadcast
        missing = [
            whole.index_select(axis, outputs) - mine
            for whole, mine in zip(self._theirs[other], self._mine[other], strict=True)
        ]
        gain = torch.ones(len(outputs)) if behind is None else _gain(self.original.get_submodule(behind))[outputs]
        share = torch.where(gain.abs() < _LEAST_GAIN, torch.zeros_like(gain), 1.0 / gain)
        shape = [-1 if place == axis else 1 for place in range(wanted[0].ndim)]
        return [target + lack * share.reshape(shape) for target, lack in zip(wanted, missing, strict=True)]

    def _is_waiting(self, node: fx.Node) -> bool:
        """Whether a node cannot be computed yet, because of a layer that is just being refitted."""
        if node in self._mine:
            return False
        return node in self._pending or any(self._is_waiting(source) for source in node.all_input_nodes)

    def _adds(self, node: fx.Node) -> bool:
        if node.op != "call_module":
            return False
        held = self.small.get_submodule(str(node.target))
        return isinstance(held, Arithmetic) and held.operation == "add" and len(node.all_input_nodes) == 2

    def _gather(self, node: fx.Node, values: Mapping[fx.Node, Batches]) -> list[tuple[Tensor, ...]]:
        return list(zip(*(values[source] for source in node.args), strict=True))  # type: ignore[index]

    def _forget(self) -> None:
        """Drop what nobody will read any more."""
        for node in [node for node in self._mine if all(user in self._mine for user in node.users) and node.users]:
            if self._mine[node]:
                self._mine[node] = self._theirs[node] = ()


@dataclass(eq=False)
class _Normal:
    """Sums of the normal equations of one layer, in double precision."""

    groups: int
    width: int
    outputs: int

    def __post_init__(self) -> None:
        self._xx = torch.zeros(self.groups, self.width + 1, self.width + 1, dtype=torch.float64)
        self._xy = torch.zeros(self.groups, self.width + 1, self.outputs // self.groups, dtype=torch.float64)
        self._yy = 0.0
        self._y = torch.zeros(self.outputs, dtype=torch.float64)

    def add(self, rows: Tensor, targets: Tensor) -> None:
        """rows: (groups, n, width); targets: (n, outputs)."""
        targets = targets.double()
        ones = torch.ones(*rows.shape[:2], 1, dtype=torch.float64)
        rows = torch.cat([rows.double(), ones], 2)
        split = targets.reshape(len(targets), self.groups, -1).transpose(0, 1)
        self._xx += rows.transpose(1, 2) @ rows
        self._xy += rows.transpose(1, 2) @ split
        self._yy += float(targets.square().sum())
        self._y += targets.sum(0)

    def solve(self, old: Tensor, ridge: float, intercept: bool) -> tuple[Tensor, Tensor, float]:
        """Weights (outputs, width) and constants (outputs,), float32, and the share of variance they leave.

        old: (outputs, width), the weights the ridge pulls towards.
        """
        count = self._xx[0, -1, -1]
        moments, cross = self._xx[:, :-1, :-1] / count, self._xy[:, :-1] / count
        means, target_means = self._xx[:, :-1, -1] / count, self._xy[:, -1] / count
        if intercept:
            moments = moments - means[:, :, None] * means[:, None, :]
            cross = cross - means[:, :, None] * target_means[:, None, :]
        pull = (ridge + _FEW_ROWS * self.width / float(count)) * moments.diagonal(dim1=1, dim2=2).mean(1).clamp(
            min=1e-12
        )
        before = old.detach().double().reshape(self.groups, -1, self.width).transpose(1, 2)  # (groups, width, o)
        regular = moments + pull[:, None, None] * torch.eye(self.width, dtype=torch.float64)
        factor = cholesky(regular)
        weight = torch.cholesky_solve(cross + pull[:, None, None] * before, factor)
        constant = (target_means - (means[:, None, :] @ weight)[:, 0]) if intercept else torch.zeros_like(target_means)
        variance = self._yy / float(count) - float((self._y / count).square().sum())
        explained = float((2 * weight * cross - weight * (moments @ weight)).sum())
        lost = min(1.0, max(0.0, 1.0 - explained / max(variance, 1e-30)))
        return weight.transpose(1, 2).flatten(0, 1).float(), constant.flatten().float(), lost


def _run(module: nn.Module, inputs: Sequence[tuple[Tensor, ...]]) -> list[Tensor]:
    return [module(*batch) for batch in inputs]


def _narrower(mine: nn.Module, theirs: nn.Module) -> bool:
    """Whether a module has lost something of its own, or was replaced."""
    if type(mine) is not type(theirs):
        return True
    pairs = zip(mine.parameters(), theirs.parameters(), strict=True)
    return any(one.shape != other.shape for one, other in pairs)


def _channel_axis(layer: nn.Module, outputs: Tensor) -> int:
    return outputs.ndim - 1 if isinstance(layer, nn.Linear) else 1


def _gain(norm: nn.Module) -> Tensor:
    """(channels,): what a batch norm multiplies with."""
    gain = torch.rsqrt(norm.running_var + norm.eps)  # type: ignore[operator]
    return gain if norm.weight is None else gain * norm.weight.detach()  # type: ignore[operator]
