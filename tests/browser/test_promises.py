"""What holds for every page: accessible, quick with many candidates, readable on a phone, without scripts, and safe."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect
from sqlalchemy import insert, literal, select, update

from service import tables
from tests.browser.rows import Shown, World, job
from tests.browser.stage import ROOT, Server, Visit, watched

MANY = 50_000
SOME = 500  #: of each of three searches
FIRST_PAINT_MS = 1500
LOOKS = 4  #: at most, at each page: other work on the machine is no fault of the page
MOST_JSON_BYTES = 300_000
SIZES = {"desktop": (1280, 800), "phone": (360, 740)}
#: set to renew the pictures that the documentation shows
KEEP_PICTURES = os.environ.get("PARETRIM_KEEP_SCREENSHOTS") == "1"
KEPT = {
    *(f"{page}-desktop-light" for page in ("jobs", "job", "candidate", "map", "device", "new-job", "model")),
    *(f"{page}-desktop-dark" for page in ("job", "candidate", "map")),
    *(f"{page}-phone-{theme}" for page in ("job", "candidate") for theme in ("light", "dark")),
}


def pages_of(done: Shown) -> dict[str, str]:
    """Every page, by what its picture is called."""
    own = f"/jobs/{done.id}"
    n = done.filled.front.numbers[-1]
    return {
        "jobs": "/jobs",
        "job": own,
        "candidates": f"{own}/candidates",
        "candidate": f"{own}/candidates/{n}",
        "compare-candidates": f"{own}/candidates/compare?n=0&n={n}",
        "map": f"{own}/map",
        "log": f"{own}/log",
        "settings": f"{own}/settings",
        "new-job": f"/jobs/new?clone={done.id}",
        "models": "/models",
        "model": f"/models/{done.filled.world.model_id}",
        "dataset": f"/datasets/{done.filled.world.dataset_id}",
        "devices": "/devices",
        "device": "/devices/bit-serial",
        "keys": "/keys",
        "workers": "/workers",
    }


@pytest.fixture(params=[("desktop", "light"), ("phone", "dark"), ("desktop", "dark"), ("phone", "light")], ids="-".join)
def somebody(request: Any, server: Server, browser: Browser, signed_in: Any) -> Iterator[tuple[str, Visit]]:
    """Somebody with this screen who likes this theme."""
    size, theme = request.param
    width, height = SIZES[size]
    context = browser.new_context(
        storage_state=signed_in, viewport={"width": width, "height": height}, color_scheme=theme
    )
    visit = watched(context, server.url)
    yield f"{size}-{theme}", visit
    visit.check()
    context.close()


def test_no_page_has_a_serious_finding_or_scrolls_sideways(
    somebody: tuple[str, Visit], done: Shown, tmp_path: Path
) -> None:
    name, visit = somebody
    shown = {"desktop-light": None, "phone-dark": None}.get(name, ("job", "candidate", "map"))
    for title, path in pages_of(done).items():
        if shown is not None and title not in shown:
            continue
        page = visit.open(path)
        if title == "new-job":
            expect(page.locator("job-outlook")).to_have_attribute("data-ready", "true")
        found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
        serious = [
            (rule["id"], node["target"], node.get("failureSummary"))
            for rule in found
            if rule["impact"] in ("serious", "critical")
            for node in rule["nodes"]
        ]
        assert serious == [], f"{path} on {name}"
        assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth"), f"{path} scrolls sideways"
        kept = KEEP_PICTURES and f"{title}-{name}" in KEPT
        folder = ROOT / "docs" / "images" if kept else tmp_path
        assert len(page.screenshot(path=folder / f"{title}-{name}.png")) > 5_000


@pytest.fixture(scope="module")
def crowded(server: Server, resnet: World) -> Shown:
    """A job with fifty thousand candidates: some that a worker recorded, and copies of them."""
    shown = job(server.service, resnet, "Crowded", candidates=MANY // 3 + 1)
    shown.filled.add(SOME, policies=200)
    rows = 3 * SOME
    candidate, own = tables.Candidate, tables.Candidate.__table__.c
    for copy in range(1, -(-MANY // rows) + 1):
        changed = {
            "n": own.n + copy * rows,
            "index": own.index + copy * SOME,
            "on_front": literal(False),
            "accuracy": own.accuracy * (1 - 0.002 * copy),
            "latency_ms": own.latency_ms * (1 + 0.003 * copy),
        }
        source = select(*(changed.get(column.name, column) for column in own))
        with server.service.database.write() as session:
            originals = source.where(candidate.job_id == shown.id, candidate.n.between(1, rows))
            session.execute(insert(candidate).from_select([column.name for column in own], originals))
    with server.service.database.write() as session:
        evaluated = {"evaluated": MANY // 3}
        session.execute(update(tables.Search).where(tables.Search.job_id == shown.id).values(**evaluated))
    shown.filled.finish()
    return shown


def test_fifty_thousand_candidates_are_painted_at_once(visit: Visit, crowded: Shown) -> None:
    sizes: dict[str, int] = {}

    def note(response: Any) -> None:
        if "/api/" in response.url and "json" in response.headers.get("content-type", ""):
            sizes[response.url] = len(response.body())

    visit.page.on("response", note)
    for path in (f"/jobs/{crowded.id}", f"/jobs/{crowded.id}/candidates", f"/jobs/{crowded.id}/map", "/jobs"):
        paints: list[float] = []
        while not paints or (min(paints) >= FIRST_PAINT_MS and len(paints) < LOOKS):
            page = visit.open(path)
            paints.append(page.evaluate("() => performance.getEntriesByName('first-contentful-paint')[0].startTime"))
        assert min(paints) < FIRST_PAINT_MS, f"{path}: {paints} ms"
    assert any("/points" in url for url in sizes)
    assert {url: size for url, size in sizes.items() if size > MOST_JSON_BYTES} == {}
    total = page.request.get(f"{visit.url}/api/v1/jobs/{crowded.id}/points").json()["total"]
    assert total > MANY


def test_tables_can_be_read_without_scripts(server: Server, browser: Browser, signed_in: Any, done: Shown) -> None:
    context = browser.new_context(storage_state=signed_in, java_script_enabled=False)
    page = context.new_page()
    for path, text in (
        ("/jobs", "For the edge"),
        (f"/jobs/{done.id}", "Hypervolume"),
        (f"/jobs/{done.id}/candidates", "on the front"),
        (f"/jobs/{done.id}/candidates/{done.filled.front.numbers[0]}", "Weight bits"),
        (f"/jobs/{done.id}/log", "60 candidates of each search"),
    ):
        page.goto(server.url + path)
        expect(page.get_by_text(text).first).to_be_visible()
    context.close()


def test_everything_can_be_reached_with_the_keyboard(visit: Visit, done: Shown) -> None:
    page = visit.open(f"/jobs/{done.id}")
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    assert page.evaluate("() => document.activeElement.id") == "content"
    seen = []
    for _ in range(40):
        page.keyboard.press("Tab")
        seen.append(page.evaluate("() => (document.activeElement.textContent || '').trim().slice(0, 40)"))
    for name in ("Clone", "Candidates", "Hypervolume", "Time", "amc"):
        assert name in seen
    page.get_by_role("button", name="Time").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Time")).to_have_attribute("aria-pressed", "true")


def test_pages_let_nothing_but_our_own_files_run(server: Server, signed_in: Any, done: Shown) -> None:
    cookies = {cookie["name"]: cookie["value"] for cookie in signed_in["cookies"]}
    answer = httpx2.get(f"{server.url}/jobs/{done.id}", cookies=cookies)
    policy = dict(part.split(" ", 1) for part in answer.headers["content-security-policy"].split("; "))
    assert policy["script-src"] == "'self'"
    assert policy["default-src"] == "'none'"
    assert policy["frame-ancestors"] == "'none'"
    assert "unsafe-inline" not in answer.headers["content-security-policy"]
    assert "unsafe-eval" not in answer.headers["content-security-policy"]
    assert "<script>" not in answer.text
    assert 'onclick="' not in answer.text


def test_what_writes_needs_the_pages_own_token(server: Server, signed_in: Any, done: Shown) -> None:
    cookies = {cookie["name"]: cookie["value"] for cookie in signed_in["cookies"]}
    address = f"{server.url}/api/v1/jobs/{done.id}"
    assert httpx2.get(address, cookies=cookies).status_code == 200
    refused = httpx2.delete(address, cookies=cookies)
    assert refused.status_code == 403
    assert refused.json()["code"] == "csrf"
    assert httpx2.post(f"{server.url}/logout", cookies=cookies, data={"csrf": "x"}).status_code == 403


def test_static_files_are_kept_for_ever_under_an_address_that_changes(server: Server) -> None:
    page = httpx2.get(f"{server.url}/login").text
    base = page.split('data-static="')[1].split('"')[0]
    script = httpx2.get(f"{server.url}{base}/plotly.js", headers={"Accept-Encoding": "gzip"})
    assert "immutable" in script.headers["cache-control"]
    assert script.headers["content-encoding"] == "gzip"
    assert b"plotly.js" in script.content[:200]
    assert "no-store" in httpx2.get(f"{server.url}/static/old/app.js").headers["cache-control"]
    for name in ("..%2frender.py", "nothing.js", "%2e%2e%2fpages.py"):
        assert httpx2.get(f"{server.url}{base}/{name}").status_code == 404


def test_nothing_on_a_page_comes_from_elsewhere(visit: Visit, done: Shown) -> None:
    asked: list[str] = []
    visit.page.on("request", lambda request: asked.append(request.url))
    visit.open(f"/jobs/{done.id}")
    foreign = [url for url in asked if not url.startswith((visit.url, "data:", "blob:"))]
    assert foreign == []
    assert json.dumps(asked).count("plotly.js") == 1
    titles = visit.page.evaluate("() => [...document.querySelectorAll('.modebar-btn')].map((b) => b.dataset.title)")
    assert titles
    assert not any("hare" in title or "loud" in title for title in titles)
