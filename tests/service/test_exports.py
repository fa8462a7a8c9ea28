"""Candidates delivered because somebody asked: queued, claimed, fenced; and one that is really made."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select, update
from starlette.testclient import TestClient

from service import exports, tables
from service.app import create_app
from service.context import Service
from service.exports import ExportFence
from service.jobs import Fenced
from tests.service import running, worlds
from tests.service.test_recorder import fence, record, recorder  # noqa: F401

pytestmark = pytest.mark.usefixtures("recorder")


@pytest.fixture
def job_id(fence: Any, recorder: Any) -> str:  # noqa: F811
    """A job with candidates 1 and 4, and 7 that failed."""
    record(recorder)
    return str(fence.job_id)


def do(service: Service, change: Any, *arguments: Any, **named: Any) -> Any:
    with service.database.write() as session:
        return change(session, *arguments, **named)


def ask(client: TestClient, job_id: str, n: int = 1, key: str | None = None) -> Any:
    headers = {} if key is None else {"Idempotency-Key": key}
    return client.post(f"/jobs/{job_id}/candidates/{n}/export", headers=headers)


def test_asking_twice_is_asking_once(client: TestClient, service: Service, job_id: str) -> None:
    for _ in range(2):
        answer = ask(client, job_id)
        assert (answer.status_code, answer.json()["state"]) == (202, "queued")
    assert do(service, exports.claim, "w", lease_seconds=60.0) == ExportFence(job_id, 1, 1, "w")
    assert do(service, exports.claim, "w", lease_seconds=60.0) is None
    assert ask(client, job_id).json()["state"] == "running"


def test_what_cannot_be_delivered_is_refused(client: TestClient, other: TestClient, job_id: str) -> None:
    failed = ask(client, job_id, 7)
    assert (failed.status_code, failed.json()["code"]) == (409, "not-measured")
    assert ask(client, job_id, 99).status_code == 404
    assert ask(client, job_id, 0).status_code == 422
    assert ask(other, job_id).status_code == 404


@pytest.mark.parametrize(
    ("limits", "status", "code"),
    [({"quota_cpu_seconds": 100.0}, 429, "cpu-quota"), ({"quota_bytes": 1}, 413, "quota-exceeded")],
)
def test_a_workspace_that_used_up_its_quota_exports_nothing_new(
    service: Service, job_id: str, limits: dict[str, Any], status: int, code: str
) -> None:
    app = create_app(replace(service.settings, **limits))
    limited: Service = app.state.service
    client = worlds.client_of(app, limited, "first")
    do(limited, exports.request, job_id, 4, again=False)
    do(limited, lambda session: session.execute(update(tables.Job).values(cpu_seconds=100.0)))
    refused = ask(client, job_id)
    assert (refused.status_code, refused.json()["code"]) == (status, code)
    assert do(limited, exports.claim, "w", lease_seconds=60.0) == ExportFence(job_id, 4, 1, "w")
    assert do(limited, exports.claim, "w", lease_seconds=60.0) is None, "what was refused waits for a worker"
    assert ask(client, job_id, 4).json()["state"] == "running", "how it fares is told to those who have nothing left"
    limited.database.close()


def test_a_failure_is_told_until_it_is_asked_for_anew(client: TestClient, service: Service, job_id: str) -> None:
    ask(client, job_id, key="first")
    do(service, exports.fail, do(service, exports.claim, "w", lease_seconds=60.0), "no room")
    told = ask(client, job_id, key="first").json()
    assert (told["state"], told["message"]) == ("failed", "no room")
    assert ask(client, job_id, key="second").json() == told | {"state": "queued", "message": None}


def test_a_worker_that_lost_its_export_writes_nothing(client: TestClient, service: Service, job_id: str) -> None:
    ask(client, job_id)
    zombie = do(service, exports.claim, "w1", lease_seconds=-1.0)
    with service.database.read() as session:
        assert not exports.is_held(session, zombie)
    living = do(service, exports.claim, "w2", lease_seconds=60.0)
    assert living == ExportFence(job_id, 1, 2, "w2")
    for change in (exports.hold, exports.finish, exports.release):
        with pytest.raises(Fenced):
            do(service, change, zombie)
    do(service, exports.renew, living, lease_seconds=5.0)
    with service.database.read() as session:
        assert exports.is_held(session, living)


def test_an_export_that_kills_its_workers_is_given_up(client: TestClient, service: Service, job_id: str) -> None:
    ask(client, job_id)
    for _ in range(exports.MOST_ATTEMPTS):
        do(service, exports.lose, do(service, exports.claim, "w", lease_seconds=60.0), "it died")
    told = ask(client, job_id, key="again").json()
    assert told["state"] == "queued"
    do(service, exports.claim, "w", lease_seconds=60.0)
    with service.database.write() as session:
        session.execute(update(tables.Export).values(attempt=exports.MOST_ATTEMPTS, lease_expires_at=0.0))
    assert do(service, exports.claim, "w", lease_seconds=60.0) is None
    with service.database.read() as session:
        assert session.scalar(select(tables.Export.state)) == "failed"


def test_what_was_delivered_already_is_done(client: TestClient, service: Service, job_id: str, recorder: Any) -> None:  # noqa: F811
    from search.plan import Delivered
    from tests.service.test_recorder import ORIGINAL

    recorder.delivered(Delivered(4, ORIGINAL, ORIGINAL, {"model.onnx": b"m"}))
    assert ask(client, job_id, 4).json()["state"] == "done"
    assert do(service, exports.claim, "w", lease_seconds=60.0) is None


def test_a_candidate_off_the_front_is_really_made(client: TestClient, service: Service) -> None:
    with service.database.write() as session:
        session.query(tables.Job).delete()
    budget = {"candidates": 2}
    job_id = running.submit(client, service, algorithms=["random"], budget=budget, window=2, deliver=0)
    patient = replace(service, settings=replace(service.settings, lease_seconds=30.0))
    with running.dispatching(patient):
        assert running.wait_for_end(service, job_id) == "succeeded"
        found = client.get(f"/jobs/{job_id}/candidates").json()["data"]
        n = next(c["n"] for c in found if c["n"] and c["failure"] is None and not c["on_front"])
        assert ask(client, job_id, n, "k").json()["state"] == "queued"
        running.wait_until(lambda: ask(client, job_id, n, "k").json()["state"] in ("done", "failed"), "it was made")
    assert ask(client, job_id, n, "k").json()["state"] == "done"
    view = client.get(f"/jobs/{job_id}/candidates/{n}").json()
    assert view["delivery"]["measurement"]["accuracy"] > 0
    content = client.get(f"/artifacts/{view['delivery']['artifact']}/content").content
    import onnx

    onnx.checker.check_model(onnx.load_model_from_string(content))
    assert client.get(f"/jobs/{job_id}").json()["state"] == "succeeded"
