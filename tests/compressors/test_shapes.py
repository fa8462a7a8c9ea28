from __future__ import annotations

import pytest
import torch
from torch import nn

from compressors.operators.elementwise import Arithmetic
from compressors.operators.pooling import GlobalAveragePool, Reduce
from compressors.shapes import known_shape

IMAGE = (2, 6, 9, 7)
CASES = [
    (nn.ReLU(), [IMAGE]),
    (nn.BatchNorm2d(6), [IMAGE]),
    (nn.BatchNorm1d(6), [(2, 6)]),
    (nn.BatchNorm1d(6), [(2, 6, 5)]),
    (nn.Conv2d(6, 4, (3, 2), stride=(2, 1), padding=(1, 0), dilation=(1, 2)), [IMAGE]),
    (nn.Conv2d(6, 6, 3, groups=6), [IMAGE]),
    (nn.Conv1d(6, 3, 4, stride=3, padding=2), [(2, 6, 11)]),
    (nn.Linear(7, 5), [IMAGE]),
    (Arithmetic("add"), [IMAGE, IMAGE]),
    (Reduce("ReduceMean", (2, 3), keep=False), [IMAGE]),
    (Reduce("ReduceMean", (-1,), keep=True), [IMAGE]),
    (GlobalAveragePool(), [IMAGE]),
]


@pytest.mark.parametrize(("module", "shapes"), CASES, ids=lambda value: type(value).__name__)
def test_a_shape_told_by_arithmetic_is_that_of_the_output(module: nn.Module, shapes: list[tuple[int, ...]]) -> None:
    outputs = module.eval()(*(torch.zeros(shape) for shape in shapes))
    assert known_shape(module, [(shape, torch.float32) for shape in shapes]) == tuple(outputs.shape)


@pytest.mark.parametrize(
    ("module", "shapes"),
    [
        (nn.Conv2d(5, 4, 3), [IMAGE]),  # five channels, not six
        (nn.Conv2d(6, 4, 12), [IMAGE]),  # larger than its input
        (nn.BatchNorm2d(7), [IMAGE]),
        (nn.Linear(6, 5), [IMAGE]),
        (Arithmetic("add"), [IMAGE, (6, 1, 1)]),  # broadcast
        (Reduce("ReduceMean", (4,), keep=False), [IMAGE]),
        (nn.MaxPool2d(2), [IMAGE]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_does_not_fit_or_is_not_known_is_left_to_torch(module: nn.Module, shapes: list[tuple[int, ...]]) -> None:
    assert known_shape(module, [(shape, torch.float32) for shape in shapes]) is None
