"""The command line against the real service: data on stdout, the rest on stderr, an exit status for scripts."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from paretrim import Job, wire
from paretrim._output import figure, printable
from paretrim._torch_export import export_module
from paretrim.cli import main
from tests.paretrim.conftest import Live, digits
from tests.paretrim.test_jobs import NETWORK, finish
from tests.paretrim.worker import Worker

pytestmark = pytest.mark.usefixtures("hasty")

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(live: Live, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs `paretrim`; exit status, stdout, stderr."""
    monkeypatch.setenv("PARETRIM_URL", live.url)
    monkeypatch.setenv("PARETRIM_API_KEY", live.key)

    def run(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        status = main(arguments)
        said = capsys.readouterr()
        return status, said.out, said.err

    return run


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


@pytest.fixture
def done(job: Job, worker: Worker) -> Job:
    finish(worker)
    return job


def test_a_job_from_the_files_to_the_network(run: Run, live: Live, device: str, tmp_path: Path) -> None:
    import torch

    from tests.paretrim.conftest import small_net

    (tmp_path / "net.onnx").write_bytes(export_module(small_net(3), torch.zeros(1, 1, 8, 8)))
    x, y = digits(100, 5)
    np.savez(tmp_path / "data.npz", train_x=x, train_y=y)

    status, out, err = run("upload", "model", "net.onnx", "--name", "by hand", "--output", "json")
    model = json.loads(out)
    assert (status, model["state"], model["name"]) == (0, "ready", "by hand")
    status, out, _ = run("upload", "dataset", "data.npz", "-o", "csv")
    assert rows(out)[0]["state"] == "ready"

    submit = ["submit", "--model", model["id"], "--dataset", rows(out)[0]["id"], "--device", device]
    how = ["--algorithms", "nsga2,random", "--candidates", "4", "--constraint", "macs_ratio <= 0.9", "--seed", "3"]
    status, out, err = run(*submit, *how, "--option", "nsga2.population=6", "--tag", "cli", "-o", "json")
    job = json.loads(out)
    assert status == 0
    assert job["request"]["algorithms"] == [{"name": "nsga2", "options": {"population": 6}}, "random"]
    assert job["request"]["constraints"] == ["macs_ratio <= 0.9"]
    assert f"paretrim watch {job['id']}" in err

    finish(Worker(live.service, job["id"]))
    status, out, err = run("watch", job["id"], "-o", "csv")
    assert status == 0
    assert rows(out)[0]["state"] == "succeeded"
    assert "succeeded" in err

    status, out, _ = run("front", job["id"], "-o", "csv")
    assert [(row["n"], row["accuracy"], row["figures"]) for row in rows(out)] == [
        ("1", "0.91", "delivered"),
        ("2", "0.85", "delivered"),
        ("3", "0.7", "searched"),
    ]
    status, out, _ = run("download", job["id"], "--best", "accuracy", "--within", "latency_ms=1.5", "--out", "s.onnx")
    assert (status, out) == (0, "s.onnx\n")
    assert Path("s.onnx").read_bytes() == NETWORK


def test_files_are_uploaded_on_the_way(run: Run, model: wire.Model, device: str, tmp_path: Path) -> None:
    x, y = digits(60, 6)
    np.savez(tmp_path / "data.npz", train_x=x, train_y=y)
    status, out, err = run(
        *("submit", "--model", model.id, "--dataset", "data.npz", "--device", device),
        *("--algorithm", "random", "--candidates", "1", "-o", "json"),
    )
    assert status == 0
    assert "uploaded data.npz as dst_" in err
    assert run("jobs", "cancel", json.loads(out)["id"])[0] == 0


def test_jobs_are_listed_and_steered(run: Run, job: Job) -> None:
    status, out, _ = run("jobs", "list", "--state", "queued", "-o", "csv")
    assert status == 0
    assert job.id in [row["id"] for row in rows(out)]
    status, out, _ = run("jobs")
    assert job.id in out
    assert run("jobs", "update", job.id, "--name", "=HYPERLINK(1)", "--tag", "t")[0] == 0
    status, out, _ = run("jobs", "list", "--tag", "t", "-o", "csv")
    assert rows(out)[0]["name"] == "'=HYPERLINK(1)", "spreadsheets would run it"
    status, out, _ = run("jobs", "show", job.id)
    assert "nsga2" in out
    status, out, _ = run("jobs", "show", job.id, "-o", "json")
    assert json.loads(out)["id"] == job.id
    status, out, err = run("jobs", "pause", job.id, "-o", "json")
    assert (json.loads(out)["state"], "paused" in err) == ("paused", True)
    assert run("jobs", "resume", job.id)[1:] == ("", f"job {job.id} is queued\n")
    status, out, _ = run("jobs", "searches", job.id, "-o", "json")
    assert [search["algorithm"] for search in json.loads(out)] == ["nsga2", "random", "uniform"]
    status, out, _ = run("jobs", "clone", job.id, "--set", "seed=4", "-o", "json")
    assert json.loads(out)["request"]["seed"] == 4
    assert run("jobs", "cancel", json.loads(out)["id"])[0] == 0
    assert "cancelled" in run("jobs", "cancel", job.id)[2]
    assert run("jobs", "delete", job.id, "--yes")[0] == 0
    assert run("jobs", "show", job.id)[0] == 1


def test_candidates_and_events(run: Run, done: Job) -> None:
    status, out, _ = run("jobs", "candidates", done.id, "-o", "csv")
    found = rows(out)
    assert [row["n"] for row in found] == list("012345")
    assert found[5]["failure"] == "the device has no kernel for it"
    status, out, _ = run("jobs", "candidates", done.id, "--where", "accuracy >= 0.75", "--order-by", "latency_ms")
    assert status == 0
    assert out.splitlines()[2].split()[0] == "2"
    status, out, _ = run("jobs", "events", done.id)
    events = [json.loads(line) for line in out.splitlines()]
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert events[-1]["type"] == "end"
    status, out, _ = run("jobs", "candidates", done.id, "--where", "speed > 3")
    assert status == 2


def test_all_that_was_delivered_goes_into_a_directory(run: Run, done: Job, tmp_path: Path) -> None:
    status, out, err = run("download", done.id, "--out", "one.onnx")
    assert status == 2
    assert "2 networks" in err
    (tmp_path / "all").mkdir()
    status, out, _ = run("download", done.id, "--out", "all")
    assert status == 0
    assert sorted(path.name for path in (tmp_path / "all").iterdir()) == ["candidate-1.onnx", "candidate-2.onnx"]
    assert out.splitlines() == ["all/candidate-1.onnx", "all/candidate-2.onnx"]
    status, out, _ = run("download", done.id, "--candidate", "2", "--file", "report.md")
    assert Path(out.strip()).read_text() == "# report"
    status, _, err = run("download", done.id, "--best", "accuracy", "--within", "latency_ms=0.1")
    assert status == 2
    assert "the best reached of each: latency_ms" in err


def test_a_job_that_failed_is_exit_status_3(run: Run, worker: Worker) -> None:
    worker.fail("bad-luck", "the disk is full of [bold]sand[/bold]")
    status, out, err = run("watch", worker.job_id)
    assert status == 3
    assert "the disk is full of [bold]sand[/bold]" in err
    assert out == ""
    assert "Traceback" not in err


def test_a_job_that_was_cancelled_is_exit_status_3(run: Run, job: Job) -> None:
    job.cancel()
    status, _, err = run("watch", job.id)
    assert status == 3
    assert "was cancelled" in err


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["jobs", "show", "job_none"], 1, "there is no job"),
        (["jobs", "list", "--state", "asleep"], 2, "there are queued, running"),
        (["upload", "model", "none.onnx"], 2, "none.onnx does not exist"),
        (["submit", "--model", "none.onnx", "--dataset", "d"], 2, "Missing option"),
        (["jobs", "candidates", "job_none", "--limit", "0"], 2, "limit"),
        (["bogus"], 2, "No such command"),
        (["jobs", "cancle", "x"], 2, "cancel"),
        (["download", "job_none", "--within", "latency_ms"], 2, "name=value"),
        (["download", "job_none", "--within", "latency_ms=fast"], 2, "'fast' is not a number"),
        (["keys", "create", "x", "--scope", "all"], 2, "is not a scope"),
        (["models", "delete", "mdl_1"], 2, "say --yes"),
        (["models", "show", "job_1"], 2, "is not the id of a model"),
    ],
)
def test_what_went_wrong_is_said_without_a_stack_trace(run: Run, arguments: list[str], status: int, said: str) -> None:
    ended, out, err = run(*arguments)
    assert ended == status
    assert said in " ".join(err.split())
    assert "Traceback" not in err
    assert out == ""


def test_an_option_of_an_algorithm_that_is_not_named_is_wrong_use(run: Run, model: wire.Model, device: str) -> None:
    submit = ["submit", "--model", model.id, "--dataset", "dst_1", "--device", device, "--candidates", "3"]
    status, _, err = run(*submit, "--algorithms", "amc", "--option", "nsga2.population=3")
    assert status == 2
    assert "of one of amc" in err
    status, _, err = run(*submit, "--algorithms", "amc", "--constraint", "speed <= 3")
    assert status == 2
    assert "cannot be constrained; choose from" in err


def test_a_wrong_key_is_exit_status_4(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARETRIM_API_KEY", "paretrim_wrong")
    status, _, err = run("jobs")
    assert status == 4
    assert "error:" in err


def test_a_server_that_is_not_there_is_named(run: Run) -> None:
    status, _, err = run("--url", "http://127.0.0.1:9", "jobs")
    assert status == 1
    assert "http://127.0.0.1:9 cannot be reached" in err
    assert "paretrim serve" in err


def test_devices_algorithms_and_keys(run: Run, device: str, tmp_path: Path) -> None:
    _, out, _ = run("devices", "list", "-o", "json")
    assert device in [entry["name"] for entry in json.loads(out)]
    _, out, _ = run("devices", "show", device, "--document")
    document = json.loads(out)
    (tmp_path / "d.json").write_text(json.dumps(document | {"name": "cli-device"}))
    assert run("devices", "put", "cli-device", "d.json")[0] == 0
    _, out, _ = run("devices", "show", "cli-device")
    assert "cli-device" in out
    assert run("devices", "delete", "cli-device", "--yes")[0] == 0
    _, out, _ = run("algorithms", "list", "-o", "csv")
    assert "population" in next(row["options"] for row in rows(out) if row["name"] == "nsga2")
    _, out, err = run("keys", "create", "from the line", "--scope", "read", "-o", "json")
    key = json.loads(out)
    assert key["secret"].startswith("paretrim_")
    assert "cannot be shown again" in err
    _status, out, _ = run("keys", "list")
    assert key["id"] in out
    assert key["secret"] not in out
    assert run("keys", "revoke", key["id"], "--yes")[0] == 0


def test_models_and_datasets(run: Run, model: wire.Model, dataset: wire.Dataset) -> None:
    _, out, _ = run("models", "list", "-o", "csv")
    assert model.id in [row["id"] for row in rows(out)]
    _, out, _ = run("inspect", model.id)
    assert "input shape" in out or "input_shape" in out
    _status, out, _ = run("datasets", "show", dataset.id, "-o", "json")
    assert json.loads(out)["inspection"]["splits"]["train"]["samples"] == 200


def test_what_could_be_reached_is_asked_for(run: Run, model: wire.Model, device: str) -> None:
    status, out, _ = run(
        "jobs", "check", "--model", model.id, "--device", device, "--constraint", "macs_ratio <= 0.00001"
    )
    assert status == 0
    assert "out of reach" in out
    assert run("jobs", "queue")[0] == 0


def test_text_of_others_cannot_steer_the_terminal(run: Run, job: Job) -> None:
    job.update(name="\x1b[2J\x1b]0;owned\x07[red]name[/red]")
    _status, out, _ = run("jobs")
    assert "\x1b" not in out
    assert "[red]name[/red]" in out
    assert printable("a\x1b[31m\nb") == "a�[31m�b"


def test_figures_read_as_a_person_would_write_them() -> None:
    assert [figure(0.912345, "accuracy"), figure(1.23456789), figure(1234567), figure(None), figure(True)] == [
        "0.9123",
        "1.23457",
        "1,234,567",
        "-",
        "yes",
    ]


def paretrim(live: Live, *arguments: str, **more: str) -> subprocess.Popen[str]:
    environment = os.environ | {"PARETRIM_URL": live.url, "PARETRIM_API_KEY": live.key} | more
    command = [str(Path(sys.executable).with_name("paretrim")), *arguments]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_interrupting_watch_leaves_the_job_alone(live: Live, worker: Worker, job: Job) -> None:
    streams = live.service.limits._streams
    deadline = time.monotonic() + 20
    while sum(streams.values()) and time.monotonic() < deadline:  # of the test before
        time.sleep(0.02)
    watching = paretrim(live, "watch", job.id)
    deadline = time.monotonic() + 20
    while not sum(streams.values()) and time.monotonic() < deadline:
        time.sleep(0.02)
    watching.send_signal(signal.SIGINT)
    out, err = watching.communicate(timeout=60)
    assert watching.returncode == 130
    assert f"paretrim watch {job.id}" in err
    assert f"paretrim jobs cancel {job.id}" in err
    assert "Traceback" not in err
    assert out == ""
    assert job.reload().state == "running"
    worker.succeed()


def test_the_installed_program_writes_plain_text_into_pipes(live: Live, job: Job) -> None:
    listing = paretrim(live, "jobs", "list", "--limit", "1")
    out, err = listing.communicate(timeout=60)
    assert (listing.returncode, err) == (0, "")
    assert "\x1b" not in out
    assert job.id in out, "ids are not cut at 80 columns"
    assert job.name is None


@pytest.mark.parametrize(("no_color", "coloured"), [("", True), ("1", False)])
def test_colours_are_for_terminals_and_can_be_switched_off(live: Live, no_color: str, coloured: bool) -> None:
    """On a real terminal: a job that does not exist is an error in red, or in no colour."""
    leader, follower = os.openpty()
    environment = os.environ | {"PARETRIM_URL": live.url, "PARETRIM_API_KEY": live.key, "TERM": "xterm-256color"}
    environment |= {"NO_COLOR": no_color} if no_color else {}
    command = [str(Path(sys.executable).with_name("paretrim")), "jobs", "show", "job_none"]
    status = subprocess.run(command, env=environment, stdout=follower, stderr=follower, check=False).returncode
    os.close(follower)
    said = os.read(leader, 65536).decode()
    os.close(leader)
    assert status == 1
    assert "there is no job" in said
    assert ("31m" in said) == coloured


def test_a_reader_that_goes_away_is_no_error(live: Live, done: Job) -> None:
    script = f"{Path(sys.executable).with_name('paretrim')} jobs events {done.id} | head -n 1"
    environment = os.environ | {"PARETRIM_URL": live.url, "PARETRIM_API_KEY": live.key}
    ended = subprocess.run(["bash", "-c", script], env=environment, capture_output=True, text=True, check=False)
    assert json.loads(ended.stdout)["seq"] == 1
    assert "Traceback" not in ended.stderr


def test_shell_completion_knows_the_commands(live: Live) -> None:
    asking = {"_PARETRIM_COMPLETE": "complete_bash", "COMP_WORDS": "paretrim jo", "COMP_CWORD": "1"}
    out, err = paretrim(live, **asking).communicate(timeout=60)
    assert out.split() == ["jobs"], err


def test_the_version_is_told(run: Run) -> None:
    assert run("--version")[1].startswith("paretrim 0.")
