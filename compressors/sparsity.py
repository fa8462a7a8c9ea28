"""Zeros inside layers, in patterns, each made good by the weights that stay.

Which weights go: those that cost the layer's output least, w^2 / [H^-1]_cc (Optimal Brain Surgeon, Hassibi and Stork
1993, eq. 5), summed over what goes together; without calibration data, the smallest (Han et al. 2015). What is lost is
then carried over, column by column, to the columns behind, with H = E[x x^T] from the layer's Gram matrix (SparseGPT,
Frantar and Alistarh, ICML 2023, algorithm 1, with the mask chosen beforehand); then each output is scaled back to the
energy it had.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.nn import functional

from compressors.definite import cholesky
from compressors.gram import convolution_groups
from compressors.operators.passing import Take
from paretrim.network import Network
from paretrim.sparsity import SPARSE_KINDS, Sparsity

#: name of the buffer, False where a weight of a sparse layer has to stay zero
MASK = "weight_mask"


def sensitivity(
    module: fx.GraphModule, network: Network, factor: float, pattern: str = "element"
) -> dict[str, Sparsity]:
    """For every layer the share of weights below `factor` x their standard deviation, for a policy's `sparsity`.

    One threshold rule for all layers that leaves more where weights are large (Han et al., NeurIPS 2015, section 3.1).
    pattern: any but N:M, which says itself how much goes. Layers of which nothing would go are not named.
    """
    found = {}
    for layer in network.layers:
        if layer.kind not in SPARSE_KINDS:
            continue
        weight = module.get_submodule(layer.name).weight
        assert isinstance(weight, Tensor)
        scores = _units(_matrices(module.get_submodule(layer.name), weight.detach().abs()), pattern)
        share = float((scores < factor * weight.detach().std(correction=0)).double().mean())
        if share > 0.0:
            found[layer.name] = Sparsity(min(share, 1.0 - 1.0 / (scores.numel() + 1)), pattern)
    return found


def thin_out(layer: nn.Module, wanted: Sparsity, moments: Tensor | None) -> None:
    """Make weights of a layer zero, in place, and give it a mask that training keeps to.

    moments: (convolution groups, d, d) float64, E[x x^T] of what the layer reads, positive definite, columns as in
    `weight.flatten(1)`; None: the smallest weights go, and the others stay as they are.
    """
    weight = layer.weight
    assert isinstance(weight, Tensor)
    matrices = _matrices(layer, weight.detach().double())  # (groups, outputs, inputs, places, last axis)
    if moments is None:
        mask = _mask(matrices.square(), wanted)
        left = matrices * mask
    else:
        inverse = torch.cholesky_inverse(cholesky(moments))
        cost = matrices.flatten(2).square() / inverse.diagonal(dim1=1, dim2=2)[:, None]
        mask = _mask(cost.reshape(matrices.shape), wanted)
        made = _carried(matrices.flatten(2), mask.flatten(2), inverse)
        left = (made * _lost_scale(matrices.flatten(2), made, moments)).reshape(matrices.shape)
    with torch.no_grad():
        weight.copy_(_as_weight(layer, left).to(weight.dtype))
    layer.register_buffer(MASK, _as_weight(layer, mask).contiguous(), persistent=False)


def masked(module: nn.Module) -> list[nn.Module]:
    """The layers that have zeros which must stay."""
    return [part for part in module.modules() if isinstance(getattr(part, MASK, None), Tensor)]


def keep_zeros(layers: list[nn.Module]) -> None:
    """Make zero again what training has moved."""
    with torch.no_grad():
        for layer in layers:
            layer.weight.mul_(layer.get_buffer(MASK))  # type: ignore[operator]


def zero_share(layer: nn.Module) -> float:
    """Share of a layer's weights that are zero."""
    weight = layer.weight
    assert isinstance(weight, Tensor)
    return float((weight == 0).double().mean())


def is_removed(layer: nn.Module) -> bool:
    """Whether a layer has disappeared with its block."""
    return isinstance(layer, Take)


def _carried(weight: Tensor, mask: Tensor, inverse: Tensor) -> Tensor:
    """(groups, outputs, d): what is left, with every lost column made good by those behind it."""
    factor = cholesky(inverse, upper=True)
    left = weight.clone()
    for column in range(weight.shape[-1]):
        lost = left[..., column].masked_fill(mask[..., column], 0.0) / factor[:, column, column, None]
        left[..., column:] -= lost[..., None] * factor[:, None, column, column:]
    return left * mask


def _lost_scale(before: Tensor, after: Tensor, moments: Tensor) -> Tensor:
    """(groups, outputs, 1): what gives each output the energy it had, at most twice; without it layers fade out."""
    energies = [((weight @ moments) * weight).sum(-1, keepdim=True) for weight in (before, after)]
    return (energies[0] / energies[1].clamp(min=1e-12)).sqrt().clamp(1.0, 2.0)


def _mask(cost: Tensor, wanted: Sparsity) -> Tensor:
    """True for the weights that stay. cost: (groups, outputs, inputs, places, last axis)."""
    if wanted.n_of_m is not None:
        return _few_of_many(cost, *wanted.n_of_m)
    scores = _units(cost, wanted.pattern)
    stays = torch.zeros(scores.numel(), dtype=torch.bool)
    order = torch.argsort(scores.flatten(), descending=True, stable=True)
    stays[order[: wanted.kept(len(order))]] = True
    return _spread(stays.reshape(scores.shape), cost.shape, wanted)


def _few_of_many(cost: Tensor, left: int, of: int) -> Tensor:
    """The `left` dearest of every `of` inputs in a row."""
    inputs = cost.shape[2]
    padded = functional.pad(cost.movedim(2, -1), (0, -inputs % of), value=-1.0)  # (..., inputs padded)
    rows = padded.reshape(*padded.shape[:-1], -1, of)
    places = torch.argsort(rows, dim=-1, descending=True, stable=True)[..., :left]
    stays = torch.zeros_like(rows, dtype=torch.bool).scatter_(-1, places, True)
    return stays.flatten(-2)[..., :inputs].movedim(-1, 2)


def _units(cost: Tensor, pattern: str) -> Tensor:
    """Mean cost of what goes together: axes of extent 1 where a unit runs along the whole axis."""
    if pattern == "vector":
        return cost.mean(4, keepdim=True)
    if pattern == "kernel":
        return cost.mean((3, 4), keepdim=True)
    if pattern == "element":
        return cost
    outputs, inputs = (int(part) for part in pattern.split("x"))
    tail = (0, 0, 0, 0, 0, -cost.shape[2] % inputs, 0, -cost.shape[1] % outputs)
    blocks = [functional.pad(values, tail) for values in (cost, torch.ones_like(cost))]
    shape = (len(cost), blocks[0].shape[1] // outputs, outputs, blocks[0].shape[2] // inputs, inputs, *cost.shape[3:])
    total, count = (values.reshape(shape).sum((2, 4)) for values in blocks)
    return total / count


def _spread(stays: Tensor, shape: torch.Size, wanted: Sparsity) -> Tensor:
    """A decision for every unit as one for every weight."""
    if wanted.block is not None:
        outputs, inputs = wanted.block
        wide = stays.repeat_interleave(outputs, 1).repeat_interleave(inputs, 2)
        return wide[:, : shape[1], : shape[2]].contiguous()
    return stays.expand(shape).contiguous()


def _matrices(layer: nn.Module, weight: Tensor) -> Tensor:
    """(convolution groups, outputs, inputs, kernel places but for the last axis, last axis)."""
    groups = convolution_groups(layer)
    if isinstance(layer, nn.modules.conv._ConvTransposeNd):  # (in, out / groups, *kernel)
        parted = weight.reshape(groups, weight.shape[0] // groups, *weight.shape[1:]).transpose(1, 2)
    else:
        parted = weight.reshape(groups, weight.shape[0] // groups, *weight.shape[1:])
    last = parted.shape[-1] if parted.ndim > 3 else 1
    return parted.reshape(*parted.shape[:3], -1, last)


def _as_weight(layer: nn.Module, matrices: Tensor) -> Tensor:
    """The inverse of `_matrices`."""
    weight: Any = layer.weight
    if isinstance(layer, nn.modules.conv._ConvTransposeNd):
        return matrices.transpose(1, 2).reshape(weight.shape)
    return matrices.reshape(weight.shape)
