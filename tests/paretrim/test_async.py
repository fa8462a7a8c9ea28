"""The two clients are alike, and the asynchronous one does what the other does."""

from __future__ import annotations

import asyncio
import inspect
import re
import threading
import time
from typing import Any

import pytest

from paretrim import AsyncClient, WaitTimeout, async_client, async_jobs, client, jobs, wire
from paretrim._pages import AsyncPages, Pages
from tests.paretrim.conftest import Live, digits
from tests.paretrim.flaky_proxy import LOST_ANSWER, FlakyProxy
from tests.paretrim.test_jobs import NETWORK, finish
from tests.paretrim.worker import Worker

pytestmark = pytest.mark.usefixtures("hasty")

TWINS = [
    (getattr(module, name), getattr(twin, f"Async{name}"))
    for module, twin, names in (
        (
            client,
            async_client,
            ("Client", "Models", "Datasets", "Uploads", "Devices", "Algorithms", "Keys", "Webhooks", "Audit"),
        ),
        (jobs, async_jobs, ("Jobs", "Job", "JobCandidate")),
    )
    for name in names
]
#: methods that differ by name in the two worlds
RENAMED = {"__enter__": "__aenter__", "__exit__": "__aexit__"}


def public(kind: type) -> dict[str, Any]:
    """Methods and properties, by the synchronous name."""
    back = {name: plain for plain, name in RENAMED.items()}
    found = dict(inspect.getmembers(kind, lambda m: inspect.isfunction(m) or isinstance(m, property)))
    return {back.get(n, n): m for n, m in found.items() if not n.startswith("_") or n in (*RENAMED, *back, "__init__")}


def written(signature: inspect.Signature) -> str:
    """A signature in the synchronous client's words."""
    text = re.sub(r"\bAsync(?=[A-Z])", "", str(signature))
    return text.replace("AsyncIterator", "Iterator").replace("httpx2.AsyncClient", "httpx2.Client")


@pytest.mark.parametrize(("plain", "twin"), TWINS, ids=lambda kind: kind.__name__)
def test_both_clients_have_the_same_methods_with_the_same_arguments(plain: type, twin: type) -> None:
    ours, theirs = public(plain), public(twin)
    assert sorted(ours) == sorted(theirs)
    for name, method in ours.items():
        if isinstance(method, property):
            assert isinstance(theirs[name], property)
            continue
        assert written(inspect.signature(theirs[name])) == written(inspect.signature(method)), name
        if name not in ("__init__", "__enter__", "__exit__"):
            assert (method.__doc__ or "").split() == (theirs[name].__doc__ or "").split(), name


@pytest.mark.parametrize("twin", [twin for _, twin in TWINS], ids=lambda kind: kind.__name__)
def test_what_talks_to_the_server_is_awaited(twin: type) -> None:
    """All but what hands out pages or events, which are iterated over with `async for`."""
    for name, method in public(twin).items():
        if (
            isinstance(method, property)
            or name == "__init__"
            or method.__qualname__.startswith(("JobFields", "Result"))
        ):
            continue
        returned = str(inspect.signature(method).return_annotation)
        lazily = returned.startswith(("AsyncPages", "AsyncIterator"))
        assert inspect.iscoroutinefunction(method) != lazily, name


def test_pages_are_alike() -> None:
    assert inspect.signature(Pages.all).parameters.keys() == inspect.signature(AsyncPages.all).parameters.keys()


def test_a_job_from_upload_to_download(live: Live, model: wire.Model, device: str) -> None:
    async def main() -> None:
        async with AsyncClient(live.url, api_key=live.key) as client:
            said: list[tuple[int, int]] = []
            dataset = await client.datasets.upload(train=digits(80, seed=77), progress=lambda *at: said.append(at))
            assert said[-1][0] == said[-1][1]
            job = await client.jobs.create(
                model=model, dataset=dataset, device=device, algorithms="random", budget={"candidates": 2}
            )
            worker = Worker(live.service, job.id)
            playing = threading.Timer(0.3, finish, [worker])
            playing.start()
            first = [event.type async for event in _first(job, 2)]
            assert first == ["state", "state"]
            await job.wait(timeout_seconds=20)
            playing.join()
            assert job.state == "succeeded"
            front = await job.front()
            where = await front.best("accuracy", latency_ms=1.5).download("small.onnx")
            assert where.read_bytes() == NETWORK
            assert [c.n async for c in job.candidates(on_front=True)] == [1, 2, 3]
            assert job.id in [j.id for j in await client.jobs.list(limit=5).all()]
            assert len(await job.searches()) == 2

    asyncio.run(main())


async def _first(job: Any, count: int) -> Any:
    events = job.events()
    for _ in range(count):
        yield await anext(events)
    await events.aclose()


def test_a_create_whose_answer_is_lost_happens_once(live: Live) -> None:
    async def main() -> None:
        with FlakyProxy(live.url, [LOST_ANSWER, LOST_ANSWER]) as proxy:
            async with AsyncClient(proxy.url, api_key=live.key) as client:
                key = await client.keys.create("async-once")
                assert key.secret is not None
                mine = [k for k in await client.keys.list().all() if k.name == "async-once"]
                assert [k.id for k in mine] == [key.id]
                await client.keys.revoke(key)

    asyncio.run(main())


def test_other_coroutines_run_while_one_waits(live: Live, worker: Worker) -> None:
    async def main() -> int:
        async with AsyncClient(live.url, api_key=live.key) as client:
            job = await client.jobs.get(worker.job_id)
            turns = 0

            async def count() -> None:
                nonlocal turns
                while True:
                    turns += 1
                    await asyncio.sleep(0.01)

            counting = asyncio.create_task(count())
            with pytest.raises(WaitTimeout):
                await job.wait(timeout_seconds=0.5)
            counting.cancel()
            return turns

    assert asyncio.run(main()) > 10
    worker.succeed()


def test_waiting_can_be_cancelled_and_lets_go_of_the_stream(live: Live, worker: Worker) -> None:
    async def main() -> None:
        async with AsyncClient(live.url, api_key=live.key) as client:
            job = await client.jobs.get(worker.job_id)
            waiting = asyncio.create_task(job.wait())
            await asyncio.sleep(0.4)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting

    asyncio.run(main())
    worker.succeed()
    streams = live.service.limits._streams
    deadline = time.monotonic() + 5
    while sum(streams.values()) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert sum(streams.values()) == 0
