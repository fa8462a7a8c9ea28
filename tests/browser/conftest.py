"""A real server on a real database, a real Chromium looking at it, and what it complains about."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, expect, sync_playwright

from tests.browser.rows import Shown, World, job, network, world
from tests.browser.stage import CHROMIUM, FLAGS, Server, Visit, serving, sign_in, watched


@pytest.fixture(scope="package", autouse=True)
def chromium() -> None:
    """Chromium must be there in CI; elsewhere its absence is a reason to skip."""
    if CHROMIUM.exists():
        return
    if os.environ.get("CI") == "true":
        pytest.fail(f"{CHROMIUM} is missing: install Debian's chromium", pytrace=False)
    pytest.skip(f"{CHROMIUM} is missing")


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """uvicorn with the whole app, as a process of its own."""
    with serving(tmp_path_factory.mktemp("data")) as served:
        yield served


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests here; started late and ended with them, since it holds an event loop."""
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS.split())
        expect.set_options(
            timeout=20_000
        )  # patience for a machine with other work to do; a test that passes waits for nothing
        yield launched
        launched.close()


@pytest.fixture(scope="package")
def signed_in(server: Server, browser: Browser) -> Any:
    """The cookies of somebody who has signed in through the form."""
    context = browser.new_context()
    sign_in(server, context)
    state = context.storage_state()
    context.close()
    return state


@pytest.fixture(scope="package")
def desktop(browser: Browser, signed_in: Any) -> Iterator[BrowserContext]:
    """A signed-in person's browser on a desktop. Kept, so that scripts come from its cache as they do for people."""
    context = browser.new_context(storage_state=signed_in, viewport={"width": 1280, "height": 860})
    yield context
    context.close()


@pytest.fixture
def visit(server: Server, desktop: BrowserContext) -> Iterator[Visit]:
    """A page in that browser, under watch."""
    visit = watched(desktop, server.url)
    yield visit
    visit.check()
    visit.page.close()


@pytest.fixture(scope="package")
def resnet(server: Server) -> World:
    """A model and a dataset with ordinary names."""
    with server.service.database.write() as session:
        return world(session, server.workspace_id, name="resnet.onnx", network=network())


@pytest.fixture(scope="package")
def done(server: Server, resnet: World) -> Shown:
    """A job that has ended well."""
    return job(server.service, resnet, "For the edge", filled=60, ended=True, tags=["edge"])
