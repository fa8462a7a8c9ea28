"""A job: front, curves, searches; live."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser.rows import HOSTILE, Shown, World, job, network, queued_job, world
from tests.browser.stage import Server, Visit


def test_a_job_shows_its_front_and_its_searches(visit: Visit, done: Shown) -> None:
    page = visit.open(f"/jobs/{done.id}")
    expect(page.get_by_role("heading", name="For the edge")).to_be_visible()
    front = page.locator("#job-front tbody tr")
    assert front.count() == len(done.filled.front.numbers)
    best = done.filled.front.best["accuracy"]
    expect(page.locator("#job-figures")).to_contain_text(f"{100 * best:.2f} %")
    rows = page.locator("#job-searches tbody tr")
    assert rows.count() == 3
    expect(rows.nth(0)).to_contain_text("amc")
    expect(rows.nth(0)).to_contain_text("60 of 60")
    expect(rows.nth(2)).to_contain_text("baseline")


def test_every_candidate_is_a_point_and_a_click_opens_it(visit: Visit, done: Shown) -> None:
    page = visit.open(f"/jobs/{done.id}")
    chart = page.locator("#pareto")
    # three of sixty failed in each search; the original is drawn once by itself and once as a candidate
    points = page.evaluate(
        """() => document.querySelector('#pareto .plot').data.filter((t) => !(t.name ?? '').startsWith('edge'))
             .reduce((n, t) => n + t.x.length, 0)"""
    )
    assert points == 3 * 57 + 1
    assert chart.locator("path.point").count() + int(chart.get_attribute("data-below") or 0) == points
    front = len(done.filled.front.numbers)
    label = re.compile(rf"Accuracy .* against Latency .* of {points} candidates, {front} of them on the front")
    expect(chart.locator(".plot")).to_have_attribute("aria-label", label)
    place = page.evaluate(
        """() => {
          const plot = document.querySelector('#pareto .plot');
          const trace = plot.data.findIndex((t) => t.name === 'front');
          const { xaxis, yaxis } = plot._fullLayout;
          const box = plot.getBoundingClientRect();
          return { n: plot.data[trace].customdata[0],
                   x: box.left + xaxis._offset + xaxis.c2p(plot.data[trace].x[0]),
                   y: box.top + yaxis._offset + yaxis.c2p(plot.data[trace].y[0]) };
        }"""
    )
    page.mouse.move(place["x"], place["y"])
    expect(chart.locator(".hovertext")).to_contain_text(f"Candidate {place['n']}")
    page.mouse.click(place["x"], place["y"])
    page.wait_for_url(f"**/jobs/{done.id}/candidates/{place['n']}")


def test_axes_are_picked_and_kept_in_the_address(visit: Visit, done: Shown) -> None:
    page = visit.open(f"/jobs/{done.id}")
    page.get_by_label("Metric across").select_option("size_bytes")
    expect(page.locator("#pareto .plot")).to_have_attribute("aria-label", re.compile("Size"))
    assert "x=size_bytes" in page.url
    page.reload()
    visit.ready()
    expect(page.get_by_label("Metric across")).to_have_value("size_bytes")


def test_curves_switch_to_hypervolume_and_time(visit: Visit, done: Shown) -> None:
    page = visit.open(f"/jobs/{done.id}")
    plot = page.locator("#curves .plot")
    assert page.locator("#curves .scatterlayer .trace").count() == 3
    page.get_by_role("button", name="Hypervolume").click()
    page.get_by_role("button", name="Time").click()
    expect(plot).to_have_attribute("aria-label", re.compile("^Hypervolume against time"))
    assert "curve=hypervolume" in page.url


def test_algorithms_say_how_they_are_doing(visit: Visit, server: Server, resnet: World) -> None:
    running = job(server.service, resnet, "Gauged", filled=4)
    page = visit.open(f"/jobs/{running.id}")
    lines = "() => document.querySelector('#gauges .plot').data.map((t) => [t.name, t.x])"
    assert page.evaluate(lines) == [["amc", [4]], ["amc", [4]], ["nsga2", [4]]]
    expect(page.locator("#gauges .annotation-text").nth(0)).to_have_text("Reward")
    expect(page.locator("#gauges .annotation-text").nth(2)).to_have_text("Generation")
    running.filled.add(8)
    page.wait_for_function("() => document.querySelector('#gauges .plot').data[0].x.length === 2")
    assert page.evaluate(lines)[1] == ["amc", [4, 12]]
    running.filled.finish()


def test_a_job_that_has_not_begun_says_so_in_its_charts(visit: Visit, server: Server, resnet: World) -> None:
    with server.service.database.write() as session:
        waiting = queued_job(session, server.service, resnet, name="Not yet", candidates=10).id
    page = visit.open(f"/jobs/{waiting}")
    expect(page.locator("#pareto")).to_contain_text("Nothing has been measured yet")
    expect(page.locator("#curves")).to_contain_text("No candidate meets every constraint yet")
    expect(page.locator("#gauges")).to_contain_text("No algorithm of this job has said anything")
    expect(page.locator("#job-selected")).to_be_hidden()


def test_what_a_worker_records_appears_without_reloading(visit: Visit, server: Server, resnet: World) -> None:
    running = job(server.service, resnet, "Watched", filled=5)
    page = visit.open(f"/jobs/{running.id}")
    expect(page.locator("job-stream")).to_have_attribute("data-ready", "true")
    expect(page.locator("#job-head")).to_contain_text("15 of 180")
    page.evaluate("() => { window.sameDocument = true; }")
    before = page.locator("#pareto path.point").count()
    running.filled.add(10)
    expect(page.locator("#job-head")).to_contain_text("45 of 180")
    expect(page.locator("#job-searches")).to_contain_text("15 of 60")
    page.wait_for_function("(n) => document.querySelectorAll('#pareto path.point').length >= n", arg=before + 20)
    page.wait_for_function("() => document.querySelector('#curves .plot').data[0].x.at(-1) === 15")
    running.filled.finish()
    expect(page.locator("#job-head .badge").first).to_have_text("succeeded")
    assert page.evaluate("() => window.sameDocument")


def test_hostile_names_are_text_in_charts_too(visit: Visit, server: Server) -> None:
    layers = (HOSTILE, "<b>bold</b>", "a.2")
    with server.service.database.write() as session:
        hostile = world(session, server.workspace_id, name=HOSTILE, network=network(layers))
    shown = job(server.service, hostile, HOSTILE, filled=20, ended=True)
    page = visit.open(f"/jobs/{shown.id}")
    expect(page.get_by_role("heading", name=HOSTILE)).to_be_visible()
    visit.open(f"/jobs/{shown.id}/candidates/1")
    assert page.locator("#layers .xtick text, #layers .x2tick text").all_text_contents()[:2] == [HOSTILE, "<b>bold</b>"]
    assert page.locator("img").count() == 0
    assert "owned" not in page.title()
