"""Gram matrices against the im2col that torch does."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from compressors.gram import GramSum
from compressors.operators.convolution import PaddedConv2d, pad_input


def gram_of(layer: nn.Module, inputs: Tensor, *, columns_limit: int = 1000, rows: int = 10**6) -> Tensor:
    total = GramSum(layer, columns_limit=columns_limit, rows_per_column=1)
    generator = torch.Generator().manual_seed(0)
    for batch in inputs.split(3):
        total.add(batch, rows, generator)
    return total.result().matrix


def close(actual: Tensor, expected: Tensor) -> None:
    """Products of a batch are in single precision."""
    torch.testing.assert_close(actual, expected, rtol=1e-5, atol=1e-6)


def direct(rows: Tensor) -> Tensor:
    """rows: (n, d)."""
    with_one = torch.cat([rows.double(), torch.ones(len(rows), 1, dtype=torch.float64)], 1)
    return with_one.T @ with_one / len(rows)


def padded_convolution() -> PaddedConv2d:
    layer = PaddedConv2d(4, 6, 3, stride=2)
    layer.pads = (0, 1, 1, 2)
    return layer


@pytest.mark.parametrize(
    "layer",
    [
        nn.Conv2d(4, 6, 3, padding=1),
        nn.Conv2d(4, 6, (3, 1), stride=2, padding=(2, 0), dilation=(2, 1)),
        nn.Conv2d(4, 6, 1, stride=2),
        nn.Conv2d(4, 4, 3, padding=1, groups=4),
        nn.Conv2d(4, 6, 3, groups=2),
        padded_convolution(),
    ],
)
def test_a_convolution_sees_the_patches_that_unfold_gives(layer: nn.Conv2d) -> None:
    inputs = torch.randn(7, 4, 9, 8, generator=torch.Generator().manual_seed(1))
    padded = pad_input(layer, inputs)
    unfolded = functional.unfold(padded, layer.kernel_size, layer.dilation, 0, layer.stride)
    rows = unfolded.transpose(1, 2).flatten(0, 1).unflatten(1, (layer.groups, -1)).transpose(0, 1)
    expected = torch.stack([direct(part) for part in rows])
    close(gram_of(layer, inputs), expected)


def test_a_one_dimensional_convolution_sees_its_windows() -> None:
    layer, inputs = nn.Conv1d(3, 2, 5, stride=2, padding=2), torch.randn(5, 3, 11)
    windows = functional.pad(inputs, (2, 2)).unfold(2, 5, 2)  # (samples, channels, positions, taps)
    close(gram_of(layer, inputs)[0], direct(windows.transpose(1, 2).flatten(0, 1).flatten(1)))


def test_a_linear_layer_sees_every_position_of_a_sequence() -> None:
    inputs = torch.randn(5, 4, 3)
    close(gram_of(nn.Linear(3, 2), inputs)[0], direct(inputs.flatten(0, 1)))


def test_a_layer_with_too_many_columns_shares_one_matrix_between_kernel_positions() -> None:
    inputs = torch.randn(5, 4, 6, 6)
    matrix = gram_of(nn.Conv2d(4, 6, 3), inputs, columns_limit=35)
    close(matrix[0], direct(inputs.movedim(1, -1).flatten(0, 2)))


def test_no_more_rows_are_taken_than_were_asked_for() -> None:
    total = GramSum(nn.Conv2d(2, 2, 3, padding=1), columns_limit=100, rows_per_column=1)
    total.add(torch.randn(10, 2, 8, 8), 50, torch.Generator().manual_seed(0))
    assert total.result().rows == 50


def test_nothing_added_is_an_error() -> None:
    with pytest.raises(ValueError, match="no calibration rows"):
        GramSum(nn.Linear(2, 2), columns_limit=100, rows_per_column=1).result()
