"""Greedy elimination on Gram matrices against the same by refitting from scratch at every step."""

import torch
from torch import Tensor

from compressors.elimination import Reader, elimination_order, subset_order


def readers(units: int, width: int, count: int, seed: int = 0) -> list[Reader]:
    generator = torch.Generator().manual_seed(seed)
    made = []
    for _ in range(count):
        rows = torch.randn(400, units * width, dtype=torch.float64, generator=generator)
        rows = rows @ torch.randn(units * width, units * width, dtype=torch.float64, generator=generator)
        weight = torch.randn(5, units * width, dtype=torch.float64, generator=generator)
        columns = torch.randperm(units * width, generator=generator).reshape(units, width)
        made.append(Reader(rows.T @ rows / 400, weight, columns))
    return made


def lost(reader: Reader, units: list[int]) -> float:
    """Squared error of the outputs after the best refit on the units that are left."""
    kept = reader.columns[units].flatten()
    target = reader.covariance @ reader.weight.T
    explained = target[kept].T @ torch.linalg.solve(reader.covariance[kept][:, kept], target[kept])
    return float((reader.weight @ target).trace() - explained.trace())


def obvious_elimination(parts: list[Reader]) -> list[int]:
    alive, order = list(range(len(parts[0].columns))), []
    while len(alive) > 1:
        costs = [sum(lost(part, [left for left in alive if left != unit]) for part in parts) for unit in alive]
        order.append(alive.pop(costs.index(min(costs))))
    return order + alive


def test_elimination_removes_what_an_exhaustive_refit_would_remove() -> None:
    for width, count in ((1, 1), (3, 1), (2, 3)):
        parts = readers(7, width, count)
        assert elimination_order(parts)[0].tolist() == obvious_elimination(parts)


def test_what_is_lost_is_what_a_refit_without_those_units_loses() -> None:
    parts = readers(7, 2, 2)
    order, losses = elimination_order(parts)
    assert len(losses) == 6
    for count in (1, 3, 6):
        left = sorted(order[count:].tolist())
        torch.testing.assert_close(float(losses[count - 1]), sum(lost(part, left) for part in parts))


def test_a_unit_that_others_can_express_goes_first() -> None:
    part = readers(5, 1, 1)[0]
    part.covariance[:, 3] = part.covariance[:, 1]
    part.covariance[3] = part.covariance[1]
    part.covariance += 1e-9 * torch.eye(5, dtype=torch.float64)
    assert int(elimination_order([Reader(part.covariance, part.weight, torch.arange(5)[:, None])])[0][0]) in (1, 3)


def test_the_readers_themselves_are_not_changed() -> None:
    parts = readers(4, 2, 2)
    before = [(part.covariance.clone(), part.weight.clone()) for part in parts]
    elimination_order(parts)
    subset_order(parts)
    for part, (covariance, weight) in zip(parts, before, strict=True):
        assert torch.equal(part.covariance, covariance)
        assert torch.equal(part.weight, weight)


def test_subset_order_adds_the_unit_that_leaves_the_smallest_total() -> None:
    parts = readers(6, 2, 2, seed=4)

    def taken_away(units: list[int]) -> Tensor:
        total = torch.zeros((), dtype=torch.float64)
        for part in parts:
            columns = part.columns[units].flatten()
            weight = part.weight[:, columns]
            total += (weight @ part.covariance[columns][:, columns] @ weight.T).trace()
        return total

    gone: list[int] = []
    while len(gone) < 6:
        rest = [unit for unit in range(6) if unit not in gone]
        gone.append(min(rest, key=lambda unit: float(taken_away([*gone, unit]))))
    assert subset_order(parts).tolist() == gone
