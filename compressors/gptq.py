"""Rounding weights one column after another, each error made good by the columns that are still free.

GPTQ (Frantar et al., ICLR 2023, algorithm 1), the fast form of Optimal Brain Quantization (Frantar and Alistarh,
NeurIPS 2022, eq. 2), with the Hessian 2 X^T X from the layer's Gram matrix.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from compressors.definite import cholesky
from compressors.grid import weight_codes

#: columns rounded before their error is carried to all the others
_BLOCK = 64


def round_by_columns(weight: Tensor, second_moments: Tensor, steps: Tensor, bits: int) -> Tensor:
    """A weight on its grid whose outputs are closer to the original's than nearest rounding gives.

    weight: (outputs, d); second_moments: (d, d) float64, positive definite; steps: (outputs,). Returns (outputs, d)
    float32.
    """
    wide = steps.double()
    return snap_by_columns(weight, second_moments, lambda v: weight_codes(v[:, None], wide, bits)[:, 0] * wide)


def snap_by_columns(weight: Tensor, second_moments: Tensor, snap: Callable[[Tensor], Tensor]) -> Tensor:
    """As `round_by_columns`, for any grid. snap: a column (outputs,) float64 -> the nearest values on the grid.

    Columns with much energy are rounded first, while many others can still make up for them.
    """
    order = torch.argsort(second_moments.diagonal(), descending=True, stable=True)
    factor = _inverse_factor(second_moments[order][:, order])
    left = weight.detach().double()[:, order]
    done = torch.empty_like(left)
    for start in range(0, len(order), _BLOCK):
        end = min(start + _BLOCK, len(order))
        block, local = left[:, start:end].clone(), factor[start:end, start:end]
        errors = torch.empty_like(block)
        for column in range(end - start):
            value = block[:, column]
            on_grid = snap(value)
            errors[:, column] = (value - on_grid) / local[column, column]
            block[:, column:] -= errors[:, column : column + 1] * local[column, column:]
            done[:, start + column] = on_grid
        left[:, end:] -= errors @ factor[start:end, end:]
    result = torch.empty_like(done)
    result[:, order] = done
    return result.float()


def _inverse_factor(second_moments: Tensor) -> Tensor:
    """Upper Cholesky factor of the inverse: row i holds what column i's error means for the columns behind it."""
    inverse = torch.cholesky_inverse(cholesky(second_moments))
    return cholesky(inverse, upper=True)
