"""Exploration noise, drawn from a generator that is passed in."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri


def truncated_normal(mean: NDArray[np.float64], deviation: float, random: np.random.Generator) -> NDArray[np.float64]:
    """Normal around `mean` (n,), cut off at 0 and 1; not clipped, so the ends collect no mass (AMC, section 3.2)."""
    mean = np.clip(np.asarray(mean, dtype=np.float64), 0.0, 1.0)
    low, high = ndtr((0.0 - mean) / deviation), ndtr((1.0 - mean) / deviation)
    draw = ndtri(low + (high - low) * random.random(mean.shape))  # by the inverse of the distribution function
    noisy: NDArray[np.float64] = np.clip(mean + deviation * draw, 0.0, 1.0)
    return noisy
