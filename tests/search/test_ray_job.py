from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
import ray

from paretrim.errors import JobFailed
from paretrim.problem import UNCHANGED, Policy
from paretrim.recovery import Recovery
from search import training_log
from search.craft import CraftBasis, Crafted, SerialWorkshop
from search.evaluate import Outcome
from search.plan import Interrupted, JobInputs, LeaseLost, Wanted
from search.prepare import prepare
from search.ray_delivery import RayWorkshop
from search.ray_desk import DeskActor
from search.ray_pool import RayPool
from search.ray_worker import STARTS, Crew
from search.run import run_job
from search.training_log import Bulletin
from tests.search import tiny
from tests.search.conftest import on_sigterm
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


def test_candidates_that_race_come_out_the_same_on_ray(inputs: JobInputs, tmp_path: Path) -> None:
    racing = replace(inputs, dataset=tiny.racing_dataset(tmp_path))
    plan = tiny.plan(("random", "nsga2"), candidates=16, validation_samples=None)
    alone, together = MemoryRecorder(), MemoryRecorder()
    run_job(plan, racing, alone)
    run_job(plan, racing, together, executor="ray")
    assert together.answer() == alone.answer()
    assert any("dropped" in where for where in alone.where_accuracies_come_from())


DEADLY = Policy(keep={"stem": 0.25})


class Company:
    """Workers and a desk, and somebody who fills places while a pool waits."""

    def __init__(self, inputs: JobInputs) -> None:
        self.crew = Crew(prepare(tiny.plan(), inputs, MemoryRecorder()).basis, 2)
        self.desk = DeskActor.remote()
        self.pool = RayPool(self.desk, 0)

    def run(self) -> Wanted:
        for place in ray.get(self.desk.collect.remote())[1]:
            self.crew.refill(place)
        for place in self.crew.arrivals():
            ray.get(self.desk.arrived.remote(place, self.crew.workers[place]))
        return "run"

    def end(self) -> None:
        self.crew.dismiss()
        ray.kill(self.desk)


@pytest.fixture(scope="module")
def company(inputs: JobInputs, ray_workers: int) -> Iterator[Company]:
    assert ray_workers == 2
    made = Company(inputs)
    yield made
    made.end()


def test_a_policy_whose_process_dies_is_tried_on_another(company: Company) -> None:
    before = list(company.crew.workers)
    expected = company.pool.evaluate([UNCHANGED], company.run)[0].accuracy
    assert expected is not None
    ray.kill(before[0])
    half = Policy(keep={"stem": 0.5})
    outcomes = company.pool.evaluate([UNCHANGED, half, half], company.run)
    assert outcomes[0].accuracy == expected
    assert outcomes[1].accuracy is not None
    assert outcomes[2].accuracy == outcomes[1].accuracy
    assert outcomes[2].cpu_seconds == 0


@ray.remote(num_cpus=0, max_restarts=0, max_task_retries=0)
class Mortal:
    """A worker that does not survive one policy."""

    def evaluate(self, errands: Sequence[tuple[Policy, int]]) -> list[Outcome]:
        if (DEADLY, 0) in errands:
            os._exit(1)
        return [Outcome(0.5, seconds={"together": len(errands)}) for _ in errands]


def test_a_policy_that_brings_down_one_process_after_another_is_a_failure_and_takes_nobody_with_it(
    ray_workers: int,
) -> None:
    assert ray_workers
    desk = DeskActor.remote()
    hired = []

    def hire(places: list[int]) -> Wanted:
        for place in places:
            hired.append(Mortal.remote())
            ray.get(desk.arrived.remote(place, hired[-1]))
        return "run"

    hire([0])
    pool = RayPool(desk, 0)
    policies = [Policy(keep={"stem": 0.5 + n / 20}) for n in range(6)]
    assert pool.evaluate([UNCHANGED], lambda: hire([]))[0].accuracy == 0.5  # from now on it is known how long one takes
    outcomes = pool.evaluate([*policies[:3], DEADLY, *policies[3:]], lambda: hire(ray.get(desk.collect.remote())[1]))
    assert [outcome.accuracy for outcome in outcomes] == [0.5, 0.5, 0.5, None, 0.5, 0.5, 0.5]
    assert outcomes[3].failure == "the process evaluating it died, 3 times"
    assert len(hired) == 4
    # quick policies share calls
    together = pool.evaluate([Policy(keep={"first": 0.5 + n / 20}) for n in range(6)], lambda: hire([]))
    assert max(outcome.seconds["together"] for outcome in together) > 1
    for actor in [desk, *hired]:
        ray.kill(actor)


def test_a_pool_stops_as_soon_as_it_shall(company: Company) -> None:
    with pytest.raises(Interrupted):
        company.pool.evaluate([Policy(keep={"first": 0.75})], lambda: "cancel")


class Assassin(MemoryRecorder):
    """Kills the worker that makes a network, once it has been heard of an epoch."""

    def __init__(self) -> None:
        super().__init__()
        self.begun: list[bool] = []  #: whether there was a state to go on from

    def training(self, n: int, part: str) -> bytes | None:
        found = super().training(n, part)
        if part == "fine-tuning":
            self.begun.append(found is not None)
        return found

    def trained(self, n: int, part: str, state: bytes) -> None:
        super().trained(n, part, state)
        if len(self.epochs) == 1:
            (worker,) = (process for process in psutil.process_iter(["cmdline"]) if _crafts(process))
            worker.kill()


def _crafts(process: psutil.Process) -> bool:
    """Whether it is a worker of this run's cluster that is making a network."""
    if process.info["cmdline"][:1] != ["ray::Worker.craft"]:
        return False
    return os.getpid() in {parent.pid for parent in process.parents()}


def test_the_training_that_a_killed_worker_was_at_goes_on_in_another(
    inputs: JobInputs, company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training_log, "KEEP_SECONDS", 0.0)
    prepared, recorder = prepare(tiny.plan(), inputs, MemoryRecorder()), Assassin()
    splits, few = prepared.splits, Recovery(data="few", few_rows=200, patience=None)
    basis = CraftBasis(prepared.basis, splits.train, splits.validation, splits.test, 16.0, seed=1, recovery=few)
    policies = {3: Policy(keep={"first": 0.5})}
    company.end()  # of its workers some were killed; a network has two lives only
    crew = Crew(prepared.basis, 1)
    made = dict(RayWorkshop(crew).craft(basis, policies, recorder.wanted, Bulletin(recorder, 0, 1)))[3]
    crew.dismiss()
    unbroken = dict(SerialWorkshop().craft(basis, policies, recorder.wanted))[3]
    assert isinstance(made, Crafted)
    assert isinstance(unbroken, Crafted)
    assert recorder.begun == [False, True]
    assert made.weights == unbroken.weights
    assert len(made.history) == 16


def test_a_worker_that_cannot_start_fails_the_job_with_the_reason(inputs: JobInputs, ray_workers: int) -> None:
    assert ray_workers == 2
    basis = replace(prepare(tiny.plan(), inputs, MemoryRecorder()).basis, model=b"no network")
    crew = Crew(basis, 1)
    for _ in range(STARTS - 1):
        assert crew.arrivals(timeout_seconds=60) == []
    with pytest.raises(JobFailed, match="cannot start"):
        crew.arrivals(timeout_seconds=60)
    crew.dismiss()


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


def test_who_was_to_hear_that_he_shall_stop_still_hears_it_when_ray_has_started() -> None:
    assert signal.getsignal(signal.SIGTERM) is on_sigterm
