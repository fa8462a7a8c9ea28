"""What a finished job is still good for: answers to other constraints, and lessons for other jobs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sqlalchemy import insert
from starlette.testclient import TestClient

from hw_models.cost import Costs
from hw_models.devices import load_device, shipped
from paretrim.errors import JobFailed
from paretrim.problem import METRICS, Policy
from service import jobs, lessons, predictor, queries, tables
from service.context import Service
from service.recorder import SqlRecorder
from service.worker import plan_of
from tests.service import worlds

DEVICE = shipped()["bit-serial"]
COSTS = Costs(worlds.network(), load_device(DEVICE))


@pytest.fixture
def job_id(client: TestClient, service: Service) -> str:
    """A job that has searched: 24 candidates whose accuracy falls with what they lose."""
    job = str(worlds.create_job(client, worlds.ready_files(service))["id"])
    with service.database.write() as session:
        fence = jobs.claim(session, "w", lease_seconds=60, running_per_workspace=1)
        searches = session.query(tables.Search).filter_by(job_id=job).all()
        plan = plan_of(session.get_one(tables.Job, job), searches)
    assert fence is not None
    preparation = {"network": worlds.network().to_json(), "device": dict(DEVICE), "packed_sizes": None}
    original = replace(COSTS.original, accuracy=0.9)
    SqlRecorder(service.database, service.artifacts, plan, fence).prepared(original, preparation, ())
    rng = np.random.default_rng(0)
    rows = [_row(job, n, searches[0].id, n, rng.uniform(0.2, 1.0, 2)) for n in range(1, 25)]
    with service.database.write() as session:
        session.execute(insert(tables.Candidate), rows)
    return job


def _row(job: str, n: int, search: str, index: int, shares: Any) -> dict[str, Any]:
    policy = Policy(keep=dict(zip("ab", shares.tolist(), strict=True)))
    accuracy = 0.9 * float(np.exp(-(0.2 * (1 - shares[0]) + 0.6 * (1 - shares[1]))))
    measured = replace(COSTS.measure(policy), accuracy=accuracy)
    return {name: getattr(measured, name) for name in METRICS} | {
        "job_id": job,
        "n": n,
        "search_id": search,
        "index": index,
        "policy": policy.to_json(),
        "measurement": measured.to_json(),
        "failure": None,
        "feasible": True,
        "on_front": False,
    }


def test_both_answers_are_within_the_constraint_and_say_what_they_are(client: TestClient, job_id: str) -> None:
    asked = {"constraint": ["macs_ratio <= 0.4", "latency_ratio <= 0.9"]}
    found = client.get(f"/jobs/{job_id}/best", params=asked).json()
    assert [one["source"] for one in found["answers"]] == ["evaluated", "predicted"]
    evaluated, predicted = found["answers"]
    for one in (evaluated, predicted):
        assert one["measurement"]["macs"] <= 0.4 * COSTS.original.value("macs")
    listed = client.get(f"/jobs/{job_id}/candidates", params={"limit": 100}).json()["data"]
    limits = {"macs": 0.4 * COSTS.original.value("macs"), "latency_ms": 0.9 * COSTS.original.value("latency_ms")}
    within = [c for c in listed if all(c["measurement"][name] <= most for name, most in limits.items())]
    assert evaluated["n"] == max(within, key=lambda c: c["measurement"]["accuracy"])["n"]
    assert evaluated["deviation"] is None
    assert predicted["n"] is None
    assert predicted["deviation"] >= 0
    assert predicted["measurement"]["obtained"]["accuracy"]["how"] == "predicted"
    assert predicted["measurement"]["accuracy"] > 0.95 * evaluated["measurement"]["accuracy"]
    assert predicted["policy"] not in [c["policy"] for c in listed]


@pytest.mark.parametrize(
    ("asked", "note"),
    [
        ({"constraint": "macs_ratio <= 0.5", "metric": "latency_ms"}, "only accuracy"),
        ({"constraint": "accuracy >= 0.7"}, "without a constraint on a cost"),
    ],
)
def test_where_nothing_is_predicted_it_says_why(
    client: TestClient, job_id: str, asked: dict[str, str], note: str
) -> None:
    found = client.get(f"/jobs/{job_id}/best", params=asked).json()
    assert [one["source"] for one in found["answers"]] == ["evaluated"]
    assert note in found["note"]


def test_a_constraint_that_cannot_be_read_is_refused(client: TestClient, job_id: str) -> None:
    response = client.get(f"/jobs/{job_id}/best", params={"constraint": "macs << 3"})
    assert response.status_code == 422


def test_a_constraint_that_cannot_be_met_is_answered_with_what_can(
    client: TestClient, job_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "_run", lambda _settings, asked: predictor.answer(asked))  # no process of its own
    response = client.get(f"/jobs/{job_id}/best", params={"constraint": "macs_ratio <= 0.0001"})
    assert (response.status_code, response.json()["code"]) == (422, "infeasible")
    assert "reachable" in response.json()["detail"]


def test_a_job_that_has_measured_nothing_yet_says_so(client: TestClient, service: Service) -> None:
    job = worlds.create_job(client, worlds.ready_files(service))["id"]
    assert client.get(f"/jobs/{job}/best", params={"constraint": "macs_ratio <= 0.5"}).status_code == 409


def _known(service: Service, job: str) -> Any:
    """The candidates that a job begins with, as its worker asks for them."""
    with service.database.read() as session:
        return lessons.taken_over(session, job)[0]


def _again(client: TestClient, earlier: str, **changes: Any) -> Any:
    """Submit a job on the same model that learns from another."""
    return client.post(f"/jobs/{earlier}/clone", json={"learn_from": earlier, **changes})


def test_a_job_on_the_same_model_takes_the_candidates_over(client: TestClient, service: Service, job_id: str) -> None:
    response = _again(client, job_id, constraints=["macs_ratio <= 0.3"])
    assert response.status_code == 201, response.text
    assert _known(service, job_id) == ()
    known = _known(service, response.json()["id"])
    listed = client.get(f"/jobs/{job_id}/candidates", params={"limit": 100}).json()["data"]
    assert [candidate.policy.to_json() for candidate in known] == [c["policy"] for c in listed if c["n"]]
    assert all(candidate.measurement.accuracy is not None for candidate in known)


def test_what_cannot_be_learned_from_is_refused(client: TestClient, service: Service, job_id: str) -> None:
    empty = worlds.create_job(client, worlds.ready_files(service))["id"]
    assert _again(client, job_id, learn_from="job_nobody").status_code == 422
    refused = client.post(f"/jobs/{empty}/clone", json={"learn_from": empty})
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"] == "learn_from"


def test_a_job_whose_teacher_was_deleted_fails_and_says_so(client: TestClient, service: Service, job_id: str) -> None:
    made = _again(client, job_id).json()["id"]
    with service.database.write() as session:
        session.delete(session.get_one(tables.Job, job_id))
    with pytest.raises(JobFailed, match="was deleted"):
        _known(service, made)
