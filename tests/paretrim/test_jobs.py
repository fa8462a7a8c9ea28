"""Jobs through the client: submitted once, waited for, their front chosen from, their networks downloaded."""

from __future__ import annotations

import hashlib
import re
import threading
from pathlib import Path
from typing import Any

import httpx2
import pytest

from paretrim import Client, Constraint, Job, Objective, Policy, errors, wire
from paretrim.problem import Bits
from tests.paretrim.conftest import Live
from tests.paretrim.flaky_proxy import LOST_ANSWER, REFUSED, Fault, FlakyProxy
from tests.paretrim.scripted_server import Answer, ScriptedServer, problem
from tests.paretrim.test_events import EVENTS, event, job_body
from tests.paretrim.worker import ORIGINAL, Worker, delivered, searched

pytestmark = pytest.mark.usefixtures("hasty")

NETWORK = bytes(range(256)) * 400  # as large as a few network packets


def finish(worker: Worker) -> None:
    """The original, three members of a front of which two are delivered, one that is dominated, one that failed."""
    worker.record(0, ORIGINAL)
    policy = Policy(keep={"g": 0.5}, bits={"first": Bits(8, 8)})
    worker.record(1, searched(0.90, 1.6), on_front=True, policy=policy)
    worker.record(2, searched(0.80, 1.0), on_front=True)
    worker.record(3, searched(0.70, 0.5), on_front=True)
    worker.record(4, searched(0.60, 1.5))
    worker.record(5, "the device has no kernel for it", feasible=False)
    worker.deliver(1, delivered(0.91, 1.4), NETWORK)
    worker.deliver(2, delivered(0.85, 1.1), NETWORK[:1000])
    worker.tell(front_size=3, best={"accuracy": 0.9, "latency_ms": 0.5}, original=ORIGINAL.to_json())
    worker.succeed()


@pytest.fixture
def done(job: Job, worker: Worker) -> Job:
    """A job that has ended well."""
    finish(worker)
    return job.reload()


def test_a_job_is_what_was_asked_for(client: Client, model: wire.Model, dataset: wire.Dataset, device: str) -> None:
    job = client.jobs.create(
        model=model,
        dataset=dataset.id,
        device=client.devices.get(device),
        algorithms=["amc", {"name": "nsga2", "options": {"population": 8}}],
        objectives=[Objective("accuracy"), "macs"],
        constraints=[Constraint("macs_ratio", "<=", 0.75), "size_ratio <= 0.9"],
        budget=50,
        seed=7,
        tags=["a", "b"],
        name="with everything",
        priority=3,
    )
    assert job.state == "queued"
    assert job.request.constraints == ["macs_ratio <= 0.75", "size_ratio <= 0.9"]
    assert job.request.budget.candidates == 50
    assert [choice.name for choice in job.request.choices()] == ["amc", "nsga2"]
    assert job.request.choices()[1].options == {"population": 8}
    assert {search.algorithm for search in job.searches() if not search.baseline} == {"amc", "nsga2"}
    assert {search.algorithm for search in job.searches() if search.baseline} == {"random", "uniform"}
    assert job.cancel().state == "cancelled"
    assert client.jobs.get(job.id).done


@pytest.mark.parametrize("fault", [REFUSED, LOST_ANSWER, Fault(request_bytes=300), Fault(answer_bytes=20)])
def test_a_job_whose_answer_is_lost_is_submitted_once(
    live: Live, model: wire.Model, dataset: wire.Dataset, device: str, fault: Fault
) -> None:
    name = f"once-{fault}"
    with FlakyProxy(live.url, [fault, fault]) as proxy, Client(proxy.url, api_key=live.key) as client:
        wanted: dict[str, Any] = {"model": model, "dataset": dataset, "device": device, "algorithms": "random"}
        job = client.jobs.create(**wanted, budget=2, name=name)
        assert [j.id for j in client.jobs.list(text=name)] == [job.id]
        assert proxy.connections >= 3
        job.cancel()


def test_every_attempt_of_a_create_carries_the_same_key_and_every_create_its_own(server: ScriptedServer) -> None:
    fine = Answer(201, job_body("queued"))
    server.on("POST", "/jobs", problem(503, "soon"), problem(429, "soon", headers={"Retry-After": "0"}), fine)
    client = Client(server.url)
    wanted: dict[str, Any] = {"model": "m", "dataset": "d", "device": "x", "algorithms": ["amc"], "budget": 8}
    client.jobs.create(**wanted)
    client.jobs.create(**wanted)
    client.jobs.create(**wanted, idempotency_key="my own")
    first, second, third, another, own = (seen.headers["idempotency-key"] for seen in server.seen)
    assert first == second == third != another
    assert own == "my own"
    assert len({seen.body for seen in server.seen}) == 1


def test_one_key_is_one_job_even_from_two_programs(
    live: Live, model: wire.Model, dataset: wire.Dataset, device: str
) -> None:
    wanted: dict[str, Any] = {"model": model, "dataset": dataset, "device": device, "algorithms": "random", "budget": 1}
    with live.client() as one, live.client() as other:
        job = one.jobs.create(**wanted, idempotency_key="nightly-7")
        assert other.jobs.create(**wanted, idempotency_key="nightly-7").id == job.id
        with pytest.raises(errors.Unprocessable, match="different request"):
            other.jobs.create(**wanted | {"budget": 2}, idempotency_key="nightly-7")
        job.cancel()


@pytest.mark.parametrize(
    ("change", "field", "said"),
    [
        ({"budget": {"candidates": 0}}, "budget.candidates", "greater than or equal to 1"),
        ({"budget": {"candidates": 5, "hours": 3}}, "budget.hours", "not permitted"),
        ({"constraints": ["latency <= 2"]}, "constraints", "'latency' cannot be constrained; choose from"),
        ({"objectives": ["speed"]}, "objectives", "'speed' is not an objective; choose from accuracy"),
        ({"algorithms": []}, "algorithms", "at least 1"),
        ({"seed": -1}, "seed", "greater than or equal to 0"),
        ({"model": None}, "model", "required"),
        ({"model": 7}, "model", "must be an id"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_sent(
    server: ScriptedServer, change: dict[str, Any], field: str, said: str
) -> None:
    wanted: dict[str, Any] = {"model": "m", "dataset": "d", "device": "x", "algorithms": ["amc"], "budget": 8}
    with pytest.raises(errors.InvalidInput, match=re.escape(said)) as wrong:
        Client(server.url).jobs.create(**wanted | change)
    assert wrong.value.field == field
    assert server.seen == []


def test_who_names_no_algorithm_gets_the_portfolio(
    client: Client, model: wire.Model, dataset: wire.Dataset, device: str
) -> None:
    job = client.jobs.create(model=model, dataset=dataset, device=device, budget=1)
    assert [choice.name for choice in job.request.choices()] == ["portfolio"]
    assert [search.algorithm for search in job.searches() if not search.baseline] == ["portfolio"]
    job.cancel()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"algorithms": ["sorcery"]}, "algorithms"),
        ({"algorithms": [{"name": "nsga2", "options": {"populaton": 3}}]}, "algorithms"),
        ({"device": "toaster"}, "device"),
        ({"constraints": ["macs_ratio <= 0.00001"]}, "constraints"),
        ({"model": "mdl_none"}, "model"),
    ],
)
def test_what_only_the_server_can_know_is_said_with_the_field(
    client: Client, model: wire.Model, dataset: wire.Dataset, device: str, change: dict[str, Any], field: str
) -> None:
    wanted: dict[str, Any] = {"model": model, "dataset": dataset, "device": device, "algorithms": ["amc"], "budget": 8}
    with pytest.raises(errors.Unprocessable) as wrong:
        client.jobs.create(**wanted | change)
    (entry,) = wrong.value.problem["errors"]
    assert entry["pointer"].startswith(field)
    assert entry["message"] in str(wrong.value)
    assert wrong.value.request_id is not None
    assert wrong.value.request_id in str(wrong.value)


def test_waiting_ends_when_the_job_does(client: Client, worker: Worker) -> None:
    job = client.jobs.get(worker.job_id)
    ending = threading.Timer(0.3, finish, [worker])
    ending.start()
    assert job.wait(timeout_seconds=20).state == "succeeded"
    ending.join()
    assert job.front_size == 3
    assert job.best == {"accuracy": 0.9, "latency_ms": 0.5}
    assert job.original == ORIGINAL


def test_a_job_that_fails_raises_with_its_own_error(client: Client, worker: Worker) -> None:
    worker.fail("out-of-memory", "the network does not fit into the memory of a worker")
    job = client.jobs.get(worker.job_id)
    with pytest.raises(errors.JobFailed, match="does not fit into the memory") as failed:
        job.wait()
    assert failed.value.code == "out-of-memory"


def test_a_job_that_is_cancelled_is_returned(client: Client, worker: Worker) -> None:
    job = client.jobs.get(worker.job_id)
    assert job.cancel().state == "cancelling"
    worker.stop()
    assert job.wait().state == "cancelled"


def test_waiting_may_end_before_the_job(client: Client, worker: Worker) -> None:
    with pytest.raises(errors.WaitTimeout, match="it goes on"):
        client.jobs.get(worker.job_id).wait(timeout_seconds=0.2)
    worker.succeed()


def test_a_paused_job_goes_on_when_it_is_resumed(job: Job, worker: Worker) -> None:
    assert job.pause().state == "pausing"
    worker.stop()
    assert job.reload().state == "paused"
    assert job.resume().state == "queued"


def test_wait_survives_a_server_that_is_away_for_a_while(server: ScriptedServer) -> None:
    away = problem(503, "restarting")
    server.on("GET", "/jobs/job_1", Answer(200, job_body()), Answer(200, job_body()), *[away] * 12)
    server._answers["GET", "/jobs/job_1"].append(Answer(200, job_body("succeeded")))
    server.on("GET", EVENTS, away)
    assert Client(server.url, max_retries=1).jobs.get("job_1").wait().state == "succeeded"


def test_wait_works_where_events_are_not_to_be_had_as_a_stream(server: ScriptedServer) -> None:
    running = Answer(200, job_body())
    server.on("GET", "/jobs/job_1", running, running, running, Answer(200, job_body("succeeded")))
    server.on("GET", EVENTS, problem(406, "no"), Answer(200, {"data": [event(1)]}), Answer(200, {"data": []}))
    assert Client(server.url).jobs.get("job_1").wait().state == "succeeded"


def test_the_front_shows_delivered_figures_and_keeps_the_others(done: Job) -> None:
    front = done.front()
    assert [member.n for member in front] == [1, 2, 3]
    assert len(front) == 3
    assert front.objectives == ["accuracy", "latency_ms"]
    first, second, third = front
    assert (first.accuracy, first.latency_ms) == (0.91, 1.4)
    assert (first.searched.accuracy, first.searched.latency_ms) == (0.90, 1.6)
    assert first.macs == 500_000, "what delivery does not measure is the search's"
    assert first.measurement.obtained["latency_ms"].where == "ONNX Runtime, 1 thread"
    assert first.measurement.obtained["accuracy"].how == "measured"
    assert first.delivered_original is not None
    assert first.delivered_original.accuracy == 0.93
    assert first.policy == Policy(keep={"g": 0.5}, bits={"first": Bits(8, 8)})
    assert third.delivered is None
    assert third.accuracy == 0.70
    assert third.original == ORIGINAL
    assert front.delivered == [first, second]


def test_the_best_member_within_bounds(done: Job) -> None:
    front = done.front()
    assert front.best("accuracy").n == 1
    assert front.best().n == 1
    assert front.best("accuracy", latency_ms=1.2).n == 2
    assert front.best("latency_ms").n == 2, "the third is faster but was not delivered"
    assert front.best("latency_ms", accuracy=0.9).n == 1
    assert front.best("accuracy", latency_ratio=0.6).n == 2
    assert front.best("accuracy", accuracy_drop=0.05).n == 1
    with pytest.raises(errors.Infeasible, match=re.escape("latency_ms 1.1")) as none:
        front.best("accuracy", latency_ms=0.1)
    assert none.value.reachable == {"latency_ms": 1.1}
    with pytest.raises(errors.InvalidInput, match="'speed' is not a metric"):
        front.best("speed")
    with pytest.raises(errors.InvalidInput, match="'speed' is not a metric"):
        front.best("accuracy", speed=3)


def test_a_front_without_deliveries_is_chosen_from_by_what_the_search_found(job: Job, worker: Worker) -> None:
    worker.record(1, searched(0.9, 1.6), on_front=True)
    worker.record(2, searched(0.8, 1.0), on_front=True)
    best = job.front().best("latency_ms")
    assert best.n == 2
    with pytest.raises(errors.ParetrimError, match="not delivered"):
        best.download()
    worker.succeed()


def test_an_empty_front_says_that_it_is(job: Job, worker: Worker) -> None:
    worker.succeed()
    front = job.front()
    assert len(front) == 0
    with pytest.raises(errors.Infeasible, match="no member"):
        front.best("accuracy")


def test_a_network_is_downloaded_whole(done: Job, tmp_path: Path) -> None:
    member = done.front().best("accuracy", latency_ms=1.5)
    said: list[tuple[int, int]] = []
    where = member.download("small.onnx", progress=lambda *at: said.append(at))
    assert where == Path("small.onnx")
    assert where.read_bytes() == NETWORK
    assert said[-1] == (len(NETWORK), len(NETWORK))
    (tmp_path / "folder").mkdir()
    assert member.download(tmp_path / "folder").name == "candidate-1.onnx"
    assert member.download(tmp_path / "folder", file="report.md").read_text() == "# report"
    with pytest.raises(errors.InvalidInput, match=r"it has model\.onnx, report\.md"):
        member.download(file="else")
    with pytest.raises(errors.InvalidInput, match="does not exist; make it first"):
        member.download("no/such/folder/x.onnx")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["folder", "small.onnx"], "nothing half done lies about"


def test_a_download_that_breaks_goes_on_where_it_broke(live: Live, done: Job) -> None:
    ranges: list[str | None] = []
    hooks = {"request": [lambda r: ranges.append(r.headers.get("range")) if "artifacts" in r.url.path else None]}
    with (
        FlakyProxy(live.url) as proxy,
        httpx2.Client(event_hooks=hooks, limits=httpx2.Limits(max_keepalive_connections=0)) as http,
    ):
        client = Client(proxy.url, api_key=live.key, http_client=http)
        member = client.jobs.get(done.id).front()[0]
        proxy.add(Fault(answer_bytes=30_000), REFUSED, Fault(answer_bytes=40_000))
        assert member.download("x.onnx").read_bytes() == NETWORK
    assert ranges[0] is None
    starts = [int(text.removeprefix("bytes=").removesuffix("-")) for text in ranges[1:] if text is not None]
    assert len(starts) == 3
    assert 0 < starts[0] == starts[1] < starts[2] < len(NETWORK)


def _artifact(server: ScriptedServer, *answers: Answer) -> Any:
    """A delivered candidate whose file is what the test says."""
    view = {
        "n": 1,
        "index": 0,
        "policy": {},
        "measurement": searched(0.5, 1.0).to_json(),
        "delivery": {"measurement": delivered(0.5, 1.0).to_json(), "original": {}, "artifact": "art_1"},
    }
    server.on("GET", "/jobs/job_1", Answer(200, job_body("succeeded")))
    server.on("GET", "/jobs/job_1/candidates/1", Answer(200, view))
    server.on("GET", "/artifacts/art_1/content", *answers)
    return Client(server.url).jobs.get("job_1").candidate(1)


def test_bytes_that_are_not_those_that_were_sent_are_not_kept(server: ScriptedServer, tmp_path: Path) -> None:
    digest = hashlib.sha256(b"right").hexdigest()
    candidate = _artifact(server, Answer(200, b"wrong", {"ETag": f'"{digest}"'}))
    with pytest.raises(errors.APIConnectionError, match="not those that were sent"):
        candidate.download("x.onnx")
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_knows_no_ranges_sends_it_all_again(server: ScriptedServer) -> None:
    digest = hashlib.sha256(b"0123456789").hexdigest()
    tag = {"ETag": f'"{digest}"'}
    candidate = _artifact(server, Answer(200, b"01234", tag, length=10, cut=True), Answer(200, b"0123456789", tag))
    assert candidate.download("x.onnx").read_bytes() == b"0123456789"


def test_a_file_that_was_there_stays_when_the_download_fails(server: ScriptedServer, tmp_path: Path) -> None:
    (tmp_path / "x.onnx").write_bytes(b"the old one")
    candidate = _artifact(server, problem(404, "it was deleted"))
    with pytest.raises(errors.NotFound, match="deleted"):
        candidate.download("x.onnx")
    assert [p.name for p in tmp_path.iterdir()] == ["x.onnx"]
    assert (tmp_path / "x.onnx").read_bytes() == b"the old one"


def _export(server: ScriptedServer, *states: str) -> Any:
    """A candidate whose export goes through these states, on a server that the test plays."""
    bare = {"n": 7, "index": 3, "policy": {}, "measurement": searched(0.5, 1.0).to_json()}
    made = {"measurement": delivered(0.6, 1.1).to_json(), "original": {}, "artifact": "art_1"}
    views = [Answer(200, bare), *[Answer(200, bare)] * (len(states) - 1), Answer(200, bare | {"delivery": made})]
    exports = [Answer(202, {"job": "job_1", "n": 7, "state": state, "message": "no room"}) for state in states]
    server.on("GET", "/jobs/job_1", Answer(200, job_body("succeeded")))
    server.on("GET", "/jobs/job_1/candidates/7", *views)
    server.on("POST", "/jobs/job_1/candidates/7/export", *exports)
    return Client(server.url).jobs.get("job_1").candidate(7)


def test_a_candidate_is_exported_when_somebody_wants_it(server: ScriptedServer) -> None:
    exported = _export(server, "queued", "running", "done").export()
    assert exported.accuracy == 0.6
    asked = server.requests("POST", "/jobs/job_1/candidates/7/export")
    assert len({seen.headers["idempotency-key"] for seen in asked}) == 1, "it is one export, asked for once"


def test_an_export_that_fails_says_why(server: ScriptedServer) -> None:
    with pytest.raises(errors.ParetrimError, match="could not be exported: no room"):
        _export(server, "queued", "failed").export()


def test_an_export_may_take_longer_than_one_waits(server: ScriptedServer) -> None:
    candidate = _export(server, "queued", "running", "running", "running")
    with pytest.raises(errors.WaitTimeout, match="still being exported"):
        candidate.export(timeout_seconds=0)


def test_every_candidate_can_be_listed_page_by_page(done: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("paretrim._pages.PAGE_SIZE", 2)
    assert [c.n for c in done.candidates()] == [0, 1, 2, 3, 4, 5]
    assert [c.n for c in done.candidates(limit=3)] == [0, 1, 2]
    assert [c.n for c in done.candidates(on_front=True)] == [1, 2, 3]
    assert [c.n for c in done.candidates(failed=True)] == [5]
    assert [c.n for c in done.candidates(where="latency_ms <= 1, accuracy >= 0.75")] == [2]
    assert [c.n for c in done.candidates(order_by="-accuracy", limit=2)] == [0, 1]
    failed = done.candidate(5)
    assert failed.failure == "the device has no kernel for it"
    assert failed.accuracy is None
    assert failed.algorithm is not None
    assert not failed.feasible
    assert done.candidate(0).algorithm is None
    with pytest.raises(errors.NotFound):
        done.candidate(99)


def test_the_search_at_work_can_be_looked_at(done: Job) -> None:
    (search,) = [s for s in done.searches() if s.algorithm == "nsga2"]
    assert [c.algorithm for c in done.candidates(search=search)] == ["nsga2"] * search.evaluated
    points = done.points("latency_ms", "accuracy")
    assert points.total == len(points.x) == len(points.y)
    assert [n for n, front in zip(points.n, points.front, strict=True) if front] == [1, 2, 3]
    assert [curve.algorithm for curve in done.curves().searches][:1] == ["nsga2"]


def test_a_job_is_renamed_cloned_and_deleted(client: Client, done: Job) -> None:
    assert done.update(name="renamed", tags=["kept"], priority=2).name == "renamed"
    assert [j.id for j in client.jobs.list(tag="kept", state="succeeded")] == [done.id]
    clone = done.clone(seed=9, budget=3, constraints="macs_ratio <= 0.9")
    assert clone.id != done.id
    assert (clone.request.seed, clone.request.budget.candidates) == (9, 3)
    assert clone.request.constraints == ["macs_ratio <= 0.9"]
    with pytest.raises(errors.Conflict, match="cannot be deleted"):
        clone.delete()
    clone.cancel()
    done.delete()
    with pytest.raises(errors.NotFound):
        client.jobs.get(done.id)


def test_a_model_that_a_job_needs_cannot_be_deleted(client: Client, done: Job, model: wire.Model) -> None:
    with pytest.raises(errors.Conflict, match="jobs refer to"):
        client.models.delete(model)
    assert done.request.model == model.id


def test_what_a_job_could_reach_is_known_before_it_is_submitted(client: Client, model: wire.Model, device: str) -> None:
    outlook = client.jobs.check(model=model, device=device, constraints=["macs_ratio <= 0.5", "macs_ratio <= 0.00001"])
    assert [each.verdict for each in outlook.constraints] == ["met", "out of reach"]
    reachable = outlook.constraints[1].reachable
    assert reachable is not None
    assert 0.00001 < reachable < 0.5
    assert sum(part.share for part in outlook.parts) == pytest.approx(1.0, abs=0.01)


def test_the_queue_tells_who_works_on_what(client: Client, job: Job, worker: Worker) -> None:
    queue = client.jobs.queue()
    (held,) = [held for held in queue.held if held.id == job.id]
    assert held.worker == "played"
    worker.succeed()
    assert job.id not in {held.id for held in client.jobs.queue().held}


def test_what_a_search_has_learned_is_seen_from_afar(done: Job) -> None:
    seen = done.heat_map(what="keep")
    assert len(seen.values) == len(seen.rows)
    assert all(len(row) == len(seen.spans) for row in seen.values)
    assert "nsga2" in {search.algorithm for search in done.generations("latency_ms").searches}
