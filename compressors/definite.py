"""Cholesky factors of matrices that are positive definite but for rounding.

Second moments of channels that hardly vary, or that are nearly copies of one another, have eigenvalues that double
precision cannot tell from 0; an inverse that units are taken out of one after the other loses digits with each.
"""

from __future__ import annotations

import torch
from torch import Tensor

from paretrim.errors import InvalidModel

#: first ridge that is tried, as a share of a matrix's largest entry; each further one is ten times larger
FIRST_SHARE = 1e-14


def cholesky(matrices: Tensor, *, upper: bool = False) -> Tensor:
    """(..., d, d) -> (..., d, d). A matrix without a factor gets the smallest ridge that gives it one; others stay.

    Raises InvalidModel for entries that are not finite.
    """
    factor: Tensor
    factor, failed = torch.linalg.cholesky_ex(matrices, upper=upper)
    if not failed.any():
        return factor
    if not matrices.isfinite().all():
        raise InvalidModel(
            "second moments are not finite: activations of the network overflow on the calibration data; check how its"
            " inputs are normalised",
            field="model",
        )
    largest = matrices.abs().amax((-2, -1)).clamp(min=torch.finfo(matrices.dtype).tiny)
    share = FIRST_SHARE
    while failed.any():  # ends: no eigenvalue is below -d times the largest entry
        ridge = torch.where(failed != 0, share * largest, 0.0)
        mended = matrices + ridge[..., None, None] * torch.eye(matrices.shape[-1], dtype=matrices.dtype)
        again, still = torch.linalg.cholesky_ex(mended, upper=upper)
        factor = torch.where((failed != 0)[..., None, None], again, factor)
        failed = torch.where(failed != 0, still, failed)
        share *= 10.0
    return factor
