from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import delete, select
from starlette.testclient import TestClient

from service import jobs
from service.context import Service
from service.jobs import Fence, Fenced
from service.tables import Event, Job, Search
from tests.service import worlds

LEASE = {"lease_seconds": 30.0, "running_per_workspace": 4}


@pytest.fixture
def job_id(client: TestClient, service: Service) -> str:
    return str(worlds.create_job(client, worlds.ready_files(service))["id"])


def claim(service: Service, owner: str = "w1", **changes: Any) -> Fence | None:
    with service.database.write() as session:
        return jobs.claim(session, owner, **(LEASE | changes))


def state(service: Service, job_id: str) -> str:
    with service.database.read() as session:
        return str(session.scalar(select(Job.state).where(Job.id == job_id)))


def events(service: Service, job_id: str) -> list[tuple[int, str, dict[str, Any]]]:
    with service.database.read() as session:
        rows = session.execute(
            select(Event.seq, Event.type, Event.data).where(Event.job_id == job_id).order_by(Event.seq)
        )
        return [tuple(row) for row in rows]


def do(service: Service, change: Any, *arguments: Any, **named: Any) -> Any:
    with service.database.write() as session:
        return change(session, *arguments, **named)


def test_a_new_job_is_queued_with_its_searches_and_its_first_event(service: Service, job_id: str) -> None:
    with service.database.read() as session:
        searches = session.scalars(select(Search).where(Search.job_id == job_id).order_by(Search.position)).all()
    assert [(s.algorithm, s.baseline, s.state) for s in searches] == [
        ("nsga2", False, "queued"),
        ("random", True, "queued"),
        ("uniform", True, "queued"),
    ]
    assert events(service, job_id) == [(1, "state", {"state": "queued", "attempt": 0})]


def test_a_claimed_job_is_claimed_by_nobody_else(service: Service, job_id: str) -> None:
    fence = claim(service)
    assert fence == Fence(job_id, 1, "w1")
    assert claim(service, "w2") is None
    assert state(service, job_id) == "running"


def test_the_most_urgent_job_is_claimed_first_then_the_oldest(service: Service, client: TestClient) -> None:
    files = worlds.ready_files(service)
    calm, urgent, late = (worlds.create_job(client, files, priority=priority)["id"] for priority in (0, 5, 5))
    claimed = [claim(service) for _ in range(3)]
    assert [fence.job_id for fence in claimed if fence] == [urgent, late, calm]


def test_a_workspace_runs_no_more_jobs_at_once_than_it_may(
    service: Service, client: TestClient, other: TestClient
) -> None:
    files = worlds.ready_files(service)
    for _ in range(3):
        worlds.create_job(client, files)
    theirs = worlds.create_job(other, worlds.ready_files(service, "second"))["id"]
    claimed = [claim(service, running_per_workspace=2) for _ in range(4)]
    assert [fence is not None for fence in claimed] == [True, True, True, False]
    assert claimed[2] is not None
    assert claimed[2].job_id == theirs


def test_events_are_numbered_without_gaps_and_end_with_end(service: Service, job_id: str) -> None:
    fence = claim(service)
    assert fence is not None
    do(service, jobs.hold, fence, [("log", {"message": "a"}), ("log", {"message": "b"})])
    do(service, jobs.succeed, fence)
    found = events(service, job_id)
    assert [seq for seq, _, _ in found] == [1, 2, 3, 4, 5, 6]
    assert [kind for _, kind, _ in found] == ["state", "state", "log", "log", "state", "end"]


ASKED: tuple[tuple[str, Any, str], ...] = (
    ("queued", jobs.request_pause, "paused"),
    ("running", jobs.request_pause, "pausing"),
    ("paused", jobs.resume, "queued"),
    ("pausing", jobs.resume, "running"),
    ("queued", jobs.request_cancel, "cancelled"),
    ("paused", jobs.request_cancel, "cancelled"),
    ("running", jobs.request_cancel, "cancelling"),
    ("pausing", jobs.request_cancel, "cancelling"),
)


def test_what_a_user_asks_for(service: Service, client: TestClient) -> None:
    for before, change, after in ASKED:
        job_id = alone(service, client)
        bring_to(service, job_id, before)
        assert do(service, change, job_id)
        assert state(service, job_id) == after


IMPOSSIBLE: tuple[tuple[Any, tuple[str, ...]], ...] = (
    (jobs.request_pause, ("paused", "pausing", "cancelling", "cancelled", "succeeded", "failed")),
    (jobs.resume, ("queued", "running", "cancelling", "cancelled", "succeeded", "failed")),
    (jobs.request_cancel, ("cancelling", "cancelled", "succeeded", "failed")),
    (jobs.remove, ("queued", "running", "pausing", "paused", "cancelling")),
)


def test_what_cannot_be_done_changes_nothing(service: Service, client: TestClient) -> None:
    for change, states in IMPOSSIBLE:
        for before in states:
            job_id = alone(service, client)
            bring_to(service, job_id, before)
            told = events(service, job_id)
            assert not do(service, change, job_id), f"{change.__name__} of a job that is {before}"
            assert state(service, job_id) == before
            assert events(service, job_id) == told


def alone(service: Service, client: TestClient) -> str:
    """A new job, and no other that could be claimed instead."""
    with service.database.write() as session:
        session.execute(delete(Job))
    return str(worlds.create_job(client, worlds.ready_files(service))["id"])


def bring_to(service: Service, job_id: str, wanted: str) -> Fence | None:
    """Lead a queued job to a state by the changes that lead there."""
    fence = None
    if wanted in ("running", "pausing", "cancelling", "succeeded", "failed"):
        fence = claim(service)
        assert fence is not None
    match wanted:
        case "paused" | "pausing":
            do(service, jobs.request_pause, job_id)
        case "cancelled" | "cancelling":
            do(service, jobs.request_cancel, job_id)
        case "succeeded":
            do(service, jobs.succeed, fence)
        case "failed":
            do(service, jobs.fail, fence, "code", "why")
    assert state(service, job_id) == wanted
    return fence


@pytest.mark.parametrize(
    ("asked", "after"), [(None, "queued"), (jobs.request_pause, "paused"), (jobs.request_cancel, "cancelled")]
)
def test_a_worker_stops_as_is_wanted(service: Service, job_id: str, asked: Any, after: str) -> None:
    fence = claim(service)
    if asked is not None:
        do(service, asked, job_id)
    assert do(service, jobs.stop, fence) == after
    assert state(service, job_id) == after


def test_a_job_that_shall_be_cancelled_is_cancelled_however_its_worker_ends(
    service: Service, client: TestClient
) -> None:
    files = worlds.ready_files(service)
    for end in ((jobs.succeed,), (jobs.fail, "code", "why")):
        job_id = worlds.create_job(client, files)["id"]
        fence = claim(service)
        do(service, jobs.request_cancel, job_id)
        do(service, end[0], fence, *end[1:])
        assert state(service, job_id) == "cancelled"


def test_a_lost_worker_costs_a_loss_and_too_many_losses_the_job(service: Service, job_id: str) -> None:
    for expected in ("queued", "queued", "failed"):
        assert do(service, jobs.lose, claim(service), "it died", max_losses=3) == expected
    with service.database.read() as session:
        job = session.get_one(Job, job_id)
    assert (job.error_code, job.error_retryable, job.attempt) == ("worker-lost", True, 3)
    assert do(service, jobs.resume, job_id)
    assert state(service, job_id) == "queued"


def test_a_job_that_failed_by_itself_is_not_resumed(service: Service, job_id: str) -> None:
    bring_to(service, job_id, "failed")
    assert not do(service, jobs.resume, job_id)


def test_a_worker_that_lost_its_job_changes_nothing(service: Service, job_id: str) -> None:
    """The zombie's case: another attempt has begun, by another worker or even the same one."""
    zombie = claim(service, "w1")
    do(service, jobs.lose, zombie, "silent", max_losses=9)
    living = claim(service, "w1")
    assert living is not None
    before = events(service, job_id)
    for act in (
        lambda: do(service, jobs.hold, zombie, [("log", {})], phase="delivering"),
        lambda: do(service, jobs.renew, zombie, lease_seconds=5.0),
        lambda: do(service, jobs.succeed, zombie),
        lambda: do(service, jobs.fail, zombie, "code", "why"),
        lambda: do(service, jobs.stop, zombie),
        lambda: do(service, jobs.lose, zombie, "again", max_losses=9),
    ):
        with pytest.raises(Fenced):
            act()
    assert events(service, job_id) == before
    assert do(service, jobs.hold, living, phase="searching") == "running"


def test_a_lease_expires_on_the_databases_clock_unless_it_is_renewed(service: Service, job_id: str) -> None:
    fence = claim(service, lease_seconds=-1.0)
    assert do(service, jobs.expired) == [fence]
    assert do(service, jobs.renew, fence, lease_seconds=30.0) == "running"
    assert do(service, jobs.expired) == []
    assert job_id


def test_searches_follow_their_job_but_for_those_that_have_ended(service: Service, job_id: str) -> None:
    claim(service)
    with service.database.write() as session:
        first = session.scalars(select(Search).where(Search.job_id == job_id).order_by(Search.position)).first()
        assert first is not None
        first.state = "succeeded"
    do(service, jobs.request_cancel, job_id)
    fence = Fence(job_id, 1, "w1")
    do(service, jobs.stop, fence)
    with service.database.read() as session:
        found = session.scalars(select(Search.state).where(Search.job_id == job_id).order_by(Search.position)).all()
    assert found == ["succeeded", "cancelled", "cancelled"]


def test_a_job_that_succeeded_goes_on_when_its_budget_is_raised(
    service: Service, client: TestClient, job_id: str
) -> None:
    bring_to(service, job_id, "succeeded")
    response = client.patch(f"/jobs/{job_id}", json={"candidates": 50})
    assert response.status_code == 200, response.text
    body = response.json()
    assert (body["state"], body["request"]["budget"]["candidates"], body["progress"]["total"]) == ("queued", 50, 150)
    assert client.patch(f"/jobs/{job_id}", json={"candidates": 10}).status_code == 422
    claim(service)
    assert client.patch(f"/jobs/{job_id}", json={"candidates": 90}).status_code == 409
    searches = client.get(f"/jobs/{job_id}/searches").json()["data"]
    assert [search["total"] for search in searches] == [50, 50, 50]


def test_wall_time_is_added_up_over_attempts(service: Service, job_id: str) -> None:
    for _ in range(2):
        fence = claim(service)
        with service.database.write() as session:
            session.get_one(Job, job_id).claimed_at -= 10.0  # type: ignore[operator]
        do(service, jobs.stop, fence)
    with service.database.read() as session:
        assert 20.0 <= session.get_one(Job, job_id).wall_seconds < 25.0
