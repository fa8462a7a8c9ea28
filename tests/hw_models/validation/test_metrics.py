"""Metrics by hand: what a report card's figures mean."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import kendalltau

from hw_models.validation.metrics import accuracy, kendall_tau, ratio_error


def test_a_perfect_prediction_has_no_error_and_costs_nothing() -> None:
    truth = np.array([1.0, 2.0, 3.0, 4.0, 5.0])
    found = accuracy(truth, truth)
    assert (found.mape, found.bias, found.regret, found.violations) == (0, 0, 0, 0)
    assert (found.within_5, found.kendall_tau) == (1, 1)


def test_errors_are_shares_of_the_truth() -> None:
    found = accuracy(np.array([1.04, 1.84, 4.4]), np.array([1.0, 2.0, 4.0]))
    assert found.mape == pytest.approx((0.04 + 0.08 + 0.10) / 3)
    assert found.bias == pytest.approx((0.04 - 0.08 + 0.10) / 3)
    assert found.within_5 == pytest.approx(1 / 3)
    assert found.within_10 == pytest.approx(2 / 3) or found.within_10 == 1  # 10 % to the last digit
    assert found.worst == pytest.approx(0.10)


def test_ranks_are_compared_as_scipy_does() -> None:
    random = np.random.default_rng(0)
    first = random.random(60).round(1)  # with ties
    second = first + random.normal(0, 0.3, 60).round(1)
    assert kendall_tau(first, second) == pytest.approx(kendalltau(first, second).statistic)
    assert kendall_tau(first, np.ones(60)) == 0


def test_who_chooses_by_reversed_predictions_regrets_it_and_breaks_budgets() -> None:
    truth = np.linspace(1, 2, 40)
    good, bad = accuracy(truth, truth), accuracy(truth[::-1].copy(), truth)
    assert bad.regret > 0.3 > good.regret
    assert bad.violations > 0.4 > good.violations


def test_a_common_factor_does_not_hurt_ratios() -> None:
    truth = np.array([[2.0, 1.0], [4.0, 1.0]])
    assert ratio_error(1.3 * truth, truth)["mape"] == pytest.approx(0)
    assert ratio_error(np.array([[2.0, 1.2], [4.0, 1.0]]), truth)["worst"] == pytest.approx(0.2)
