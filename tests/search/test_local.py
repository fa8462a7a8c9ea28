from __future__ import annotations

from pathlib import Path

import pytest

from paretrim.errors import InvalidInput
from paretrim.problem import Bits, Candidate, Measurement, Policy, Provenance
from search.local import STATE, FolderRecorder, begin, plan_from, plan_json, taken_up
from search.plan import Checkpoint, CurveStep, Delivered, JobInputs
from tests.search import tiny

MEASURED = Measurement(0.5, 1.25, 100, 200, obtained={"accuracy": Provenance("measured", "here")})


def recorder(folder: Path) -> FolderRecorder:
    return FolderRecorder(folder, tiny.plan(), show=lambda *_: None, say=lambda *_: None)


def window(first: int) -> tuple[list[Candidate], list[CurveStep], Checkpoint]:
    policy = Policy(keep={"a": 0.5, "b": (0, 2)}, bits={"c": Bits(4, 8)})
    candidates = [Candidate(first, policy, MEASURED), Candidate(first + 1, policy, failure="no memory")]
    curve = [CurveStep(first, 0.5, 0.1, 1.5), CurveStep(first + 1, 0.5, 0.1, 2.5)]
    return candidates, curve, Checkpoint(first + 2, {"told": first + 2}, bytes([first]))


def test_what_was_recorded_comes_back_in_the_next_process(tmp_path: Path) -> None:
    search = tiny.plan().searches[0]
    with recorder(tmp_path) as one:
        one.record(search, *window(0))
        one.record(search, *window(2))
        one.search_ended(search, "succeeded", None)
    with recorder(tmp_path) as other:
        recorded = other.recorded(search.id)
        assert list(recorded.candidates) == window(0)[0] + window(2)[0]
        assert recorded.checkpoint == window(2)[2]
        assert (recorded.end, recorded.seconds) == ("succeeded", 2.5)
        assert [step.index for step in other.curve(search.id)] == [0, 1, 2, 3]


def test_a_window_that_was_cut_short_is_as_if_it_had_never_been(tmp_path: Path) -> None:
    search = tiny.plan().searches[0]
    path = tmp_path / STATE / f"{search.id}.jsonl"
    with recorder(tmp_path) as one:
        one.record(search, *window(0))
        whole = path.read_bytes()
        arrays = (tmp_path / STATE / f"{search.id}-2.safetensors").read_bytes()
        one.record(search, *window(2))
    (tmp_path / STATE / f"{search.id}-2.safetensors").write_bytes(arrays)
    path.write_bytes(path.read_bytes()[:-20])  # the crash came while the second line was written
    with recorder(tmp_path) as other:
        assert other.recorded(search.id).checkpoint == window(0)[2]
        other.record(search, *window(2))
        assert path.read_bytes().startswith(whole)
        assert other.recorded(search.id).checkpoint == window(2)[2]


def test_one_process_at_a_time_has_a_folder(tmp_path: Path) -> None:
    with recorder(tmp_path), pytest.raises(InvalidInput, match="another process"):
        recorder(tmp_path)
    recorder(tmp_path).close()


def test_a_plan_survives_the_way_to_the_disk_and_back() -> None:
    plan = tiny.plan(seed=5, validation_samples=None)
    assert plan_from(plan_json(plan)) == plan


def test_a_job_is_taken_up_from_its_folder_alone(tmp_path: Path) -> None:
    inputs = JobInputs(b"model", tiny.dataset(tmp_path), {"name": "d"}, "resnet20")
    begin(tmp_path / "out", tiny.plan(), inputs)
    assert taken_up(tmp_path / "out") == (tiny.plan(), inputs)
    with pytest.raises(InvalidInput, match="--resume"):
        begin(tmp_path / "out", tiny.plan(), inputs)
    with pytest.raises(InvalidInput, match="holds no job"):
        taken_up(tmp_path)


def test_delivered_files_lie_beside_each_other_and_are_remembered(tmp_path: Path) -> None:
    files = {"model.onnx": b"network", "policy.json": b"{}"}
    with recorder(tmp_path) as one:
        assert one.delivered_numbers() == frozenset()
        one.delivered(Delivered(7, MEASURED, MEASURED, files, "int8", {"faster": True}))
        assert (tmp_path / "candidate-00007.onnx").read_bytes() == b"network"
        assert (tmp_path / "candidate-00007-policy.json").read_bytes() == b"{}"
        assert one.delivered_numbers() == frozenset({7})
        assert one.deliveries()[7]["file"] == "candidate-00007.onnx"
