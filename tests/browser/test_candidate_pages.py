"""Candidates: listed, looked into, compared; and what the searches have learned."""

from __future__ import annotations

import csv
import io
import re

import httpx2
from playwright.sync_api import expect
from sqlalchemy import select

from service import tables
from tests.browser.rows import Shown
from tests.browser.stage import Server, Visit


def test_a_candidate_shows_every_layer_beside_the_original(visit: Visit, done: Shown) -> None:
    n = done.filled.front.numbers[0]
    page = visit.open(f"/jobs/{done.id}/candidates/{n}")
    measurement = done.filled.front.members[n]
    expect(page.locator(".tiles")).to_contain_text(f"{100 * measurement.value('accuracy'):.2f} %")
    layers = page.get_by_role("region", name="Layers, table").locator("tbody tr")
    assert layers.count() == len(done.filled.world.network.layers)
    expect(layers.first).to_contain_text("of 16")
    bars = page.evaluate("() => document.querySelector('#layers .plot').data.map((t) => t.name)")
    channels, bits = ["original", "channels kept"], ["weight bits", "activation bits"]
    assert bars == [*channels, *bits, "latency before", "latency after", "sensitivity"]
    expect(page.get_by_text("predicted").first).to_be_visible()
    page.get_by_text("Policy as JSON").click()
    expect(page.locator("details pre").first).to_contain_text('"keep"')


def test_the_network_is_drawn_as_its_layers(visit: Visit, done: Shown) -> None:
    n = done.filled.front.numbers[0]
    page = visit.open(f"/jobs/{done.id}/candidates/{n}")
    layers = page.request.get(f"{visit.url}/api/v1/jobs/{done.id}/candidates/{n}/layers").json()["layers"]
    drawn = page.locator("svg.network .layer")
    assert [drawn.nth(row).get_attribute("data-layer") for row in range(drawn.count())] == [e["name"] for e in layers]
    # input, seven layers and the output stand in a chain: eight connections, none of which goes past a layer
    assert page.locator("svg.network .flow").count() == len(layers) + 1
    for row, layer in enumerate(layers):
        expect(drawn.nth(row)).to_contain_text(f"W{layer['weight_bits']} A{layer['activation_bits']}")
        was, left = (drawn.nth(row).locator(f"rect.{kind}").bounding_box() for kind in ("was", "is"))
        assert was is not None
        assert left is not None
        cut = layer["out_channels"] < layer["original"]["out_channels"]
        assert (left["height"] < was["height"] - 1) is cut, layer["name"]
    share = layers[0]["latency_ms"] / sum(entry["latency_ms"] for entry in layers)
    cells = page.get_by_role("region", name="Layers, table").locator("tbody tr").first.locator("td")
    expect(cells.nth(6)).to_contain_text(f"{100 * share:.3g} %")
    expect(page.locator(".note", has_text="Sensitivity:")).to_contain_text("172 measured candidates")


def test_a_candidate_that_was_not_delivered_can_be_asked_for(visit: Visit, server: Server, done: Shown) -> None:
    n = done.filled.front.numbers[0]
    page = visit.open(f"/jobs/{done.id}/candidates/{n}")
    page.get_by_role("button", name="Export").click()
    expect(page.locator(".toast")).to_contain_text("its files appear here")
    with server.service.database.read() as session:
        asked = session.scalars(select(tables.Export.n).where(tables.Export.job_id == done.id)).all()
    assert asked == [n]
    visit.open(f"/jobs/{done.id}/candidates/0")
    assert page.get_by_role("button", name="Export").count() == 0, "the original is there already"


def test_a_failed_candidate_says_why_as_text(visit: Visit, done: Shown) -> None:
    page = visit.open(f"/jobs/{done.id}/candidates?failed=true")
    assert page.locator("#candidates tbody tr").count() == 9
    expect(page.locator("#candidates td.reason").first).to_have_text("<b>the loss</b> is not a number")
    page.locator("#candidates tbody th a").first.click()
    expect(page.locator(".notice.bad")).to_contain_text("<b>the loss</b> is not a number")


def test_candidates_are_filtered_sorted_and_paged_by_the_server(visit: Visit, done: Shown) -> None:
    page = visit.open(f"/jobs/{done.id}/candidates")
    assert page.locator("#candidates tbody tr").count() == 100
    page.get_by_role("link", name="Next candidates").click()
    visit.ready()
    assert page.locator("#candidates tbody tr").count() == 81
    page.get_by_role("link", name="Accuracy").click()
    visit.ready()
    first = page.locator("#candidates tbody tr").first.locator("td.number").first.inner_text()
    best = max(m.value("accuracy") for m in done.filled.front.members.values())
    assert float(first.removesuffix(" %")) >= round(100 * best, 2)
    expect(page.locator("thead th[aria-sort]")).to_have_attribute("aria-sort", "descending")
    page.get_by_label("On the front").select_option("true")
    page.get_by_role("button", name="Filter").click()
    visit.ready()
    assert page.locator("#candidates tbody tr").count() == len(done.filled.front.numbers)


def test_the_table_comes_as_csv(server: Server, visit: Visit, done: Shown) -> None:
    page = visit.open(f"/jobs/{done.id}/candidates?failed=false")
    address = page.get_by_role("link", name="CSV").get_attribute("href")
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    rows = list(csv.DictReader(io.StringIO(download.value.path().read_text())))
    assert len(rows) == 3 * 57 + 1
    answer = httpx2.get(f"{server.url}{address}", headers={"Authorization": f"Bearer {server.key}"})
    assert answer.text == download.value.path().read_text()


def test_a_box_in_the_chart_fills_a_table(visit: Visit, done: Shown) -> None:
    page = visit.open(f"/jobs/{done.id}")
    box = page.locator("#pareto .nsewdrag").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 4, box["y"] + 4)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] - 4, steps=6)
    page.mouse.up()
    table = page.locator("#job-selected tbody tr")
    expect(table.first).to_be_visible()
    assert "where=latency_ms" in page.url
    bound = float(re.findall(r"latency_ms <= ([0-9.e-]+)", page.locator("#job-selected .note").inner_text())[0])
    inside = page.evaluate(
        """(bound) => document.querySelector('#pareto .plot').data
             .filter((t) => t.name !== 'original' && !(t.name ?? '').startsWith('edge'))
             .flatMap((t) => t.x).filter((x) => x <= bound).length""",
        bound,
    )
    assert table.count() == inside
    page.reload()
    visit.ready()
    assert table.count() == inside


def test_candidates_are_compared_layer_by_layer(visit: Visit, done: Shown) -> None:
    page = visit.open(f"/jobs/{done.id}/candidates")
    compare = page.get_by_role("button", name="Compare")
    expect(compare).to_be_disabled()
    page.get_by_label("Compare candidate 0").check()
    page.get_by_label("Compare candidate 2", exact=True).check()
    expect(compare).to_be_enabled()
    compare.click()
    visit.ready()
    expect(page.get_by_role("heading", level=1)).to_have_text("Original against Candidate 2")
    assert page.evaluate("() => document.querySelector('#layers .plot').data.map((t) => t.name)") == [
        "original",
        "candidate 2",
    ]
    page.locator('select[name="what"]').select_option("weight_bits")
    page.wait_for_function("() => document.querySelector('#layers .plot').data[0].y[0] === 32")
    assert page.get_by_role("region", name="Layers, table").locator("tbody tr").count() == 7


def test_the_map_shows_what_a_search_has_learned(visit: Visit, done: Shown) -> None:
    page = visit.open(f"/jobs/{done.id}/map")
    drawn = "() => { const [m, f] = document.querySelector('#map .plot').data; return [m.z.length, m.x.length, f.x]; }"
    assert page.evaluate(drawn) == [6, 8, ["front"]]
    page.locator('select[name="what"]').select_option("weight_bits")
    page.wait_for_function("() => document.querySelector('#map .plot').data[0].z.length === 7")
    page.locator('select[name="search"]').select_option(label="random (baseline)")
    page.wait_for_function("() => document.querySelector('#map').dataset.ready === 'true'")
    assert "what=weight_bits" in page.url
    assert "search=srch_" in page.url
    page.locator('select[name="metric"]').select_option("macs")
    page.wait_for_function("() => document.querySelector('#proposals .plot').ariaLabel.startsWith('MACs')")
