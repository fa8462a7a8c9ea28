"""Workers and dispatchers killed at every step: nothing is lost, nothing doubled, the answer is the same to the bit."""

from __future__ import annotations

import signal
from typing import Any

import pytest
from sqlalchemy import func, select
from starlette.testclient import TestClient

from service import tables
from service.context import Service
from tests.chaos import faults
from tests.chaos.conftest import BOTH, LEASE_SECONDS, Crew
from tests.service import running

#: the place, and how often it is passed before: in the middle of a window, of a job
KILLS: tuple[faults.Fault, ...] = (
    ("claimed", 0, "die"),
    ("evaluating", 6, "die"),
    ("results before checkpoint", 3, "die"),
    ("window recorded", 4, "die"),
    ("files before delivery", 0, "die"),
    ("before finish", 0, "die"),
    ("finish uncommitted", 0, "die"),
)


def events(service: Service, job_id: str) -> list[Any]:
    """The job's events in order."""
    with service.database.read() as session:
        found = select(tables.Event.seq, tables.Event.type, tables.Event.data).where(tables.Event.job_id == job_id)
        return list(session.execute(found.order_by(tables.Event.seq)).all())


def check_books(service: Service, job_id: str) -> None:
    """Events without a gap, each candidate told of once, one delivery row a network, one row a file."""
    told = events(service, job_id)
    assert [seq for seq, _, _ in told] == list(range(1, len(told) + 1))
    numbers = [n for _, kind, data in told if kind == "candidates" for n in data["numbers"]]
    assert len(numbers) == len(set(numbers))
    assert [kind for _, kind, _ in told].count("end") == 1
    with service.database.read() as session:
        mine = tables.Candidate.job_id == job_id
        kept = session.scalars(select(tables.Candidate.n).where(mine, tables.Candidate.search_id.is_not(None)))
        assert set(numbers) == set(kept)
        files = select(func.count()).select_from(tables.Artifact).where(tables.Artifact.filename.like("candidate-%"))
        delivered = session.scalars(select(tables.Delivery)).all()
        assert session.scalar(files) == sum(len(delivery.files) for delivery in delivered)


def cases() -> list[Any]:
    """Every place on SQLite; on PostgreSQL those inside a transaction."""
    names = {fault: fault[0].replace(" ", "-") for fault in KILLS}
    both = [pytest.param("postgresql", fault, marks=pytest.mark.postgres, id=f"postgresql-{names[fault]}")
            for fault in KILLS if fault[0] in ("results before checkpoint", "finish uncommitted")]  # fmt: skip
    return [pytest.param("sqlite", fault, id=f"sqlite-{names[fault]}") for fault in KILLS] + both


@pytest.mark.parametrize(("database_url", "fault"), cases(), indirect=["database_url"])
def test_a_worker_that_is_killed_costs_nothing(
    client: TestClient, service: Service, crew: Crew, undisturbed: dict[str, Any], fault: faults.Fault
) -> None:
    job_id = running.submit(client, service)
    crew.run_into(fault)
    before = running.evaluated(service, job_id)
    assert crew.finish(job_id) == undisturbed
    check_books(service, job_id)
    assert client.get(f"/jobs/{job_id}").json()["attempt"] == 2
    if fault[0] in ("window recorded", "files before delivery", "before finish"):
        assert before > 12  # what was recorded was not evaluated again


@pytest.mark.parametrize("database_url", BOTH, indirect=True)
def test_a_claim_that_was_not_committed_never_was(
    client: TestClient, service: Service, crew: Crew, undisturbed: dict[str, Any]
) -> None:
    job_id = running.submit(client, service)
    doomed = faults.process(faults.claim_and_die, service.database.url)
    doomed.join(60.0)
    assert doomed.exitcode == -signal.SIGKILL
    assert running.state_of(service, job_id) == "queued"
    assert crew.finish(job_id) == undisturbed
    assert client.get(f"/jobs/{job_id}").json()["attempt"] == 1


def test_a_job_whose_worker_dies_after_every_window_still_ends(
    client: TestClient, service: Service, crew: Crew, undisturbed: dict[str, Any]
) -> None:
    """More losses than a job may have in a row, but it gets on every time."""
    job_id = running.submit(client, service)
    for _ in range(service.settings.max_losses + 1):
        crew.run_into(("window recorded", 1, "die"))
    assert crew.finish(job_id) == undisturbed
    check_books(service, job_id)


def test_a_job_that_kills_every_worker_before_it_gets_anywhere_fails_and_says_so(
    client: TestClient, service: Service, crew: Crew
) -> None:
    job_id = running.submit(client, service)
    for _ in range(service.settings.max_losses):
        crew.run_into(("evaluating", 1, "die"))
    job = client.get(f"/jobs/{job_id}").json()
    assert (job["state"], job["error"]["code"], job["error"]["retryable"]) == ("failed", "worker-lost", True)


def test_a_worker_that_fell_silent_is_missed_when_its_lease_has_run_out(
    client: TestClient, service: Service, crew: Crew
) -> None:
    running.submit(client, service)
    assert crew.run(("claimed", 0, "die")) == -signal.SIGKILL
    assert crew.take_back() < LEASE_SECONDS + 2.0
