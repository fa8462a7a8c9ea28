"""The whole way, through the pages alone: upload, submit, watch a real search, download what it found."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import onnx
import pytest
from playwright.sync_api import Browser, expect

from tests.browser.stage import Server, Visit, serving, sign_in, watched
from tests.search import tiny
from tests.service import running


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Server]:
    """A server with nothing on it, and a dispatcher that runs jobs in their own processes."""
    settings = {"executor": "inline", "poll_seconds": 0.1, "free_space_floor_bytes": 0}
    with serving(tmp_path / "data", **settings) as served, running.dispatching(served.service):
        yield served


def test_from_two_files_to_a_smaller_network(own_server: Server, browser: Browser, tmp_path: Path) -> None:
    (tmp_path / "tiny.onnx").write_bytes(tiny.model())
    dataset = tiny.dataset(tmp_path)
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    sign_in(own_server, context)
    visit = watched(context, own_server.url)

    page = visit.open("/jobs/new")
    for kind, path in (("model", tmp_path / "tiny.onnx"), ("dataset", dataset)):
        page.locator(f'file-upload[data-kind="{kind}"] input').set_input_files(path)
    for kind in ("model", "dataset"):
        expect(page.locator(f'file-upload[data-kind="{kind}"]')).to_have_attribute(
            "data-state", "ready", timeout=60_000
        )
    _fill_in(visit)
    page.get_by_role("button", name="Submit").click()
    page.wait_for_url("**/jobs/job_*")

    page.evaluate("() => { window.sameDocument = true; }")
    expect(page.locator("#job-head .badge").first).to_have_text("succeeded", timeout=90_000)
    assert page.evaluate("() => window.sameDocument"), "the page was loaded again instead of following the job"
    page.wait_for_function("() => document.querySelector('#curves .plot').data?.length >= 2")
    expect(page.locator("#job-searches")).to_contain_text("8 of 8")
    expect(page.locator("#job-front .how.measured").first).to_be_visible()

    page.locator("#job-front tbody tr", has_text="ONNX").first.locator("th a").click()
    visit.ready()
    expect(page.get_by_role("heading", name="Predicted against measured")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download ONNX").click()
    smaller = onnx.load_from_string(download.value.path().read_bytes())
    assert smaller.graph.input[0].name == onnx.load_from_string(tiny.model()).graph.input[0].name
    visit.check()
    context.close()


def _fill_in(visit: Visit) -> None:
    page = visit.page
    page.get_by_label("Name", exact=True).fill("The whole way")
    page.locator("#device").select_option("mcu-m4")
    for name in ("portfolio", "nsga2"):
        page.locator(f'input[name="algorithms"][value="{name}"]').set_checked(name == "nsga2")
    page.locator('input[name="budget.candidates"]').fill("8")
    page.locator('input[name="deliver"]').fill("1")
    page.locator('input[name="finetune_epochs"]').fill("0")
    page.get_by_role("textbox", name="Bound", exact=True).fill("0.8")
    page.get_by_text("More settings").click()
    page.locator('input[name="validation_samples"]').fill("200")
    page.locator('input[name="window"]').fill("4")
    expect(page.locator(".verdict")).to_contain_text("Can be met")


def test_a_file_that_is_no_network_is_rejected_with_the_reason(
    own_server: Server, browser: Browser, tmp_path: Path
) -> None:
    (tmp_path / "no.onnx").write_bytes(b"not a network at all" * 10)
    context = browser.new_context()
    sign_in(own_server, context)
    visit = watched(context, own_server.url)
    page = visit.open("/models")
    page.locator("file-upload input").set_input_files(tmp_path / "no.onnx")
    expect(page.locator("file-upload")).to_have_attribute("data-state", "failed", timeout=60_000)
    expect(page.locator(".upload-status")).to_contain_text("Rejected")
    visit.check()
    context.close()
