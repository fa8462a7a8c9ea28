"""Cross-layer equalisation: neighbouring layers scaled against each other so that both use their ranges evenly.

Nagel et al., Data-free quantization through weight equalization and bias correction, ICCV 2019, section 4.1: a positive
scale passes through ReLU, so a channel made smaller in one layer and larger in the next computes the same.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor, fx, nn

from compressors.graph import clone
from compressors.imported import Imported
from compressors.provenance import operations, output_of

#: sweeps over the network
_SWEEPS = 10
_LAYERS = nn.Conv1d | nn.Conv2d | nn.Linear
_NORMS = nn.BatchNorm1d | nn.BatchNorm2d


def equalize(imported: Imported) -> Imported:
    """A network that computes the same, with the pairs of layers equalised that `equal_pairs` names."""
    module = clone(imported.module)
    pairs = equal_pairs(module)
    with torch.no_grad():
        for _ in range(_SWEEPS if pairs else 0):
            for first, norm, second in pairs:
                between = None if norm is None else module.get_submodule(norm)
                _scale_pair(module.get_submodule(first), between, module.get_submodule(second))
    return replace(imported, module=module)


def equal_pairs(module: fx.GraphModule) -> list[tuple[str, str | None, str]]:
    """(layer, batch norm behind it, next layer) where nothing else reads what lies between and only ReLUs lie there."""
    inputs = dict(operations(module))
    readers: dict[str, list[str]] = {name: [] for name in inputs}
    for name, reads in inputs.items():
        for read in reads:
            readers.setdefault(read, []).append(name)
    last, found = output_of(module), []
    for first in inputs:
        if not isinstance(module.get_submodule(first), _LAYERS):
            continue
        norm: str | None = None
        tensor = first
        while tensor != last and len(readers[tensor]) == 1:
            (tensor,) = readers[tensor]
            held = module.get_submodule(tensor)
            if isinstance(held, _NORMS) and norm is None and inputs[tensor] == (first,) and held.affine:
                norm = tensor
            elif not isinstance(held, nn.ReLU | nn.Identity | nn.MaxPool1d | nn.MaxPool2d):
                break
        held = module.get_submodule(tensor)
        if tensor != first and isinstance(held, _LAYERS) and _fit(module.get_submodule(first), held):
            found.append((first, norm, tensor))
    return found


def _fit(first: nn.Module, second: nn.Module) -> bool:
    """Whether the outputs of one are the inputs of the other, channel by channel."""
    if isinstance(first, nn.Linear) or isinstance(second, nn.Linear):
        return (
            isinstance(first, nn.Linear) and isinstance(second, nn.Linear) and first.out_features == second.in_features
        )
    assert isinstance(first, nn.Conv1d | nn.Conv2d)
    assert isinstance(second, nn.Conv1d | nn.Conv2d)
    plain = second.groups == 1 or second.groups == second.in_channels == second.out_channels
    return plain and first.out_channels == second.in_channels


def _scale_pair(first: nn.Module, norm: nn.Module | None, second: nn.Module) -> None:
    """Every channel by the root of the ratio of its two ranges (eq. 11)."""
    assert isinstance(first, _LAYERS)
    assert isinstance(second, _LAYERS)
    made = first.weight.flatten(1).abs().amax(1)
    if norm is not None:
        assert isinstance(norm, _NORMS)
        made = made * (norm.weight.abs() * torch.rsqrt(_variance(norm) + norm.eps))
    depthwise = isinstance(second, nn.Conv1d | nn.Conv2d) and second.groups > 1
    by_input = second.weight if depthwise else second.weight.transpose(0, 1)
    read = by_input.flatten(1).abs().amax(1)
    alive = (made > 0) & (read > 0)
    scale = torch.where(alive, torch.sqrt(made / read.clamp(min=1e-30)), torch.ones_like(made)).clamp(1e-4, 1e4)
    target = first if norm is None else norm
    target.weight.div_(scale.reshape(-1, *[1] * (target.weight.ndim - 1)))
    if isinstance(target.bias, Tensor):
        target.bias.div_(scale)
    shape = (-1, *[1] * (second.weight.ndim - 1)) if depthwise else (1, -1, *[1] * (second.weight.ndim - 2))
    second.weight.mul_(scale.reshape(shape))


def _variance(norm: nn.BatchNorm1d | nn.BatchNorm2d) -> Tensor:
    assert norm.running_var is not None
    return norm.running_var
