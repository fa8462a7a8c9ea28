"""Histograms of activations and the ranges chosen from them."""

import pytest
import torch

from compressors.ranges import Spread, SpreadSum


def spread_of(*batches: torch.Tensor) -> Spread:
    total = SpreadSum()
    for batch in batches:
        total.add(batch)
    return total.result()


def test_extremes_are_exact_over_batches() -> None:
    spread = spread_of(torch.tensor([0.5, 1.0]), torch.tensor([-3.25, 7.5]))
    assert spread.range() == (-3.25, 7.5)


def test_a_range_always_holds_zero() -> None:
    assert spread_of(torch.tensor([2.0, 3.0])).range() == (0.0, 3.0)


def test_a_histogram_that_had_to_reach_further_counts_as_if_it_had_from_the_start() -> None:
    generator = torch.Generator().manual_seed(0)
    small, large = torch.rand(1000, generator=generator), torch.rand(1000, generator=generator) * 4.0 - 1.0
    large[0], small[0] = 4.0, 1.0
    grown = spread_of(small, large)
    at_once = torch.histc(torch.cat([small, large]), len(grown.counts), -4.0, 4.0).double()
    assert grown.reach == 4.0
    assert float(grown.counts.sum()) == 2000.0
    assert float((grown.counts - at_once).abs().sum()) <= 4.0  # values that lie on a bin's edge may fall on either side


@pytest.mark.parametrize("method", ["percentile", "mse", "kl"])
def test_an_outlier_does_not_stretch_the_range(method: str) -> None:
    values = torch.randn(50_000, generator=torch.Generator().manual_seed(0)).abs()
    values[7] = 100.0
    low, high = spread_of(values).range(4, method, percentile=99.9)  # type: ignore[arg-type]
    assert low == 0.0
    assert 2.0 < high < 50.0


def test_the_range_of_least_squared_error_is_better_than_the_extremes() -> None:
    values = torch.randn(60_000, generator=torch.Generator().manual_seed(3))

    def error(low: float, high: float) -> float:
        step = (high - low) / 15
        return float((((values.clamp(low, high) - low) / step).round() * step + low - values).square().mean())

    spread = spread_of(values)
    assert error(*spread.range(4, "mse")) < 0.7 * error(*spread.range(4, "min_max"))


def test_a_tensor_of_zeros_has_an_empty_range() -> None:
    for method in ("min_max", "mse", "kl", "percentile"):
        assert spread_of(torch.zeros(10)).range(8, method) == (0.0, 0.0)  # type: ignore[arg-type]


def test_nothing_added_is_an_error() -> None:
    with pytest.raises(ValueError, match="no values"):
        SpreadSum().result()
