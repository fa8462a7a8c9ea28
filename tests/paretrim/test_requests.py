"""What is sent for what a user wrote."""

from __future__ import annotations

from paretrim._requests import create_job_call, job_request


def test_what_was_not_given_is_not_sent_so_that_an_older_server_understands_it() -> None:
    asked = job_request(
        model="mdl_1", dataset="dst_1", device="host-cpu", algorithms="amc", budget=300, name=None, seed=0
    )
    body = create_job_call(asked, None).json
    assert body == {
        "model": "mdl_1",
        "dataset": "dst_1",
        "device": "host-cpu",
        "algorithms": ["amc"],
        "budget": {"candidates": 300},
        "seed": 0,
    }


def test_what_was_given_is_sent_also_if_it_is_the_default() -> None:
    asked = job_request(model="m", dataset="d", device="e", algorithms=["amc"], budget=1, window=8, constraints=[])
    body = create_job_call(asked, "a key").json
    assert isinstance(body, dict)
    assert (body["window"], body["constraints"]) == (8, [])
