"""Uploads: in parts, each with its checksum; taken up again; nothing made twice over a connection that breaks."""

from __future__ import annotations

import base64
import hashlib
import io
from collections.abc import Iterator
from pathlib import Path

import httpx2
import numpy as np
import pytest
from sqlalchemy import func, select

from paretrim import Client, errors, wire
from service import tables
from tests.paretrim.conftest import PART_BYTES, Live, digits
from tests.paretrim.flaky_proxy import LOST_ANSWER, REFUSED, Fault, FlakyProxy

pytestmark = pytest.mark.usefixtures("hasty")


def npz(samples: int, seed: int) -> bytes:
    """A dataset of its own for every test, so that each can count what was made of it."""
    x, y = digits(samples, seed)
    buffer = io.BytesIO()
    np.savez(buffer, train_x=x, train_y=y)
    return buffer.getvalue()


@pytest.fixture
def proxy(live: Live) -> Iterator[FlakyProxy]:
    with FlakyProxy(live.url) as proxy:
        yield proxy


@pytest.fixture
def shaken(proxy: FlakyProxy, live: Live) -> Iterator[Client]:
    """A client behind the proxy that opens a connection for every request, so that every fault hits one."""
    limits = httpx2.Limits(max_keepalive_connections=0)
    with httpx2.Client(limits=limits) as http:
        yield Client(proxy.url, api_key=live.key, http_client=http)


def made_of(live: Live, content: bytes) -> tuple[int, int]:
    """How many uploads and how many datasets there are of these bytes."""
    sha256 = hashlib.sha256(content).hexdigest()
    with live.service.database.read() as session:
        return (
            session.scalar(select(func.count()).where(tables.Upload.sha256 == sha256)) or 0,
            session.scalar(select(func.count()).where(tables.Dataset.sha256 == sha256)) or 0,
        )


@pytest.mark.parametrize("fault", [REFUSED, LOST_ANSWER, Fault(request_bytes=100), Fault(answer_bytes=50)])
@pytest.mark.parametrize("request_number", [0, 1, 2, 3])
def test_whichever_request_breaks_the_file_arrives_once(
    live: Live, proxy: FlakyProxy, shaken: Client, fault: Fault, request_number: int
) -> None:
    """Requests 0 to 3: open, first part, last part, complete."""
    content = npz(20, seed=hash((fault, request_number)) % 2**32)
    assert PART_BYTES < len(content) <= 2 * PART_BYTES
    proxy.add(*[Fault()] * request_number, fault, fault)
    dataset = shaken.datasets.upload(content, wait=False)
    assert dataset.sha256 == hashlib.sha256(content).hexdigest()
    assert made_of(live, content) == (1, 1)


def test_a_slow_server_is_not_asked_for_a_second_upload(live: Live, proxy: FlakyProxy) -> None:
    """The answer comes too late, the request is sent again with the same key, and is the same upload."""
    content = npz(12, seed=1)
    proxy.add(Fault(delay_seconds=0.6))
    with Client(proxy.url, api_key=live.key, timeout_seconds=0.3) as client:
        client.datasets.upload(content)
    assert made_of(live, content) == (1, 1)


def test_an_upload_that_broke_off_goes_on_with_what_is_missing(live: Live, proxy: FlakyProxy, shaken: Client) -> None:
    content = npz(100, seed=2)
    parts = -(-len(content) // PART_BYTES)
    assert parts >= 6
    proxy.add(*[Fault()] * 4, *[REFUSED] * 100)  # opened, three parts, then nothing gets through
    with pytest.raises(errors.APIConnectionError) as broken:
        shaken.datasets.upload(content)
    (note,) = broken.value.__notes__
    upload = note.split("'")[1]
    with live.client() as client:
        assert client.uploads.get(upload).parts_received == [1, 2, 3]
        said: list[tuple[int, int]] = []
        dataset = client.datasets.upload(content, resume=upload, progress=lambda *done: said.append(done))
    assert dataset.state == "ready"
    assert said[-1] == (len(content), len(content))
    assert made_of(live, content) == (1, 1)


def test_a_part_that_is_there_is_not_sent_again(live: Live) -> None:
    sent: list[str] = []
    content = npz(40, seed=3)
    request = wire.UploadRequest(
        kind="dataset", filename="d.npz", size_bytes=len(content), sha256=hashlib.sha256(content).hexdigest()
    )
    with httpx2.Client(event_hooks={"request": [lambda r: sent.append(f"{r.method} {r.url.path}")]}) as http:
        client = Client(live.url, api_key=live.key, http_client=http)
        headers = {"Authorization": f"Bearer {live.key}"}
        opened = http.post(f"{live.url}/api/v1/uploads", json=request.model_dump(), headers=headers).json()
        part = http.put(
            f"{live.url}/api/v1/uploads/{opened['id']}/parts/2", content=content[4096:8192], headers=headers
        )
        assert part.status_code == 200
        sent.clear()
        client.datasets.upload(content, resume=opened["id"])
    puts = [int(line.rsplit("/", 1)[1]) for line in sent if line.startswith("PUT")]
    assert 2 not in puts
    assert puts == sorted(puts)
    assert set(puts) | {2} == set(range(1, -(-len(content) // PART_BYTES) + 1))


def test_resuming_with_another_file_is_refused(client: Client, live: Live) -> None:
    with live.service.database.read() as session:
        upload = session.scalars(select(tables.Upload.id)).first()
    with pytest.raises(errors.InvalidInput, match="another file"):
        client.datasets.upload(npz(17, seed=4), resume=upload)


def test_every_part_carries_its_own_checksum() -> None:
    from paretrim._files import part_call

    call = part_call("upl_1", 3, b"abc")
    digest = base64.b64encode(hashlib.sha256(b"abc").digest()).decode()
    assert (call.method, call.path) == ("PUT", "/uploads/upl_1/parts/3")
    assert call.headers["Content-Digest"] == f"sha-256=:{digest}:"
    assert call.content == b"abc"


def test_what_is_no_network_is_rejected_with_the_reason(client: Client, tmp_path: Path) -> None:
    (tmp_path / "not.onnx").write_bytes(b"these are no bytes of a network")
    with pytest.raises(errors.InvalidModel, match=r"not\.onnx was rejected: .{10}"):
        client.models.upload(tmp_path / "not.onnx")


def test_what_is_no_dataset_is_rejected_with_the_reason(client: Client) -> None:
    with pytest.raises(errors.InvalidDataset, match=r"rejected: .{10}"):
        client.datasets.upload(b"PK\x03\x04 but no archive", name="lies")


def test_a_file_that_is_not_there_is_named(client: Client, tmp_path: Path) -> None:
    with pytest.raises(errors.InvalidInput, match=r"nowhere\.onnx does not exist"):
        client.models.upload("nowhere.onnx")
    with pytest.raises(errors.InvalidInput, match="is a directory"):
        client.models.upload(tmp_path)
    (tmp_path / "empty.npz").touch()
    with pytest.raises(errors.InvalidInput, match="is empty"):
        client.datasets.upload("empty.npz")


def test_an_upload_can_be_given_up(live: Live, client: Client) -> None:
    content = npz(19, seed=5)
    headers = {"Authorization": f"Bearer {live.key}"}
    body = {"kind": "dataset", "filename": "d", "size_bytes": len(content), "sha256": "0" * 64}
    opened = httpx2.post(f"{live.url}/api/v1/uploads", json=body, headers=headers).json()
    client.uploads.cancel(opened["id"])
    with pytest.raises(errors.NotFound):
        client.uploads.get(opened["id"])
