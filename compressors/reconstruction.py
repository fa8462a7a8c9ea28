"""Least-squares weights for the channels that are left, from a Gram matrix alone.

With C = cov(x) + ridge, the weights W' over the kept columns S that come closest to W x are W' = C_SS^-1 C_S: W, and
the bias takes up the means (He et al., Channel pruning, ICCV 2017; from Gram matrices no row of data is needed again).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from compressors.definite import cholesky
from compressors.gram import Gram, convolution_groups
from compressors.operators.recurrent import Recurrent

#: share of the mean variance that is added to every column's variance
RIDGE = 1e-3

#: of second moments, the share that may be rounding
_ROUNDING = 1e-12


@dataclass(frozen=True, slots=True)
class Refit:
    """Weights of a layer for some of its input channels, all its outputs.

    weight: (outputs, input channels left per convolution group, *kernel) float32; shift: (outputs,) to be added to the
    output, 0 if the refit had no intercept; error_share: variance lost / variance, over all outputs, in [0, 1].
    """

    weight: Tensor
    shift: Tensor
    error_share: float


class LeastSquares:
    """Refits one layer for any choice of input channels; what does not depend on the choice is computed once."""

    def __init__(self, layer: nn.Module, gram: Gram, *, ridge: float = RIDGE, intercept: bool = True) -> None:
        """intercept: whether something behind the layer can take up a constant (its bias, or a batch norm)."""
        self._layer = layer
        self._gram = gram
        self._intercept = intercept
        self.means = gram.matrix[:, :-1, -1]  # (groups, d)
        self.covariance = covariance(gram, ridge, intercept)  # (groups, d, d)
        self.weight = weight_matrix(layer, gram)  # (groups, outputs, d)
        self._target = self.covariance @ self.weight.transpose(1, 2)  # (groups, d, outputs)
        self._variance = (self._target.transpose(1, 2) * self.weight).sum(-1)  # (groups, outputs)

    @property
    def channels(self) -> int:
        """Positions of the weight's input dimension."""
        return int(self.means.shape[1]) // self._gram.columns_per_channel

    def columns(self, positions: Tensor) -> Tensor:
        """Columns of the Gram matrix for positions of the weight's input dimension: (positions, columns of each)."""
        width = self._gram.columns_per_channel
        return positions[:, None] * width + torch.arange(width)

    def refit(self, positions: Tensor, *, match_variance: bool = False) -> Refit:
        """Weights for these positions of the weight's input dimension.

        match_variance: scale each output so that its variance is the original's; least squares shrinks it by exactly
        the variance that is lost.
        """
        kept = self.columns(positions).flatten()
        factor = cholesky(self.covariance[:, kept][:, :, kept])
        weight = torch.cholesky_solve(self._target[:, kept], factor).transpose(1, 2)  # (groups, outputs, kept)
        explained = (self._target[:, kept].transpose(1, 2) * weight).sum(-1)
        lost = (self._variance - explained).clamp(min=0.0)
        if match_variance and self._gram.columns == "patches":
            scale = (self._variance / explained.clamp(min=1e-12)).sqrt().clamp(1.0, 2.0)
            weight = weight * scale[:, :, None]
        return self._result(weight, kept, float(lost.sum() / self._variance.sum().clamp(min=1e-30)), len(positions))

    def _result(self, weight: Tensor, kept: Tensor, error_share: float, channels: int) -> Refit:
        shift = torch.zeros(self.weight.shape[:2], dtype=torch.float64)
        if self._intercept:
            lost = torch.einsum("god,gd->go", self.weight, self.means)
            shift = lost - torch.einsum("gok,gk->go", weight, self.means[:, kept])
        shaped = weight_from_matrix(self._layer, self._gram, weight, channels)
        if self._gram.columns == "channels":  # outputs of all kernel positions of a channel fall on the same output
            shift = shift.reshape(len(shift), -1, _taps(self._layer)).sum(-1)
        return Refit(shaped.float(), shift.flatten().float(), error_share)


def covariance(gram: Gram, ridge: float, centred: bool = True) -> Tensor:
    """(groups, d, d): second moments about the mean (or about 0), with a ridge that makes them positive definite."""
    moments = gram.matrix[:, :-1, :-1].clone()
    diagonal = moments.diagonal(dim1=1, dim2=2)
    rounded = _ROUNDING * diagonal.mean(1, keepdim=True)  # of what hardly varies about its mean, little else is left
    if centred:
        means = gram.matrix[:, :-1, -1]
        moments -= means[:, :, None] * means[:, None, :]
    diagonal += (ridge * diagonal.mean(1, keepdim=True).clamp(min=1e-12)).maximum(rounded)
    return moments


def weight_matrix(layer: nn.Module, gram: Gram) -> Tensor:
    """A layer's weights over the columns of its Gram matrix: (groups, outputs, d) float64.

    `patches`: outputs are the layer's output channels; `channels`: output channels x kernel positions.
    """
    weight = readable_weight(layer).detach().double()  # (O, C/groups, *kernel)
    groups = convolution_groups(layer)
    if gram.columns == "patches":
        return weight.reshape(groups, weight.shape[0] // groups, -1)
    spread = weight.flatten(2).transpose(1, 2) if weight.ndim > 2 else weight[:, None, :]  # (O, taps, C/groups)
    return spread.reshape(groups, -1, spread.shape[-1])


def weight_from_matrix(layer: nn.Module, gram: Gram, matrix: Tensor, channels: int) -> Tensor:
    """The inverse of `weight_matrix`, for `channels` input channels per group instead of the layer's own.

    Returns (output channels, channels, *kernel), as `readable_weight` does.
    """
    kernel = readable_weight(layer).shape[2:]
    if gram.columns == "patches":
        return matrix.reshape(-1, channels, *kernel)
    return matrix.reshape(-1, _taps(layer), channels).transpose(1, 2).reshape(-1, channels, *kernel)


def _taps(layer: nn.Module) -> int:
    """Kernel positions."""
    return int(readable_weight(layer)[0, 0].numel())


def readable_weight(layer: nn.Module) -> Tensor:
    """(output channels, input channels per convolution group, *kernel), whatever the layer's own order.

    Of a recurrent layer the weights that read its input: (directions x gates x hidden, in).
    """
    if isinstance(layer, Recurrent):
        return layer.weight_ih.flatten(0, 1)
    weight = layer.weight
    assert isinstance(weight, Tensor)
    if not _is_transposed(layer):
        return weight
    groups = convolution_groups(layer)
    grouped = weight.reshape(groups, weight.shape[0] // groups, *weight.shape[1:])
    return grouped.transpose(1, 2).reshape(-1, weight.shape[0] // groups, *weight.shape[2:])


def stored_weight(layer: nn.Module, weight: Tensor) -> Tensor:
    """The inverse of `readable_weight`: in the layer's own order. The layer may have lost channels meanwhile."""
    if isinstance(layer, Recurrent):
        return weight.reshape(layer.directions, -1, weight.shape[1])
    if not _is_transposed(layer):
        return weight
    groups = convolution_groups(layer)
    grouped = weight.reshape(groups, weight.shape[0] // groups, *weight.shape[1:])
    return grouped.transpose(1, 2).reshape(-1, weight.shape[0] // groups, *weight.shape[2:])


def output_rows(layer: nn.Module, outputs: Tensor) -> Tensor:
    """Rows of `readable_weight` for some output channels. layer: before it lost any."""
    if not isinstance(layer, Recurrent):
        return outputs
    blocks = layer.weight_ih.shape[1] // layer.hidden_size * layer.directions
    return (torch.arange(blocks)[:, None] * layer.hidden_size + outputs).flatten()


def _is_transposed(layer: nn.Module) -> bool:
    return isinstance(layer, nn.modules.conv._ConvTransposeNd)
