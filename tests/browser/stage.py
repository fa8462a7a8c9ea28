"""The server under test and the pages that look at it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from playwright.sync_api import BrowserContext, Page
from sqlalchemy import select

from service import accounts, schema, tables
from service.context import Service
from service.settings import Settings

ROOT = Path(__file__).parent.parent.parent
CHROMIUM = Path("/usr/bin/chromium")
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    " --disable-component-update --disable-sync"
)
#: noted by the page itself, from its first moment on
WATCH = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) => {
  violations.push(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`);
});
"""
#: between two pages a document has no element for a moment
READY = """() => document.documentElement?.dataset.ready === "true"
  && [...document.querySelectorAll(".chart")].every((chart) => chart.dataset.ready)"""


@dataclass
class Server:
    """A running service, and a way into its database beside it."""

    url: str
    service: Service
    key: str
    workspace_id: str
    output: list[str] = field(default_factory=list)


#: uvicorn with the whole app, at an address of its own choice
UVICORN = ("-m", "uvicorn", "service.app:create_app", "--factory", "--port", "0")


@contextmanager
def running(settings: Settings, python: Sequence[str] = UVICORN, **environment: str) -> Iterator[tuple[str, list[str]]]:
    """A server as a process of its own: its address, and the lines it prints. python: the interpreter's arguments."""
    command = [sys.executable, *python]
    given = os.environ | {
        "PARETRIM_DATA_DIR": str(settings.data_dir),
        "PARETRIM_POLL_SECONDS": "0.1",
        "PARETRIM_REQUESTS_PER_MINUTE": "0",
        "PYTHONPATH": f"{ROOT}:{ROOT / 'sdk'}",
    }
    lines: list[str] = []
    with subprocess.Popen(
        command, env=given | environment, stderr=subprocess.STDOUT, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            address = _address(process.stdout, lines)
            listener = threading.Thread(target=lines.extend, args=(process.stdout,))
            listener.start()
            yield address, lines
        finally:
            process.terminate()
        listener.join(15)


@contextmanager
def serving(data_dir: Path, python: Sequence[str] = UVICORN, **settings: Any) -> Iterator[Server]:
    """A migrated database, its first key, and a server on it."""
    made = Settings(data_dir=data_dir, **settings)
    schema.upgrade(made.database_url)
    service = Service.build(made)
    with service.database.write() as session:
        key = accounts.first_key(session)
        workspace_id = session.scalar(select(tables.Workspace.id))
    assert key is not None
    assert workspace_id is not None
    try:
        with running(made, python) as (url, lines):
            yield Server(url, service, key, workspace_id, lines)
    finally:
        service.database.close()


def sign_in(server: Server, context: BrowserContext) -> None:
    """Through the form, as people do."""
    page = context.new_page()
    page.goto(f"{server.url}/jobs")
    page.get_by_label("API key").fill(server.key)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/jobs")
    page.close()


def _address(output: IO[str], lines: list[str]) -> str:
    """Where it listens, which it says once it does."""
    for line in output:
        lines.append(line)
        found = re.search(r"http://127\.0\.0\.1:\d+", line)
        if found:
            return found[0]
    raise AssertionError("the server did not start:\n" + "".join(lines))


@dataclass
class Visit:
    """A page under watch. What it complains about fails the test."""

    page: Page
    url: str
    complaints: list[str] = field(default_factory=list)

    def open(self, path: str) -> Page:
        """Go there, and wait until everything is drawn."""
        response = self.page.goto(self.url + path)
        assert response is not None
        assert response.ok, f"{path}: {response.status}"
        self.ready()
        return self.page

    def ready(self) -> None:
        """Wait until every chart is drawn."""
        self.page.wait_for_function(READY)
        failed = self.page.locator('.chart[data-ready="failed"]')
        assert failed.count() == 0, failed.first.inner_text()

    def check(self) -> None:
        """No console error, no policy violation, nothing thrown."""
        self.complaints += self.page.evaluate("() => window.violations ?? []")
        assert self.complaints == []


def watched(context: BrowserContext, url: str) -> Visit:
    """A new page whose complaints are gathered."""
    context.set_default_timeout(90_000)  # patience for a busy machine; what passes waits for nothing
    page = context.new_page()
    visit = Visit(page, url)
    page.add_init_script(WATCH)
    page.on("pageerror", lambda error: visit.complaints.append(f"thrown: {error}"))
    page.on(
        "console",
        lambda line: visit.complaints.append(line.text) if line.type in ("error", "warning") else None,
    )
    return visit
