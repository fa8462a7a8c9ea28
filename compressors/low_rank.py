"""Layers of lower rank: one layer becomes two or three thinner ones.

Linear layers and 1 x 1 convolutions by singular values of W C^(1/2), with C the second moments of the inputs, so that
what is cut off is what the inputs hardly excite. Larger kernels by Tucker-2 (Kim et al., ICLR 2016, section 3.1):
1 x 1, k x k, 1 x 1, the last refitted by least squares; or separably (Jaderberg et al., BMVC 2014, scheme 2): k x 1,
1 x k.
"""

from __future__ import annotations

from typing import Literal, TypeVar

import tensorly
import torch
from tensorly.decomposition import partial_tucker
from torch import Tensor, nn

from compressors.definite import cholesky
from compressors.operators.convolution import PaddedConv2d, pads_of
from compressors.operators.factored import Factored
from paretrim.errors import InvalidPolicy
from paretrim.network import units_kept

M = TypeVar("M", nn.Linear, nn.Conv2d)

Scheme = Literal["tucker", "spatial"]


def factored(
    layer: nn.Module, ratio: float, moments: Tensor | None, *, name: str, scheme: Scheme = "tucker"
) -> Factored:
    """What stands for a layer at a share of its full rank.

    moments: (d, d) float64, second moments of what the layer multiplies with `weight.flatten(1)`, positive definite;
    None: not known, or not over patches. Raises InvalidPolicy for a layer that cannot be factored.
    """
    _check(layer, name)
    if isinstance(layer, nn.Linear):
        first, second = _two_matrices(layer.weight, ratio, moments)
        return Factored([_linear(first, None), _linear(second, layer.bias)])
    assert isinstance(layer, nn.Conv2d)
    if layer.weight[0, 0].numel() == 1:
        first, second = _two_matrices(layer.weight.flatten(1), ratio, moments)
        return Factored([_conv(first[:, :, None, None], None, layer, along=(0, 1)), _pointwise(second, layer.bias)])
    if scheme == "spatial":
        return _separable(layer, ratio)
    return _tucker(layer, ratio, moments)


def _check(layer: nn.Module, name: str) -> None:
    kind = type(layer).__name__
    if not isinstance(layer, nn.Linear | nn.Conv2d):
        raise InvalidPolicy(
            f"layer {name!r} ({kind}) cannot have a lower rank; linear and 2-D convolution layers can",
            field=f"rank.{name}",
        )
    if isinstance(layer, nn.Conv2d) and layer.groups > 1:
        raise InvalidPolicy(
            f"layer {name!r} cannot have a lower rank: its convolution has groups", field=f"rank.{name}"
        )


def _two_matrices(weight: Tensor, ratio: float, moments: Tensor | None) -> tuple[Tensor, Tensor]:
    """(rank, in) and (out, rank) whose product is near a (out, in) weight, where the inputs are."""
    matrix = weight.detach().double()
    rank = units_kept(min(matrix.shape), ratio)
    if moments is None:
        left, values, right = torch.linalg.svd(matrix, full_matrices=False)
        return right[:rank], left[:, :rank] * values[:rank]
    root = cholesky(moments)
    left, values, right = torch.linalg.svd(matrix @ root, full_matrices=False)
    first = torch.linalg.solve_triangular(root, right[:rank], upper=False, left=False)
    return first, left[:, :rank] * values[:rank]


def _tucker(layer: nn.Conv2d, ratio: float, moments: Tensor | None) -> Factored:
    weight = layer.weight.detach().double()
    out, into = weight.shape[:2]
    ranks = [units_kept(out, ratio), units_kept(into, ratio)]
    with tensorly.backend_context("pytorch"):
        (core, (behind, before)), _ = partial_tucker(weight, rank=ranks, modes=[0, 1], init="svd", n_iter_max=30)
    if moments is not None:
        inner = torch.einsum("rskl,cs->rckl", core, before).flatten(1)  # what the first two compute, (rank, d)
        seen = inner @ moments @ inner.T
        seen += 1e-8 * seen.diagonal().mean() * torch.eye(len(seen), dtype=seen.dtype)
        behind = torch.linalg.solve(seen, inner @ moments @ weight.flatten(1).T).T
    return Factored(
        [_pointwise(before.T, None), _conv(core, None, layer, along=(0, 1)), _pointwise(behind, layer.bias)]
    )


def _separable(layer: nn.Conv2d, ratio: float) -> Factored:
    weight = layer.weight.detach().double()
    out, into, high, wide = weight.shape
    matrix = weight.permute(1, 2, 0, 3).reshape(into * high, out * wide)
    rank = units_kept(min(matrix.shape), ratio)
    left, values, right = torch.linalg.svd(matrix, full_matrices=False)
    root = values[:rank].sqrt()
    first = (left[:, :rank] * root).T.reshape(rank, into, high, 1)
    second = (root[:, None] * right[:rank]).reshape(rank, out, 1, wide).transpose(0, 1)
    return Factored([_conv(first, None, layer, along=(0,)), _conv(second, layer.bias, layer, along=(1,))])


def _linear(weight: Tensor, bias: Tensor | None) -> nn.Linear:
    made = nn.Linear(weight.shape[1], weight.shape[0], bias=bias is not None, device="meta")
    return _filled(made, weight, bias)


def _pointwise(weight: Tensor, bias: Tensor | None) -> nn.Conv2d:
    made = nn.Conv2d(weight.shape[1], weight.shape[0], 1, bias=bias is not None, device="meta")
    return _filled(made, weight[:, :, None, None], bias)


def _conv(weight: Tensor, bias: Tensor | None, layer: nn.Conv2d, along: tuple[int, ...]) -> nn.Conv2d:
    """A convolution that strides, spreads and pads as the layer does along some of the two axes."""
    stride, dilation = (
        [getattr(layer, key)[axis] if axis in along else 1 for axis in (0, 1)] for key in ("stride", "dilation")
    )
    pads = tuple(pad if place % 2 in along else 0 for place, pad in enumerate(pads_of(layer)))
    symmetric = pads[:2] == pads[2:]
    made = (nn.Conv2d if symmetric else PaddedConv2d)(
        weight.shape[1],
        weight.shape[0],
        (weight.shape[2], weight.shape[3]),
        stride=(stride[0], stride[1]),
        padding=(pads[0], pads[1]) if symmetric else 0,
        dilation=(dilation[0], dilation[1]),
        bias=bias is not None,
        device="meta",
    )
    if isinstance(made, PaddedConv2d):
        made.pads = pads
    return _filled(made, weight, bias)


def _filled(made: M, weight: Tensor, bias: Tensor | None) -> M:
    made.weight = nn.Parameter(weight.detach().float().contiguous())
    if bias is not None:
        made.bias = nn.Parameter(bias.detach().clone())
    return made
