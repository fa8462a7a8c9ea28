"""Webhooks, from both ends: asked for over HTTP, and checked by whoever is told."""

from __future__ import annotations

import json

import pytest

from paretrim import Client, InvalidInput, InvalidSignature, errors
from paretrim.webhooks import unwrap
from service.webhooks import Parcel, headers_for, new_secret
from tests.paretrim.conftest import Live
from tests.paretrim.flaky_proxy import LOST_ANSWER, FlakyProxy

pytestmark = pytest.mark.usefixtures("hasty")

BODY = json.dumps({"type": "job.succeeded", "timestamp": "2026-11-22T12:00:00Z", "data": {"job": "job_1"}}).encode()
SENT = 1_800_000_000


def signed(*secrets: str, body: bytes = BODY) -> dict[str, str]:
    """What the service sends with a body."""
    return headers_for(Parcel("msg_1", "https://h/x", secrets, body), SENT)


def test_what_the_service_signs_is_understood() -> None:
    secret = new_secret()
    notification = unwrap(BODY, signed(secret), secret, now=SENT + 10)
    assert (notification.id, notification.type, notification.data) == ("msg_1", "job.succeeded", {"job": "job_1"})
    assert unwrap(BODY.decode(), {k.upper(): v for k, v in signed(secret).items()}, secret, now=SENT).id == "msg_1"


def test_during_a_rotation_the_old_secret_and_the_new_one_are_good() -> None:
    new, old = new_secret(), new_secret()
    for secret in (new, old):
        assert unwrap(BODY, signed(new, old), secret, now=SENT).type == "job.succeeded"


@pytest.mark.parametrize("change", ["body", "id", "time", "secret", "signature", "none", "late", "early"])
def test_what_somebody_else_sends_is_refused(change: str) -> None:
    secret = new_secret()
    headers, body, now = signed(secret), BODY, float(SENT)
    match change:
        case "body":
            body = BODY.replace(b"job_1", b"job_2")
        case "id":
            headers["webhook-id"] = "msg_2"
        case "time":
            headers["webhook-timestamp"] = str(SENT + 1)
        case "secret":
            secret = new_secret()
        case "signature":
            headers["webhook-signature"] = "v1,AAAA v2,é"
        case "none":
            del headers["webhook-signature"]
        case "late":
            now += 301
        case "early":
            now -= 301
    with pytest.raises(InvalidSignature):
        unwrap(body, headers, secret, now=now)


def test_a_signed_message_of_another_kind_is_refused() -> None:
    secret = new_secret()
    for body in (b"[]", b"not JSON", b"{}"):
        with pytest.raises(InvalidSignature, match="not understood"):
            unwrap(body, signed(secret, body=body), secret, now=SENT)


def test_a_secret_that_is_none_is_not_told() -> None:
    with pytest.raises(InvalidInput) as wrong:
        unwrap(BODY, signed(new_secret()), "whsec_$ecret", now=SENT)
    assert "$ecret" not in str(wrong.value)


@pytest.fixture
def reachable() -> str:
    """An address that needs no name server, which there may be none of here."""
    return "https://93.184.216.34/hook"


def test_webhooks_are_made_rotated_tried_and_deleted(client: Client, reachable: str) -> None:
    hook = client.webhooks.create(reachable, types=["job.failed"])
    assert hook.secret is not None
    assert hook.types == ["job.failed"]
    assert client.webhooks.get(hook).secret is None
    assert client.webhooks.rotate(hook.id).secret not in (None, hook.secret)
    message = client.webhooks.test(hook)
    assert [m.id for m in client.webhooks.messages(hook)] == [message.id]
    assert hook.id in {h.id for h in client.webhooks.list()}
    client.webhooks.delete(hook)
    with pytest.raises(errors.NotFound):
        client.webhooks.get(hook)
    assert "webhook.delete" in {entry.action for entry in client.audit.list(limit=20)}


def test_a_secret_whose_answer_was_lost_is_replaced(live: Live, client: Client, reachable: str) -> None:
    with FlakyProxy(live.url, [LOST_ANSWER]) as proxy, Client(proxy.url, api_key=live.key) as shaken:
        hook = shaken.webhooks.create(reachable)
        assert hook.secret is not None
    mine = [h.id for h in client.webhooks.list() if h.url == reachable]
    assert mine == [hook.id]
    client.webhooks.delete(hook)


def test_what_is_no_kind_of_message_is_refused_before_anything_is_sent() -> None:
    with pytest.raises(InvalidInput, match="types"):
        Client("http://127.0.0.1:9", max_retries=0).webhooks.create("https://h/x", types=["job.exploded"])  # type: ignore[list-item]
