from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import func, select
from starlette.testclient import TestClient

from paretrim.problem import Bits, Candidate, Measurement, Policy, Provenance
from search.plan import Checkpoint, CurveStep, Delivered, LeaseLost
from service import dialect, housekeeping, jobs, tables
from service.context import Service
from service.jobs import Fence
from service.recorder import SqlRecorder
from service.worker import plan_of
from tests.service import worlds

#: figures that do not survive a detour over fewer digits
ORIGINAL = Measurement(0.9, 1.0 / 3.0, 4_000, 10**15 + 1, obtained={"accuracy": Provenance("measured", "validation")})
WINDOW = (
    Candidate(0, Policy({"a": 0.1 + 0.2}, {"first": Bits(4, 8)}), Measurement(0.7, 0.1, 2_000, 7)),
    Candidate(1, Policy({"a": (0, 3), "b": 1 / 3}), Measurement(0.8, 2e-17, 1_000, 3)),
    Candidate(2, Policy(), failure="it diverged\nat once"),
)
CURVE = tuple(CurveStep(index, 0.7 + index / 30, 0.1 * index, 1.5 * index) for index in range(3))
CHECKPOINT = Checkpoint(3, {"rng": [2**63, 0.1, None], "seen": {"b": 1, "a": 2}}, bytes(range(256)))


@pytest.fixture
def fence(client: TestClient, service: Service) -> Fence:
    worlds.create_job(client, worlds.ready_files(service), algorithms=["nsga2", "random", "uniform"])
    with service.database.write() as session:
        claimed = jobs.claim(session, "w1", lease_seconds=60.0, running_per_workspace=4)
    assert claimed is not None
    return claimed


def recorder_of(service: Service, fence: Fence) -> SqlRecorder:
    with service.database.read() as session:
        job = session.get_one(tables.Job, fence.job_id)
        searches = session.query(tables.Search).filter_by(job_id=job.id).order_by(tables.Search.position).all()
    return SqlRecorder(service.database, service.artifacts, plan_of(job, searches), fence)


@pytest.fixture
def recorder(service: Service, fence: Fence) -> SqlRecorder:
    made = recorder_of(service, fence)
    made.prepared(ORIGINAL, {"device": {"name": "x"}, "deep": [1.5, None]}, ["mind the gap"])
    return made


def rows(service: Service, what: Any) -> Sequence[Any]:
    with service.database.read() as session:
        return session.execute(what).all()


def _states(service: Service) -> list[str]:
    """What there is of trainings, by the artifacts whose names say so."""
    named = select(tables.Artifact.sha256).where(tables.Artifact.filename.like("candidate-%.safetensors"))
    return sorted(service.artifacts.read(sha256).decode() for (sha256,) in rows(service, named))


def record(recorder: SqlRecorder, position: int = 0) -> None:
    recorder.record(recorder._plan.searches[position], WINDOW, CURVE, CHECKPOINT)


def test_the_original_is_candidate_0_and_a_resumed_job_sees_the_same_preparation(
    service: Service, fence: Fence, recorder: SqlRecorder, client: TestClient
) -> None:
    assert recorder.preparation() is not None
    found = client.get(f"/jobs/{fence.job_id}/candidates/0").json()
    assert (found["n"], found["search"], found["algorithm"]) == (0, None, None)
    assert Measurement.from_json(found["measurement"]) == ORIGINAL
    assert recorder_of(service, fence).preparation() == {"device": {"name": "x"}, "deep": [1.5, None]}
    assert client.get(f"/jobs/{fence.job_id}").json()["warnings"] == ["mind the gap"]


def test_what_was_recorded_is_read_back_bit_for_bit(service: Service, fence: Fence, recorder: SqlRecorder) -> None:
    record(recorder)
    search = recorder._plan.searches[0]
    found = recorder_of(service, fence).recorded(search.id)
    assert found.candidates == WINDOW
    assert [candidate.policy.key for candidate in found.candidates] == [c.policy.key for c in WINDOW]
    assert found.checkpoint == CHECKPOINT
    assert (found.end, found.seconds) == (None, 3.0)


def test_a_window_is_recorded_once_however_often_it_is_written(
    service: Service, fence: Fence, recorder: SqlRecorder
) -> None:
    """When a connection breaks during a commit, the worker cannot know and writes again."""
    record(recorder)
    record(recorder_of(service, fence))
    count = select(func.count()).select_from(tables.Candidate).where(tables.Candidate.search_id.is_not(None))
    assert rows(service, count)[0][0] == 3
    told = select(tables.Event.data).where(tables.Event.type == "candidates")
    assert len(rows(service, told)) == 1
    assert rows(service, told)[0][0]["numbers"] == [1, 4, 7]


def test_candidates_curve_and_checkpoint_are_kept_together_or_not_at_all(
    service: Service, recorder: SqlRecorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = dialect.upsert

    def breaks(session: Any, table: Any, *arguments: Any) -> None:
        if table.name == "checkpoints":
            raise RuntimeError("power failure")
        whole(session, table, *arguments)

    monkeypatch.setattr(dialect, "upsert", breaks)
    with pytest.raises(RuntimeError):
        record(recorder)
    monkeypatch.undo()
    for table in (tables.CurvePoint, tables.Checkpoint):
        assert rows(service, select(table)) == []
    assert rows(service, select(tables.Candidate.n)) == [(0,)]
    assert rows(service, select(tables.Event).where(tables.Event.type == "candidates")) == []
    record(recorder)
    assert len(rows(service, select(tables.CurvePoint))) == 3


def test_a_worker_that_lost_its_lease_writes_nothing(service: Service, fence: Fence, recorder: SqlRecorder) -> None:
    with service.database.write() as session:
        jobs.lose(session, fence, "silent", max_losses=9)
        jobs.claim(session, "w2", lease_seconds=60.0, running_per_workspace=4)
    before = rows(service, select(tables.Event.seq))
    recorder.progress("searching", 1, 2)
    for write in (
        lambda: record(recorder),
        recorder.flush,
        recorder.wanted,
        lambda: recorder.search_ended(recorder._plan.searches[0], "succeeded", None),
        lambda: recorder.prepared(ORIGINAL, {}, ()),
        lambda: recorder.delivered(Delivered(1, ORIGINAL, ORIGINAL, {"model.onnx": b"m"})),
        lambda: recorder.trained(1, "fine-tuning", b"an epoch"),
    ):
        with pytest.raises(LeaseLost):
            write()
    assert rows(service, select(tables.Event.seq)) == before
    assert rows(service, select(tables.Candidate.n)) == [(0,)]
    assert rows(service, select(tables.Delivery.n)) == []
    assert rows(service, select(tables.Training.n)) == []


def test_what_may_come_late_is_gathered_and_written_with_the_next_window(
    fence: Fence, recorder: SqlRecorder, client: TestClient
) -> None:
    for done in range(10):
        recorder.progress("searching", done, 60)
    recorder.spent(1.5)
    recorder.spent(2.0)
    recorder.log("info", "half way")
    assert client.get(f"/jobs/{fence.job_id}").json()["progress"]["phase"] == "preparing"
    record(recorder)
    job = client.get(f"/jobs/{fence.job_id}").json()
    assert (job["progress"]["phase"], job["progress"]["completed"], job["progress"]["total"]) == ("searching", 9, 60)
    assert job["cost"] == {"cpu_seconds": 3.5, "wall_seconds": 0.0, "evaluations": 3}
    found = client.get(f"/jobs/{fence.job_id}/events?limit=200").json()["data"]
    assert [event["type"] for event in found[2:]] == ["log", "progress", "log", "candidates"]
    assert [event["seq"] for event in found] == list(range(1, len(found) + 1))


def test_costs_add_up_over_attempts_and_not_over_repetitions(
    service: Service, fence: Fence, recorder: SqlRecorder
) -> None:
    recorder.spent(2.0)
    record(recorder)
    second = recorder_of(service, fence)
    second.spent(3.0)
    second.flush()
    second.flush()
    found = rows(service, select(tables.Job.cpu_seconds, tables.Job.evaluations))
    assert found == [(5.0, 3)]


def test_the_front_is_exactly_the_members_named_last(fence: Fence, recorder: SqlRecorder, client: TestClient) -> None:
    record(recorder)
    for numbers in ((1,), (0, 1), (4,)):
        recorder.front(numbers, 0.25, {"accuracy": 0.8})
        recorder.flush()
        members = client.get(f"/jobs/{fence.job_id}/front").json()["members"]
        assert {member["n"] for member in members} == set(numbers)
    job = client.get(f"/jobs/{fence.job_id}").json()
    assert (job["front_size"], job["hypervolume"], job["best"]) == (1, 0.25, {"accuracy": 0.8})


def test_a_candidate_is_feasible_if_it_meets_every_constraint(recorder: SqlRecorder, service: Service) -> None:
    record(recorder)
    found = rows(service, select(tables.Candidate.n, tables.Candidate.feasible).order_by(tables.Candidate.n))
    assert found == [(0, False), (1, True), (4, True), (7, False)]


def test_searches_tell_how_far_they_are_and_how_they_ended(
    recorder: SqlRecorder, fence: Fence, client: TestClient
) -> None:
    record(recorder)
    recorder.search_ended(recorder._plan.searches[0], "failed", "it gave up")
    first, second, _ = client.get(f"/jobs/{fence.job_id}/searches").json()["data"]
    assert (first["evaluated"], first["failed"], first["state"], first["message"]) == (3, 1, "failed", "it gave up")
    assert first["best"] == {"accuracy": CURVE[-1].best}
    assert (second["evaluated"], second["state"]) == (0, "running")


def test_a_delivery_is_made_once_and_its_files_can_be_fetched(
    service: Service, fence: Fence, recorder: SqlRecorder, client: TestClient
) -> None:
    record(recorder)
    files = {"model.onnx": b"a network", "report.md": b"# report"}
    delivered = Delivered(4, ORIGINAL, ORIGINAL, files, "int8", {"faster": True})
    recorder.delivered(delivered)
    recorder.delivered(delivered)
    assert recorder_of(service, fence).delivered_numbers() == frozenset({4})
    found = client.get(f"/jobs/{fence.job_id}/candidates/4").json()["delivery"]
    assert found["precision"] == "int8"
    assert set(found["artifacts"]) == set(files)
    for name, artifact in found["artifacts"].items():
        response = client.get(f"/artifacts/{artifact}/content")
        assert response.content == files[name]
    assert response.headers["content-disposition"] == 'attachment; filename="candidate-4-report.md"'
    assert len(rows(service, select(tables.Artifact).where(tables.Artifact.filename.like("candidate-4%")))) == 2


def test_a_training_is_kept_from_epoch_to_epoch_until_its_candidate_is_delivered(
    service: Service, fence: Fence, recorder: SqlRecorder
) -> None:
    record(recorder)
    recorder.trained(4, "fine-tuning", b"first epoch")
    recorder.trained(4, "fine-tuning", b"second epoch")
    recorder.trained(4, "scratch control", b"another run")
    recorder.trained(1, "fine-tuning", b"another candidate")
    again = recorder_of(service, fence)
    assert again.training(4, "fine-tuning") == b"second epoch"
    assert again.training(4, "scratch control") == b"another run"
    assert again.training(7, "fine-tuning") is None
    assert _states(service) == ["another candidate", "another run", "second epoch"]
    again.delivered(Delivered(4, ORIGINAL, ORIGINAL, {"model.onnx": b"a network"}))
    assert again.training(4, "fine-tuning") is None
    assert _states(service) == ["another candidate"]


@pytest.mark.parametrize("cancelled", [True, False])
def test_nothing_is_left_of_a_training_whose_job_is_over(
    service: Service, fence: Fence, recorder: SqlRecorder, client: TestClient, *, cancelled: bool
) -> None:
    recorder.trained(4, "fine-tuning", b"an epoch")
    with service.database.write() as session:
        if cancelled:
            jobs.request_cancel(session, fence.job_id)
            jobs.stop(session, fence)
        else:
            jobs.fail(session, fence, "broken", "it broke", retryable=True)
    housekeeping.keep_house(service.settings, service.database, service.artifacts, service.uploads)
    assert _states(service) == ([] if cancelled else ["an epoch"])  # a failed job can be resumed
    assert client.delete(f"/jobs/{fence.job_id}").status_code == 204
    assert _states(service) == []


def test_it_is_shown_what_a_job_is_at_and_how_long_that_takes(
    fence: Fence, recorder: SqlRecorder, client: TestClient
) -> None:
    recorder.progress("delivering", 1, 3, detail="candidate 7, fine-tuning: 40%", eta_seconds=12.34)
    recorder.flush()
    shown = {"phase": "delivering", "completed": 1, "total": 3, "detail": "candidate 7, fine-tuning: 40%"}
    assert client.get(f"/jobs/{fence.job_id}").json()["progress"] == {**shown, "eta_seconds": 12.3}
    told = [e for e in client.get(f"/jobs/{fence.job_id}/events?limit=200").json()["data"] if e["type"] == "progress"]
    assert told[-1]["data"] == {**shown, "eta_seconds": 12.3}
    recorder.progress("delivering", 2, 3)
    recorder.flush()
    now = client.get(f"/jobs/{fence.job_id}").json()["progress"]
    assert (now["completed"], now["detail"], now["eta_seconds"]) == (2, "", None)


@pytest.mark.parametrize(("asked", "wanted"), [(jobs.request_pause, "pause"), (jobs.request_cancel, "cancel")])
def test_what_the_user_wants_is_told_within_a_moment(
    service: Service, fence: Fence, recorder: SqlRecorder, asked: Any, wanted: str
) -> None:
    assert recorder.wanted() == "run"
    with service.database.write() as session:
        asked(session, fence.job_id)
    record(recorder)  # any write tells, too
    assert recorder.wanted() == wanted


def test_a_worker_that_shuts_down_stops_its_job(recorder: SqlRecorder) -> None:
    recorder.leave()
    assert recorder.wanted() == "pause"
