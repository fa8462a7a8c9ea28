"""Least squares from Gram matrices against least squares from the rows themselves."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from compressors.gram import Gram, GramSum
from compressors.reconstruction import LeastSquares, readable_weight, stored_weight, weight_from_matrix, weight_matrix


def inputs_of(*shape: int) -> Tensor:
    """Correlated channels, none of them centred."""
    generator = torch.Generator().manual_seed(0)
    mixing = torch.randn(shape[1], shape[1], generator=generator)
    mixed = torch.einsum("nc...,cd->nd...", torch.randn(*shape, generator=generator), mixing)
    return functional.relu(mixed + 0.3)


def gram_of(layer: nn.Module, inputs: Tensor, columns_limit: int = 1000) -> Gram:
    total = GramSum(layer, columns_limit=columns_limit, rows_per_column=1)
    total.add(inputs, 10**6, torch.Generator().manual_seed(0))
    return total.result()


def test_a_convolution_is_refitted_as_lstsq_would_from_its_patches() -> None:
    layer, inputs, kept = nn.Conv2d(6, 5, 3, padding=1), inputs_of(20, 6, 8, 8), torch.tensor([0, 2, 5])
    refit = LeastSquares(layer, gram_of(layer, inputs), ridge=0.0).refit(kept)
    rows = functional.unfold(inputs, 3, padding=1).transpose(1, 2).flatten(0, 1).double()
    target = rows @ layer.weight.detach().flatten(1).double().T
    chosen = rows.unflatten(1, (6, 9))[:, kept].flatten(1)
    chosen = torch.cat([chosen, torch.ones(len(chosen), 1, dtype=torch.float64)], 1)
    solution = torch.linalg.lstsq(chosen, target).solution
    torch.testing.assert_close(refit.weight.flatten(1), solution[:-1].T.float(), rtol=1e-3, atol=1e-5)
    torch.testing.assert_close(refit.shift, solution[-1].float(), rtol=1e-3, atol=1e-4)
    residual = (chosen @ solution - target).var(0, correction=0).sum() / target.var(0, correction=0).sum()
    assert refit.error_share == pytest.approx(float(residual), rel=1e-6)


@pytest.mark.parametrize(
    "layer",
    [
        nn.Linear(6, 4),
        nn.Conv1d(6, 4, 3, padding=1),
        nn.Conv2d(6, 4, 3, stride=2),
        nn.Conv2d(6, 4, 3, groups=2),
        nn.ConvTranspose2d(6, 4, 2, stride=2),
        nn.ConvTranspose2d(6, 4, 2, stride=2, groups=2),
    ],
)
@pytest.mark.parametrize("columns_limit", [1000, 1])
def test_keeping_every_channel_gives_the_layer_back(layer: nn.Module, columns_limit: int) -> None:
    shape = {nn.Linear: (50, 6), nn.Conv1d: (20, 6, 9)}.get(type(layer), (20, 6, 7, 7))
    gram = gram_of(layer, inputs_of(*shape), columns_limit)
    positions = torch.arange(6 // getattr(layer, "groups", 1))
    refit = LeastSquares(layer, gram).refit(positions)
    torch.testing.assert_close(refit.weight, readable_weight(layer).detach(), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(refit.shift, torch.zeros(4), rtol=0, atol=1e-4)
    assert refit.error_share < 1e-6


@pytest.mark.parametrize(
    "layer", [nn.Conv2d(6, 4, 3, groups=2), nn.ConvTranspose2d(6, 4, 3, groups=2), nn.Linear(6, 2)]
)
@pytest.mark.parametrize("columns_limit", [1000, 1])
def test_weights_survive_the_way_to_a_matrix_and_back(layer: nn.Module, columns_limit: int) -> None:
    gram = gram_of(layer, inputs_of(*((9, 6) if isinstance(layer, nn.Linear) else (9, 6, 5, 5))), columns_limit)
    channels = 6 // getattr(layer, "groups", 1)
    back = weight_from_matrix(layer, gram, weight_matrix(layer, gram), channels)
    torch.testing.assert_close(stored_weight(layer, back).float(), layer.weight.detach())


def test_channels_that_others_can_express_are_lost_without_loss() -> None:
    inputs = inputs_of(30, 6, 6, 6)
    inputs[:, 4] = 0.5 * inputs[:, 1] + 2.0 * inputs[:, 2] + 1.0
    inner = nn.Conv2d(6, 3, 3)  # without padding, so that the constant 1.0 is seen everywhere
    kept = torch.tensor([0, 1, 2, 3, 5])
    for columns_limit in (1000, 1):
        refit = LeastSquares(inner, gram_of(inner, inputs, columns_limit), ridge=1e-9).refit(kept)
        small = (
            functional.conv2d(inputs[:, kept], refit.weight) + refit.shift[:, None, None] + inner.bias[:, None, None]
        )
        torch.testing.assert_close(small, inner(inputs), rtol=1e-3, atol=1e-3)


def test_without_an_intercept_the_raw_second_moments_are_fitted() -> None:
    layer, inputs, kept = nn.Linear(5, 3, bias=False), inputs_of(200, 5), torch.tensor([1, 3])
    refit = LeastSquares(layer, gram_of(layer, inputs), ridge=0.0, intercept=False).refit(kept)
    solution = torch.linalg.lstsq(inputs[:, kept], inputs @ layer.weight.detach().T).solution
    torch.testing.assert_close(refit.weight, solution.T, rtol=1e-3, atol=1e-4)
    assert not refit.shift.any()


def test_matched_variance_restores_what_least_squares_shrinks() -> None:
    layer, inputs, kept = nn.Conv2d(6, 5, 3), inputs_of(40, 6, 8, 8), torch.tensor([0, 1, 4, 5])
    solver = LeastSquares(layer, gram_of(layer, inputs))
    original = layer(inputs).var((0, 2, 3))
    shrunk = functional.conv2d(inputs[:, kept], solver.refit(kept).weight).var((0, 2, 3))
    matched = functional.conv2d(inputs[:, kept], solver.refit(kept, match_variance=True).weight).var((0, 2, 3))
    assert bool((shrunk < original).all())
    torch.testing.assert_close(matched, original, rtol=0.02, atol=0.0)
