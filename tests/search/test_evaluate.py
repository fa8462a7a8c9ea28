from __future__ import annotations

import numpy as np
import pytest
import torch

from compressors import Compressor, collect_statistics, describe, read_onnx
from paretrim.problem import UNCHANGED, Bits, Policy
from search.data import load_dataset
from search.evaluate import Evaluator, single_thread
from tests.search import tiny


@pytest.fixture(scope="module")
def evaluator(tmp_path_factory: pytest.TempPathFactory) -> Evaluator:
    splits = load_dataset(tiny.dataset(tmp_path_factory.mktemp("data")), 0)
    imported = read_onnx(tiny.model())
    network = describe(imported)
    assert splits.train is not None
    statistics = collect_statistics(imported, network, splits.train.inputs(0, 128))
    return Evaluator(Compressor(imported, network, statistics), splits.validation, "top1")


def test_the_original_scores_what_the_network_itself_scores(evaluator: Evaluator) -> None:
    arrays = tiny.digits()
    with torch.inference_mode():
        own = tiny.trained()(torch.from_numpy(arrays["validation_x"])).argmax(1).numpy()
    assert evaluator.evaluate(UNCHANGED).accuracy == pytest.approx(float(np.mean(own == arrays["validation_y"])))


def test_a_policy_is_paid_for_once(evaluator: Evaluator) -> None:
    first, second = (evaluator.evaluate(Policy(keep={"stem": 0.5})) for _ in range(2))
    assert first.accuracy == second.accuracy
    assert set(first.seconds) == {"compress", "fold", "forward"}
    assert second.cpu_seconds == 0


def test_a_policy_that_does_not_fit_is_a_failure_and_not_an_exception(evaluator: Evaluator) -> None:
    outcome = evaluator.evaluate(Policy(keep={"nowhere": 0.5}))
    assert outcome.accuracy is None
    assert "nowhere" in (outcome.failure or "")


def test_fewer_units_and_fewer_bits_cost_accuracy(evaluator: Evaluator) -> None:
    whole = evaluator.evaluate(UNCHANGED).accuracy
    narrow = evaluator.evaluate(Policy(keep={"stem": 0.1, "first": 0.1, "down": 0.1})).accuracy
    coarse = evaluator.evaluate(Policy(bits={name: Bits(2, 2) for name in ("first", "second", "down")})).accuracy
    assert whole is not None
    assert narrow is not None
    assert coarse is not None
    assert max(narrow, coarse) < whole - 0.1


def test_one_thread_is_used_inside_and_as_many_as_before_outside() -> None:
    before = torch.get_num_threads()
    with single_thread():
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == before
