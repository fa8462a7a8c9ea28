"""As many rows at once as their largest activation allows, and one at least."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from compressors.passes import LARGEST_BYTES, MOST_ROWS, rows_at_once


def convolution(width: int) -> nn.Module:
    return nn.Sequential(nn.Conv2d(1, width, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(1)).eval()


@pytest.mark.parametrize(("width", "side"), [(8, 64), (64, 32), (3, 128)])
def test_the_largest_activation_of_all_rows_stays_within_its_bytes(width: int, side: int) -> None:
    rows = rows_at_once(convolution(width), torch.zeros(1, 1, side, side))
    each = 4 * width * side * side
    assert rows * each <= LARGEST_BYTES < (rows + 1) * each


def test_small_activations_are_run_at_most_so_many_at_once() -> None:
    assert rows_at_once(convolution(2), torch.zeros(1, 1, 4, 4)) == MOST_ROWS


def test_one_row_is_run_however_large_it_is() -> None:
    assert rows_at_once(convolution(64), torch.zeros(1, 1, 256, 256)) == 1


def test_the_input_counts_as_well() -> None:
    assert rows_at_once(nn.Sequential(nn.Flatten(), nn.Linear(10**6, 1)).eval(), torch.zeros(1, 10**6)) == 1


def test_nothing_stays_behind_in_the_network() -> None:
    module = convolution(2)
    rows_at_once(module, torch.zeros(1, 1, 4, 4))
    assert not any(part._forward_hooks for part in module.modules())
