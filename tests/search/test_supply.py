"""What networks learn from is what the job declares, and not a row more."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from compressors import Imported
from paretrim.errors import InvalidModel, JobFailed
from paretrim.recovery import Recovery
from search.basis import read_model
from search.craft import run_onnx
from search.data import Splits, load_dataset
from search.run import run_job
from search.supply import SYNTHETIC_PASSES, calibration_inputs, described, lessons, training_rows
from tests.compressors.trained import trained
from tests.search import tiny
from tests.search.records import MemoryRecorder


@pytest.fixture
def splits(tmp_path: Path) -> Splits:
    return load_dataset(tiny.dataset(tmp_path), 0)


@pytest.fixture(scope="module")
def folded() -> Imported:
    return read_model(tiny.model(), None)


def test_few_means_the_same_few_rows_each_time(splits: Splits) -> None:
    few = Recovery(data="few", few_rows=30)
    rows = training_rows(splits.train, few, seed=3)
    again = training_rows(splits.train, few, seed=3)
    assert rows is not None
    assert again is not None
    assert len(rows) == 30
    assert torch.equal(rows.inputs(), again.inputs())
    found = lessons(splits.train, few, torch.zeros(0), 3)
    assert found is not None
    assert len(found[0]) == 30


def test_calibration_looks_at_training_inputs_unless_there_may_be_none(splits: Splits, folded: Imported) -> None:
    for data in ("full", "unlabeled"):
        assert len(calibration_inputs(folded, splits, Recovery(data=data), 0)) == 512
    assert len(calibration_inputs(folded, splits, Recovery(data="few", few_rows=20), 0)) == 20


def test_without_data_inputs_are_made_from_batch_norms(splits: Splits) -> None:
    network, none = trained().imported, Recovery(data="none")
    made = calibration_inputs(network, splits, none, 0)
    assert made.shape[1:] == network.input_shape
    assert splits.train is not None
    seen = {row.numpy().tobytes() for row in splits.train.inputs()}
    assert not any(row.numpy().tobytes() in seen for row in made)
    found = lessons(splits.train, none, made, 0)
    assert found is not None
    assert torch.equal(found[0].inputs, made)
    assert found[1] == SYNTHETIC_PASSES


def test_a_network_without_batch_norms_is_refused_with_the_remedy(splits: Splits, folded: Imported) -> None:
    with pytest.raises(InvalidModel, match=r"declares data: none.*or declare data: unlabeled") as caught:
        calibration_inputs(folded, splits, Recovery(data="none"), 0)
    assert caught.value.field == "data"


def test_a_person_is_told_what_was_used(splits: Splits) -> None:
    assert described(Recovery(), splits) == ()
    assert "their labels are not looked at" in described(Recovery(data="unlabeled"), splits)[0]
    assert "20 training rows are used, with their labels" in described(Recovery(data="few", few_rows=20), splits)[0]
    assert "no training row is used" in described(Recovery(data="none"), splits)[0]


def test_a_job_learns_from_inputs_alone_where_there_are_no_labels(tmp_path: Path) -> None:
    arrays = {name: rows for name, rows in tiny.digits().items() if name != "train_y"}
    np.savez(tmp_path / "unlabelled.npz", **arrays)
    inputs = replace(tiny.inputs(tmp_path), dataset=tmp_path / "unlabelled.npz")
    plan = tiny.plan(("random",), 2, finetune_epochs=1.0, recovery=Recovery(data="unlabeled"))
    recorder = MemoryRecorder()
    run_job(plan, inputs, recorder)
    (made,) = recorder.made.values()
    assert len(made.report["finetuning"]) == 1
    with pytest.raises(JobFailed, match="declare data: unlabeled"):
        run_job(replace(plan, recovery=Recovery()), inputs, MemoryRecorder())


def test_a_job_can_be_about_the_five_highest_classes(tmp_path: Path) -> None:
    recorder = MemoryRecorder()
    plan = tiny.plan(("random",), 3, metric="top5", finetune_epochs=0.5, recovery=Recovery(data="few", few_rows=100))
    run_job(plan, tiny.inputs(tmp_path), recorder)
    (made,) = recorder.made.values()
    outputs = run_onnx(made.files["model.onnx"], torch.from_numpy(tiny.digits()["test_x"]))
    right = torch.from_numpy(tiny.digits()["test_y"])
    found = (outputs.argsort(1, descending=True)[:, :5] == right[:, None]).any(1).double().mean()
    assert made.measurement.accuracy == pytest.approx(float(found))
    assert made.measurement.accuracy > float((outputs.argmax(1) == right).double().mean())
    assert "top-5 accuracy" in made.files["report.md"].decode()
