"""Who is let in, and what is said to those who are not."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import select
from starlette.testclient import TestClient

from service import accounts
from service.app import create_app
from service.context import Service
from service.tables import ApiKey, AuditEntry, utc_now
from tests.service import worlds


@pytest.fixture
def stranger(app: FastAPI) -> TestClient:
    """Has no key."""
    return TestClient(app, base_url="http://testserver" + worlds.API)


@pytest.mark.parametrize(
    "header",
    [
        None,
        "Bearer",
        "Bearer wrong",
        "Basic dXNlcjpwYXNz",
        "Bearer paretrim_aaaaaaaaaaaa_" + "A" * 43,
        "Bearer paretrim_aaaaaaaaaaaa_" + "A" * 4300,
        "bearer ' OR 1=1 --",
        "Bearer \xff\xfe",
    ],
)
def test_without_a_valid_key_nothing_is_told(stranger: TestClient, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header.encode("latin-1")}
    response = stranger.get("/jobs", headers=headers)  # type: ignore[arg-type]
    assert response.status_code == 401
    assert response.headers["www-authenticate"].startswith("Bearer")
    assert response.json()["code"] == "unauthorized"


def test_a_key_is_kept_as_a_hash_only(client: TestClient, service: Service) -> None:
    secret = client.post("/keys", json={"name": "ci", "scopes": ["read"]}).json()["secret"]
    with service.database.read() as session:
        row = session.scalars(select(ApiKey).where(ApiKey.name == "ci")).one()
    assert secret not in str(vars(row))
    assert secret.split("_")[1] == row.prefix
    listed = client.get("/keys").json()["data"]
    assert all(key["secret"] is None for key in listed)


@pytest.mark.parametrize("end", ["expires", "is revoked"])
def test_a_key_ends(client: TestClient, stranger: TestClient, service: Service, end: str) -> None:
    made = client.post("/keys", json={"name": "brief", "expires_in_seconds": 60}).json()
    headers = {"Authorization": f"Bearer {made['secret']}"}
    assert stranger.get("/jobs", headers=headers).status_code == 200
    if end == "expires":
        with service.database.write() as session:
            session.get_one(ApiKey, made["id"]).expires_at = utc_now() - timedelta(seconds=1)
    else:
        assert client.delete(f"/keys/{made['id']}").status_code == 204
        assert client.delete(f"/keys/{made['id']}").status_code == 404
    assert stranger.get("/jobs", headers=headers).status_code == 401


@pytest.mark.parametrize(
    ("scopes", "allowed"),
    [(("read",), {"read"}), (("write",), {"write"}), (("read", "write"), {"read", "write"}), (("admin",), {"admin"})],
)
def test_a_key_may_do_what_its_scopes_say(
    app: FastAPI, service: Service, scopes: tuple[str, ...], allowed: set[str]
) -> None:
    client = worlds.client_of(app, service, "first", scopes)
    asked = {
        "read": client.get("/models"),
        "write": client.post("/uploads", json={"kind": "model", "filename": "m", "sha256": "0" * 64, "size_bytes": 1}),
        "admin": client.get("/keys"),
    }
    for scope, response in asked.items():
        assert (response.status_code != 403) == (scope in allowed), scope
        if scope not in allowed:
            assert scope in response.json()["detail"]


def test_a_key_cannot_give_scopes_that_do_not_exist(client: TestClient) -> None:
    response = client.post("/keys", json={"name": "x", "scopes": ["root"]})
    assert (response.status_code, response.json()["errors"][0]["pointer"]) == (422, "scopes")


def test_the_last_use_of_a_key_is_noted(client: TestClient) -> None:
    client.get("/jobs")
    assert client.get("/keys").json()["data"][0]["last_used_at"] is not None


class Browser:
    """A dashboard session: the cookie, and the token of its pages."""

    def __init__(self, app: FastAPI, service: Service) -> None:
        key = worlds.key_of(service, "first")
        with service.database.read() as session:
            principal = accounts.find_key(session, key)
        assert principal is not None
        self.key_id = principal.key_id
        self.cookie = service.sessions.open(principal)
        self.token = service.sessions.csrf_token(self.cookie)
        self.client = TestClient(app, base_url="http://testserver" + worlds.API, cookies={accounts.COOKIE: self.cookie})


@pytest.fixture
def browser(app: FastAPI, service: Service) -> Browser:
    return Browser(app, service)


UPLOAD = {"kind": "model", "filename": "m", "sha256": "0" * 64, "size_bytes": 1}


def test_a_session_reads_freely_and_writes_with_its_pages_token(browser: Browser) -> None:
    assert browser.client.get("/jobs").status_code == 200
    refused = browser.client.post("/uploads", json=UPLOAD)
    assert (refused.status_code, refused.json()["code"]) == (403, "csrf")
    for token in ("", "x", browser.token[:-1], browser.token.upper() + "é"):
        headers = {"X-CSRF-Token": token.encode("latin-1", "replace")}
        assert browser.client.post("/uploads", json=UPLOAD, headers=headers).status_code == 403  # type: ignore[arg-type]
    assert browser.client.post("/uploads", json=UPLOAD, headers={"X-CSRF-Token": browser.token}).status_code == 201


def test_a_session_ends_with_its_key_its_time_or_when_it_is_tampered_with(
    app: FastAPI, browser: Browser, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    for cookie in ("", "x", browser.cookie[:-2], browser.cookie.replace(".", "..", 1), "é"):
        client = TestClient(app, base_url="http://testserver" + worlds.API)
        sent = f"{accounts.COOKIE}={cookie}".encode()
        assert client.get("/jobs", headers={"Cookie": sent}).status_code == 401  # type: ignore[dict-item]
    monkeypatch.setattr(service.sessions, "seconds", -1.0)
    assert browser.client.get("/jobs").status_code == 401
    monkeypatch.undo()
    assert browser.client.get("/jobs").status_code == 200
    with service.database.write() as session:
        session.get_one(ApiKey, browser.key_id).revoked_at = utc_now()
    assert browser.client.get("/jobs").status_code == 401


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8000", "127.0.0.1.evil.example", "", "[::2]:80", "a b"])
def test_a_name_that_is_not_the_services_own_is_refused(client: TestClient, host: str) -> None:
    """DNS rebinding: a page of another site reaches this address under its own name."""
    response = client.get("/jobs", headers={"Host": host})
    assert (response.status_code, response.json()["code"]) == (400, "unknown-host")
    assert client.get("/healthz", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("host", ["localhost", "localhost:8000", "127.0.0.1:1", "[::1]:8000", "LOCALHOST"])
def test_the_services_own_names_are_known(client: TestClient, host: str) -> None:
    assert client.get("/jobs", headers={"Host": host}).status_code == 200


def test_other_origins_get_no_leave(client: TestClient) -> None:
    response = client.get("/jobs", headers={"Origin": "https://evil.example"})
    assert not [name for name in response.headers if name.startswith("access-control")]
    asked = {"Origin": "https://evil.example", "Access-Control-Request-Method": "GET"}
    preflight = client.options("/jobs", headers=asked)
    assert preflight.status_code == 405


def test_every_answer_carries_its_id_and_headers_that_keep_browsers_from_guessing(client: TestClient) -> None:
    for path in ("/jobs", "/nothing", "/healthz"):
        headers = client.get(path, headers={"X-Request-Id": "my-request-1"}).headers
        assert headers["x-request-id"] == "my-request-1"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
        assert headers["cache-control"] == "no-store"
    forged = client.get("/jobs", headers={"X-Request-Id": "bad\tid{}"}).headers["x-request-id"]
    assert re.fullmatch(r"req_[0-9a-f]{32}", forged)


def test_a_body_beyond_all_bounds_is_refused_in_the_words_of_every_refusal(client: TestClient) -> None:
    announced = {"Content-Length": str(65 * 2**20), "Content-Type": "application/json"}
    for answer in (
        client.post("/jobs", content=b" ", headers=announced),
        client.put("/uploads/x/parts/1", content=b" ", headers=announced),
        client.post("/nothing", content=b" ", headers=announced),
        client.post("/jobs", content=(b" " * 2**20 for _ in range(3)), headers={"Content-Type": "application/json"}),
    ):
        found = (answer.status_code, answer.headers["content-type"], answer.json()["code"])
        assert found == (413, "application/problem+json", "too-large")
        assert answer.headers["x-request-id"] == answer.json()["request_id"]
        assert answer.headers["x-frame-options"] == "DENY"


def limited(database_url: str, folder: Path, **changes: Any) -> tuple[FastAPI, Service]:
    app = create_app(worlds.settings(database_url, folder / "limited", **changes))
    return app, app.state.service


def test_a_key_that_asks_too_often_is_told_when_to_come_back(sqlite_url: str, tmp_path: Path) -> None:
    app, service = limited(sqlite_url, tmp_path, requests_per_minute=30)
    client = worlds.client_of(app, service, "first")
    responses = [client.get("/algorithms") for _ in range(40)]
    refused = [response for response in responses if response.status_code == 429]
    assert 5 <= len(refused) <= 10
    assert int(refused[0].headers["retry-after"]) >= 1
    assert worlds.client_of(app, service, "second").get("/algorithms").status_code == 200
    service.database.close()


def test_guessing_keys_is_slowed_down_for_right_ones_too(sqlite_url: str, tmp_path: Path) -> None:
    app, service = limited(sqlite_url, tmp_path, attempts_per_minute=5)
    client = worlds.client_of(app, service, "first")
    for _ in range(5):
        assert client.get("/jobs", headers={"Authorization": "Bearer wrong"}).status_code == 401
    assert client.get("/jobs", headers={"Authorization": "Bearer wrong"}).status_code == 429
    assert client.get("/jobs").status_code == 429
    service.database.close()


def test_doors_opened_and_closed_are_in_the_audit_log(client: TestClient, service: Service) -> None:
    key = client.post("/keys", json={"name": "x"}).json()["id"]
    client.delete(f"/keys/{key}")
    model, _ = worlds.ready_files(service)
    client.delete(f"/models/{model}")
    job = worlds.create_job(client, worlds.ready_files(service))["id"]
    for _ in range(2):
        client.post(f"/jobs/{job}/cancel")
    client.delete(f"/jobs/{job}")
    found = client.get("/audit").json()["data"]
    assert [(entry["action"], entry["subject"]) for entry in reversed(found)] == [
        ("key.create", key),
        ("key.revoke", key),
        ("model.delete", model),
        ("job.cancel", job),
        ("job.delete", job),
    ]
    assert all(entry["key"] and entry["request_id"] and entry["address"] == "testclient" for entry in found)
    with service.database.read() as session:
        assert len(session.scalars(select(AuditEntry)).all()) == 5


def test_secrets_are_in_no_log(client: TestClient, caplog: pytest.LogCaptureFixture, capsys: Any) -> None:
    secret = client.post("/keys", json={"name": "x"}).json()["secret"]
    client.get("/jobs", headers={"Authorization": f"Bearer {secret}x"})
    client.get(f"/jobs?q={secret}", headers={"Authorization": f"Bearer {secret}"})
    printed = capsys.readouterr()
    assert "paretrim_" not in caplog.text + printed.out + printed.err
    assert "path=/api/v1/jobs" in caplog.text + printed.out + printed.err


def test_the_data_folder_is_for_its_owner_only(service: Service) -> None:
    for path in (service.artifacts.root / "incoming",):
        assert path.stat().st_mode & 0o077 == 0
