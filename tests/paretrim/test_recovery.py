"""What a job may learn from, and how: checked before anything runs."""

import pytest
from pydantic import ValidationError

from paretrim.errors import InvalidInput
from paretrim.recovery import Recovery
from paretrim.wire import JobRequest

JOB = {"model": "m", "dataset": "d", "device": "host-cpu", "algorithms": ["amc"], "budget": {"candidates": 10}}


@pytest.mark.parametrize(
    ("options", "field", "reason"),
    [
        ({"data": "some"}, "data", "none, unlabeled, few, full"),
        ({"data": "none", "distillation": 0.5}, "distillation", "learning from labels needs data: few or full"),
        ({"data": "unlabeled", "scratch_control": True}, "scratch_control", "the scratch control needs data: few"),
        ({"optimizer": "adam"}, "optimizer", "auto, sgd, adamw"),
        ({"temperature": 0}, "temperature", "above 0"),
        ({"ema_decay": 1.0}, "ema_decay", "between 0 and 1"),
        ({"patience": 0}, "patience", "whole number from 1"),
        ({"few_rows": True}, "few_rows", "whole number"),
        ({"device": "tpu"}, "device", "auto, cpu, cuda"),
        ({"bfloat16": "yes"}, "bfloat16", "true or false"),
        ({"teachers": "a.onnx"}, "teachers", "a list of models"),
        ({"teachers": ["a", "a"]}, "teachers", "each once"),
        ({"teachers": [f"m{n}" for n in range(9)]}, "teachers", "at most 8"),
        ({"teachers": ["a"], "distillation": 0}, "teachers", "no teacher is asked; raise distillation"),
        ({"teachers": ["a"], "features": "fitnets"}, "teachers", "one teacher, the original; set features to none"),
        ({"lr": 0.1}, "lr", "is not an option; there are data, few_rows"),
    ],
)
def test_what_cannot_be_is_refused_with_its_field_and_the_remedy(
    options: dict[str, object], field: str, reason: str
) -> None:
    with pytest.raises(InvalidInput, match=reason) as caught:
        Recovery.from_json(options)
    assert caught.value.field == f"recovery.{field}"


def test_without_labels_the_teacher_alone_teaches() -> None:
    assert Recovery().teacher_share == 0.5
    assert Recovery(data="unlabeled").teacher_share == 1.0
    assert Recovery(data="few", distillation=0.0).teacher_share == 0.0


def test_options_come_back_from_json() -> None:
    chosen = Recovery(data="few", few_rows=50, ema_decay=0.99, patience=None, teachers=("mdl_1", "mdl_2"))
    assert chosen.to_json()["teachers"] == ["mdl_1", "mdl_2"]
    assert Recovery.from_json(chosen.to_json()) == chosen
    assert Recovery().to_json() == {}


def test_a_job_says_its_data_at_the_top_or_among_the_options() -> None:
    for request in ({"data": "none"}, {"recovery": {"data": "none"}}, {"data": "none", "recovery": {"ema_decay": 0.9}}):
        assert JobRequest.model_validate(JOB | request).recovered().data == "none"
    assert JobRequest.model_validate(JOB).recovered() == Recovery()


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        ({"data": "none", "recovery": {"data": "few"}}, "say it once"),
        ({"data": "none", "recovery": {"scratch_control": True}}, "the scratch control needs"),
        ({"data": "plenty"}, "'none', 'unlabeled', 'few' or 'full'"),
    ],
)
def test_a_job_that_contradicts_itself_is_refused(request_: dict[str, object], reason: str) -> None:
    with pytest.raises((ValidationError, InvalidInput), match=reason):
        JobRequest.model_validate(JOB | request_)
