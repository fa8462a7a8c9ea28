"""A whole job over a network that breaks most connections, in either direction: nothing lost, nothing doubled."""

from __future__ import annotations

import hashlib
import io
import random
import threading

import httpx2
import numpy as np
import pytest
from sqlalchemy import func, select

from paretrim import Client, wire
from service import tables
from tests.paretrim.conftest import Live, digits
from tests.paretrim.flaky_proxy import Fault, FlakyProxy
from tests.paretrim.test_jobs import NETWORK, finish
from tests.paretrim.worker import Worker

pytestmark = pytest.mark.usefixtures("hasty")


def breaks(seed: int, count: int) -> list[Fault]:
    """So many connections break, after a hundred to ten thousand bytes, on the way there or on the way back."""
    chance = random.Random(seed)
    faults = []
    for _ in range(count):
        after = int(10 ** chance.uniform(2.0, 4.0))
        faults.append(Fault(request_bytes=after) if chance.random() < 0.5 else Fault(answer_bytes=after))
    return faults


@pytest.mark.parametrize("seed", range(4))
def test_a_job_comes_through_whole_and_once(live: Live, model: wire.Model, device: str, seed: int) -> None:
    buffer = io.BytesIO()
    x, y = digits(120, 1000 + seed)
    np.savez(buffer, train_x=x, train_y=y)
    content = buffer.getvalue()
    with (
        FlakyProxy(live.url, breaks(seed, 60)) as proxy,
        httpx2.Client(limits=httpx2.Limits(max_keepalive_connections=0)) as http,
        Client(proxy.url, api_key=live.key, max_retries=30, http_client=http) as client,
    ):
        dataset = client.datasets.upload(content, name=f"flaky-{seed}")
        job = client.jobs.create(
            model=model, dataset=dataset, device=device, algorithms="random", budget=3, name=f"flaky-{seed}"
        )
        working = threading.Timer(0.2, finish, [Worker(live.service, job.id)])
        working.start()
        proxy.add(*breaks(seed + 100, 10))
        assert job.wait(timeout_seconds=60).state == "succeeded"
        working.join()
        proxy.add(*breaks(seed + 200, 10))
        proxy.cut_all()
        assert job.front().best("accuracy").download("x.onnx").read_bytes() == NETWORK
        assert [event.seq for event in job.events()] == list(range(1, 1 + sum(1 for _ in job.events())))
        assert proxy.broken >= 8, "the network was hardly flaky"
    with live.service.database.read() as session:
        sha256 = hashlib.sha256(content).hexdigest()
        for table in (tables.Upload, tables.Dataset):
            assert session.scalar(select(func.count()).where(table.sha256 == sha256)) == 1
        assert session.scalar(select(func.count()).where(tables.Job.name == f"flaky-{seed}")) == 1
