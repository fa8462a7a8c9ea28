"""What can be asked of models, datasets, devices, algorithms and keys, as flows and listings for both clients."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from paretrim import _files, wire, wire_overview
from paretrim._arrays import Split, write_npz
from paretrim._files import Progress, Source, Wish, source_of
from paretrim._flow import Call, Flow, Work, fetch, new_key, path, perform, query
from paretrim._pages import Listing
from paretrim._requests import create_key_call, create_webhook_call, identity
from paretrim.errors import InvalidDataset, InvalidTable, NotFound
from paretrim.wire import Page

T = TypeVar("T")
F = TypeVar("F", wire.Model, wire.Dataset)

#: what an upload was given beside the bytes
Given = Wish


def _itself(value: T) -> T:
    return value


@dataclass(frozen=True)
class FileKind(Generic[F]):
    """Models or datasets."""

    collection: str
    shape: type[F]
    page: type[Page[Any]]

    def listing(self, limit: int | None) -> Listing[F]:
        """All of them."""
        return Listing(path(self.collection), self.page, _itself, {}, limit)

    def get(self, id: F | str) -> Flow[F]:
        """One of them."""
        return fetch(Call("GET", path(self.collection, identity(id))), self.shape)

    def delete(self, id: F | str) -> Flow[None]:
        """Delete one of them."""
        return perform(Call("DELETE", path(self.collection, identity(id))))

    def download(self, id: F | str, to: str | os.PathLike[str], progress: Progress | None) -> Flow[Path]:
        """Fetch the bytes of one of them."""
        file = yield from self.get(id)
        artifact = getattr(file, "artifact", None)
        if artifact is None:
            raise NotFound(f"the file of {file.id} is no longer kept", status=404, problem={}, request_id=None)
        return (yield from _files.download(artifact, _files.target(to, _safe(file.name) or file.id), progress))


MODELS = FileKind("models", wire.Model, Page[wire.Model])
DATASETS = FileKind("datasets", wire.Dataset, Page[wire.Dataset])


def upload_model(model: Any, example_input: Any, given: Given) -> Flow[wire.Model]:
    """Upload a file, bytes or a torch module."""
    if isinstance(model, str | os.PathLike | bytes | bytearray | memoryview):
        extension = "onnx" if given.architecture is None else "safetensors"
        source = source_of(model, f"{given.name or 'model'}.{extension}", "model")
    else:
        from paretrim._torch_export import export_module

        content: bytes = yield Work(lambda: export_module(model, example_input))
        source = Source(f"{given.name or type(model).__name__}.onnx", content=content)
    return (yield from _files.upload_model(source, given))


def upload_dataset(
    dataset: str | os.PathLike[str] | bytes | None,
    splits: Mapping[str, Split | None],
    mean: Sequence[float] | None,
    std: Sequence[float] | None,
    given: Given,
) -> Flow[wire.Dataset]:
    """Upload a file, bytes or arrays."""
    arrays = any(split is not None for split in splits.values())
    if (dataset is None) != arrays:
        raise InvalidDataset(
            "give either a file or arrays: upload('data.npz') or upload(train=(x, y))", field="dataset"
        )
    if dataset is not None:
        if mean is not None or std is not None:
            raise InvalidDataset("mean and std of a file are in the file, as arrays of these names", field="mean")
        return (
            yield from _files.upload_dataset(source_of(dataset, f"{given.name or 'dataset'}.npz", "dataset"), given)
        )
    with tempfile.TemporaryDirectory(prefix="paretrim-") as directory:
        file = Path(directory) / f"{_safe(given.name) or 'arrays'}.npz"
        yield Work(lambda: write_npz(file, splits, mean, std))
        return (yield from _files.upload_dataset(Source(file.name, file=file), given))


def _safe(name: str | None) -> str:
    """A file's name that stays in its folder, whatever somebody called the thing."""
    return "".join(c if c.isalnum() or c in "-_." else "-" for c in name or "").lstrip(".")[-100:]


def upload(id: wire.Upload | str) -> Flow[wire.Upload]:
    """An upload under way."""
    return fetch(Call("GET", path("uploads", identity(id))), wire.Upload)


def cancel_upload(id: wire.Upload | str) -> Flow[None]:
    """Give up an upload."""
    return perform(Call("DELETE", path("uploads", identity(id))))


def devices(limit: int | None) -> Listing[wire.Device]:
    """All devices."""
    return Listing(path("devices"), Page[wire.Device], _itself, {}, limit)


def device(name: wire.Device | str) -> Flow[wire.Device]:
    """One device."""
    return fetch(Call("GET", path("devices", identity(name, "name"))), wire.Device)


def device_document(name: wire.Device | str) -> Flow[dict[str, Any]]:
    """The document of a device."""
    response = yield Call("GET", path("devices", identity(name, "name"), "content"))
    document: dict[str, Any] = response.json()
    return document


def device_shapes(name: wire.Device | str) -> Listing[wire_overview.DeviceShape]:
    """The layers whose times on a device can be looked at."""
    return Listing(path("devices", identity(name, "name"), "shapes"), Page[wire_overview.DeviceShape], _itself, {})


def device_sweep(
    name: wire.Device | str, shape: wire_overview.DeviceShape, along: str, channels: int | None
) -> Flow[wire_overview.Sweep]:
    """Times of one shape, channel by channel."""
    params = query(op=json.dumps(shape.op), along=along, channels=channels)
    return fetch(Call("GET", path("devices", identity(name, "name"), "sweep"), params=params), wire_overview.Sweep)


def delete_device(name: wire.Device | str) -> Flow[None]:
    """Forget a device."""
    return perform(Call("DELETE", path("devices", identity(name, "name"))))


def put_device(name: str, document: Mapping[str, Any] | str | os.PathLike[str]) -> Flow[wire.Device]:
    """Store a device document."""
    if not isinstance(document, Mapping):
        source = source_of(document, name, "device")
        try:
            document = json.loads(source.part(0, -1))
        except ValueError as error:
            raise InvalidTable(f"{source.filename} is not JSON: {error}", field="device") from None
    return (yield from fetch(Call("PUT", path("devices", name), json=document), wire.Device))


def algorithms(limit: int | None) -> Listing[wire.Algorithm]:
    """All algorithms."""
    return Listing(path("algorithms"), Page[wire.Algorithm], _itself, {}, limit)


def keys(limit: int | None) -> Listing[wire.ApiKey]:
    """All API keys."""
    return Listing(path("keys"), Page[wire.ApiKey], _itself, {}, limit)


def create_key(name: str, scopes: Sequence[str] | None, expires_in_seconds: int | None) -> Flow[wire.ApiKey]:
    """Make an API key.

    If the answer with the secret was lost and the call sent again, the second answer lacks it: that key is of no
    use, so it is revoked and another one made.
    """
    key = yield from fetch(create_key_call(name, scopes, expires_in_seconds), wire.ApiKey)
    if key.secret is not None:
        return key
    yield from revoke_key(key.id)
    return (yield from fetch(create_key_call(name, scopes, expires_in_seconds), wire.ApiKey))


def revoke_key(id: wire.ApiKey | str) -> Flow[None]:
    """Revoke an API key."""
    return perform(Call("DELETE", path("keys", identity(id))))


def create_webhook(url: str, types: Sequence[str] | None) -> Flow[wire.Webhook]:
    """Make a webhook. If the answer with the secret was lost on its way, another secret is asked for."""
    hook = yield from fetch(create_webhook_call(url, types), wire.Webhook)
    return hook if hook.secret is not None else (yield from rotate_webhook(hook.id))


def webhooks(limit: int | None) -> Listing[wire.Webhook]:
    """All webhooks."""
    return Listing(path("webhooks"), Page[wire.Webhook], _itself, {}, limit)


def webhook(id: wire.Webhook | str) -> Flow[wire.Webhook]:
    """One webhook."""
    return fetch(Call("GET", path("webhooks", identity(id))), wire.Webhook)


def delete_webhook(id: wire.Webhook | str) -> Flow[None]:
    """Delete a webhook."""
    return perform(Call("DELETE", path("webhooks", identity(id))))


def rotate_webhook(id: wire.Webhook | str) -> Flow[wire.Webhook]:
    """Ask for a new secret."""
    return fetch(Call("POST", path("webhooks", identity(id), "rotate"), headers=new_key()), wire.Webhook)


def test_webhook(id: wire.Webhook | str) -> Flow[wire.WebhookMessage]:
    """Have a message sent."""
    return fetch(Call("POST", path("webhooks", identity(id), "test"), headers=new_key()), wire.WebhookMessage)


def webhook_messages(id: wire.Webhook | str, limit: int | None) -> Listing[wire.WebhookMessage]:
    """What a webhook was told."""
    return Listing(path("webhooks", identity(id), "messages"), Page[wire.WebhookMessage], _itself, {}, limit)


def audit(limit: int | None) -> Listing[wire.AuditEntry]:
    """The audit log."""
    return Listing(path("audit"), Page[wire.AuditEntry], _itself, {}, limit)
