"""One API process under load, on either database: submitters, lists, pages of a large job, event streams, `SqlRecorder`.

    python benchmarks/load.py [--database postgresql] [--candidates 100000] [--streams 200]

Rows with a target end with `met` or `MISSED`. Every wall time stands beside that of `/healthz` under the same concurrency (the machine's own noise, and what the web
framework alone costs) and beside the server's CPU time per request, which others on the machine do not change.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parent.parent), str(Path(__file__).parent.parent / "sdk")]

import httpx2
import psutil

from service import jobs, tables
from service.context import Service
from tests.browser.rows import Shown, job, network, queued_job, world
from tests.browser.stage import Server, serving
from tests.postgres import Cluster

Step = Callable[[httpx2.AsyncClient], Awaitable[httpx2.Response]]


def percentile(seconds: list[float], share: float) -> float:
    """In milliseconds."""
    return 1000 * sorted(seconds)[min(len(seconds) - 1, int(share * len(seconds)))]


#: what `paretrim serve --api-only` does
SERVE = ("-c", "from service.commands import serve; serve(api_only=True)")


def server_process() -> psutil.Process:
    """The server that is under test."""
    return next(p for p in psutil.Process().children(recursive=True) if SERVE[1] in p.cmdline())


def free_port() -> int:
    """One that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def await_server(url: str) -> None:
    """It names its address before it listens there."""
    for _ in range(100):
        try:
            httpx2.get(f"{url}/healthz").raise_for_status()
        except httpx2.ConnectError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError(f"{url} does not answer")


async def many(client: httpx2.AsyncClient, step: Step, count: int, at_once: int) -> tuple[list[float], int]:
    """Wall seconds of each of `count` requests, `at_once` at a time, and the size of the last answer."""
    gate, seconds, size = asyncio.Semaphore(at_once), [], 0

    async def one() -> None:
        nonlocal size
        async with gate:
            began = time.perf_counter()
            answer = await step(client)
            seconds.append(time.perf_counter() - began)
            answer.raise_for_status()
            size = len(answer.content)

    await asyncio.gather(*(one() for _ in range(count)))
    return seconds, size


#: of docs/operations.md
MOST_PAGE_MS, MOST_PAGE_BYTES, MOST_LIST_MS, MOST_LATE_MS = 150.0, 300_000, 150.0, 250.0


def verdict(holds: bool) -> str:
    """How a target fared."""
    return "met" if holds else "MISSED"


async def lean(url: str, key: str, path: str, count: int, at_once: int) -> tuple[list[float], int]:
    """As `many`, for GET, by a client that costs next to nothing: a whole one would take as long as the server."""
    host, port = url.removeprefix("http://").split(":")
    request = f"GET /api/v1{path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {key}\r\n\r\n".encode()
    left, seconds, size = count, [], 0

    async def one() -> None:
        nonlocal left, size
        reader, writer = await asyncio.open_connection(host, int(port), limit=2**20)
        while left > 0:
            left -= 1
            began = time.perf_counter()
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200"), head
            size = int(head.lower().split(b"content-length: ")[1].split(b"\r")[0])
            await reader.readexactly(size)
            seconds.append(time.perf_counter() - began)
        writer.close()

    await asyncio.gather(*(one() for _ in range(at_once)))
    return seconds, size


async def row(
    client: httpx2.AsyncClient,
    name: str,
    step: Step,
    count: int,
    at_once: int,
    most_ms: float | None = None,
    ask: Callable[[int, int], Awaitable[tuple[list[float], int]]] | None = None,
) -> float:
    """Measure one kind of request and print it; its p99 in milliseconds. `most_ms`: of the p99.

    ask: in place of `many` with the client and the step.
    """
    ask = ask or (lambda count, at_once: many(client, step, count, at_once))
    process = server_process()
    await ask(min(4, count), at_once)
    before = sum(process.cpu_times()[:2])
    seconds, size = await ask(count, at_once)
    cpu = 1000 * (sum(process.cpu_times()[:2]) - before) / count
    middle, last = percentile(seconds, 0.5), percentile(seconds, 0.99)
    said = "" if most_ms is None else verdict(last <= most_ms and size <= MOST_PAGE_BYTES)
    print(f"{name:54} {at_once:3} {middle:8.1f} {last:8.1f} {cpu:8.1f} {size / 1000:9.1f} {said}", flush=True)
    return last


async def requests(server: Server, large: Shown | None, model: str, dataset: str) -> None:
    """The table of requests. large: None: no more than the lists."""
    print(f"\n{'request':54} {'at once':>3} {'p50 ms':>7} {'p99 ms':>8} {'CPU ms':>8} {'kB':>9}")
    headers = {"Authorization": f"Bearer {server.key}"}
    limits = httpx2.Limits(max_connections=64)
    async with httpx2.AsyncClient(
        base_url=f"{server.url}/api/v1", headers=headers, limits=limits, timeout=120
    ) as client:

        def get(path: str) -> Step:
            return lambda client: client.get(path)

        body: dict[str, Any] = {"model": model, "dataset": dataset, "device": "bit-serial", "algorithms": ["random"]}
        body |= {"objectives": ["accuracy", "latency_ms"], "budget": {"candidates": 10}}

        def listing(count: int, at_once: int) -> Awaitable[tuple[list[float], int]]:
            return lean(server.url, server.key, "/jobs?limit=50", count, at_once)

        base = await row(client, "/healthz (baseline)", get("/healthz"), 200, 16)
        listed = await row(client, "/jobs?limit=50", get("/jobs?limit=50"), 400, 16, MOST_LIST_MS, listing)
        print(f"{'  list p99 / baseline p99':54} {listed / base:12.1f}")
        if large is None:
            return
        await row(client, "POST /jobs", lambda client: client.post("/jobs", json=body), 96, 32)
        own = f"/jobs/{large.id}"
        pages: tuple[str, ...] = (
            "",
            "/searches",
            "/candidates?limit=200",
            "/candidates?limit=200&order_by=-accuracy",
            "/candidates?limit=50&feasible=true&order_by=macs",
            "/candidates?limit=50&where=latency_ms<=0.0001",
            "/candidates?limit=50&failed=true&order_by=-n",
            "/front",
            "/curve",
        )
        pages += ("/points?max_points=2000", "/map", "/map?what=weight_bits", "/generations", "/gauges", "/sensitivity")
        for page in (*pages, "/events?limit=200"):
            name = f"job of {large.filled.done * 3:,}: {page or '/'}"
            await row(client, name, get(own + page), 10, 1, MOST_PAGE_MS)


async def streams(server: Server, shown: Shown, count: int, events: int) -> None:
    """How late events come to `count` streams while a worker writes two a second."""
    late: list[float] = []
    written: dict[int, float] = {}
    arrived: dict[int, list[float]] = {}
    headers = {"Authorization": f"Bearer {server.key}", "Accept": "text/event-stream"}
    ready = 0

    async def follow(client: httpx2.AsyncClient) -> None:
        nonlocal ready
        async with client.stream("GET", f"/jobs/{shown.id}/events", headers=headers) as answer:
            ready += 1
            async for line in answer.aiter_lines():
                if line.startswith("id: "):
                    arrived.setdefault(int(line[4:]), []).append(time.time())

    limits = httpx2.Limits(max_connections=count + 8)
    async with httpx2.AsyncClient(base_url=f"{server.url}/api/v1", limits=limits, timeout=None) as client:
        tasks = [asyncio.create_task(follow(client)) for _ in range(count)]
        while ready < count:
            await asyncio.sleep(0.1)
        for _ in range(events):
            await asyncio.sleep(0.5)
            written[await asyncio.to_thread(_write, server.service, shown)] = time.time()
        await asyncio.sleep(3.0)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for seq, when in written.items():
        late += [at - when for at in arrived.get(seq, [])]
    missed = count * events - len(late)
    late_ms = percentile(late, 0.99)
    print(f"\n{count} event streams, {events} events: p50 {percentile(late, 0.5):.0f} ms, p99 {late_ms:.0f}"
          f" ms after the commit (polled every 100 ms), {missed} missed:"
          f" {verdict(late_ms <= MOST_LATE_MS and missed == 0)}")  # fmt: skip


def _write(service: Service, shown: Shown) -> int:
    """Append an event as a worker does; its number."""
    with service.database.write() as session:
        jobs.hold(session, shown.filled.fence, [("log", {"level": "info", "message": "tick"})])
    with service.database.read() as session:
        return int(session.get_one(tables.Job, shown.id).last_seq)


def recorder(shown: Shown, windows: int) -> None:
    """What recording costs per candidate, in windows of 8."""
    before, began = time.process_time(), time.perf_counter()
    took = []
    for _ in range(windows):
        start = time.perf_counter()
        shown.filled.add(8, policies=32)
        took.append((time.perf_counter() - start) / 24)
    cpu = 1000 * (time.process_time() - before) / (24 * windows)
    print(f"\nrecording, windows of 8: {1000 * statistics.median(took):.2f} ms a candidate (median), {cpu:.2f} ms of it CPU;"
          f" {24 * windows} candidates in {time.perf_counter() - began:.1f} s")  # fmt: skip


def measure(arguments: argparse.Namespace, database_url: str) -> None:
    """All of it on one database."""
    os.environ |= {
        "PARETRIM_MAX_ACTIVE_JOBS": "100000",
        "PARETRIM_DATABASE_URL": database_url,
        "PARETRIM_PORT": str(free_port()),
    }  # the server inherits them
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder), SERVE, database_url=database_url) as server:
        await_server(server.url)
        with server.service.database.write() as session:
            made = world(session, server.workspace_id, name="resnet.onnx", network=network())
        with server.service.database.write() as session:
            for number in range(200):
                queued_job(session, server.service, made, name=f"job {number}", candidates=10)
            ids = (made.model_id, made.dataset_id)
        if arguments.only_list:
            for _ in range(3):
                asyncio.run(requests(server, None, *ids))
            return
        each = arguments.candidates // 3
        began = time.perf_counter()
        large = job(server.service, made, "large", candidates=each)
        while large.filled.done < each:
            large.filled.add(min(32, each - large.filled.done), policies=200, fail_every=97)
        print(f"{large.filled.done * 3:,} candidates recorded in {time.perf_counter() - began:.0f} s")
        asyncio.run(requests(server, large, *ids))
        watched = job(server.service, made, "watched", candidates=10_000)
        recorder(watched, 30)
        asyncio.run(streams(server, watched, arguments.streams, arguments.events))


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--candidates", type=int, default=100_000)
    parser.add_argument("--streams", type=int, default=200)
    parser.add_argument("--events", type=int, default=20)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--only-list", action="store_true", help="three times the list of jobs, nothing else")
    arguments = parser.parse_args()
    if arguments.database == "sqlite":
        with tempfile.TemporaryDirectory() as folder:
            measure(arguments, f"sqlite:///{folder}/paretrim.db")
        return
    cluster = Cluster(durable=True)
    try:
        measure(arguments, cluster.create("load"))
    finally:
        cluster.remove()


if __name__ == "__main__":
    main()
