"""Factors of matrices that rounding has made indefinite, and what depends on them."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from compressors.definite import cholesky
from compressors.elimination import Reader, elimination_order, subset_order
from paretrim.errors import InvalidModel


def moments(d: int, rank: int, seed: int = 0) -> Tensor:
    """(d, d) second moments of `rank` independent inputs and copies of them."""
    generator = torch.Generator().manual_seed(seed)
    rows = torch.randn(200, rank, generator=generator, dtype=torch.float64)
    return (
        rows.T @ rows / 200 if rank == d else torch.cov((rows @ torch.randn(rank, d, generator=generator).double()).T)
    )


def test_what_has_a_factor_keeps_it_to_the_last_bit() -> None:
    matrix = moments(6, 6)
    for upper in (False, True):
        assert torch.equal(cholesky(matrix, upper=upper), torch.linalg.cholesky(matrix, upper=upper))


@pytest.mark.parametrize("upper", [False, True])
def test_of_a_batch_only_what_has_no_factor_is_changed(upper: bool) -> None:
    good, flat = moments(5, 5), moments(5, 2) - 1e-13 * torch.eye(5, dtype=torch.float64)
    found = cholesky(torch.stack([good, flat, torch.zeros(5, 5, dtype=torch.float64)]), upper=upper)
    assert torch.equal(found[0], torch.linalg.cholesky(good, upper=upper))
    products = found.mT @ found if upper else found @ found.mT
    torch.testing.assert_close(products[1], flat, rtol=0.0, atol=1e-9)
    assert found.isfinite().all()


def test_a_clearly_indefinite_matrix_still_ends() -> None:
    matrix = torch.tensor([[1.0, 5.0], [5.0, 1.0]], dtype=torch.float64)
    assert cholesky(matrix).isfinite().all()


def test_moments_that_are_no_numbers_are_named() -> None:
    with pytest.raises(InvalidModel, match="overflow"):
        cholesky(torch.full((2, 2), torch.inf, dtype=torch.float64))


def test_units_that_are_copies_of_others_go_first() -> None:
    base = moments(4, 4)
    twice = torch.cat([torch.cat([base, base], 0), torch.cat([base, base], 0)], 1)  # units 4 to 7 are units 0 to 3
    twice += 1e-14 * torch.eye(8, dtype=torch.float64)
    weight = torch.randn(3, 8, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    for width in (1, 2):  # columns of a unit
        columns = torch.arange(8).reshape(8 // width, width)
        reader = Reader(twice, weight, columns)
        order, lost = elimination_order([reader])
        assert sorted(order.tolist()) == list(range(8 // width))
        assert lost.isfinite().all()
        assert {unit % (4 // width) for unit in order[: 4 // width].tolist()} == set(range(4 // width))
        assert sorted(subset_order([reader]).tolist()) == list(range(8 // width))
