"""Comparing jobs, the log, settings, devices, models, datasets, keys, workers."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.rows import HOSTILE, Shown, World, job
from tests.browser.stage import Server, Visit


def test_jobs_are_compared(visit: Visit, server: Server, resnet: World, done: Shown) -> None:
    other = job(server.service, resnet, HOSTILE, filled=30, ended=True, candidates=30, seed=5)
    page = visit.open("/jobs")
    compare = page.get_by_role("button", name="Compare")
    expect(compare).to_be_disabled()
    for shown in (done, other):
        page.locator(f'[data-job="{shown.id}"]').get_by_role("checkbox").check()
    compare.click()
    visit.ready()
    names = page.evaluate(
        """() => document.querySelector('#fronts .plot').data.filter((t) => t.mode === 'markers')
             .map((t) => [t.name, t.x.length])"""
    )
    assert sorted(count for _, count in names) == sorted(len(s.filled.front.numbers) for s in (done, other))
    expect(page.locator("#fronts .legendtext", has_text="<img src=x")).to_be_visible()
    differing = page.get_by_role("region", name="Settings that differ, table")
    expect(differing).to_contain_text("budget.candidates")
    expect(differing).not_to_contain_text("window")
    page.get_by_text("settings that are the same").click()
    expect(page.get_by_text("window", exact=True)).to_be_visible()


@pytest.mark.parametrize("query", ["", "?job=job_1", "?" + "&".join(f"job=job_{n}" for n in range(9))])
def test_fewer_than_two_or_more_than_eight_jobs_are_refused(visit: Visit, query: str) -> None:
    response = visit.page.goto(f"{visit.url}/compare{query}")
    assert response is not None
    assert response.status == 422
    expect(visit.page.get_by_text("choose from 2 to 8 jobs")).to_be_visible()
    visit.complaints.clear()  # the browser notes the 422 itself


def test_the_log_tells_what_happened_and_is_filtered(visit: Visit, done: Shown) -> None:
    page = visit.open(f"/jobs/{done.id}/log")
    expect(page.locator("#log")).to_contain_text("60 candidates of each search")
    expect(page.locator("#log li").first).to_contain_text("succeeded")
    visit.open(f"/jobs/{done.id}/log?type=candidates")
    expect(page.locator("#log")).to_contain_text("amc: 60 candidates, 3 of them failed")
    visit.open(f"/jobs/{done.id}/log?level=error")
    expect(page.locator("#log")).to_contain_text("Nothing has happened")


def test_a_job_is_paused_resumed_and_cancelled(visit: Visit, server: Server, resnet: World) -> None:
    running = job(server.service, resnet, "Steered", filled=2)
    page = visit.open(f"/jobs/{running.id}")
    state = page.locator("#job-head .badge").first
    page.get_by_role("button", name="Pause").click()
    expect(state).to_have_text("pausing")
    page.get_by_role("button", name="Resume").click()
    expect(state).to_have_text("running")
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Keep it").click()
    expect(state).to_have_text("running")
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    expect(state).to_have_text("cancelling")


def test_settings_lead_to_a_clone_that_is_filled_in(visit: Visit, done: Shown) -> None:
    page = visit.open(f"/jobs/{done.id}/settings")
    expect(page.get_by_text("latency_ratio <= 0.8").first).to_be_visible()
    expect(page.get_by_text("added by the service for comparison")).to_be_visible()
    page.get_by_role("link", name="Clone with changes").click()
    expect(page.get_by_role("heading", name="Clone of For the edge")).to_be_visible()
    expect(page.get_by_role("textbox", name="Bound", exact=True)).to_have_value("0.8")
    expect(page.get_by_label("Candidates of each search")).to_have_value("60")
    expect(page.locator('input[name="algorithms"][value="amc"]')).to_be_checked()


def test_the_form_says_what_can_be_had(visit: Visit, done: Shown) -> None:
    page = visit.open(f"/jobs/new?clone={done.id}")
    expect(page.locator("job-outlook")).to_contain_text("at the least")
    expect(page.locator(".verdict")).to_contain_text("Can be met")
    page.get_by_role("textbox", name="Bound", exact=True).fill("0.001")
    expect(page.locator(".verdict")).to_contain_text("Out of reach: the smallest reachable is")
    page.get_by_role("button", name="Submit").click()
    expect(page.locator('[data-error-for="constraints"]')).to_contain_text("cannot be met")
    visit.complaints.clear()  # the browser notes the 422 itself
    page.get_by_role("textbox", name="Bound", exact=True).fill("0.5")
    page.get_by_label("Name", exact=True).fill("From the form")
    page.get_by_role("button", name="Submit").click()
    page.wait_for_url("**/jobs/job_*")
    expect(page.get_by_role("heading", name="From the form")).to_be_visible()
    expect(page.get_by_text("latency_ratio <= 0.5")).to_be_visible()


def test_a_device_is_explored_channel_by_channel(visit: Visit) -> None:
    page = visit.open("/devices")
    page.get_by_role("link", name="bit-serial").click()
    visit.ready()
    series = page.evaluate(
        """() => document.querySelector('#sweep .plot').data.filter((t) => t.name === 'W8 A8').map((t) => t.y)[0]"""
    )
    # steps of 8 channels: times stay while channels grow within a step, and rise from one to the next
    assert series[0] == series[7] < series[8] == series[15]
    page.locator("#shape").select_option(index=1)
    page.wait_for_function("() => document.querySelector('#sweep .plot').ariaLabel.includes('conv2d 1×1')")
    assert "shape=1" in page.url
    expect(page.get_by_text("Umuroglu")).to_be_visible()


def test_models_and_datasets_show_their_inspection(visit: Visit, resnet: World) -> None:
    page = visit.open(f"/models/{resnet.model_id}")
    assert page.get_by_role("region", name="Layers, table").locator("tbody tr").count() == 7
    assert page.get_by_role("region", name="Groups, table").locator("tbody tr").count() == 6
    visit.open(f"/datasets/{resnet.dataset_id}")
    expect(page.get_by_role("region", name="Splits, table")).to_contain_text("validation")
    expect(page.get_by_text("0 to 9")).to_be_visible()


def test_a_key_is_made_shown_once_and_revoked(visit: Visit) -> None:
    page = visit.open("/keys")
    page.get_by_label("Name", exact=True).fill(HOSTILE)
    page.get_by_role("button", name="Make it").click()
    expect(page.locator("#new-secret")).to_contain_text("paretrim_")
    row = page.locator("#keys tbody tr", has_text="<img src=x")
    expect(row).to_have_count(1)
    visit.open("/keys")
    expect(page.locator("#new-key")).to_be_hidden()
    row.get_by_role("button", name="Revoke").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    expect(row).to_have_count(0)


def test_workers_and_the_queue_are_shown(visit: Visit, server: Server, resnet: World) -> None:
    running = job(server.service, resnet, "Held by a worker", filled=1)
    page = visit.open("/workers")
    held = page.locator(f"#held-{running.id}")
    expect(held).to_contain_text("a-test")
    expect(held).to_contain_text("min")
    expect(page.get_by_text("Schema")).to_be_visible()


def test_what_is_not_there_is_a_page_that_says_so(visit: Visit) -> None:
    for path in ("/jobs/job_none", "/models/mdl_none", "/devices/none", "/jobs/job_none/candidates/x"):
        response = visit.page.goto(visit.url + path)
        assert response is not None
        assert response.status in (404, 422)
        expect(visit.page.get_by_role("link", name="All jobs")).to_be_visible()
    visit.complaints.clear()  # the browser notes each of them itself


def test_the_theme_is_switched_and_remembered(visit: Visit, done: Shown) -> None:
    page = visit.open(f"/jobs/{done.id}")
    before = page.evaluate("() => getComputedStyle(document.body).backgroundColor")
    page.get_by_role("button", name="Switch between light and dark").click()
    after = page.evaluate("() => getComputedStyle(document.body).backgroundColor")
    assert before != after
    page.reload()
    assert page.evaluate("() => getComputedStyle(document.body).backgroundColor") == after
    page.get_by_role("button", name="Switch between light and dark").click()
