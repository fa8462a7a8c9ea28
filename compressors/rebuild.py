"""Puts least-squares weights into a network that has lost channels, from statistics that were collected once."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor, fx, nn

from compressors.neighbours import LAYERS, batch_norm_behind, final_layers, nodes
from compressors.operators.recurrent import Recurrent
from compressors.prune import ChannelMap
from compressors.reconstruction import LeastSquares, Refit, output_rows, stored_weight
from compressors.statistics import Statistics

Kept = Mapping[str, tuple[int, ...]]

#: bytes of refits remembered; those of a ResNet-20, one for each width of each layer, take 40 MB
REMEMBERED_BYTES = 128 * 2**20


@dataclass(eq=False)
class Rebuilder:
    """Refits the layers of one network. Solvers and refits are made when first needed, then kept."""

    module: fx.GraphModule  #: the original
    channels: ChannelMap
    statistics: Statistics
    ridge: float
    match_variance: bool
    _solvers: dict[str, LeastSquares] = field(default_factory=dict)
    _refits: OrderedDict[tuple[str, tuple[int, ...]], Refit] = field(default_factory=OrderedDict)
    _bytes: int = 0

    def __post_init__(self) -> None:
        self._nodes = nodes(self.module)
        self._final = final_layers(self.module)

    def rebuild(self, small: fx.GraphModule, kept: Kept) -> dict[str, float]:
        """Overwrite the weights of every layer of `small` that lost input channels.

        Returns the share of output variance lost, by layer, as predicted from the original network's inputs.
        """
        errors = {}
        left = self.channels.looked_up(kept)
        for name in self.statistics.layers:
            if not isinstance(small.get_submodule(name), LAYERS):
                continue  # its block was removed
            positions = self.channels.weight_input(name, left)
            solver = self._solver(name)
            if positions.numel() == solver.channels:
                continue
            refit = self._refit(name, positions)
            outputs = output_rows(self.module.get_submodule(name), self.channels.output_channels(name, left))
            self._write(small, name, refit, outputs)
            errors[name] = refit.error_share
        return errors

    def _refit(self, name: str, positions: Tensor) -> Refit:
        key = (name, tuple(positions.tolist()))
        known = self._refits.pop(key, None)
        if known is None:
            matched = self.match_variance and name not in self._final
            known = self._solver(name).refit(positions, match_variance=matched)
            self._bytes += known.weight.nbytes
        self._refits[key] = known
        while self._bytes > REMEMBERED_BYTES and len(self._refits) > 1:
            self._bytes -= self._refits.popitem(last=False)[1].weight.nbytes
        return known

    def _solver(self, name: str) -> LeastSquares:
        if name not in self._solvers:
            layer = self.module.get_submodule(name)
            gram = self.statistics.layers[name].gram
            intercept = takes_constant(self.module, self._nodes[name])
            self._solvers[name] = LeastSquares(layer, gram, ridge=self.ridge, intercept=intercept)
        return self._solvers[name]

    def _write(self, small: fx.GraphModule, name: str, refit: Refit, outputs: Tensor) -> None:
        layer = small.get_submodule(name)
        weight = layer.weight_ih if isinstance(layer, Recurrent) else layer.weight
        assert isinstance(weight, nn.Parameter)
        with torch.no_grad():
            weight.copy_(stored_weight(layer, refit.weight[outputs]))
        add_constant(small, name, refit.shift[outputs])


def takes_constant(module: fx.GraphModule, node: fx.Node) -> bool:
    """Whether a constant can be added to a layer's output: by its bias, or by the batch norm that alone reads it."""
    layer = module.get_submodule(str(node.target))
    if isinstance(layer, nn.modules.conv._ConvTransposeNd):
        return False  # its outputs see different numbers of kernel positions
    return (
        isinstance(layer, Recurrent)
        or getattr(layer, "bias", None) is not None
        or batch_norm_behind(module, node) is not None
    )


def add_constant(module: fx.GraphModule, name: str, shift: Tensor) -> None:
    """Add (outputs,) to a layer's output, through its bias or the batch norm behind it."""
    layer = module.get_submodule(name)
    bias = layer.bias_ih if isinstance(layer, Recurrent) else getattr(layer, "bias", None)
    with torch.no_grad():
        if isinstance(bias, nn.Parameter):
            bias.add_(shift.reshape(bias.shape))
            return
        if not bool(shift.any()):
            return
        behind = batch_norm_behind(module, nodes(module)[name])
        assert behind is not None, name
        norm = module.get_submodule(behind)
        assert isinstance(norm.running_mean, Tensor)
        norm.running_mean.sub_(shift)
