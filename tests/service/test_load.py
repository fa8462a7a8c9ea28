"""Many at once: submitters that send everything twice, streams that miss nothing, a large job in pages that stay small.

How fast that is, `benchmarks/load.py` tells; here it is only right.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx2
import pytest
import uvicorn
from fastapi import FastAPI
from sqlalchemy import insert

from service import jobs, tables
from service.app import create_app
from service.context import Service
from service.jobs import Fence
from service.settings import Settings
from tests.service import worlds

SUBMITTERS, EACH, STREAMS, EVENTS, CANDIDATES = 32, 2, 40, 60, 1500
MOST_BYTES = 300_000


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """As many jobs as are submitted."""
    return replace(settings, max_active_jobs=1000)


@pytest.fixture
def address(app: FastAPI) -> Iterator[str]:
    """One API process, as uvicorn runs it."""
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="critical"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/api/v1"
    server.should_exit = True
    thread.join()


@pytest.fixture
def files(service: Service) -> tuple[str, str]:
    """What jobs are about."""
    return worlds.ready_files(service)


@pytest.fixture
def held(settings: Settings, service: Service, files: tuple[str, str]) -> Fence:
    """A job that a worker is at."""
    own = create_app(settings)
    with worlds.client_of(own, service, "first") as client:
        worlds.create_job(client, files)
    own.state.service.database.close()
    with service.database.write() as session:
        fence = jobs.claim(session, "w", lease_seconds=600.0, running_per_workspace=4)
    assert fence is not None
    return fence


async def submit(client: httpx2.AsyncClient, files: tuple[str, str], who: int) -> list[str]:
    """Jobs of one submitter, who doubts every answer and sends the request again: at the same moment."""
    made: list[str] = []
    for number in range(EACH):
        key = {"Idempotency-Key": f"submitter-{who}-{number}"}
        body = worlds.job_body(files, name=f"{who}/{number}")
        answers = await asyncio.gather(*(client.post("/jobs", json=body, headers=key) for _ in range(2)))
        assert [answer.status_code for answer in answers] == [201, 201]
        assert answers[0].json()["id"] == answers[1].json()["id"]
        made.append(answers[0].json()["id"])
    return made


async def follow(client: httpx2.AsyncClient, job_id: str) -> list[int]:
    """Numbers of all events of a job, as one stream brings them, to its end."""
    numbers: list[int] = []
    headers = {"Accept": "text/event-stream"}
    async with client.stream("GET", f"/jobs/{job_id}/events", headers=headers) as answer:
        async for line in answer.aiter_lines():
            if line.startswith("id: "):
                numbers.append(int(line[4:]))
    return numbers


def work(service: Service, fence: Fence) -> None:
    """Tell of something again and again, then end the job."""
    for number in range(EVENTS):
        with service.database.write() as session:
            jobs.hold(session, fence, [("log", {"level": "info", "message": f"tick {number}"})])
    with service.database.write() as session:
        jobs.succeed(session, fence)


async def walk(client: httpx2.AsyncClient, path: str, **query: Any) -> list[Any]:
    """All entries of a collection, page after page, none of which is large."""
    entries: list[Any] = []
    while True:
        answer = await client.get(path, params=query)
        assert answer.status_code == 200, answer.text
        assert len(answer.content) <= MOST_BYTES
        page = answer.json()
        entries += page["data"]
        if not page["has_more"]:
            return entries
        query |= {"cursor": page["next_cursor"]} if page["next_cursor"] else {"after": entries[-1]["seq"]}


def test_nothing_is_lost_or_doubled_when_many_come_at_once(
    address: str, service: Service, files: tuple[str, str], held: Fence
) -> None:
    key = worlds.key_of(service, "first")
    limits = httpx2.Limits(max_connections=SUBMITTERS * 2 + STREAMS)

    async def run() -> tuple[list[list[str]], list[list[int]], list[Any]]:
        async with httpx2.AsyncClient(
            base_url=address, headers={"Authorization": f"Bearer {key}"}, limits=limits, timeout=120
        ) as client:
            streams = [asyncio.create_task(follow(client, held.job_id)) for _ in range(STREAMS)]
            work_done = asyncio.create_task(asyncio.to_thread(work, service, held))
            made = await asyncio.gather(*(submit(client, files, who) for who in range(SUBMITTERS)))
            await work_done
            return made, await asyncio.gather(*streams), await walk(client, "/jobs", limit=50)

    made, streams, listed = asyncio.run(run())
    created = [job_id for jobs_of_one in made for job_id in jobs_of_one]
    assert len(set(created)) == len(created) == SUBMITTERS * EACH
    assert sorted(row["id"] for row in listed) == sorted([*created, held.job_id])
    assert {row["name"] for row in listed if row["id"] in created} == {
        f"{who}/{number}" for who in range(SUBMITTERS) for number in range(EACH)
    }
    assert all(numbers == list(range(1, len(numbers) + 1)) for numbers in streams)
    assert {len(numbers) for numbers in streams} == {1 + 1 + EVENTS + 2}  # queued, running, the log, succeeded, end


@pytest.mark.parametrize("order_by", ["n", "-accuracy"])
def test_a_large_job_is_read_whole_in_small_pages(address: str, service: Service, held: Fence, order_by: str) -> None:
    wide = {"keep": {f"group.{place}": 0.123456789 for place in range(60)}, "bits": {}}
    rows = [
        {"job_id": held.job_id, "n": n, "index": n, "policy": wide, "measurement": {"accuracy": n % 7 / 10}}
        | {"accuracy": n % 7 / 10, "feasible": True, "on_front": n % 50 == 0}
        for n in range(CANDIDATES)
    ]
    with service.database.write() as session:
        session.execute(insert(tables.Candidate), rows)
        jobs.hold(session, held, [("candidates", {"numbers": list(range(400))}) for _ in range(400)])
    key = worlds.key_of(service, "first")
    own = f"/jobs/{held.job_id}"

    async def run() -> tuple[list[Any], list[Any]]:
        async with httpx2.AsyncClient(
            base_url=address, headers={"Authorization": f"Bearer {key}"}, timeout=120
        ) as client:
            candidates = await walk(client, f"{own}/candidates", limit=200, order_by=order_by)
            return candidates, await walk(client, f"{own}/events", limit=200)

    candidates, events = asyncio.run(run())
    wanted = sorted(range(CANDIDATES), key=(lambda n: n) if order_by == "n" else lambda n: (-(n % 7), n))
    assert [row["n"] for row in candidates] == wanted
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert len(events) == 2 + 400
