from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from compressors import Progress, TrainingState
from paretrim.recovery import Recovery
from search import training_log
from search.local import FolderRecorder
from search.plan import Interrupted, JobInputs, JobPlan
from search.run import run_job
from search.training_log import Bulletin, Diary
from tests.search import tiny
from tests.search.records import MemoryRecorder

EPOCHS = 6
FEW = Recovery(data="few", few_rows=200, patience=None)


class Killed(BaseException):
    """What a process does not survive."""


class Mortal(MemoryRecorder):
    """Its process is killed after so many epochs were kept."""

    def __init__(self, epochs: int) -> None:
        super().__init__()
        self.life: int | None = epochs

    def trained(self, n: int, part: str, state: bytes) -> None:
        super().trained(n, part, state)
        if len(self.epochs) == self.life:
            raise Killed


@pytest.fixture(autouse=True)
def every_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_log, "KEEP_SECONDS", 0.0)
    monkeypatch.setattr(training_log, "TELL_SECONDS", 0.0)


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> JobInputs:
    return tiny.inputs(tmp_path_factory.mktemp("data"))


def plan(**changes: Any) -> JobPlan:
    return tiny.plan(("random",), 4, **({"finetune_epochs": float(EPOCHS), "recovery": FEW} | changes))


@pytest.fixture(scope="module")
def whole(inputs: JobInputs) -> MemoryRecorder:
    """A job that ran without a break."""
    recorder = MemoryRecorder()
    run_job(plan(), inputs, recorder)
    return recorder


def weights(recorder: MemoryRecorder) -> dict[int, bytes]:
    return {n: made.files["weights.safetensors"] for n, made in recorder.made.items()}


@pytest.mark.parametrize("epochs", [1, EPOCHS - 1])
def test_training_goes_on_where_its_process_was_killed_and_ends_with_the_same_weights(
    inputs: JobInputs, whole: MemoryRecorder, epochs: int
) -> None:
    recorder = Mortal(epochs)
    with pytest.raises(Killed):
        run_job(plan(), inputs, recorder)
    assert len(recorder.states) == 1
    recorder.life = None
    run_job(plan(), inputs, recorder)
    assert len(recorder.epochs) == EPOCHS  # none was trained twice
    assert weights(recorder) == weights(whole)
    assert recorder.answer() == whole.answer()
    assert not recorder.states


def test_the_scratch_control_goes_on_too(inputs: JobInputs) -> None:
    control = Recovery(data="few", few_rows=200, patience=None, scratch_control=True)
    unbroken, recorder = MemoryRecorder(), Mortal(EPOCHS + 2)
    run_job(plan(recovery=control), inputs, unbroken)
    with pytest.raises(Killed):
        run_job(plan(recovery=control), inputs, recorder)
    recorder.life = None
    run_job(plan(recovery=control), inputs, recorder)
    assert [part for _, part in recorder.epochs].count("scratch control") == EPOCHS
    (mine,), (theirs,) = recorder.made.values(), unbroken.made.values()
    assert mine.report["scratch"] == theirs.report["scratch"] is not None


def test_it_is_said_which_candidate_is_trained_how_far_it_is_and_how_long_it_takes() -> None:
    recorder = MemoryRecorder()
    bulletin = Bulletin(recorder, 1, 4)
    bulletin.step(7, "fine-tuning", Progress(25, 100, 0.3, 0.9, 30.0))
    assert recorder.phases[-1] == ("delivering", 1, 4)
    detail, eta_seconds = recorder.details[-1]
    assert detail == "candidate 7, fine-tuning: 25%, validation 0.9000"
    assert eta_seconds == pytest.approx(30.0 + 2 * 40.0)  # two more wait, each of 40 seconds
    bulletin.step(8, "fine-tuning", Progress(50, 100, 0.3, None, 20.0))
    assert recorder.details[-1][1] == pytest.approx(30.0 + 40.0)  # two at once
    assert "candidate 7" in recorder.details[-1][0]
    bulletin.done(7)
    assert recorder.phases[-1] == ("delivering", 2, 4)
    assert "candidate 7" not in recorder.details[-1][0]


def test_a_job_says_so_while_it_fine_tunes(whole: MemoryRecorder) -> None:
    assert any("fine-tuning: " in detail and eta is not None and eta > 0 for detail, eta in whole.details)


def test_states_of_short_epochs_are_not_all_kept() -> None:
    recorder = MemoryRecorder()
    bulletin = Bulletin(recorder, 0, 1)
    bulletin.keep_seconds = 3600.0
    keep = Diary(lambda: "run", bulletin, 3).keeps("fine-tuning")
    assert keep is not None
    keep(TrainingState(1, {}))
    assert not recorder.states


def test_a_folder_keeps_a_training_until_it_is_delivered(
    inputs: JobInputs, tmp_path: Path, whole: MemoryRecorder
) -> None:
    said: list[tuple[str, int, int, str, float | None]] = []

    def recorder() -> FolderRecorder:
        return FolderRecorder(tmp_path, plan(), show=lambda *told: said.append(told), say=lambda *_: None)

    with recorder() as first:
        first.stop = "run"
        kept = first.trained

        def once(n: int, part: str, state: bytes) -> None:
            kept(n, part, state)
            first.stop = "pause"

        first.trained = once  # type: ignore[method-assign]
        with pytest.raises(Interrupted):
            run_job(plan(), inputs, first)
    states = list((tmp_path / ".paretrim" / "training").iterdir())
    assert [path.name.split("-", 1)[1] for path in states] == ["fine-tuning.safetensors"]
    with recorder() as second:
        run_job(plan(), inputs, second)
    assert not list((tmp_path / ".paretrim" / "training").iterdir())
    (n,) = whole.made
    assert (tmp_path / f"candidate-{n:05d}-weights.safetensors").read_bytes() == weights(whole)[n]
    assert any(detail and eta for *_, detail, eta in said)
