"""Who teaches: one network or several, asked anew or once, or answers that are known."""

import pytest
import torch

from compressors import Compressed, Compressor, finetune
from compressors.teaching import Panel, panel_of, remembered_answers
from compressors.training import FinetuneOptions
from paretrim.errors import InvalidInput
from paretrim.problem import Policy
from tests.compressors.trained import Trained, trained


@pytest.fixture(scope="module")
def net() -> Trained:
    return trained()


@pytest.fixture(scope="module")
def pruned(net: Trained) -> Compressed:
    groups = {group.name: 0.25 for group in net.network.prunable_groups}
    return Compressor(net.imported, net.network, net.statistics).compress(Policy(keep=groups))


def test_a_teacher_that_is_asked_once_teaches_what_it_would_say_each_time(net: Trained, pruned: Compressed) -> None:
    original = net.imported.module
    asked_once = remembered_answers(original, net.train)
    losses = []
    for teacher, answers in ((original, "fresh"), (original, "remembered"), (asked_once, "auto")):
        chosen = FinetuneOptions(epochs=0.5, batch_size=128, teacher_answers=answers)  # type: ignore[arg-type]
        losses.append(finetune(pruned, teacher, net.train, net.validation, chosen).history[0].loss)
    assert losses[1] == pytest.approx(losses[0], rel=1e-4)
    assert losses[2] == losses[1]


def test_several_teachers_teach_their_mean(net: Trained, pruned: Compressed) -> None:
    teachers = (net.imported.module, pruned.module)
    inputs, _ = net.train.batch(slice(0, 20))
    with torch.no_grad():
        mean = (teachers[0](inputs) + teachers[1](inputs)) / 2
    assert torch.allclose(remembered_answers(teachers, net.train)[:20], mean, atol=1e-4)
    assert torch.allclose(Panel(teachers).answers(torch.arange(20), inputs), mean, atol=1e-4)
    tuned = finetune(pruned, teachers, net.train, net.validation, FinetuneOptions(epochs=1, batch_size=64))
    assert net.accuracy(tuned.module) > net.accuracy(pruned.module)


def test_mirror_images_share_an_answer(net: Trained) -> None:
    module = net.imported.module
    inputs, _ = net.train.batch(slice(0, 20))
    with torch.no_grad():
        mean = (module(inputs) + module(inputs.flip(-1))) / 2
    assert torch.allclose(remembered_answers(module, net.train, mirrored=True)[:20], mean, atol=1e-4)


def test_answers_that_are_not_of_the_training_rows_are_refused(net: Trained) -> None:
    with pytest.raises(InvalidInput, match="3 answers of teachers and") as caught:
        panel_of(torch.zeros(3, 10), net.train, remember=False, mirrored=False)
    assert caught.value.field == "teacher"
    with pytest.raises(InvalidInput, match="there is no teacher"):
        panel_of((), net.train, remember=False, mirrored=False)
