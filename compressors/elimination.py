"""Which units a network misses least, decided on Gram matrices: greedy, one unit after another.

`elimination_order` is Optimal Brain Surgeon (Hassibi and Stork, 1993) for whole units: removing the columns B of a
layer costs tr(W_B [(C^-1)_BB]^-1 W_B^T) if the weights left are refitted at once; the refit is a rank-|B| update of W
and C^-1. `subset_order` is ThiNet's greedy choice (Luo et al., ICCV 2017, eq. 6), which does not refit.
Both give one order for all ratios, so that what a smaller ratio keeps is part of what a larger one keeps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from compressors.definite import cholesky


@dataclass(slots=True)
class Reader:
    """A matrix of weights that reads some of the units.

    covariance: (d, d) float64, positive definite; weight: (outputs, d) float64, rows scaled by what an error in that
    output costs; columns: (units, columns of each unit) int64, which columns a unit feeds.
    """

    covariance: Tensor
    weight: Tensor
    columns: Tensor


def elimination_order(readers: Sequence[Reader]) -> tuple[Tensor, Tensor]:
    """Units in the order in which they go, the least missed first; the cost of a unit is summed over its readers.

    Returns (units,) int64, and (units - 1,) float64: what is lost in all when one, two, ... of them go. Ties go to
    the lower unit. Takes O(units d^2 columns) for each reader.
    """
    units = len(readers[0].columns)
    inverses = [torch.linalg.inv(reader.covariance) for reader in readers]
    weights = [reader.weight.clone() for reader in readers]
    alive = torch.arange(units)
    order: list[int] = []
    costs: list[float] = []
    while len(alive) > 1:
        cost = torch.zeros(len(alive), dtype=torch.float64)
        for reader, inverse, weight in zip(readers, inverses, weights, strict=True):
            cost += _removal_costs(inverse, weight, reader.columns[alive])
        worst = int(cost.argmin())
        costs.append(float(cost[worst]))
        gone = int(alive[worst])
        for reader, inverse, weight in zip(readers, inverses, weights, strict=True):
            _remove(inverse, weight, reader.columns[gone])
        order.append(gone)
        alive = torch.cat([alive[:worst], alive[worst + 1 :]])
    return torch.tensor([*order, int(alive[0])]), torch.tensor(costs, dtype=torch.float64).cumsum(0)


def subset_order(readers: Sequence[Reader]) -> Tensor:
    """Units in the order in which they go so that what is taken away, not refitted, stays small: ThiNet's greedy step.

    Returns (units,) int64. Ties go to the lower unit.
    """
    units = len(readers[0].columns)
    shared = sum((_shared_energy(reader) for reader in readers), torch.zeros(units, units, dtype=torch.float64))
    gain = shared.diagonal().clone()
    order: list[int] = []
    for _ in range(units):
        worst = int(gain.argmin())
        order.append(worst)
        gain += 2.0 * shared[worst]
        gain[order] = torch.inf
    return torch.tensor(order)


def _removal_costs(inverse: Tensor, weight: Tensor, columns: Tensor) -> Tensor:
    """(units left,) growth of the squared error if a unit's columns go and the others are refitted."""
    blocks = inverse[columns[:, :, None], columns[:, None, :]]  # (units, c, c)
    own = weight[:, columns].permute(1, 2, 0)  # (units, c, outputs)
    if blocks.shape[-1] == 1:
        return own.square().sum((1, 2)) / blocks[:, 0, 0].clamp(min=torch.finfo(blocks.dtype).tiny)
    return (own * torch.cholesky_solve(own, cholesky(blocks))).sum((1, 2))


def _remove(inverse: Tensor, weight: Tensor, columns: Tensor) -> None:
    """Take the columns out and refit the others, in place."""
    block = inverse[columns][:, columns]
    update, singular = torch.linalg.solve_ex(block, inverse[columns])  # (c, d)
    if singular:
        update = torch.cholesky_solve(inverse[columns], cholesky(block))
    weight -= weight[:, columns] @ update
    inverse -= inverse[:, columns] @ update
    weight[:, columns] = 0.0
    inverse[columns] = 0.0
    inverse[:, columns] = 0.0


def _shared_energy(reader: Reader) -> Tensor:
    """(units, units): tr(W_a C_ab W_b^T), what the contributions of two units to the outputs have in common."""
    gram = reader.weight.T @ reader.weight  # (d, d)
    product = gram * reader.covariance
    flat = reader.columns.flatten()
    units, width = reader.columns.shape
    return product[flat][:, flat].reshape(units, width, units, width).sum((1, 3))
