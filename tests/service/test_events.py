"""Events of a job: as a list, and as they happen. Streams are read from a real server on a real socket."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
import uvicorn
from fastapi import FastAPI
from starlette.testclient import TestClient

from service import jobs
from service.context import Service
from service.jobs import Fence
from tests.service import worlds


@contextlib.contextmanager
def serving(app: FastAPI) -> Iterator[str]:
    """The app on a port of this machine."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        config = uvicorn.Config(app, log_config=None, timeout_graceful_shutdown=2)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}{worlds.API}"
        server.should_exit = True
        thread.join(10)
        assert not thread.is_alive(), "an open stream must not keep the server from stopping"


@pytest.fixture
def fence(client: TestClient, service: Service) -> Fence:
    worlds.create_job(client, worlds.ready_files(service))
    with service.database.write() as session:
        claimed = jobs.claim(session, "w", lease_seconds=60, running_per_workspace=1)
    assert claimed is not None
    return claimed


def say(service: Service, fence: Fence, *messages: str) -> None:
    with service.database.write() as session:
        jobs.hold(session, fence, [("log", {"message": message}) for message in messages])


class Stream:
    """Reads server-sent events."""

    def __init__(self, url: str, client: TestClient, job_id: str, **headers: str) -> None:
        sent = {"Authorization": client.headers["Authorization"], "Accept": "text/event-stream", **headers}
        self._http = httpx2.Client(timeout=10)
        self._request = self._http.stream("GET", f"{url}/jobs/{job_id}/events", headers=sent)
        self.response = self._request.__enter__()
        self._lines = self.response.iter_lines()

    def next(self) -> dict[str, str] | None:
        """The next event; None at the end of the stream. Comments are passed over."""
        event: dict[str, str] = {}
        for line in self._lines:
            if line == "" and "data" in event:
                return event
            name, _, value = line.partition(": ")
            if name in ("id", "event", "data"):
                event[name] = value
        return None

    def close(self) -> None:
        self._request.__exit__(None, None, None)
        self._http.close()


def test_a_list_goes_on_after_a_number(client: TestClient, service: Service, fence: Fence) -> None:
    say(service, fence, "a", "b", "c")
    page = client.get(f"/jobs/{fence.job_id}/events?limit=3").json()
    assert [event["seq"] for event in page["data"]] == [1, 2, 3]
    assert page["has_more"]
    rest = client.get(f"/jobs/{fence.job_id}/events?after=3").json()
    assert [event["data"]["message"] for event in rest["data"]] == ["b", "c"]
    assert not rest["has_more"]


def test_a_stream_tells_what_was_and_what_happens_and_ends_with_the_job(
    app: FastAPI, client: TestClient, service: Service, fence: Fence
) -> None:
    with serving(app) as url:
        stream = Stream(url, client, fence.job_id)
        assert stream.response.headers["content-type"].startswith("text/event-stream")
        assert [stream.next()["id"] for _ in range(2)] == ["1", "2"]  # type: ignore[index]
        say(service, fence, "now")
        began = time.monotonic()
        heard = stream.next()
        assert time.monotonic() - began < 2
        assert heard is not None
        assert (heard["id"], heard["event"]) == ("3", "log")
        with service.database.write() as session:
            jobs.succeed(session, fence)
        assert [stream.next()["event"] for _ in range(2)] == ["state", "end"]  # type: ignore[index]
        assert stream.next() is None
        stream.close()


def test_a_stream_is_taken_up_where_it_broke(app: FastAPI, client: TestClient, service: Service, fence: Fence) -> None:
    say(service, fence, "a", "b", "c")
    with serving(app) as url:
        stream = Stream(url, client, fence.job_id, **{"Last-Event-ID": "3"})
        assert [stream.next()["id"] for _ in range(2)] == ["4", "5"]  # type: ignore[index]
        stream.close()
        nonsense = Stream(url, client, fence.job_id, **{"Last-Event-ID": "abc"})
        assert nonsense.next()["id"] == "1"  # type: ignore[index]
        nonsense.close()


def test_many_listeners_hear_everything_in_order(
    app: FastAPI, client: TestClient, service: Service, fence: Fence
) -> None:
    heard: list[list[int]] = [[] for _ in range(12)]

    def listen(place: int, url: str) -> None:
        stream = Stream(url, client, fence.job_id)
        while (event := stream.next()) is not None:
            heard[place].append(int(event["id"]))
        stream.close()

    with serving(app) as url:
        threads = [threading.Thread(target=listen, args=(place, url)) for place in range(len(heard))]
        for thread in threads:
            thread.start()
        for turn in range(20):
            say(service, fence, f"{turn}")
        with service.database.write() as session:
            jobs.succeed(session, fence)
        for thread in threads:
            thread.join(20)
    assert heard == [list(range(1, 25))] * len(heard)


def test_the_stream_of_a_job_that_has_ended_ends(
    app: FastAPI, client: TestClient, service: Service, fence: Fence
) -> None:
    with service.database.write() as session:
        jobs.succeed(session, fence)
    with serving(app) as url:
        stream = Stream(url, client, fence.job_id)
        assert [stream.next()["event"] for _ in range(4)] == ["state", "state", "state", "end"]  # type: ignore[index]
        assert stream.next() is None
        stream.close()
        beyond = Stream(url, client, fence.job_id, **{"Last-Event-ID": "4"})
        assert beyond.next() is None
        beyond.close()


def test_a_key_has_only_so_many_streams(app: FastAPI, client: TestClient, service: Service, fence: Fence) -> None:
    object.__setattr__(service.settings, "event_streams_per_key", 2)
    with serving(app) as url:
        streams = [Stream(url, client, fence.job_id) for _ in range(3)]
        assert [stream.response.status_code for stream in streams] == [200, 200, 429]
        for stream in streams:
            stream.close()


def test_an_open_stream_does_not_keep_the_server_from_stopping(app: FastAPI, client: TestClient, fence: Fence) -> None:
    with serving(app) as url:
        stream = Stream(url, client, fence.job_id)
        assert stream.next() is not None
    stream.close()


def test_bodies_tell_nothing_of_other_jobs(client: TestClient, fence: Fence) -> None:
    found: Any = client.get("/jobs/job_x/events", headers={"Accept": "text/event-stream"})
    assert found.status_code == 404
    assert fence.job_id not in found.text
