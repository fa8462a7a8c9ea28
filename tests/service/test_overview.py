"""What a job's policies look like from afar, what a job could reach, who works on what, and a device's steps."""

from __future__ import annotations

import json

import numpy as np
import pytest
from starlette.testclient import TestClient

from paretrim.network import Network
from paretrim.problem import Constraint, Measurement
from service import generations, heat, outlook, sensitivity, tables
from service.context import Service
from tests.browser import rows
from tests.service import worlds


def filled(service: Service, workspace: str = "first", *, windows: int = 3) -> rows.Shown:
    """A job of a workspace with some candidates."""
    with service.database.write() as session:
        workspace_id = worlds.accounts.make_workspace(session, workspace)
        made = rows.world(session, workspace_id, name="a model", network=rows.network())
    shown = rows.job(service, made, "a job", candidates=60)
    for _ in range(windows):
        shown.filled.add(8, fail_every=20)
    return shown


def test_the_map_is_the_mean_of_what_was_proposed(client: TestClient, service: Service) -> None:
    shown = filled(service)
    answer = client.get(f"/jobs/{shown.id}/map").json()
    assert answer["spans"] == [[0, 7], [8, 15], [16, 23]]
    candidates = client.get(f"/jobs/{shown.id}/candidates", params={"search": answer["search"], "limit": 200}).json()
    kept = [c["policy"]["keep"].get("g1", 1.0) for c in candidates["data"] if 8 <= c["index"] <= 15]
    assert answer["values"][answer["rows"].index("g1")][1] == pytest.approx(np.mean(kept), abs=1e-4)
    members = client.get(f"/jobs/{shown.id}/front").json()["members"]
    front = np.mean([member["policy"]["keep"].get("g1", 1.0) for member in members])
    assert answer["front"][answer["rows"].index("g1")] == pytest.approx(front, abs=1e-4)


def test_the_map_of_bits_has_a_row_for_each_layer(client: TestClient, service: Service) -> None:
    shown = filled(service)
    answer = client.get(f"/jobs/{shown.id}/map", params={"what": "weight_bits", "columns": 1}).json()
    assert answer["rows"] == [layer.name for layer in rows.network().layers]
    assert len(answer["spans"]) == 1
    assert all(2 <= row[0] <= 32 for row in answer["values"])
    assert client.get(f"/jobs/{shown.id}/map", params={"search": "srch_none"}).status_code == 404


def test_masks_count_as_shares_and_what_is_not_named_is_whole() -> None:
    network = rows.network()
    read = heat.reader(network, "keep")
    assert read({"keep": {"g0": [0, 1, 2, 3], "g1": 0.5}, "bits": {}}) == [0.25, 0.5, 1.0, 1.0, 1.0, 1.0]
    assert heat.reader(network, "activation_bits")({"bits": {"stem": [4, 8]}})[:2] == [8.0, 32.0]


def test_runs_without_a_figure_are_left_out() -> None:
    found = np.array([[0, 1.0], [1, 3.0], [9, 5.0]])
    spans, figures = generations.runs(found, 4)
    assert spans == [(0, 3), (8, 9)]
    assert [run.tolist() for run in figures] == [[1.0, 3.0], [5.0]]


def test_generations_tell_mean_and_spread(client: TestClient, service: Service) -> None:
    shown = filled(service)
    answer = client.get(f"/jobs/{shown.id}/generations", params={"metric": "macs"}).json()
    assert [search["algorithm"] for search in answer["searches"]] == ["amc", "nsga2", "random"]
    for search in answer["searches"]:
        assert len(search["mean"]) == 3
        spread = zip(search["low"], search["mean"], search["high"], strict=True)
        assert all(low <= mean <= high for low, mean, high in spread)


def test_gauges_tell_what_each_algorithm_says_of_itself(client: TestClient, service: Service) -> None:
    shown = filled(service)
    searches = client.get(f"/jobs/{shown.id}/gauges").json()["searches"]
    assert [(search["algorithm"], [gauge["name"] for gauge in search["gauges"]]) for search in searches] == [
        ("amc", ["reward", "noise"]),
        ("nsga2", ["generation"]),
        ("random", []),
    ]
    generation = searches[1]["gauges"][0]
    assert (generation["told"], generation["values"]) == ([8, 16, 24], [1.0, 2.0, 3.0])
    few = client.get(f"/jobs/{shown.id}/gauges", params={"max_points": 2}).json()["searches"]
    assert few[1]["gauges"][0]["told"] == [8, 24]


def test_sensitivity_is_told_for_every_group_that_varied(client: TestClient, service: Service) -> None:
    shown = filled(service, windows=5)
    answer = client.get(f"/jobs/{shown.id}/sensitivity").json()
    assert answer["candidates"] == 1 + 3 * 38, "two of forty failed in each search, and the original counts"
    assert [entry["name"] for entry in answer["channels"]] == [f"g{place}" for place in range(6)]
    assert answer["channels"][1]["layers"] == ["body.1"]
    assert answer["explained"] > 0.2


def test_sensitivity_of_few_candidates_says_so(client: TestClient, service: Service) -> None:
    answer = client.get(f"/jobs/{filled(service, windows=0).id}/sensitivity").json()
    assert answer == {"candidates": 1, "explained": None, "channels": [], "bits": []}


def test_a_ridge_finds_what_made_the_values() -> None:
    rng = np.random.default_rng(0)
    features = rng.random((200, 4))
    values = 0.9 - 0.3 * features[:, 0] - 0.05 * features[:, 2] + rng.normal(0, 0.01, 200)
    slopes, errors, explained = sensitivity.ridge(features, values)
    assert slopes == pytest.approx([-0.3, 0.0, -0.05, 0.0], abs=0.012)
    assert max(errors) < 0.01
    assert explained > 0.95
    assert sensitivity.ridge(features, rng.normal(0, 1, 200))[2] < 0.1, "chance explains nothing"


def test_a_check_tells_what_can_be_reached(client: TestClient, service: Service) -> None:
    model, _ = worlds.ready_files(service)
    constraints = ["latency_ratio <= 0.0001", "macs_ratio <= 0.5", "size_ratio <= 1", "accuracy >= 0.9"]
    answer = client.post("/jobs/check", json={"model": model, "device": "bit-serial", "constraints": constraints})
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert [c["verdict"] for c in body["constraints"]] == ["out of reach", "met", "no limit", "unknown"]
    assert 0.0001 < body["constraints"][0]["reachable"] < 1
    assert body["smallest"]["latency_ms"] < body["original"]["latency_ms"]
    assert sum(part["share"] for part in body["parts"]) == pytest.approx(1.0)
    shares = [part["share"] for part in body["parts"] if part["name"] != "all others"]
    assert shares == sorted(shares, reverse=True)


def test_a_check_and_a_submission_agree(client: TestClient, service: Service) -> None:
    files = worlds.ready_files(service)
    for bound in (0.0001, 0.5):
        body = worlds.job_body(files, constraints=[f"latency_ratio <= {bound}"])
        checked = client.post("/jobs/check", json={k: body[k] for k in ("model", "device", "constraints")}).json()
        accepted = client.post("/jobs", json=body).status_code == 201
        assert accepted == (checked["constraints"][0]["verdict"] == "met")


def test_a_check_refuses_what_it_cannot_read(client: TestClient, service: Service) -> None:
    model, _ = worlds.ready_files(service)
    for changes, status in (({"constraints": ["fast"]}, 422), ({"model": "mdl_x"}, 404), ({"device": "x"}, 404)):
        body = {"model": model, "device": "bit-serial"} | changes
        answer = client.post("/jobs/check", json=body)
        assert answer.status_code == status


def test_accuracy_is_nobodys_to_foretell() -> None:
    judged = outlook.judged(Constraint.parse("accuracy_drop <= 0.01"), {}, Measurement(accuracy=0.9))
    assert judged.verdict == "unknown"


def test_the_queue_shows_ones_own_jobs_only(client: TestClient, other: TestClient, service: Service) -> None:
    shown = filled(service)
    with service.database.write() as session:
        workspace_id = worlds.accounts.make_workspace(session, "first")
        made = rows.world(session, workspace_id, name="a model", network=rows.network())
        waiting = rows.queued_job(session, service, made, name="waits", candidates=5).id
    queue = client.get("/queue").json()
    assert [(job["id"], job["worker"]) for job in queue["held"]] == [(shown.id, "a-test")]
    assert 0 < queue["held"][0]["lease_seconds"] <= 3600
    assert [job["id"] for job in queue["waiting"]] == [waiting]
    assert other.get("/queue").json() == {"held": [], "waiting": []}


def test_another_workspace_sees_none_of_it(client: TestClient, other: TestClient, service: Service) -> None:
    shown = filled(service)
    for path in ("map", "generations", "gauges", "sensitivity"):
        assert client.get(f"/jobs/{shown.id}/{path}").status_code == 200
        assert other.get(f"/jobs/{shown.id}/{path}").status_code == 404
    body = {"model": shown.filled.world.model_id, "device": "bit-serial"}
    assert client.post("/jobs/check", json=body).status_code == 200
    assert other.post("/jobs/check", json=body).status_code == 404


@pytest.mark.parametrize("device", ["bit-serial", "mcu-m4"])
def test_a_sweep_shows_the_steps_the_document_names(client: TestClient, device: str) -> None:
    shapes = client.get(f"/devices/{device}/shapes").json()["data"]
    step = client.get(f"/devices/{device}/content").json()["steps"]["conv2d"]
    query = {"op": json.dumps(shapes[0]["op"]), "channels": 4 * step}
    series = client.get(f"/devices/{device}/sweep", params=query).json()["series"][0]
    assert series["channels"] == list(range(1, 4 * step + 1))
    times = series["latency_ms"]
    assert times == sorted(times)
    assert times[-1] > times[0]


def test_a_sweep_refuses_an_operation_the_device_does_not_have(client: TestClient) -> None:
    for op in ("{}", "no json", '{"kind": "conv2d", "in_channels": 0, "out_channels": 1}', '{"nothing": 1}'):
        answer = client.get("/devices/bit-serial/sweep", params={"op": op})
        assert answer.status_code == 422, op


def test_a_models_network_can_be_read_from_its_inspection(service: Service) -> None:
    model, _ = worlds.ready_files(service)
    with service.database.read() as session:
        inspection = session.get_one(tables.Model, model).inspection or {}
    assert heat.rows(Network.from_json(inspection["network"]), "keep") == ["a", "b"]
