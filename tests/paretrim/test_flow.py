"""What is tried again, after how long, and what an error says."""

from __future__ import annotations

import email.utils
import time
from collections.abc import Iterable

import httpx2
import pytest

from paretrim import _flow, errors
from paretrim._flow import Attempt, Call, Sleep, attempts

REQUEST = httpx2.Request("POST", "http://server/api/v1/jobs")


def answer(status: int, body: object = None, headers: dict[str, str] | None = None) -> httpx2.Response:
    return httpx2.Response(status, json=body, headers=headers, request=REQUEST)


def drive(
    answers: Iterable[httpx2.Response | Exception], retries: int = 4, method: str = "POST"
) -> tuple[httpx2.Response | errors.ParetrimError, list[float], int]:
    """Run `attempts` against these answers: how it ended, how long it slept each time, how often it sent."""
    flow = attempts(Call(method, "/jobs"), retries)
    left, slept, sent = list(answers), [], 0
    step = next(flow)
    while True:
        try:
            if isinstance(step, Sleep):
                slept.append(step.seconds)
                step = flow.send(None)
                continue
            assert isinstance(step, Attempt)
            sent += 1
            coming = left.pop(0)
            step = flow.throw(coming) if isinstance(coming, Exception) else flow.send(coming)
        except StopIteration as end:
            return end.value, slept, sent
        except errors.ParetrimError as error:
            return error, slept, sent


LOST = errors.APIConnectionError("gone")


def test_a_connection_that_breaks_is_tried_again_with_rising_pauses() -> None:
    ended, slept, sent = drive([LOST, LOST, LOST, LOST, answer(200)])
    assert isinstance(ended, httpx2.Response)
    assert sent == 5
    for pause, longest in zip(slept, (0.5, 1.0, 2.0, 4.0), strict=True):
        assert 0.75 * longest <= pause <= longest


def test_pauses_end_at_eight_seconds() -> None:
    assert max(_flow.pause_seconds(attempt) for attempt in range(40)) <= 8.0


def test_after_the_last_attempt_the_error_is_raised() -> None:
    ended, _, sent = drive([LOST] * 3, retries=2)
    assert ended is LOST
    assert sent == 3


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_trouble_of_the_moment_is_tried_again(status: int) -> None:
    ended, _, sent = drive([answer(status), answer(200)])
    assert isinstance(ended, httpx2.Response)
    assert sent == 2


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 408, 409, 413, 422])
def test_what_would_fail_again_is_not_tried_again(status: int) -> None:
    ended, _, sent = drive([answer(status), answer(200)])
    assert isinstance(ended, errors.APIStatusError)
    assert ended.status == status
    assert sent == 1


@pytest.mark.parametrize("status", [408, 409, 429, 503])
def test_retry_after_is_honoured_and_told_of(status: int, caplog: pytest.LogCaptureFixture) -> None:
    ended, slept, sent = drive([answer(status, headers={"Retry-After": "7"}), answer(200)])
    assert isinstance(ended, httpx2.Response)
    assert slept == [7.0]
    assert sent == 2
    assert f"the server answers {status} and asks for 7 s" in caplog.text


def test_retry_after_may_be_a_date() -> None:
    when = email.utils.formatdate(time.time() + 30, usegmt=True)
    _, slept, _ = drive([answer(503, headers={"Retry-After": when}), answer(200)])
    assert 25 < slept[0] <= 30


def test_a_server_that_asks_for_an_hour_is_not_waited_for() -> None:
    ended, slept, _ = drive([answer(503, headers={"Retry-After": "3600"}), answer(200)])
    assert isinstance(ended, errors.ServerError)
    assert slept == []


def test_a_server_that_says_not_to_come_back_is_believed() -> None:
    ended, _, sent = drive([answer(503, headers={"X-Should-Retry": "false"}), answer(200)])
    assert isinstance(ended, errors.ServerError)
    assert sent == 1


def test_a_delete_whose_answer_was_lost_has_succeeded_when_the_thing_is_gone() -> None:
    ended, _, _ = drive([LOST, answer(404)], method="DELETE")
    assert isinstance(ended, httpx2.Response)
    ended, _, _ = drive([answer(404)], method="DELETE")
    assert isinstance(ended, errors.NotFound)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, errors.BadRequest),
        (401, errors.Unauthorized),
        (403, errors.Forbidden),
        (404, errors.NotFound),
        (409, errors.Conflict),
        (413, errors.TooLarge),
        (422, errors.Unprocessable),
        (429, errors.RateLimited),
        (500, errors.ServerError),
        (599, errors.ServerError),
        (418, errors.APIStatusError),
    ],
)
def test_every_status_has_its_exception(status: int, kind: type[errors.APIStatusError]) -> None:
    assert type(_flow.status_error(answer(status))) is kind


def test_an_error_says_what_the_server_said_field_by_field_with_the_request_id() -> None:
    problem = {
        "detail": "the request is wrong",
        "request_id": "req_7",
        "errors": [{"pointer": "budget.candidates", "message": "must be at least 1"}, {"message": "and so on"}],
    }
    error = _flow.status_error(answer(422, problem))
    assert str(error).splitlines() == [
        "the request is wrong",
        "  budget.candidates: must be at least 1",
        "  and so on",
        "  (request req_7)",
    ]
    assert error.request_id == "req_7"
    assert error.problem == problem


def test_what_the_detail_says_already_is_not_said_twice() -> None:
    problem = {"detail": "seed: too large", "errors": [{"pointer": "seed", "message": "too large"}]}
    assert str(_flow.status_error(answer(422, problem))) == "seed: too large"


def test_an_answer_of_something_that_is_no_paretrim_server_is_quoted() -> None:
    page = httpx2.Response(502, text="<h1>Bad\n gateway</h1>", request=REQUEST)
    assert "POST http://server/api/v1/jobs was answered with 502: <h1>Bad gateway</h1>" in str(_flow.status_error(page))


def test_an_answer_of_another_shape_is_an_error_that_says_so() -> None:
    from paretrim.wire import Job

    with pytest.raises(errors.ServerError, match="no Job"):
        _flow.read(answer(200, {"hello": 1}), Job)


def test_an_older_client_understands_a_newer_server() -> None:
    """Also where an answer holds a request, which refuses unknown fields when it is sent."""
    from paretrim.wire import Job

    request = {
        "model": "m",
        "dataset": "d",
        "device": "x",
        "algorithms": ["amc", {"name": "tec", "options": {}, "since": "v2"}],
        "budget": {"candidates": 3, "joules": 7},
        "green": True,
    }
    body = {
        "id": "job_1",
        "state": "queued",
        "request": request,
        "progress": {"phase": "queued", "mood": "good"},
        "created_at": "2026-11-22T12:00:00Z",
        "sparkle": 1,
    }
    job = _flow.read(answer(200, body), Job)
    assert job.request.budget.candidates == 3
    assert [choice.name for choice in job.request.choices()] == ["amc", "tec"]


def test_what_is_in_a_path_cannot_leave_it() -> None:
    assert _flow.path("jobs", "../keys?x#y", 7) == "/jobs/..%2Fkeys%3Fx%23y/7"
