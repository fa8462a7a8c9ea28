"""What is wrong with a job is said before it is queued: which field, and what to do."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from hw_models.devices import shipped
from service.context import Service
from service.tables import Model
from tests.service import worlds


@pytest.fixture
def files(service: Service) -> tuple[str, str]:
    return worlds.ready_files(service)


def refusal(client: TestClient, files: tuple[str, str], **changes: Any) -> dict[str, Any]:
    """The problem a changed request is answered with; nothing is queued."""
    response = client.post("/jobs", json=worlds.job_body(files, **changes))
    assert response.headers["content-type"] == "application/problem+json", response.text
    assert client.get("/jobs").json()["data"] == []
    problem: dict[str, Any] = response.json()
    assert problem["status"] == response.status_code
    assert problem["request_id"] == response.headers["x-request-id"]
    return problem


WRONG: tuple[tuple[dict[str, Any], str, str], ...] = (
    ({"model": "mdl_none"}, "model", "upload it first"),
    ({"dataset": "dst_none"}, "dataset", "upload it first"),
    ({"device": "toaster"}, "device", "bit-serial"),
    ({"device": "host-cpu"}, "device", "paretrim profile"),
    ({"algorithms": ["magic"]}, "algorithms", "nsga2"),
    (
        {"algorithms": [{"name": "nsga2", "options": {"populaton": 5}}]},
        "algorithms.nsga2.options.populaton",
        "popul",
    ),
    ({"algorithms": [{"name": "nsga2", "options": {"population": 1}}]}, "algorithms.nsga2.options.population", "2"),
    ({"algorithms": []}, "algorithms", "at least 1"),
    ({"objectives": ["speed"]}, "objectives", "latency_ms"),
    ({"objectives": ["accuracy", "accuracy"]}, "objectives", "twice"),
    ({"constraints": ["latency_ratio < 1"]}, "constraints", "latency_ratio <= 0.5"),
    ({"constraints": ["size <= 1"]}, "constraints", "size_ratio"),
    ({"constraints": ["accuracy <= 1"]}, "constraints", ">="),
    ({"constraints": ["macs_ratio <= 0.0001"]}, "constraints", "least that can be reached"),
    ({"budget": {"candidates": 0}}, "budget.candidates", "greater than or equal to 1"),
    ({"budget": {}}, "budget.candidates", "required"),
    ({"metric": "f1"}, "metric", "top1"),
    ({"metric": "mse"}, "metric", "class numbers"),
    ({"metric": "auc"}, "metric", "0 and 1"),
    ({"seed": -1}, "seed", "greater than or equal to 0"),
    ({"budgett": 1}, "budgett", "not permitted"),
)


def test_a_wrong_field_is_named_with_the_remedy(client: TestClient, files: tuple[str, str]) -> None:
    for changes, pointer, words in WRONG:
        problem = refusal(client, files, **changes)
        assert problem["status"] == 422
        assert problem["errors"][0]["pointer"] == pointer
        assert words in problem["errors"][0]["message"]
        assert words in problem["detail"]


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ({"splits": {"train": {"samples": 9, "shape": [3, 32, 32], "dtype": "float32"}}}, "(1, 8, 8)"),
        ({"label_max": 10, "classes": 11}, "classes 0 to 9"),
        ({"label_min": -1}, "renumber"),
    ],
)
def test_a_dataset_that_does_not_fit_the_model_is_refused(
    client: TestClient, service: Service, found: dict[str, Any], words: str
) -> None:
    problem = refusal(client, worlds.ready_files(service, **found))
    assert (problem["status"], problem["errors"][0]["pointer"]) == (422, "dataset")
    assert words in problem["detail"]


def test_float_targets_need_another_metric(client: TestClient, service: Service) -> None:
    files = worlds.ready_files(service, classes=None, label_min=None, label_max=None)
    assert refusal(client, files)["errors"][0]["pointer"] == "metric"
    assert client.post("/jobs", json=worlds.job_body(files, metric="mse")).status_code == 201


def test_labels_that_are_not_there_cannot_be_learnt_from(client: TestClient, service: Service) -> None:
    files = worlds.ready_files(service, unlabelled=True)
    problem = refusal(client, files)
    assert problem["errors"][0]["pointer"] == "data"
    assert "declare data: unlabeled" in problem["detail"]
    for accepted in ({"data": "unlabeled"}, {"data": "none"}, {"finetune_epochs": 0}):
        assert client.post("/jobs", json=worlds.job_body(files, **accepted)).status_code == 201


def test_top_five_of_few_classes_is_no_metric(client: TestClient, service: Service, files: tuple[str, str]) -> None:
    assert client.post("/jobs", json=worlds.job_body(files, metric="top5")).status_code == 201
    few = worlds.ready_files(service, label_max=3, classes=4)
    with service.database.write() as session:
        row = session.get_one(Model, few[0])
        row.inspection = worlds.model_inspection() | {"classes": 4, "output_shape": [4]}
    response = client.post("/jobs", json=worlds.job_body(few, metric="top5"))
    assert response.status_code == 422
    assert "choose metric 'top1'" in response.json()["detail"]


@pytest.mark.parametrize(("state", "status"), [("inspecting", 409), ("rejected", 422)])
def test_a_model_that_is_not_ready_is_not_used(
    client: TestClient, service: Service, files: tuple[str, str], state: str, status: int
) -> None:
    with service.database.write() as session:
        row = session.get_one(Model, files[0])
        row.state, row.reason = state, "it is no network"
    assert refusal(client, files)["status"] == status


def test_the_files_of_another_workspace_are_as_if_they_were_not(
    client: TestClient, files: tuple[str, str], service: Service
) -> None:
    theirs = worlds.ready_files(service, "second")
    assert refusal(client, (theirs[0], files[1]))["errors"][0]["pointer"] == "model"
    assert refusal(client, (files[0], theirs[1]))["errors"][0]["pointer"] == "dataset"


def test_a_device_without_a_figure_for_the_model_is_refused(client: TestClient, files: tuple[str, str]) -> None:
    table = {"format": "paretrim-device", "version": 1, "name": "bare", "kind": "table", "kernels": [[32, 32]]}
    response = client.put("/devices/bare", json=table | {"rows": []})
    assert response.status_code == 200, response.text
    problem = refusal(client, files, device="bare")
    assert (problem["status"], problem["errors"][0]["pointer"]) == (422, "device")
    assert "no figure" in problem["detail"]


def test_a_workspace_has_only_so_many_jobs_that_have_not_ended(database_url: str, tmp_path: Any) -> None:
    from service.app import create_app

    app = create_app(worlds.settings(database_url, tmp_path / "few", max_active_jobs=2))
    service: Service = app.state.service
    client = worlds.client_of(app, service, "first")
    files = worlds.ready_files(service)
    statuses = [client.post("/jobs", json=worlds.job_body(files)).status_code for _ in range(3)]
    assert statuses == [201, 201, 429]
    service.database.close()


def test_the_device_of_a_job_stays_what_it_was(client: TestClient, files: tuple[str, str]) -> None:
    document = client.get("/devices/bit-serial/content").json() | {"name": "mine"}
    assert client.put("/devices/mine", json=document).status_code == 200
    job = worlds.create_job(client, files, device="mine")
    assert client.delete("/devices/mine").status_code == 204
    assert client.get(f"/jobs/{job['id']}").json()["request"]["device"] == "mine"
    assert refusal_after_delete(client, files)["errors"][0]["pointer"] == "device"


def refusal_after_delete(client: TestClient, files: tuple[str, str]) -> dict[str, Any]:
    response = client.post("/jobs", json=worlds.job_body(files, device="mine"))
    assert response.status_code == 422
    problem: dict[str, Any] = response.json()
    return problem


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        ({"keep": {"nowhere": 0.5}}, "'nowhere'"),
        ({"bits": {"first": [3, 3]}}, None),
        ({"bits": {"first": [1, 8]}}, "layer 'first' cannot have 1/8 bits on bit-serial"),
    ],
)
def test_a_policy_of_the_users_own_that_cannot_be_is_refused(
    client: TestClient, service: Service, policy: dict[str, Any], words: str | None
) -> None:
    files = worlds.real_files(service)
    chosen = [{"name": "given", "options": {"policies": [{"keep": {"first": 0.5}}, policy]}}]
    if words is None:
        worlds.create_job(client, files, algorithms=chosen, constraints=[])
        return
    problem = refusal(client, files, algorithms=chosen, constraints=[])
    assert problem["errors"][0]["pointer"] == "algorithms.given.options.policies.1"
    assert words in problem["detail"]


def test_an_algorithm_named_twice_runs_again_with_the_next_seed(client: TestClient, files: tuple[str, str]) -> None:
    job = worlds.create_job(client, files, algorithms=["nsga2", "random", "nsga2"], seed=5)
    searches = client.get(f"/jobs/{job['id']}/searches").json()["data"]
    found = [(search["algorithm"], search["seed"], search["baseline"]) for search in searches]
    assert found == [("nsga2", 5, False), ("random", 5, False), ("nsga2", 6, False), ("uniform", 5, True)]


def test_a_clone_is_the_same_request_with_changes(client: TestClient, files: tuple[str, str]) -> None:
    job = worlds.create_job(client, files, tags=["a"], seed=3)
    clone = client.post(f"/jobs/{job['id']}/clone", json={"seed": 4})
    assert clone.status_code == 201
    assert clone.json()["request"] == job["request"] | {"seed": 4}
    assert clone.json()["cloned_from"] == job["id"]
    assert client.post(f"/jobs/{job['id']}/clone", json={"sed": 4}).json()["errors"][0]["pointer"] == "sed"


def test_objectives_are_chosen_for_the_device_if_asked_and_the_reason_is_kept(
    client: TestClient, files: tuple[str, str]
) -> None:
    for wanted in ("auto", ["auto"]):
        body = worlds.job_body(files, objectives=wanted, constraints=[], device="ethos-u55-128")
        response = client.post("/jobs", json=body)
        assert response.status_code == 201, response.text
        request = response.json()["request"]
        assert request["objectives"][0] == "accuracy"
        assert len(request["objectives"]) >= 2
        assert "binds" in request["advised"]


def test_auto_is_no_objective_among_others(client: TestClient, files: tuple[str, str]) -> None:
    assert refusal(client, files, objectives=["auto", "accuracy"])["errors"][0]["pointer"] == "objectives"


def test_the_memory_and_flash_of_a_device_are_constraints_of_its_jobs(
    client: TestClient, files: tuple[str, str]
) -> None:
    constraints = client.post("/jobs", json=worlds.job_body(files, device="mcu-m4")).json()["request"]["constraints"]
    assert "peak_memory_bytes <= 655360" in constraints
    assert "size_bytes <= 2097152" in constraints


def test_a_network_that_no_policy_fits_into_a_device_is_refused_with_the_least_it_needs(
    client: TestClient, files: tuple[str, str]
) -> None:
    document = shipped()["mcu-m4"]
    tiny = {**document, "name": "tiny", "parameters": {**document["parameters"], "sram_bytes": 16}}
    client.put("/devices/tiny", json=tiny).raise_for_status()
    assert "peak_memory_bytes" in refusal(client, files, device="tiny")["detail"]
