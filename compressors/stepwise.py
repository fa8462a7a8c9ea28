"""Rounding weights by turns: codes with the steps held, steps with the codes held, until neither helps.

The optimisation of Bit-Split (Wang et al., ICML 2020, section 3.3): least squares on a layer's outputs, alternating
between the scale in closed form and the codes one coordinate at a time. Bit-Split goes through the ternary digits of
each code; here a code moves as a whole, which reaches every code that a digit would, and more.
"""

from __future__ import annotations

import torch
from torch import Tensor

from compressors.gptq import round_by_columns
from compressors.grid import weight_codes

#: turns at most
_TURNS = 4


def round_stepwise(weight: Tensor, second_moments: Tensor, steps: Tensor, bits: int) -> tuple[Tensor, Tensor]:
    """(outputs, d) float32 on the grid, and the steps it came to, (outputs,) float32.

    Never worse on `second_moments` than `round_by_columns`, which it begins with. weight: (outputs, d); second_moments:
    (d, d) float64, positive definite; steps: (outputs,).
    """
    wide, wanted = weight.detach().double(), steps.double()
    codes = weight_codes(round_by_columns(weight.float(), second_moments, steps, bits).double(), wanted, bits)
    targets = wide @ second_moments
    best = torch.full_like(wanted, torch.inf)
    kept, kept_steps = codes.clone(), wanted.clone()
    for _ in range(_TURNS):
        projected = codes @ second_moments
        power = (projected * codes).sum(1)
        fitted = (targets * codes).sum(1) / power.clamp(min=1e-300)
        wanted = torch.where((power > 0) & (fitted > 0), fitted, wanted).float().double()
        codes = _one_by_one(targets, second_moments, codes, wanted, bits)
        error = _error(wide, codes * wanted[:, None], second_moments)
        better = error < best
        best = torch.where(better, error, best)
        kept = torch.where(better[:, None], codes, kept)
        kept_steps = torch.where(better, wanted, kept_steps)
        if not bool(better.any()):
            break
    return (kept * kept_steps[:, None]).float(), kept_steps.float()


def _one_by_one(targets: Tensor, moments: Tensor, codes: Tensor, steps: Tensor, bits: int) -> Tensor:
    """Every code in turn set to the best there is, the others held."""
    codes = codes.clone()
    left = targets / steps[:, None] - codes @ moments  # what is missing, in units of the step
    for column in range(moments.shape[0]):
        wished = codes[:, column] + left[:, column] / moments[column, column]
        now = weight_codes(wished[:, None], torch.ones_like(steps), bits)[:, 0]
        left -= (now - codes[:, column])[:, None] * moments[column]
        codes[:, column] = now
    return codes


def _error(weight: Tensor, on_grid: Tensor, moments: Tensor) -> Tensor:
    lost = weight - on_grid
    return ((lost @ moments) * lost).sum(1)
