"""Figures of different moments are brought to one level."""

from __future__ import annotations

import numpy as np
import pytest

from hw_models.fusion import Execution
from hw_models.profiler.anchors import COUNT, anchor_files, level_of, levelled, scaled
from hw_models.timing import Timing
from paretrim.problem import FULL_PRECISION, Bits


def test_what_slows_down_a_whole_round_is_taken_out() -> None:
    random = np.random.default_rng(0)
    true = np.array([1.0, 2.0, 5.0, 0.3, 0.7])[:, None]
    slowdown = random.choice([1.0, 1.9], size=(1, 40))
    samples = true * slowdown * np.exp(random.normal(0, 0.01, (5, 40)))
    spread = np.log(levelled(samples)).std(axis=1)
    assert (spread < 0.03).all()
    assert (np.log(samples).std(axis=1) > 0.2).all()


def test_what_slows_down_one_thing_stays_with_it() -> None:
    samples = np.ones((5, 20))
    samples[2, 7] = 3.0
    assert levelled(samples) == pytest.approx(samples)


def test_two_things_are_too_few_to_tell_a_slow_round() -> None:
    samples = np.random.default_rng(0).random((2, 9)) + 1
    assert np.array_equal(levelled(samples), samples)


def test_a_level_is_a_mean_of_ratios() -> None:
    assert level_of([1.0, 4.0]) == pytest.approx(2.0)
    timing = Timing(1.0, 0.9, 1.1, 1.5, 0.01, 10, "wall")
    assert scaled(timing, 2.0).p90_ms == 3.0
    assert scaled(timing, 2.0).repeat_error == 0.01


@pytest.mark.parametrize("kernels", [(FULL_PRECISION,), (Bits(8, 8),), (FULL_PRECISION, Bits(8, 8))])
def test_there_are_anchors_whatever_kernels_a_device_has(kernels: tuple[Bits, ...]) -> None:
    assert len(anchor_files(Execution(kernels=kernels))) == COUNT
