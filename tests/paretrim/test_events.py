"""Following a job: over a stream that breaks, over one that is not to be had, and over a server that goes away."""

from __future__ import annotations

import time
from typing import Any

import httpx2
import pytest

from paretrim import Client, Job, errors
from paretrim._events import EventReader, event_of
from paretrim._sse import EventDecoder
from tests.paretrim.conftest import Live
from tests.paretrim.flaky_proxy import REFUSED, FlakyProxy
from tests.paretrim.scripted_server import Answer, ScriptedServer, problem, sse, stream
from tests.paretrim.worker import Worker

pytestmark = pytest.mark.usefixtures("hasty")

EVENTS = "/jobs/job_1/events"
NOW = "2026-11-22T12:00:00Z"


def event(seq: int, type: str = "log", **data: Any) -> dict[str, Any]:
    return {"seq": seq, "type": type, "data": data, "created_at": NOW}


def job_body(state: str = "running", **more: Any) -> dict[str, Any]:
    request = {"model": "m", "dataset": "d", "device": "x", "algorithms": ["amc"], "budget": {"candidates": 8}}
    progress = {"phase": "searching", "completed": 1, "total": 8}
    return {"id": "job_1", "state": state, "request": request, "progress": progress, "created_at": NOW, **more}


@pytest.fixture
def scripted(server: ScriptedServer) -> Job:
    """A job whose server says what the test wants."""
    server.on("GET", "/jobs/job_1", Answer(200, job_body()))
    return Client(server.url).jobs.get("job_1")


def test_a_stream_that_breaks_is_taken_up_after_the_last_event_that_came(server: ScriptedServer, scripted: Job) -> None:
    broken = stream([event(1), event(2)], cut=True, tail=b"id: 3\nevent: log\ndata: {half of")
    server.on("GET", EVENTS, broken, stream([event(3), event(4, "end")]))
    assert [e.seq for e in scripted.events()] == [1, 2, 3, 4]
    first, second = server.requests("GET", EVENTS)
    assert "last-event-id" not in first.headers
    assert second.headers["last-event-id"] == "2"


def test_events_that_come_again_are_told_once(server: ScriptedServer, scripted: Job) -> None:
    server.on("GET", EVENTS, stream([event(1), event(2)], cut=True), stream([event(1), event(2), event(3, "end")]))
    assert [e.seq for e in scripted.events()] == [1, 2, 3]


def test_following_may_begin_later(server: ScriptedServer, scripted: Job) -> None:
    server.on("GET", EVENTS, stream([event(8, "end")]))
    assert [e.seq for e in scripted.events(after=7)] == [8]
    assert server.seen[-1].headers["last-event-id"] == "7"


@pytest.mark.parametrize("refusal", [404, 405, 406, 501])
def test_where_there_is_no_stream_events_are_asked_for(server: ScriptedServer, scripted: Job, refusal: int) -> None:
    pages = [Answer(200, {"data": data}) for data in ([event(1)], [], [event(2), event(3, "end")])]
    server.on("GET", EVENTS, problem(refusal, "no streams here"), *pages)
    assert [e.seq for e in scripted.events()] == [1, 2, 3]
    asked = [seen.query.get("after") for seen in server.requests("GET", EVENTS)[1:]]
    assert asked == [None, ["1"], ["1"]]


def test_a_proxy_that_answers_with_a_page_instead_of_a_stream_is_seen_through(
    server: ScriptedServer, scripted: Job
) -> None:
    server.on("GET", EVENTS, Answer(200, {"data": [event(1, "end")]}))
    assert [e.seq for e in scripted.events()] == [1]


def test_a_job_that_ended_while_the_stream_was_away_ends_the_events(server: ScriptedServer, scripted: Job) -> None:
    """The end itself was told to nobody: the stream closes, and the job says that it is over."""
    server.on("GET", "/jobs/job_1", Answer(200, job_body("succeeded")))
    server.on("GET", EVENTS, stream([event(1)]), Answer(200, {"data": [event(2)]}), Answer(200, {"data": []}))
    assert [e.seq for e in scripted.events()] == [1, 2]


def test_a_key_that_is_not_good_any_more_ends_it(server: ScriptedServer, scripted: Job) -> None:
    server.on("GET", EVENTS, problem(401, "this key was revoked"))
    with pytest.raises(errors.Unauthorized, match="revoked"):
        list(scripted.events())


def test_too_many_streams_are_waited_out(server: ScriptedServer, scripted: Job) -> None:
    server.on("GET", EVENTS, problem(429, "too many streams"), problem(503, "later"), stream([event(1, "end")]))
    assert [e.seq for e in scripted.events()] == [1]


def test_a_server_that_stays_away_is_given_up_in_the_end(scripted: Job, server: ScriptedServer) -> None:
    server.on("GET", EVENTS, problem(503, "going down"))
    reader = EventReader(scripted.id, patience_seconds=0.1)
    with pytest.raises(errors.APIConnectionError, match="going down"):
        scripted._driver.run(reader.next())


def test_walking_away_from_events_closes_the_stream(live: Live, worker: Worker, client: Client) -> None:
    streams = live.service.limits._streams
    deadline = time.monotonic() + 20
    while sum(streams.values()) and time.monotonic() < deadline:  # of the test before
        time.sleep(0.05)
    following = client.jobs.get(worker.job_id).events()
    assert next(following).type == "state"
    assert sum(streams.values()) == 1
    following.close()  # type: ignore[attr-defined]
    deadline = time.monotonic() + 5
    while sum(streams.values()) and time.monotonic() < deadline:
        worker.tell(("log", {"message": "is anybody there?"}))
        time.sleep(0.05)
    assert sum(streams.values()) == 0
    worker.succeed()


def test_wait_ends_with_the_job_although_every_connection_breaks_meanwhile(live: Live, worker: Worker) -> None:
    with FlakyProxy(live.url, [REFUSED]) as proxy, Client(proxy.url, api_key=live.key) as client:
        job = client.jobs.get(worker.job_id)
        seen = []
        for event in job.events():
            seen.append(event.seq)
            if len(seen) == 2:
                proxy.cut_all()
                proxy.add(REFUSED, REFUSED)
                worker.tell(("log", {"message": "while you were away"}))
                worker.succeed()
        assert seen == list(range(1, len(seen) + 1))
        assert job.wait(timeout_seconds=10).state == "succeeded"


def test_an_event_stream_is_read_as_the_standard_says() -> None:
    decoder = EventDecoder()
    lines = [
        ": hello",
        "event: log",
        "data: a",
        "data:b",
        "id: 5",
        "nonsense",
        "",
        "data: c",
        "",
        "",
        "id: 6\0",
        "data: d",
    ]
    found = [event for line in lines if (event := decoder.take(line)) is not None]
    assert [(e.event, e.data, e.id) for e in found] == [
        ("comment", "", ""),
        ("log", "a\nb", "5"),
        ("message", "c", "5"),
    ]


def test_the_number_of_an_event_may_be_in_its_id_alone() -> None:
    found = event_of(httpx2.ServerSentEvent("front", '{"size": 3}', "12"))
    assert found is not None
    assert (found.seq, found.type, found.data) == (12, "front", {"size": 3})


@pytest.mark.parametrize("data", ["", "not JSON", "[1]", '{"seq": "x", "type": 1, "data": 2}'])
def test_what_is_no_event_is_passed_over(data: str) -> None:
    assert event_of(httpx2.ServerSentEvent("message", data, "")) is None


def test_the_helper_speaks_as_the_service_does(live: Live, worker: Worker) -> None:
    """The scripted streams of this file have the form of the real ones."""
    worker.succeed()
    headers = {"Authorization": f"Bearer {live.key}", "Accept": "text/event-stream"}
    real = httpx2.get(f"{live.url}/api/v1/jobs/{worker.job_id}/events", headers=headers).text
    events = httpx2.get(
        f"{live.url}/api/v1/jobs/{worker.job_id}/events", headers={"Authorization": f"Bearer {live.key}"}
    ).json()["data"]
    made = sse(events).decode()
    kinds = [line.split(":")[0] for line in made.splitlines() if line]
    assert kinds == [line.split(":")[0] for line in real.splitlines() if line and not line.startswith((":", "retry"))]
