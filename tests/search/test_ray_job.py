from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import ray

from paretrim.problem import UNCHANGED, Policy
from search.plan import Interrupted, JobInputs, LeaseLost, Wanted
from search.prepare import prepare
from search.ray_pool import Actor, DeskActor, RayPool
from search.run import run_job
from tests.search import tiny
from tests.search.records import MemoryRecorder, interrupted_after

pytestmark = [pytest.mark.ray, pytest.mark.usefixtures("ray_workers")]


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> JobInputs:
    return tiny.inputs(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def inline(inputs: JobInputs) -> MemoryRecorder:
    """A job that ran in one process."""
    recorder = MemoryRecorder()
    run_job(tiny.plan(), inputs, recorder)
    return recorder


def test_a_job_on_ray_gives_the_same_answer_as_in_one_process(inputs: JobInputs, inline: MemoryRecorder) -> None:
    recorder = MemoryRecorder()
    run_job(tiny.plan(), inputs, recorder, executor="ray")
    assert recorder.answer() == inline.answer()


def test_a_job_that_was_stopped_on_ray_ends_the_same(inputs: JobInputs, inline: MemoryRecorder) -> None:
    recorder = MemoryRecorder()
    interrupted_after(recorder, 2)
    with pytest.raises(Interrupted):
        run_job(tiny.plan(), inputs, recorder, executor="ray")
    assert recorder.window_count >= 2
    recorder.asks = lambda: "run"
    run_job(tiny.plan(), inputs, recorder, executor="ray")
    assert recorder.answer() == inline.answer()


def test_a_job_that_somebody_else_has_writes_nothing_more_on_ray(inputs: JobInputs) -> None:
    recorder = MemoryRecorder()
    recorder.lease_lost_after = 1
    with pytest.raises(LeaseLost):
        run_job(tiny.plan(("random",)), inputs, recorder, executor="ray")
    assert recorder.window_count == 1
    assert not recorder.made
    assert not (Path.home() / "ray_results").exists()


@pytest.fixture
def desk(inputs: JobInputs) -> Iterator[Actor]:
    """A desk with two evaluation actors."""
    basis = prepare(tiny.plan(), inputs, MemoryRecorder()).basis
    made = DeskActor.remote([ray.put(basis)], 2)
    yield made
    ray.kill(made)


def hired(desk: Actor) -> list[Actor]:
    return [actor for _, actor in ray.get(desk.actors.remote())]


def test_a_policy_whose_process_dies_is_tried_on_another(desk: Actor) -> None:
    pool = RayPool(desk, 0)
    before = hired(desk)
    expected = pool.evaluate([UNCHANGED], lambda: "run")[0].accuracy
    assert expected is not None
    ray.kill(before[0])
    half = Policy(keep={"stem": 0.5})
    outcomes = pool.evaluate([UNCHANGED, half, half], lambda: "run")
    assert outcomes[0].accuracy == expected
    assert outcomes[1].accuracy is not None
    assert outcomes[2].accuracy == outcomes[1].accuracy
    assert outcomes[2].cpu_seconds == 0
    after = hired(desk)
    assert after[0] != before[0]
    assert after[1] == before[1]


def test_a_policy_that_brings_down_two_processes_is_a_failure(desk: Actor) -> None:
    pool = RayPool(desk, 0)
    dying = Policy(keep={"stem": 0.25})
    evaluated = 0

    def wanted() -> Wanted:
        nonlocal evaluated
        evaluated += 1
        for actor in hired(desk):
            ray.kill(actor)
        return "run"

    outcomes = pool.evaluate([dying], wanted)
    assert outcomes[0].failure == "the process evaluating it died, twice"
    assert evaluated >= 2


def test_a_pool_stops_as_soon_as_it_shall(desk: Actor) -> None:
    with pytest.raises(Interrupted):
        RayPool(desk, 0).evaluate([UNCHANGED], lambda: "cancel")


def test_a_cluster_of_our_own_is_for_this_process_only() -> None:
    assert os.environ["RAY_AUTH_MODE"] == "token"
    assert len(os.environ["RAY_AUTH_TOKEN"]) == 64
    processes = psutil.Process().children(recursive=True)
    listening = [
        connection.laddr.ip
        for process in processes
        for connection in process.net_connections()
        if connection.status == psutil.CONN_LISTEN
    ]
    assert listening
    assert all(ip.endswith("127.0.0.1") for ip in listening)
