"""Where the values of a tensor lie: exact extremes and a histogram, and the range a quantizer should cover.

Ranges by minimum and maximum, percentile, least squared error, and least Kullback-Leibler divergence (Migacz, 8-bit
inference with TensorRT, GTC 2017).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

RangeMethod = Literal["min_max", "percentile", "mse", "kl"]

#: (low, high) with low <= 0 <= high
Range = tuple[float, float]

_BINS = 4096


@dataclass(frozen=True, slots=True)
class Spread:
    """Values of one tensor over the calibration data.

    counts: (bins,) float64 over equal bins of [-reach, reach]; low and high are exact.
    """

    low: float
    high: float
    reach: float
    counts: Tensor

    def range(self, bits: int = 8, method: RangeMethod = "min_max", percentile: float = 99.99) -> Range:
        """The range to quantize with `bits`; 0 is always inside. percentile: of the values, inside the range."""
        if method == "percentile":
            low, high = self._between(percentile)
        elif method == "min_max" or float(self.counts.sum()) == 0.0:
            low, high = self.low, self.high
        else:
            low, high = self._least(method, bits)
        return min(low, 0.0), max(high, 0.0)

    def _between(self, percentile: float) -> Range:
        tail = (1.0 - percentile / 100.0) * float(self.counts.sum()) / (2.0 if self.low < 0.0 < self.high else 1.0)
        below, above = self.counts.cumsum(0) > tail, self.counts.flip(0).cumsum(0) > tail
        width = 2.0 * self.reach / len(self.counts)
        low = -self.reach + width * int(below.int().argmax())
        high = self.reach - width * int(above.int().argmax())
        return max(low, min(self.low, 0.0)), min(high, max(self.high, 0.0))

    def _least(self, method: RangeMethod, bits: int) -> Range:
        """The extremes shrunk by the factor that costs least, of a fixed grid of factors."""
        error = _squared_error if method == "mse" else _divergence
        low, high = min(self.low, 0.0), max(self.high, 0.0)
        factors = torch.linspace(0.1, 1.0, 46, dtype=torch.float64)
        costs = [error(self.counts, self.reach, low * float(factor), high * float(factor), bits) for factor in factors]
        best = float(factors[int(torch.tensor(costs).argmin())])
        return low * best, high * best


class SpreadSum:
    """Adds up a Spread batch by batch. When a value falls outside, the reach doubles: bins merge exactly."""

    def __init__(self, bins: int = _BINS) -> None:
        self._bins = bins
        self._low, self._high, self._reach = float("inf"), float("-inf"), 0.0
        self._counts = torch.zeros(bins, dtype=torch.float64)

    def add(self, values: Tensor, most: int = 65_536) -> None:
        """Add a tensor: extremes of all values, histogram of at most about `most`, evenly spaced."""
        flat = values.detach().reshape(-1)
        low, high = (float(extreme) for extreme in flat.aminmax())
        self._low, self._high = min(self._low, low), max(self._high, high)
        self._cover(max(-low, high, 0.0))
        if self._reach > 0.0:
            sampled = flat[:: max(1, flat.numel() // most)].float()
            self._counts += torch.histc(sampled, self._bins, -self._reach, self._reach).double()

    def result(self) -> Spread:
        """What was added. Raises ValueError if nothing was."""
        if self._low > self._high:
            raise ValueError("no values were added to a histogram")
        return Spread(self._low, self._high, self._reach, self._counts.clone())

    def _cover(self, largest: float) -> None:
        if largest == 0.0:
            return
        if self._reach == 0.0:
            self._reach = largest
        while self._reach < largest:
            self._reach *= 2.0
            merged = torch.zeros_like(self._counts)
            quarter = self._bins // 4
            merged[quarter : 3 * quarter] = self._counts.reshape(-1, 2).sum(1)
            self._counts = merged


def _centres(counts: Tensor, reach: float) -> Tensor:
    width = 2.0 * reach / len(counts)
    return -reach + width * (torch.arange(len(counts), dtype=torch.float64) + 0.5)


def _squared_error(counts: Tensor, reach: float, low: float, high: float, bits: int) -> float:
    values = _centres(counts, reach)
    return float((counts * (_rounded(values, low, high, bits) - values).square()).sum())


def _divergence(counts: Tensor, reach: float, low: float, high: float, bits: int) -> float:
    """Kullback-Leibler divergence of the quantized shape from the clipped histogram, outliers put into its ends."""
    values = _centres(counts, reach)
    inside = (values >= low) & (values <= high)
    if not bool(inside.any()):
        return float("inf")
    reference = counts * inside
    first, last = int(inside.int().argmax()), len(counts) - 1 - int(inside.flip(0).int().argmax())
    reference[first] += float(counts[:first].sum())
    reference[last] += float(counts[last + 1 :].sum())
    step = max((high - low) / (2**bits - 1), 1e-30)
    level = ((values.clamp(low, high) - low) / step).round().long()
    filled = (counts * inside) > 0
    total = torch.zeros(2**bits, dtype=torch.float64).index_add_(0, level, counts * inside)
    share = torch.zeros(2**bits, dtype=torch.float64).index_add_(0, level, filled.double())
    shape = torch.where(filled, total[level] / share[level].clamp(min=1.0), torch.zeros_like(counts))
    p, q = reference / reference.sum(), (shape / shape.sum().clamp(min=1e-30)).clamp(min=1e-12)
    return float((p * (p.clamp(min=1e-30) / q).log())[p > 0].sum())


def _rounded(values: Tensor, low: float, high: float, bits: int) -> Tensor:
    step = max((high - low) / (2**bits - 1), 1e-30)
    result: Tensor = ((values.clamp(low, high) - low) / step).round() * step + low
    return result
