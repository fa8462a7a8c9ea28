"""Batch norms worked into the layer before them."""

from __future__ import annotations

from collections import Counter
from typing import Any

import torch
from torch import Tensor, fx, nn

from compressors.graph import clone, replace_module
from compressors.provenance import operations, output_of

_LAYERS = nn.Conv1d | nn.Conv2d | nn.ConvTranspose1d | nn.ConvTranspose2d | nn.Linear


def fold(module: fx.GraphModule, *, copy: bool = True) -> fx.GraphModule:
    """A copy that computes the same in eval mode; every batch norm right behind a layer has become nn.Identity.

    copy=False: the module itself is changed.
    """
    folded = clone(module) if copy else module
    for norm, layer in foldable(folded).items():
        _fold_one(folded.get_submodule(layer), folded.get_submodule(norm))
        replace_module(folded, norm, nn.Identity())
    return folded


def foldable(module: fx.GraphModule) -> dict[str, str]:
    """Batch norms that can be folded, each with the layer it goes into."""
    inputs = dict(operations(module))
    readers = Counter(read for reads in inputs.values() for read in reads)
    readers[output_of(module)] += 1
    found = {}
    for name, reads in inputs.items():
        norm = module.get_submodule(name)
        if not isinstance(norm, nn.BatchNorm1d | nn.BatchNorm2d) or reads[0] not in inputs or readers[reads[0]] > 1:
            continue
        layer = module.get_submodule(reads[0])
        if isinstance(layer, _LAYERS) and not (isinstance(layer, nn.Linear) and getattr(norm, "rank", 2) != 2):
            found[name] = reads[0]
    return found


def _fold_one(layer: Any, norm: Any) -> None:
    """w' = w g / sqrt(v + eps); b' = (b - m) g / sqrt(v + eps) + beta, in double precision."""
    variance, mean = norm.running_var.double(), norm.running_mean.double()
    gain = torch.rsqrt(variance + norm.eps)
    if norm.weight is not None:
        gain = gain * norm.weight.detach().double()
    shift = -mean * gain if norm.bias is None else norm.bias.detach().double() - mean * gain
    if layer.bias is not None:
        shift = shift + layer.bias.detach().double() * gain
    layer.weight = nn.Parameter((layer.weight.detach().double() * _along_outputs(layer, gain)).float())
    layer.bias = nn.Parameter(shift.float())


def _along_outputs(layer: Any, gain: Tensor) -> Tensor:
    """(C',) shaped to multiply the weight."""
    rest = (1,) * (layer.weight.dim() - 2)
    if isinstance(layer, nn.ConvTranspose1d | nn.ConvTranspose2d):
        # (C, C'/groups, ...): every conv group of inputs has its own outputs
        each = gain.reshape(layer.groups, 1, -1)
        repeated = each.expand(-1, layer.in_channels // layer.groups, -1)
        return repeated.reshape(layer.in_channels, -1, *rest)
    return gain.reshape(-1, 1, *rest)
