"""Times of units that were not measured, learnt from a law that is known."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.optimize import nnls
from sklearn.ensemble import HistGradientBoostingRegressor

from hw_models.interpolation import FamilyModel, family_of, fit, non_negative_least_squares
from hw_models.trees import Trees, fit_trees
from hw_models.units import Unit


def conv(inputs: int, outputs: int, side: int) -> Unit:
    shape = (3, 3), (1, 1), (1, 1, 1, 1), (1, 1)
    return Unit("conv2d", inputs, outputs, (side, side), (side, side), *shape, layout="blocked")


def staircase_us(unit: Unit) -> float:
    """A kernel that works on whole blocks of 16 channels, and pays for channels that are no multiple of 4."""
    blocks = -(-unit.in_channels // 16) * -(-unit.out_channels // 16)
    ragged = 1.6 if unit.in_channels % 4 else 1.0
    return 1.5 + 0.02 * blocks * unit.out_hw[0] ** 2 * ragged


def sample(count: int, seed: int) -> list[Unit]:
    random = np.random.default_rng(seed)
    return list(
        {conv(*(int(n) for n in random.integers(4, 129, 2)), int(random.choice([8, 16, 32]))) for _ in range(count)}
    )


def test_a_staircase_is_learnt_from_a_few_hundred_rows() -> None:
    known, unseen = sample(500, seed=0), [unit for unit in sample(200, seed=1)]
    model = fit({unit: staircase_us(unit) for unit in known})[family_of(known[0])]
    errors = np.array([model.predict_us(unit) / staircase_us(unit) - 1 for unit in unseen])
    assert np.abs(errors).mean() < 0.08
    assert np.mean(np.abs(errors) <= model.error + 0.02) > 0.8  # the error it states is one that it keeps


def test_a_fitted_model_comes_back_from_json_the_same() -> None:
    known = sample(120, seed=2)
    for model in fit({unit: staircase_us(unit) for unit in known}).values():
        again = FamilyModel.from_json(json.loads(json.dumps(model.to_json())), "model")
        for unit in sample(20, seed=3):
            assert again.predict_us(unit) == pytest.approx(model.predict_us(unit), rel=1e-4)


def test_few_rows_make_a_roofline_without_trees_and_fewer_make_nothing() -> None:
    known = sample(30, seed=4)
    (model,) = fit({unit: staircase_us(unit) for unit in known}).values()
    assert model.trees is None
    assert all(model.predict_us(unit) > 0 for unit in sample(20, seed=5))
    assert fit({unit: staircase_us(unit) for unit in known[:2]}) == {}


def test_trees_evaluated_with_numpy_are_those_that_were_fitted() -> None:
    random = np.random.default_rng(0)
    inputs = random.normal(size=(300, 4))
    targets = np.sin(inputs[:, 0]) + inputs[:, 1] ** 2
    ours = fit_trees(inputs, targets, seed=0)
    assert ours is not None
    theirs = HistGradientBoostingRegressor(
        max_iter=80, learning_rate=0.1, max_leaf_nodes=12, min_samples_leaf=7, l2_regularization=1.0,
        random_state=0, early_stopping=False,
    ).fit(inputs, targets)  # fmt: skip
    fresh = random.normal(size=(100, 4))
    np.testing.assert_allclose(ours.predict(fresh), theirs.predict(fresh), atol=1e-6)
    np.testing.assert_allclose(Trees.from_json(ours.to_json(), "trees").predict(fresh), ours.predict(fresh), atol=1e-3)


@pytest.mark.parametrize("seed", range(5))
def test_non_negative_least_squares_is_as_good_as_scipys(seed: int) -> None:
    random = np.random.default_rng(seed)
    matrix, target = random.normal(size=(40, 7)), random.normal(size=40)
    ours = non_negative_least_squares(matrix, target)
    _, residual = nnls(matrix, target)
    assert (ours >= 0).all()
    assert np.linalg.norm(matrix @ ours - target) <= residual * (1 + 1e-6)
