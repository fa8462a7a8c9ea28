"""A real service on a loopback port, with its own SQLite database and artifacts, for the whole session."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import structlog
import torch
import uvicorn

from paretrim import Client, Job, NotFound, _events, _flow, _watch, wire
from service import accounts, schema
from service.app import create_app
from service.context import Service
from service.inspections import inspect_next
from service.settings import Settings
from tests.paretrim.scripted_server import ScriptedServer
from tests.paretrim.worker import Worker

PART_BYTES = 4096


@dataclass(frozen=True)
class Live:
    """A running service and the key of its first workspace."""

    url: str
    key: str
    service: Service

    def client(self, **arguments: object) -> Client:
        return Client(self.url, api_key=self.key, **arguments)  # type: ignore[arg-type]


class SmallNet(torch.nn.Module):
    """(N, 1, 8, 8) -> (N, 10), with batch normalisation and a shortcut."""

    def __init__(self) -> None:
        super().__init__()
        self.first = torch.nn.Conv2d(1, 8, 3, padding=1, bias=False)
        self.norm = torch.nn.BatchNorm2d(8)
        self.second = torch.nn.Conv2d(8, 8, 3, padding=1, bias=False)
        self.second_norm = torch.nn.BatchNorm2d(8)
        self.classify = torch.nn.Linear(8, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = torch.relu(self.norm(self.first(x)))
        y = torch.relu(y + self.second_norm(self.second(y)))
        logits: torch.Tensor = self.classify(y.mean((2, 3)))
        return logits


def small_net(seed: int = 0) -> SmallNet:
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    return SmallNet()


def digits(samples: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Images (samples, 1, 8, 8) of noise, labels 0..9 in turn."""
    chance = np.random.default_rng(seed)
    return chance.random((samples, 1, 8, 8), dtype=np.float32), np.arange(samples) % 10


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """The service's threads say nothing between the dots; tests of other folders hear them again."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    settings = Settings(
        data_dir=tmp_path_factory.mktemp("live"), part_size_bytes=PART_BYTES, poll_seconds=0.05, requests_per_minute=0
    )
    schema.upgrade(settings.database_url)
    app = create_app(settings)
    service: Service = app.state.service
    with service.database.write() as session:
        workspace = accounts.make_workspace(session, "default")
        _, secret = accounts.make_key(session, workspace, "test", ("read", "write", "admin"))
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="critical", lifespan="on"))
    serving = threading.Thread(target=server.run)
    serving.start()
    while not server.started:
        time.sleep(0.01)
    ending = threading.Event()
    inspecting = threading.Thread(target=_inspect, args=(settings, service, ending))
    inspecting.start()
    port = server.servers[0].sockets[0].getsockname()[1]
    yield Live(f"http://127.0.0.1:{port}", secret, service)
    ending.set()
    inspecting.join()
    server.should_exit = True
    serving.join()


def _inspect(settings: Settings, service: Service, ending: threading.Event) -> None:
    """What a dispatcher does between jobs."""
    while not ending.is_set():
        if not inspect_next(settings, service.database, service.artifacts, "inspector"):
            ending.wait(0.05)


@pytest.fixture(scope="session")
def client(live: Live) -> Iterator[Client]:
    with live.client() as client:
        yield client


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test talks to a server that happens to run here."""
    for name in ("PARETRIM_URL", "PARETRIM_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Back-offs and polls are short; how long they really are is tested as such."""
    monkeypatch.setattr(_flow, "FIRST_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(_events, "POLL_SECONDS", 0.02)
    monkeypatch.setattr(_watch, "REFRESH_SECONDS", 0.02)


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as server:
        yield server


@pytest.fixture(scope="session")
def model(client: Client) -> wire.Model:
    """A network that the service has inspected."""
    return client.models.upload(small_net(), example_input=torch.zeros(2, 1, 8, 8), name="small")


@pytest.fixture(scope="session")
def dataset(client: Client) -> wire.Dataset:
    """A dataset that the service has inspected."""
    return client.datasets.upload(train=digits(200), validation=digits(50, 1), test=digits(50, 2), name="noise")


@pytest.fixture(scope="session")
def device(client: Client) -> str:
    """The name of a device that ships with the service."""
    return client.devices.list(limit=1).all()[0].name


@pytest.fixture
def job(client: Client, model: wire.Model, dataset: wire.Dataset, device: str) -> Iterator[Job]:
    """A job that waits for a worker."""
    job = client.jobs.create(
        model=model,
        dataset=dataset,
        device=device,
        algorithms=["nsga2"],
        objectives=["accuracy", "latency_ms"],
        budget={"candidates": 4},
    )
    yield job
    with suppress(NotFound):
        if job.reload().state == "queued":
            job.cancel()  # or the next worker would find it


@pytest.fixture
def worker(live: Live, job: Job) -> Worker:
    """Whoever works on `job`."""
    return Worker(live.service, job.id)
