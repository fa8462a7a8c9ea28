from __future__ import annotations

import base64
import hmac
import json
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update
from starlette.testclient import TestClient

from paretrim.errors import InvalidInput
from service import egress, jobs, webhooks
from service.context import Service
from service.jobs import Fence
from service.settings import Settings
from service.tables import Message, Webhook
from tests.service import worlds


class Receiver:
    """An HTTP server that keeps what it was sent and answers with `status`."""

    def __init__(self) -> None:
        self.status = 204
        self.answer = b""
        self.location: str | None = None
        self.received: list[tuple[dict[str, str], bytes]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                receiver.received.append(({k.lower(): v for k, v in self.headers.items()}, body))
                self.send_response(receiver.status)
                if receiver.location:
                    self.send_header("Location", receiver.location)
                self.end_headers()
                self.wfile.write(receiver.answer)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    """The receiver of these tests is on this machine."""
    return worlds.settings(database_url, tmp_path / "data", webhook_allow_loopback=True)


@pytest.fixture
def hook(client: TestClient, receiver: Receiver) -> dict[str, Any]:
    response = client.post("/webhooks", json={"url": receiver.url, "types": ["job.succeeded", "job.cancelled"]})
    assert response.status_code == 201, response.text
    made: dict[str, Any] = response.json()
    return made


def send_all(service: Service) -> int:
    count = 0
    while webhooks.send_next(service.settings, service.database):
        count += 1
    return count


def is_signed(secret: str, headers: dict[str, str], body: bytes) -> bool:
    """As a receiver checks it, after the Standard Webhooks specification."""
    content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    digest = hmac.digest(base64.b64decode(secret.removeprefix("whsec_")), content, "sha256")
    return f"v1,{base64.b64encode(digest).decode()}" in headers["webhook-signature"].split(" ")


def make_due(service: Service) -> None:
    with service.database.write() as session:
        session.execute(update(Message).values(due_at=0.0))


def test_the_end_of_a_job_is_told_signed_and_once(
    client: TestClient, service: Service, hook: dict[str, Any], receiver: Receiver
) -> None:
    job = worlds.create_job(client, worlds.ready_files(service))["id"]
    with service.database.write() as session:
        fence = jobs.claim(session, "w", lease_seconds=60, running_per_workspace=1)
        assert isinstance(fence, Fence)
        jobs.succeed(session, fence)
    assert send_all(service) == 1
    headers, body = receiver.received[0]
    assert is_signed(hook["secret"], headers, body)
    assert not is_signed(hook["secret"], headers, body + b" ")
    assert abs(int(headers["webhook-timestamp"]) - time.time()) < 60
    told = json.loads(body)
    assert (told["type"], told["data"]) == ("job.succeeded", {"job": job, "state": "succeeded"})
    assert headers["webhook-id"].startswith("msg_")
    message = client.get(f"/webhooks/{hook['id']}/messages").json()["data"][0]
    assert (message["state"], message["attempts"], message["last_status"]) == ("delivered", 1, 204)


def test_what_did_not_happen_is_not_told(client: TestClient, service: Service, hook: dict[str, Any]) -> None:
    """The message is part of the transaction that changes the state."""
    job = worlds.create_job(client, worlds.ready_files(service))["id"]
    with service.database.write() as session:
        assert jobs.request_cancel(session, job)
        session.rollback()
    assert client.get(f"/webhooks/{hook['id']}/messages").json()["data"] == []


def test_another_workspaces_jobs_are_not_told(
    other: TestClient, service: Service, hook: dict[str, Any], receiver: Receiver
) -> None:
    job = worlds.create_job(other, worlds.ready_files(service, "second"))["id"]
    other.post(f"/jobs/{job}/cancel")
    assert send_all(service) == 0
    assert receiver.received == []
    assert hook["id"]


def test_a_receiver_that_fails_is_tried_again_later_and_given_up_in_the_end(
    client: TestClient, service: Service, hook: dict[str, Any], receiver: Receiver
) -> None:
    receiver.status = 500
    client.post(f"/webhooks/{hook['id']}/test")
    for attempt in range(1, len(webhooks.PAUSES_SECONDS) + 2):
        assert send_all(service) == 1
        assert len(receiver.received) == attempt
        make_due(service)
    message = client.get(f"/webhooks/{hook['id']}/messages").json()["data"][0]
    assert (message["state"], message["last_status"]) == ("failed", 500)
    assert send_all(service) == 0
    assert "did not take" in client.get(f"/webhooks/{hook['id']}").json()["disabled_reason"]


def test_a_receiver_that_is_gone_is_told_nothing_more_until_it_is_enabled_again(
    client: TestClient, service: Service, hook: dict[str, Any], receiver: Receiver
) -> None:
    receiver.status = 410
    client.post(f"/webhooks/{hook['id']}/test")
    send_all(service)
    files = worlds.ready_files(service)
    client.post(f"/jobs/{worlds.create_job(client, files)['id']}/cancel")
    assert send_all(service) == 0
    fresh = client.post(f"/webhooks/{hook['id']}/rotate").json()
    assert fresh["disabled_reason"] is None
    receiver.status = 200
    client.post(f"/jobs/{worlds.create_job(client, files)['id']}/cancel")
    assert send_all(service) == 1
    for secret in (hook["secret"], fresh["secret"]):
        assert is_signed(secret, *receiver.received[-1])


def test_redirects_are_not_followed_and_endless_answers_not_read(
    client: TestClient, service: Service, hook: dict[str, Any], receiver: Receiver
) -> None:
    receiver.status, receiver.location, receiver.answer = 302, receiver.url, b"x" * 10_000_000
    client.post(f"/webhooks/{hook['id']}/test")
    began = time.monotonic()
    assert send_all(service) == 1
    assert time.monotonic() - began < 5
    assert len(receiver.received) == 1
    message = client.get(f"/webhooks/{hook['id']}/messages").json()["data"][0]
    assert (message["state"], message["last_status"]) == ("pending", 302)


def test_the_secret_is_shown_once(client: TestClient, hook: dict[str, Any], service: Service) -> None:
    assert hook["secret"].startswith("whsec_")
    assert hook["secret"] not in client.get("/webhooks").text + client.get(f"/webhooks/{hook['id']}").text
    assert client.delete(f"/webhooks/{hook['id']}").status_code == 204
    with service.database.read() as session:
        assert session.scalars(select(Webhook)).all() == []


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/",
        "ftp://example.com/",
        "file:///etc/passwd",
        "https://127.0.0.1/",
        "https://localhost/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[64:ff9b::7f00:1]/",
        "https://[2002:7f00:1::]/",
        "https://10.0.0.1/",
        "https://192.168.1.1:8443/",
        "https://172.16.0.1/",
        "https://169.254.169.254/latest/meta-data/",
        "https://100.64.0.1/",
        "https://0.0.0.0/",
        "https://224.0.0.1/",
        "https://[fe80::1%25eth0]/",
        "https://[fc00::1]/",
        "https://user:password@example.com/",
        "https://metadata.google.internal/",
        "https://printer.local/",
        "https:///path",
        "https://exa mple.com/",
        "https://example.com:0/",
        "https://example.com:99999/",
        "https://example.com/\r\nX: 1",
        "https://éxample.com/",
    ],
)
def test_addresses_that_are_not_on_the_public_internet_are_refused(url: str) -> None:
    with pytest.raises(InvalidInput):
        egress.check_url(url)


@pytest.mark.parametrize(
    ("host", "addresses"),
    [
        ("rebound.example", ["127.0.0.1"]),
        ("half.example", ["93.184.216.34", "10.0.0.1"]),
        ("mapped.example", ["::ffff:10.0.0.1"]),
        ("decimal.example", ["0.0.0.0"]),
        ("nowhere.example", []),
    ],
)
def test_a_name_that_stands_for_a_private_address_is_not_connected_to(
    monkeypatch: pytest.MonkeyPatch, host: str, addresses: list[str]
) -> None:
    """Whatever the name was answered with when the webhook was made: what counts is where the connection would go."""

    def answer(*_: Any, **__: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443)) for address in addresses]

    connected: list[Any] = []
    monkeypatch.setattr(socket, "getaddrinfo", answer)
    monkeypatch.setattr(socket, "create_connection", lambda *a, **_: connected.append(a))
    with pytest.raises(egress.Forbidden):
        egress.post(f"https://{host}/", b"", {})
    assert connected == []


def test_the_connection_goes_to_the_address_that_was_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that is resolved again to connect could be answered differently."""
    looked_up: list[str] = []
    connected: list[Any] = []

    def answer(host: str, *_: Any, **__: Any) -> list[Any]:
        looked_up.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.216.34", 443))]

    def refuse(address: Any, *_: Any, **__: Any) -> Any:
        connected.append(address)
        raise OSError("refused")

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    monkeypatch.setattr(socket, "create_connection", refuse)
    with pytest.raises(Exception, match="refused"):
        egress.post("https://public.example/", b"", {})
    assert looked_up == ["public.example"]
    assert connected == [("93.184.216.34", 443)]
