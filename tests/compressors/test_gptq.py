"""Rounding with compensation is better than rounding, and stays on the grid."""

import torch

from compressors.gptq import round_by_columns
from compressors.grid import weight_codes
from compressors.weight_steps import weight_steps


def setting(seed: int, d: int = 150, outputs: int = 12) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    spectrum = 1.0 / (1.0 + 0.2 * torch.arange(d, dtype=torch.float64))  # inputs of real layers are correlated
    rows = (torch.randn(600, d, generator=generator) * spectrum) @ torch.randn(d, d, generator=generator).double()
    moments = rows.T @ rows / 600 + 1e-2 * torch.eye(d, dtype=torch.float64)
    return torch.randn(outputs, d, generator=generator), moments


def output_error(weight: torch.Tensor, moments: torch.Tensor, other: torch.Tensor) -> float:
    difference = (weight - other).double()
    return float(((difference @ moments) * difference).sum())


def test_outputs_are_much_closer_than_by_nearest_rounding() -> None:
    for bits in (2, 3, 4):
        weight, moments = setting(bits)
        steps = weight_steps(weight, bits)
        nearest = weight_codes(weight, steps, bits) * steps[:, None]
        compensated = round_by_columns(weight, moments, steps, bits)
        assert output_error(weight, moments, compensated) < 0.6 * output_error(weight, moments, nearest)


def test_every_value_is_on_the_grid() -> None:
    weight, moments = setting(7)
    steps = weight_steps(weight, 3)
    codes = round_by_columns(weight, moments, steps, 3) / steps[:, None]
    torch.testing.assert_close(codes, codes.round(), rtol=0, atol=1e-5)
    assert float(codes.abs().max()) <= 3.0 + 1e-5


def test_with_uncorrelated_inputs_it_is_nearest_rounding() -> None:
    weight, _ = setting(1, d=20)
    steps = weight_steps(weight, 4)
    found = round_by_columns(weight, torch.eye(20, dtype=torch.float64), steps, 4)
    torch.testing.assert_close(found, weight_codes(weight, steps, 4) * steps[:, None])


def test_a_block_boundary_changes_nothing() -> None:
    """One output, in blocks, against one column at a time with the full inverse (OBQ, eq. 2)."""
    weight, moments = setting(5, d=100, outputs=1)
    steps = weight_steps(weight, 3)
    order = torch.argsort(moments.diagonal(), descending=True, stable=True).tolist()
    left, inverse = weight.double().clone(), torch.linalg.inv(moments)
    for column in order:
        rounded = weight_codes(left[:, column : column + 1].float(), steps, 3) * steps
        error = (left[:, column] - rounded[:, 0]) / inverse[column, column]
        left -= error[:, None] * inverse[column]
        left[:, column] = rounded[:, 0].double()
        inverse -= torch.outer(inverse[:, column], inverse[column]) / inverse[column, column]
        inverse[column, column] = 1.0
    torch.testing.assert_close(round_by_columns(weight, moments, steps, 3), left.float(), rtol=1e-4, atol=1e-5)


def test_steps_of_least_squared_error_are_no_worse_than_the_largest_weight() -> None:
    weight, _ = setting(2)
    for bits in (2, 4, 8):
        errors = {}
        for method in ("max", "mse"):
            steps = weight_steps(weight, bits, method=method)  # type: ignore[arg-type]
            errors[method] = float((weight_codes(weight, steps, bits) * steps[:, None] - weight).square().sum())
        assert errors["mse"] <= errors["max"]
    assert errors["mse"] > 0
