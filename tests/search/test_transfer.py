"""What a search takes over from an earlier one, on the same model or another."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hw_models.devices import shipped
from paretrim.errors import InvalidInput
from paretrim.problem import Candidate, Constraint, Measurement, Policy
from search.local import FolderRecorder, begin, taken_up, with_lessons
from search.plan import Interrupted, JobInputs
from search.run import run_job
from search.transfer import split, transferred
from tests.search import tiny
from tests.search.landscapes import Landscape, drive, make, task
from tests.search.records import MemoryRecorder, interrupted_after
from tests.search.spaces import mobilenet, plain, resnet, space

AGENT = {"hidden": 16, "batch": 8, "warmup": 4}


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> JobInputs:
    return tiny.inputs(tmp_path_factory.mktemp("data"))


def quiet(folder: Path, plan: object) -> FolderRecorder:
    return FolderRecorder(folder, plan, show=lambda *_: None, say=lambda *_: None)  # type: ignore[arg-type]


def test_candidates_keep_their_accuracy_and_cost_what_they_cost_here() -> None:
    landscape = Landscape(space(plain(), ("macs_ratio <= 0.5",)))
    known = drive(make("random", task(landscape), 0), landscape, 4)
    elsewhere = [replace(c, measurement=Measurement(accuracy=c.measurement.accuracy, macs=1)) for c in known]  # type: ignore[union-attr]
    for before, after in zip(known, transferred(elsewhere, landscape.space), strict=True):
        assert before.measurement is not None
        assert after.measurement is not None
        assert after.measurement.accuracy == before.measurement.accuracy
        assert after.measurement.macs == before.measurement.macs


def test_candidates_of_another_network_are_refused_with_what_to_do() -> None:
    landscape = Landscape(space(plain()))
    foreign = [Candidate(0, Policy(keep={"somewhere": 0.5}), Measurement(accuracy=0.5))]
    with pytest.raises(InvalidInput, match="a job on the same model"):
        transferred(foreign, landscape.space)


def test_the_front_of_what_is_known_is_evaluated_first_and_only_that() -> None:
    landscape = Landscape(space(resnet(), (), ("accuracy", "macs")))
    about = task(landscape, (), 40)
    taken = transferred(drive(make("random", about, 0), landscape, 40), landscape.space)
    first, rest = split(taken, landscape.space, about.objectives, about.constraints, landscape.original, 4)
    assert len(first) == 4
    assert len(rest) == len(taken) - 4
    chosen = [c.measurement for c in taken if c.policy in first]
    for mine in chosen:  # nobody is better in both
        assert mine is not None
        for other in taken:
            assert other.measurement is not None
            better = other.measurement.value("accuracy") > mine.value("accuracy")
            assert not (better and other.measurement.value("macs") < mine.value("macs"))


def test_an_agent_adopted_from_another_network_acts_as_it_did() -> None:
    landscapes = [Landscape(space(network, ("macs_ratio <= 0.5",))) for network in (resnet(), mobilenet())]
    agents = [make("amc", task(landscape, (), 16), seed, **AGENT) for seed, landscape in enumerate(landscapes)]
    drive(agents[0], landscapes[0], 12)
    agents[1].adopt(agents[0].state()[1])  # type: ignore[attr-defined]
    states = np.random.default_rng(0).random((5, 11)).astype(np.float32)
    acts = [[float(agent._agent.act(state)[0]) for state in states] for agent in agents]  # type: ignore[attr-defined]
    assert acts[0] == acts[1]


def test_an_agent_that_saw_other_features_is_refused() -> None:
    narrow = make("amc", task(Landscape(space(plain(), ("macs_ratio <= 0.5",)))), 0, **AGENT)
    wide = make("amc", task(Landscape(space(plain(), (), ("accuracy", "macs")))), 0, **AGENT)
    with pytest.raises(InvalidInput, match="saw other features"):
        wide.adopt(narrow.state()[1])  # type: ignore[attr-defined]


def test_a_job_begins_with_the_best_of_an_earlier_one_on_another_device(inputs: JobInputs, tmp_path: Path) -> None:
    earlier = tiny.plan(("random",), candidates=12, deliver=0)
    begin(tmp_path / "a", earlier, inputs)
    recorder = quiet(tmp_path / "a", earlier)
    run_job(earlier, inputs, recorder)
    recorder.close()
    plan = tiny.plan(("tec", "random"), candidates=10, deliver=0, constraints=(Constraint.parse("macs_ratio <= 0.7"),))
    there = replace(inputs, device=shipped()["mcu-m4"] | {"name": "other"})
    taught = with_lessons(plan, there, tmp_path / "a")
    begin(tmp_path / "b", taught, there)
    assert taken_up(tmp_path / "b")[0] == taught
    whole, broken = MemoryRecorder(), MemoryRecorder()
    run_job(taught, there, whole)
    known = {candidate.policy for candidate in taught.known}
    policies = [candidate.policy for candidate in whole.recorded("s0").candidates]
    assert policies[0] in known
    assert len(set(policies)) == 10
    assert not known & {c.policy for c in whole.recorded("s1").candidates[:1]}  # a baseline learns from nobody
    interrupted_after(broken, 2)
    with pytest.raises(Interrupted):
        run_job(taught, there, broken)
    broken.asks = lambda: "run"
    run_job(taught, there, broken)
    assert broken.answer() == whole.answer()


def test_a_job_on_another_model_offers_its_agents_or_nothing(inputs: JobInputs, tmp_path: Path) -> None:
    plan = tiny.plan(("random",), candidates=2, deliver=0)
    begin(tmp_path / "a", plan, inputs)
    with pytest.raises(InvalidInput, match="has no candidates yet"):
        with_lessons(plan, inputs, tmp_path / "a")
    other = replace(inputs, model=b"another")
    with pytest.raises(InvalidInput, match="only agents can be taken over"):
        with_lessons(plan, other, tmp_path / "a")
    with pytest.raises(InvalidInput, match="holds no job"):
        with_lessons(plan, inputs, tmp_path / "nothing")
