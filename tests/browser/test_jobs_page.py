"""The list of jobs."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.rows import HOSTILE, Shown, World, job
from tests.browser.stage import Server, Visit


def test_without_a_session_every_page_leads_to_the_login_form(server: Server, browser: Browser) -> None:
    context = browser.new_context()
    page = context.new_page()
    for path in ("/", "/jobs", "/jobs/job_x", "/models", "/devices/mcu-m4"):
        page.goto(server.url + path)
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    context.close()


def test_a_wrong_key_is_refused_and_a_right_one_leads_on(server: Server, browser: Browser) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{server.url}/devices?x=1")
    page.get_by_label("API key").fill("paretrim_wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("not valid")
    page.get_by_label("API key").fill(server.key)
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(f"{server.url}/devices?x=1")
    cookie = next(cookie for cookie in context.cookies() if cookie["name"] == "paretrim_session")
    assert cookie["httpOnly"]
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    context.close()


def test_login_leads_to_no_other_site(server: Server, browser: Browser) -> None:
    context = browser.new_context()
    page = context.new_page()
    for target in ("https://evil.example/", "//evil.example/", "/\\evil.example"):
        page.goto(f"{server.url}/login?next={target}")
        assert page.locator('input[name="next"]').input_value() == "/jobs"
    context.close()


def test_jobs_are_listed_with_what_they_found(visit: Visit, done: Shown) -> None:
    page = visit.open("/jobs")
    row = page.locator(f'[data-job="{done.id}"]')
    expect(row).to_contain_text("For the edge")
    expect(row).to_contain_text("succeeded")
    expect(row).to_contain_text("180 of 180")
    expect(row).to_contain_text("resnet.onnx")
    expect(row).to_contain_text("faster")


def test_the_list_is_live(visit: Visit, server: Server, resnet: World) -> None:
    running = job(server.service, resnet, "Watched in the list", filled=2)
    page = visit.open("/jobs")
    row = page.locator(f'[data-job="{running.id}"]')
    expect(row).to_contain_text("6 of 180")
    tick = row.get_by_role("checkbox")
    tick.check()
    running.filled.add(2)
    expect(row).to_contain_text("12 of 180")
    expect(tick).to_be_checked()
    running.filled.finish()
    expect(row).to_contain_text("succeeded")


@pytest.mark.usefixtures("done")
def test_filters_are_in_the_address(visit: Visit) -> None:
    page = visit.open("/jobs")
    page.get_by_label("Search").fill("no such job")
    page.get_by_role("button", name="Filter").click()
    expect(page.get_by_text("No job matches")).to_be_visible()
    assert "q=no+such+job" in page.url
    visit.open("/jobs?q=the+edge&state=succeeded&tag=edge")
    expect(page.locator("[data-job]")).to_have_count(1)
    expect(page.get_by_label("Search")).to_have_value("the edge")
    expect(page.get_by_label("State")).to_have_value("succeeded")


def test_hostile_names_are_text(visit: Visit, server: Server, resnet: World) -> None:
    job(server.service, resnet, HOSTILE, tags=["<script>document.title='owned'</script>"], ended=True)
    page = visit.open("/jobs")
    expect(page.get_by_role("link", name=HOSTILE).first).to_be_visible()
    assert page.title() == "Jobs · paretrim"
    assert page.locator("img").count() == 0
