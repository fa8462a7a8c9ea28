"""What a job found, as the API shows it."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from sqlalchemy import insert
from starlette.testclient import TestClient

from paretrim.problem import Measurement, Policy
from service import jobs, tables
from service.context import Service
from service.plots import every
from service.recorder import SqlRecorder
from service.worker import plan_of
from tests.service import worlds

ORIGINAL = Measurement(0.9, 1.0, 4_000, 1_000, 1_024_000, 512, 2.0)


@pytest.fixture
def job_id(client: TestClient, service: Service) -> str:
    """A job with 60 candidates by hand: latencies fall, accuracies too, every tenth has failed."""
    job = str(worlds.create_job(client, worlds.ready_files(service), constraints=["latency_ratio <= 0.8"])["id"])
    with service.database.write() as session:
        fence = jobs.claim(session, "w", lease_seconds=60, running_per_workspace=1)
        row = session.get_one(tables.Job, job)
        searches = session.query(tables.Search).filter_by(job_id=job).order_by(tables.Search.position).all()
        plan = plan_of(row, searches)
    assert fence is not None
    SqlRecorder(service.database, service.artifacts, plan, fence).prepared(ORIGINAL, {}, ())
    with service.database.write() as session:
        session.execute(insert(tables.Candidate), [candidate(job, n, searches[n % 3].id) for n in range(1, 61)])
        points = [
            {
                "search_id": searches[0].id,
                "index": i,
                "best": i // 100 / 100,
                "hypervolume": i // 50 / 100,
                "seconds": i,
            }
            for i in range(3000)
        ]
        session.execute(insert(tables.CurvePoint), points)
    return job


def candidate(job: str, n: int, search: str) -> dict[str, Any]:
    measurement = None if n % 10 == 0 else Measurement(0.9 - n / 200, 1.0 - n / 100, 4_000 - n, 1_000 - n)
    figures = {name: getattr(measurement, name, None) for name in ("accuracy", "latency_ms", "size_bytes", "macs")}
    return figures | {
        "job_id": job,
        "n": n,
        "search_id": search,
        "index": n // 3,
        "policy": Policy({"a": max(1, n) / 61}).to_json(),
        "measurement": None if measurement is None else measurement.to_json(),
        "failure": "it did not work" if measurement is None else None,
        "feasible": measurement is not None and n >= 20,
        "on_front": n in (25, 21, 59),
    }


def walk(client: TestClient, path: str, **query: Any) -> list[dict[str, Any]]:
    """All pages."""
    found: list[dict[str, Any]] = []
    cursor = None
    while True:
        page = client.get(path, params={**query, "cursor": cursor} if cursor else query).json()
        found += page["data"]
        cursor = page["next_cursor"]
        assert page["has_more"] == (cursor is not None)
        if cursor is None:
            return found


def test_pages_in_any_order_hold_every_candidate_once(client: TestClient, job_id: str) -> None:
    for order_by in ("n", "-n", "accuracy", "-accuracy", "latency_ms", "-size_bytes", "energy_mj"):
        check_order(client, job_id, order_by)


def check_order(client: TestClient, job_id: str, order_by: str) -> None:
    found = walk(client, f"/jobs/{job_id}/candidates", order_by=order_by, limit=7)
    assert sorted(c["n"] for c in found) == list(range(61))
    name = order_by.removeprefix("-")
    figures = [c["n"] if name == "n" else (c["measurement"] or {}).get(name) for c in found]
    known = [figure for figure in figures if figure is not None]
    assert known == sorted(known, reverse=order_by.startswith("-"))
    assert figures[: len(known)] == known, "candidates without the figure come last"


FILTERS: tuple[tuple[dict[str, str], list[int]], ...] = (
    ({"on_front": "true"}, [21, 25, 59]),
    ({"failed": "true"}, [10, 20, 30, 40, 50, 60]),
    ({"feasible": "true", "where": "latency_ms <= 0.45, accuracy >= 0.61"}, [55, 56, 57, 58]),
    ({"where": "n < 3"}, [0, 1, 2]),
    ({"where": "size_bytes = 3999"}, [1]),
    ({"failed": "false", "where": "latency_ms > 0.985"}, [0, 1]),
)


def test_filters(client: TestClient, job_id: str) -> None:
    for query, numbers in FILTERS:
        assert [c["n"] for c in walk(client, f"/jobs/{job_id}/candidates", limit=4, **query)] == numbers, query


def test_the_candidates_of_one_search(client: TestClient, job_id: str) -> None:
    search = client.get(f"/jobs/{job_id}/searches").json()["data"][1]
    found = walk(client, f"/jobs/{job_id}/candidates", search=search["id"])
    assert {c["algorithm"] for c in found} == {search["algorithm"]}
    assert len(found) == 20


def test_a_condition_that_cannot_be_read_is_refused(client: TestClient, job_id: str) -> None:
    for where in ("latency <= 1", "latency_ms <= x", "1=1", "n; DROP TABLE jobs", "accuracy <= --1"):
        response = client.get(f"/jobs/{job_id}/candidates", params={"where": where})
        assert (response.status_code, response.json()["errors"][0]["pointer"]) == (422, "where")


def test_a_cursor_goes_with_its_query_and_cannot_be_forged(client: TestClient, job_id: str) -> None:
    path = f"/jobs/{job_id}/candidates"
    cursor = client.get(path, params={"limit": 5}).json()["next_cursor"]
    for changed in ({"order_by": "-n"}, {"failed": "true"}, {"where": "n > 1"}):
        assert client.get(path, params={"cursor": cursor, **changed}).json()["code"] == "invalid-cursor"
    for forged in ("", "x", cursor[:-1], cursor + "A", "WzVd", cursor.swapcase()):
        assert client.get(path, params={"cursor": forged}).status_code == 400
    assert client.get(path, params={"cursor": cursor, "limit": 9}).status_code == 200


def test_more_than_the_most_is_the_most(client: TestClient, job_id: str) -> None:
    for limit, status, count in (("500", 200, 61), ("0", 422, 0), ("-1", 422, 0), ("x", 422, 0)):
        response = client.get(f"/jobs/{job_id}/candidates", params={"limit": limit})
        assert response.status_code == status
        assert len(response.json().get("data", [])) == count


def test_a_page_of_large_policies_ends_early(client: TestClient, service: Service, job_id: str) -> None:
    with service.database.write() as session:
        for row in session.query(tables.Candidate).filter(tables.Candidate.job_id == job_id):
            row.policy = {"keep": {f"group{i}": 0.123456789 for i in range(800)}, "bits": {}, "rank": {}, "removed": []}
    first = client.get(f"/jobs/{job_id}/candidates?limit=200")
    assert len(first.content) < 300_000
    assert first.json()["has_more"]
    assert [c["n"] for c in walk(client, f"/jobs/{job_id}/candidates", limit=200)] == list(range(61))


def test_the_front_is_ordered_by_the_first_objective(client: TestClient, job_id: str) -> None:
    front = client.get(f"/jobs/{job_id}/front").json()
    assert [member["n"] for member in front["members"]] == [21, 25, 59]
    assert front["objectives"] == ["accuracy", "latency_ms"]
    assert Measurement.from_json(front["original"]) == ORIGINAL


def test_curves_are_thinned_but_keep_their_steps_and_ends(client: TestClient, job_id: str) -> None:
    curves = client.get(f"/jobs/{job_id}/curve", params={"max_points": 500}).json()
    assert curves["objective"] == "accuracy"
    first, second, _ = curves["searches"]
    assert second["points"] == []
    points = {point["index"]: (point["best"], point["hypervolume"]) for point in first["points"]}
    assert len(points) <= 500
    assert points[0] == (0.0, 0.0)
    assert points[2999] == (0.29, 0.59)
    for step in range(50, 3000, 50):
        assert points[step - 1] != points[step]
    few = client.get(f"/jobs/{job_id}/curve", params={"max_points": 10}).json()["searches"][0]["points"]
    assert (len(few), few[0]["index"], few[-1]["index"]) == (10, 0, 2999)


def test_points_hold_the_whole_front_however_few_are_asked_for(client: TestClient, job_id: str) -> None:
    whole = client.get(f"/jobs/{job_id}/points").json()
    assert (whole["total"], len(whole["n"])) == (55, 55)
    assert whole["search"][0] == -1, "the original belongs to no search"
    few = client.get(f"/jobs/{job_id}/points", params={"max_points": 10}).json()
    assert len(few["n"]) <= 13
    assert {n for n, front in zip(few["n"], few["front"], strict=True) if front} == {21, 25, 59}
    assert {len(few[column]) for column in ("n", "x", "y", "search", "feasible", "front")} == {len(few["n"])}
    line = whole["constraints"][0]
    assert (line["metric"], line["relation"], line["limit"]) == ("latency_ms", "<=", 0.8)


def test_points_that_are_thinned_out_come_from_all_searches_alike() -> None:
    for searches in range(1, 17):
        for count in (1, 100, 6000, 99_999):
            k = every(count, 2000, searches)
            assert -(-count // k) <= 2000
            assert {n % searches for n in range(0, k * searches, k)} == set(range(searches))


def test_candidates_as_csv(client: TestClient, job_id: str) -> None:
    response = client.get(f"/jobs/{job_id}/candidates.csv", params={"where": "n <= 10"})
    assert response.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(response.text)))
    assert [int(row["n"]) for row in rows] == list(range(11))
    assert float(rows[3]["latency_ms"]) == 1.0 - 3 / 100
    assert (rows[10]["failure"], rows[10]["accuracy"]) == ("it did not work", "")


def test_a_cell_that_a_spreadsheet_would_run_is_text(client: TestClient, service: Service, job_id: str) -> None:
    with service.database.write() as session:
        session.get_one(tables.Candidate, (job_id, 10)).failure = '=HYPERLINK("http://evil")'
    rows = list(csv.DictReader(io.StringIO(client.get(f"/jobs/{job_id}/candidates.csv").text)))
    assert rows[10]["failure"] == '\'=HYPERLINK("http://evil")'


def test_layers_of_a_candidate_beside_the_originals(client: TestClient, job_id: str) -> None:
    found = client.get(f"/jobs/{job_id}/candidates/30/layers").json()["layers"]
    assert [layer["name"] for layer in found] == ["first", "second", "classify"]
    first = found[0]
    assert first["original"]["out_channels"] == 8
    assert first["out_channels"] == 4
    assert first["macs"] * 2 == first["original"]["macs"] == 8 * 8 * 9 * 8
    assert 0 < first["latency_ms"] <= first["original"]["latency_ms"]


def test_a_candidate_that_is_not_there(client: TestClient, job_id: str) -> None:
    assert client.get(f"/jobs/{job_id}/candidates/61").status_code == 404
    assert client.get(f"/jobs/{job_id}/candidates/-1").status_code == 422
    assert client.get(f"/jobs/{job_id}/candidates/{2**31}").status_code == 422


def test_jobs_are_listed_filtered_and_ordered(client: TestClient, service: Service) -> None:
    files = worlds.ready_files(service)
    made = [
        worlds.create_job(client, files, name=name, tags=tags, priority=priority, device=device)["id"]
        for name, tags, priority, device in (
            ("Beta 100%", ["x", "y"], 0, "bit-serial"),
            ("alpha_1", ["x"], 5, "mcu-m4"),
            (None, [], 5, "bit-serial"),
        )
    ]
    client.post(f"/jobs/{made[0]}/cancel")

    def ids(**query: Any) -> list[str]:
        return [job["id"] for job in walk(client, "/jobs", limit=1, **query)]

    assert ids() == made[::-1]
    assert ids(order_by="created_at") == made
    assert ids(order_by="name") == [made[0], made[1], made[2]]
    assert ids(order_by="-priority") == [made[2], made[1], made[0]]
    assert ids(state="cancelled") == [made[0]]
    assert ids(state=["cancelled", "queued"]) == made[::-1]
    assert ids(tag="y") == [made[0]]
    assert ids(tag='x"') == []
    assert ids(device="mcu-m4") == [made[1]]
    assert ids(q="ALPHA") == [made[1]]
    assert ids(q="100%") == [made[0]]
    assert ids(q="a_1") == [made[1]]
    assert ids(q=made[2]) == [made[2]]


def test_a_list_shows_what_has_changed_since_the_last(client: TestClient, job_id: str) -> None:
    def listed() -> Any:
        return client.get("/jobs").json()["data"][0]

    assert listed() == client.get(f"/jobs/{job_id}").json()
    client.patch(f"/jobs/{job_id}", json={"name": "another"})
    assert listed()["name"] == "another"
    client.post(f"/jobs/{job_id}/cancel")
    assert listed() == listed() == client.get(f"/jobs/{job_id}").json()
    assert listed()["state"] == "cancelling"


def test_a_job_is_renamed_tagged_and_reprioritised_but_not_moved_to_another_state(
    client: TestClient, job_id: str
) -> None:
    changed = client.patch(f"/jobs/{job_id}", json={"name": "new", "tags": ["t"], "priority": 7})
    assert (changed.status_code, changed.json()["name"]) == (200, "new")
    assert client.get("/jobs", params={"tag": "t"}).json()["data"][0]["id"] == job_id
    assert client.patch(f"/jobs/{job_id}", json={"state": "succeeded"}).status_code == 422
    assert client.patch(f"/jobs/{job_id}", json={"priority": None}).status_code == 422
    assert client.patch(f"/jobs/{job_id}", json={"name": None}).json()["name"] is None


def test_a_deleted_job_takes_all_that_was_its_own(client: TestClient, service: Service, job_id: str) -> None:
    assert client.delete(f"/jobs/{job_id}").status_code == 409
    client.post(f"/jobs/{job_id}/cancel")
    with service.database.write() as session:
        row = session.get_one(tables.Job, job_id)
        jobs.stop(session, jobs.Fence(job_id, row.attempt, row.owner or ""))
    assert client.delete(f"/jobs/{job_id}").status_code == 204
    assert client.get(f"/jobs/{job_id}").status_code == 404
    with service.database.read() as session:
        for table in (tables.Candidate, tables.Search, tables.CurvePoint, tables.Event):
            assert session.query(table).count() == 0
        names = [artifact.filename for artifact in session.query(tables.Artifact)]
    assert sorted(names) == ["dataset", "model"], "the copy of the device's document went with the job"
    json.dumps(names)
