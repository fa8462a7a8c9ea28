"""PostgreSQL, migration, API, dispatcher and three Ray nodes, built from docker-compose.yml's own commands."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from demo import digits
from paretrim import Client
from tests.end_to_end.deployment import Deployment, answers, free_port

pytestmark = [pytest.mark.ray, pytest.mark.postgres, pytest.mark.timeout(420)]


@pytest.fixture(scope="module")
def postgres_url() -> Iterator[str]:
    """A PostgreSQL server of this test's own, as its own user where the tests run as root."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not programs:
        if os.environ.get("CI"):
            pytest.fail("PostgreSQL's programs are absent; install the package `postgresql`")
        pytest.skip("PostgreSQL's programs are absent")
    bin_folder = programs[-1].parent
    folder = Path(tempfile.mkdtemp(prefix="pt-pg-"))  # directly below /tmp: its owner must be able to reach it
    as_user = _as_own_user(folder)
    data, port = folder / "data", free_port()
    run = {"check": True, "capture_output": True, "cwd": "/"}
    subprocess.run([*as_user, bin_folder / "initdb", "-D", data, "-U", "paretrim", "-A", "trust"], **run)  # type: ignore[call-overload]
    options = f"-p {port} -c listen_addresses=127.0.0.1 -k {folder}"
    control = [*as_user, bin_folder / "pg_ctl", "-D", data, "-w"]
    subprocess.run([*control, "-o", options, "-l", folder / "log", "start"], check=True, cwd="/", timeout=60)
    yield f"postgresql+psycopg://paretrim@127.0.0.1:{port}/postgres"
    stop = [*control, "-m", "immediate", "stop"]
    stopped = subprocess.run(stop, capture_output=True, text=True, check=False, cwd="/")
    log = (folder / "log").read_text()[-2000:]
    shutil.rmtree(folder, ignore_errors=True)
    assert stopped.returncode == 0, f"{stopped.stderr}\n{log}"


def _as_own_user(folder: Path) -> list[str]:
    if os.geteuid() != 0:
        return []
    shutil.chown(folder, "postgres", "postgres")
    return ["runuser", "-u", "postgres", "--"]


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory, postgres_url: str) -> Iterator[Deployment]:
    """All services of the file but PostgreSQL's container, started in the order the file asks for."""
    folder = Path(f"/tmp/ptd{os.getpid()}")  # Ray's sockets lie below it, and their paths must be short
    folder.mkdir()
    deployed = Deployment(folder, database_url=postgres_url, data=tmp_path_factory.mktemp("data"))
    try:
        deployed.run("migrate")
        deployed.start("ray-head")
        deployed.wait_until(lambda: deployed.healthy("ray-head"), "a healthy Ray head")
        # one after the other: nodes of one machine share a folder, and two that start at once take the same socket
        deployed.start("ray-worker")
        deployed.wait_until(lambda: deployed.joined("ray-worker"), "a second Ray node")
        deployed.start("api")
        deployed.wait_until(lambda: answers(f"{deployed.url}/readyz"), "a ready API")
        deployed.start("dispatcher")
        deployed.wait_until(lambda: deployed.joined("dispatcher"), "a third Ray node")
        yield deployed
    finally:
        deployed.stop()
        sys.stderr.write(deployed.logs())  # pytest shows it if a test failed
        shutil.rmtree(folder, ignore_errors=True)


def test_a_job_runs_on_the_cluster_and_leaves_its_records_in_postgresql(deployment: Deployment, tmp_path: Path) -> None:
    key = re.search(r"paretrim_\w+_[\w-]{20,}", deployment.log("api").read_text())
    assert key is not None, "the API printed no first key"
    client = Client(deployment.url, api_key=key.group())
    net, dataset = digits.write(tmp_path, epochs=2)
    import torch

    job = client.jobs.create(
        model=client.models.upload(net, example_input=torch.zeros(1, 1, 8, 8)),
        dataset=client.datasets.upload(dataset),
        device="bit-serial",
        algorithms=["nsga2"],
        objectives=["accuracy", "macs"],
        constraints=["macs_ratio <= 0.6"],
        budget={"candidates": 8},
        window=4,
        finetune_epochs=1,
        deliver=1,
    )
    job.wait(timeout_seconds=240)
    members = list(job.front())
    assert members
    assert any(member.delivery is not None for member in members)
    assert {search.algorithm for search in job.searches()} == {"nsga2", "random", "uniform"}


def test_evaluations_ran_on_the_cluster_not_in_the_dispatcher(deployment: Deployment) -> None:
    """The dispatcher's own node offers no CPU, so actors can only have lived on the worker's node."""
    command = deployment.command("dispatcher")
    assert "--num-cpus=0" in command[-1]
    sessions = list((deployment.ray_folder / "session_latest" / "logs").glob("worker-*.out"))
    assert sessions, "no Ray worker process ever started"
