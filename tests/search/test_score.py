from __future__ import annotations

import pytest
import torch

from paretrim.errors import InvalidInput
from search.score import score, wilson

GENERATOR = torch.Generator().manual_seed(0)


def test_top1_is_the_share_of_rows_whose_highest_class_is_right() -> None:
    outputs = torch.tensor([[0.1, 0.9], [0.8, 0.2], [0.3, 0.7], [0.6, 0.4]])
    assert score("top1", outputs, torch.tensor([1, 0, 0, 1]), outputs) == 0.5


def test_one_output_is_a_logit_of_class_one() -> None:
    outputs = torch.tensor([[-1.0], [2.0], [0.5]])
    assert score("top1", outputs, torch.tensor([0, 1, 0]), outputs) == pytest.approx(2 / 3)


def test_top5_counts_the_five_highest() -> None:
    outputs = torch.arange(8.0).repeat(2, 1)
    assert score("top5", outputs, torch.tensor([3, 2]), outputs) == 0.5


def test_fidelity_is_one_when_exact_and_nought_for_the_mean() -> None:
    targets = torch.rand(50, 3, generator=GENERATOR)
    assert score("mse", targets, targets, targets) == 1.0
    assert score("mse", torch.full_like(targets, float(targets.mean())), targets, targets) == pytest.approx(0, abs=1e-6)
    assert score("mse", -targets, targets, targets) == 0.0


def test_auc_is_what_comparing_all_pairs_gives() -> None:
    outputs = torch.randint(0, 10, (60, 1), generator=GENERATOR).float()
    targets = torch.randint(0, 2, (60,), generator=GENERATOR)
    positive, negative = outputs[targets == 1, 0], outputs[targets == 0, 0]
    pairs = (positive[:, None] > negative).double() + 0.5 * (positive[:, None] == negative).double()
    assert score("auc", outputs, targets, torch.zeros(60, 4)) == pytest.approx(float(pairs.mean()))


def test_auc_of_a_network_that_rebuilds_its_input_is_about_its_error() -> None:
    inputs = torch.zeros(4, 3)
    outputs = torch.tensor([[0.1] * 3, [0.2] * 3, [0.9] * 3, [0.8] * 3])
    assert score("auc", outputs, torch.tensor([0, 0, 1, 1]), inputs) == 1.0


def test_outputs_that_are_not_finite_are_no_score() -> None:
    with pytest.raises(ArithmeticError, match="not finite"):
        score("top1", torch.tensor([[float("nan"), 1.0]]), torch.tensor([0]), torch.zeros(1, 1))


def test_an_unknown_metric_is_named() -> None:
    with pytest.raises(InvalidInput, match="choose from top1, top5, mse, auc"):
        score("f1", torch.zeros(1, 2), torch.tensor([0]), torch.zeros(1, 1))


def test_the_interval_is_the_published_one() -> None:
    low, high = wilson(0.5, 100)  # tabled: 0.404 to 0.596
    assert (round(low, 3), round(high, 3)) == (0.404, 0.596)
    assert wilson(1.0, 20).high == 1.0
    assert wilson(1.0, 20).low < 0.9
