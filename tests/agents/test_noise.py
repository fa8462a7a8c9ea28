"""Truncated normal noise."""

from __future__ import annotations

import numpy as np
from scipy.stats import kstest, truncnorm

from agents.noise import truncated_normal


def test_it_is_the_truncated_normal_distribution() -> None:
    mean, deviation = 0.8, 0.5
    drawn = truncated_normal(np.full(4000, mean), deviation, np.random.default_rng(0))
    expected = truncnorm((0 - mean) / deviation, (1 - mean) / deviation, mean, deviation)
    assert kstest(drawn, expected.cdf).pvalue > 0.01


def test_the_ends_collect_no_mass() -> None:
    drawn = truncated_normal(np.full(4000, 1.0), 0.5, np.random.default_rng(0))
    assert np.all((drawn >= 0.0) & (drawn <= 1.0))
    assert np.mean(drawn == 1.0) < 0.01


def test_a_small_deviation_stays_near_the_mean() -> None:
    drawn = truncated_normal(np.linspace(0.0, 1.0, 11), 1e-3, np.random.default_rng(0))
    assert np.allclose(drawn, np.linspace(0.0, 1.0, 11), atol=1e-2)
