"""The API tested from its own description: every operation, every check, and chains of operations.

The committed `docs/openapi.json` is what clients may rely on; it changes with the code, in the same commit:
`.venv/bin/python -m service.openapi > docs/openapi.json`.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import schemathesis
import uvicorn
from schemathesis import engine
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events

from service import jobs, openapi
from service.app import create_app
from service.context import Service
from tests.service import worlds
from tests.service.test_recorder import CHECKPOINT, CURVE, ORIGINAL, WINDOW, recorder_of

#: of each operation and phase; PARETRIM_FUZZ_EXAMPLES=50 looks longer
EXAMPLES = int(os.environ.get("PARETRIM_FUZZ_EXAMPLES", "3"))
#: 400, 413 and 422 among them: a cursor that is none, a part longer than was announced, words that are no constraint.
#: No schema can tell; that data which breaks the schema is refused, and how, is another check's
ACCEPTED = ["2xx", "3xx", 400, 401, 403, 404, 409, 413, 422, 429, 503]
COMMITTED = Path(__file__).parent.parent.parent / "docs" / "openapi.json"


@dataclass(frozen=True)
class Running:
    """A service on a port, and a key to it."""

    url: str
    key: str


@pytest.fixture
def served(sqlite_url: str, tmp_path: Path) -> Iterator[Running]:
    """A service with a job that has ended, one that waits, and files that are ready."""
    settings = replace(worlds.settings(sqlite_url, tmp_path / "data"), allowed_hosts=("*",))
    app = create_app(settings)
    service: Service = app.state.service
    with worlds.client_of(app, service, "first") as client:
        files = worlds.ready_files(service)
        worlds.create_job(client, files)
        with service.database.write() as session:
            fence = jobs.claim(session, "w", lease_seconds=60.0, running_per_workspace=4)
        assert fence is not None
        recorder = recorder_of(service, fence)
        recorder.prepared(ORIGINAL, {}, ())
        recorder.record(recorder._plan.searches[0], WINDOW, CURVE, CHECKPOINT)
        recorder.front((1,), 0.5, {"accuracy": 0.8})
        recorder.flush()
        with service.database.write() as session:
            jobs.succeed(session, fence)
        worlds.create_job(client, files)
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="critical"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield Running(f"http://127.0.0.1:{port}", worlds.key_of(service, "first"))
    server.should_exit = True
    thread.join()


def test_the_committed_description_is_the_one_that_is_served() -> None:
    assert openapi.text() == COMMITTED.read_text(), "run `python -m service.openapi > docs/openapi.json`"


def test_the_page_names_every_operation() -> None:
    page = (COMMITTED.parent / "http-api.md").read_text()
    for path, methods in json.loads(COMMITTED.read_text())["paths"].items():
        for method in methods:
            assert f"`{method.upper()} {path.removeprefix('/api/v1')}`" in page


@pytest.mark.timeout(900)
def test_every_operation_keeps_to_its_description(served: Running) -> None:
    """Positive and negative data, missing headers, ignored authentication, unsupported methods, and chains."""
    config = SchemathesisConfig.from_dict(
        {
            "seed": 1,
            "headers": {"Authorization": f"Bearer {served.key}"},
            "request-timeout": 20.0,
            "max-stream-events": 2,
            "continue-on-failure": True,
            "generation": {"max-examples": EXAMPLES, "deterministic": True, "no-shrink": True},
            "checks": {"positive_data_acceptance": {"expected-statuses": ACCEPTED}},
            "phases": {"stateful": {"enabled": True}, "coverage": {"enabled": True}},
        }
    )
    schema = schemathesis.openapi.from_url(f"{served.url}/api/v1/openapi.json", config=config)
    failures: dict[str, str] = {}
    tested: set[str] = set()
    phases: set[str] = set()
    for event in engine.from_schema(schema).execute():
        if isinstance(event, events.NonFatalError | events.FatalError):
            failures[f"{type(event).__name__} {getattr(event, 'label', '')}"] = _said(event)
        if isinstance(event, events.ScenarioFinished):
            tested.add(str(event.recorder.label))
            phases.add(event.phase.value)
            failures |= _failures(event)
    assert not failures, "\n\n".join(f"{name}\n{text}" for name, text in sorted(failures.items()))
    described = json.loads(openapi.text())["paths"]
    operations = {f"{method.upper()} {path}" for path, methods in described.items() for method in methods}
    assert operations <= tested
    assert any("tateful" in phase for phase in phases)


def _said(event: Any) -> str:
    error = getattr(event, "value", None) or getattr(event, "exception", None)
    return repr(error)[:1500]


def _failures(event: events.ScenarioFinished) -> dict[str, str]:
    """One of each kind and operation, with what was sent."""
    found = {}
    for case_id, checks in event.recorder.checks.items():
        for check in checks:
            if check.failure_info is not None:
                case = event.recorder.cases[case_id].value
                failure = check.failure_info.failure
                name = f"{check.name}: {case.method} {case.path}"
                found[name] = f"{failure.title}: {failure.message[:600]}\n  sent: {case.as_curl_command()[:600]}"
    return found
