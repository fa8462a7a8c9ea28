"""Several teachers of a job: who they may be, and that they are listened to."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from paretrim.errors import JobFailed
from paretrim.recovery import Recovery
from search.local import begin, taken_up
from search.plan import JobInputs, JobPlan, ModelFile
from search.run import run_job
from tests.search import tiny
from tests.search.records import MemoryRecorder


def another(classes: int = 10) -> bytes:
    """The tiny network with other weights, and so many answers."""
    model = onnx.load_from_string(tiny.model())
    generator = np.random.default_rng(0)
    for tensor in model.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if tensor.name.startswith("classify"):
            values = values[:classes]
        noise = generator.normal(0, 0.3 * values.std(), values.shape).astype(np.float32)
        tensor.CopyFrom(numpy_helper.from_array(values + noise, tensor.name))
    model.graph.output[0].type.tensor_type.shape.dim[1].dim_value = classes
    return model.SerializeToString()


def plan(*teachers: str) -> JobPlan:
    chosen = Recovery(data="unlabeled", teachers=teachers, patience=None)
    return tiny.plan(("random",), 2, finetune_epochs=1.0, recovery=chosen)


def delivered(inputs: JobInputs, *files: bytes) -> tuple[bytes, str]:
    """Weights and report of a network that these and the original taught."""
    recorder = MemoryRecorder()
    names = [f"t{place}.onnx" for place in range(len(files))]
    run_job(plan(*names), replace(inputs, teachers=tuple(map(ModelFile, files))), recorder)
    (made,) = recorder.made.values()
    assert made.report["teachers"] == ["original", *names]
    return made.files["weights.safetensors"], made.files["report.md"].decode()


def test_every_teacher_is_listened_to(tmp_path: Path) -> None:
    inputs = tiny.inputs(tmp_path)
    alone, report = delivered(inputs)
    assert "taught" not in report
    assert delivered(inputs, tiny.model())[0] == alone  # the mean of two that say the same
    other, report = delivered(inputs, another())
    assert other != alone
    assert "Beside the original, t0.onnx taught" in report


@pytest.mark.parametrize(
    ("content", "reason"),
    [(another(7), r"t.onnx makes outputs of shape \(7,\)"), (b"no network", "t.onnx cannot teach")],
)
def test_a_teacher_that_does_not_answer_as_the_model_does_is_refused(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    recorder = MemoryRecorder()
    with pytest.raises(JobFailed, match=reason):
        run_job(plan("t.onnx"), replace(tiny.inputs(tmp_path), teachers=(ModelFile(content),)), recorder)
    assert recorder.original is None  # before anything was measured


def test_a_folder_keeps_the_teachers_of_its_job(tmp_path: Path) -> None:
    inputs = replace(tiny.inputs(tmp_path), teachers=(ModelFile(another()), ModelFile(b"weights", "resnet20")))
    begin(tmp_path / "job", plan("a.onnx", "b.safetensors"), inputs)
    found, kept = taken_up(tmp_path / "job")
    assert kept.teachers == inputs.teachers
    assert found.recovery.teachers == ("a.onnx", "b.safetensors")
