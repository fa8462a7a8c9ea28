from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from paretrim.problem import Measurement, Objective
from search.craft import judge, precision, run_onnx
from search.data import load_dataset
from search.deliver import choose
from search.front import Front
from search.plan import JobInputs
from search.run import run_job
from tests.search import tiny
from tests.search.records import MemoryRecorder

ORIGINAL = Measurement(accuracy=0.9, latency_ms=4.0)


def front(points: list[tuple[float, float]]) -> Front:
    """Candidates 1, 2, ... with these accuracies and latencies."""
    made = Front((Objective("accuracy"), Objective("latency_ms")), (), ORIGINAL)
    for n, (accuracy, latency_ms) in enumerate(points, start=1):
        made.add(n, Measurement(accuracy=accuracy, latency_ms=latency_ms))
    return made


def test_all_members_are_chosen_if_they_are_few() -> None:
    assert set(choose(front([(0.8, 2.0), (0.7, 1.0)]), 2)) == {1, 2}


def test_members_are_chosen_over_the_whole_front_beginning_with_the_best() -> None:
    line = front([(0.9 - 0.1 * i, 4.0 - 0.4 * i) for i in range(9)])
    assert set(choose(line, 1)) == {1}
    assert set(choose(line, 2)) == {1, 9}
    assert set(choose(line, 3)) == {1, 5, 9}


def test_nothing_is_chosen_where_nothing_is_wanted_and_the_original_needs_no_delivery() -> None:
    made = front([(0.8, 2.0)])
    made.add(0, ORIGINAL)
    assert choose(made, 0) == ()
    assert choose(made, 5) == (1,)


def test_an_onnx_file_is_judged_as_the_network_scores(tmp_path: Path) -> None:
    test = load_dataset(tiny.dataset(tmp_path), 0).test
    accuracy, interval = judge(tiny.model(), test, "top1")
    own = run_onnx(tiny.model(), test.inputs()).argmax(1).numpy()
    assert accuracy == pytest.approx(float(np.mean(own == test.y)))
    assert interval.low < accuracy < interval.high


def test_fine_tuning_is_recorded_and_never_makes_a_network_worse(tmp_path: Path) -> None:
    recorder = MemoryRecorder()
    inputs: JobInputs = tiny.inputs(tmp_path)
    run_job(tiny.plan(("random",), candidates=4, finetune_epochs=2.0), inputs, recorder)
    (made,) = recorder.made.values()
    assert len(made.report["finetuning"]) == 2
    assert made.report["validation"]["after"] >= made.report["validation"]["before"]
    assert made.report["host"]["speedup"] > 0
    assert made.report["faster"] == (made.report["host"]["latency_ms"] < made.report["host"]["original_latency_ms"])
    assert b"Not faster" in made.files["report.md"] or made.report["faster"]
    assert precision(recorder.recorded("s0").candidates[0].policy, 5) in ("fp32", "int8", "mixed")
