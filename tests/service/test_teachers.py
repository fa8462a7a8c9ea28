"""Models that teach in a job's fine-tuning: of the workspace, of the same shape, and there as long as the job is."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from search.plan import ModelFile
from service.context import Service
from service.tables import Model
from service.worker import _load
from tests.service import worlds


@pytest.fixture
def files(service: Service) -> tuple[str, str]:
    return worlds.ready_files(service)


def teacher(service: Service, workspace: str = "first", **changes: Any) -> str:
    """A model that has been inspected."""
    name, _ = worlds.ready_files(service, workspace)
    with service.database.write() as session:
        row = session.get_one(Model, name)
        row.inspection = worlds.model_inspection() | changes
    return name


def refused(client: TestClient, files: tuple[str, str], name: str) -> str:
    response = client.post("/jobs", json=worlds.job_body(files, recovery={"teachers": [name]}))
    problem = response.json()
    assert (response.status_code, problem["errors"][0]["pointer"]) == (422, "recovery.teachers"), response.text
    return str(problem["detail"])


def test_a_model_that_cannot_teach_is_refused_with_the_reason(
    client: TestClient, service: Service, files: tuple[str, str]
) -> None:
    assert "upload it first" in refused(client, files, "mdl_none")
    assert "upload it first" in refused(client, files, teacher(service, "second"))
    assert "outputs of shape (7,), the job's model of shape (10,)" in refused(
        client, files, teacher(service, output_shape=[7])
    )
    assert "inputs of shape (3, 8, 8)" in refused(client, files, teacher(service, input_shape=[3, 8, 8]))
    waiting = teacher(service)
    with service.database.write() as session:
        session.get_one(Model, waiting).state = "inspecting"
    assert "still being inspected" in refused(client, files, waiting)


def test_the_worker_gets_the_teachers_in_their_order(
    client: TestClient, service: Service, files: tuple[str, str]
) -> None:
    named = [teacher(service), teacher(service)]
    job = worlds.create_job(client, files, recovery={"teachers": named})
    assert job["request"]["recovery"] == {"teachers": named}
    plan, inputs = _load(service.database, service.artifacts, job["id"])
    with service.database.read() as session:
        contents = [service.artifacts.read(session.get_one(Model, name).sha256) for name in named]
    assert inputs.teachers == tuple(ModelFile(content) for content in contents)
    assert plan.recovery.teachers == tuple(named)


def test_a_teacher_stays_as_long_as_there_are_jobs_that_name_it(
    client: TestClient, service: Service, files: tuple[str, str]
) -> None:
    name, unused = teacher(service), teacher(service)
    job = worlds.create_job(client, files, recovery={"teachers": [name]})
    response = client.delete(f"/models/{name}")
    assert (response.status_code, response.json()["type"].rsplit("/", 1)[-1]) == (409, "model-in-use"), response.text
    assert client.delete(f"/models/{unused}").status_code == 204
    client.post(f"/jobs/{job['id']}/cancel")
    assert client.delete(f"/jobs/{job['id']}").status_code == 204
    assert client.delete(f"/models/{name}").status_code == 204
