"""`Client`: paretrim over HTTP.

client = Client("http://127.0.0.1:8000", api_key="...")      # or PARETRIM_URL, PARETRIM_API_KEY
model = client.models.upload("resnet20.onnx")
data = client.datasets.upload("cifar10.npz")
job = client.jobs.create(
    model=model, dataset=data, device="host-cpu", algorithms=["amc", "nsga2"], budget={"candidates": 300}
)
job.wait(progress=True)
job.front().best("accuracy", latency_ms=1.5).download("small.onnx")
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Generic, Literal, TypeVar

import httpx2

from paretrim import _resource_flows as flows
from paretrim import wire, wire_overview
from paretrim._arrays import Split
from paretrim._drive import Driver, Settings
from paretrim._files import INSPECTION_TIMEOUT_SECONDS, Progress
from paretrim._pages import Pages
from paretrim.jobs import Jobs

F = TypeVar("F", wire.Model, wire.Dataset)

DEFAULT_TIMEOUT_SECONDS = 60.0
DEFAULT_MAX_RETRIES = 4


class _Files(Generic[F]):
    _kind: flows.FileKind[F]

    def __init__(self, driver: Driver) -> None:
        self._driver = driver

    def list(self, *, limit: int | None = None) -> Pages[F]:
        """What was uploaded, newest first."""
        return Pages(self._driver, self._kind.listing(limit))

    def get(self, id: F | str) -> F:
        """One of them. Raises NotFound."""
        return self._driver.run(self._kind.get(id))

    def download(self, id: F | str, to: str | os.PathLike[str] = ".", *, progress: Progress | None = None) -> Path:
        """Save the file that was uploaded; where it lies now."""
        return self._driver.run(self._kind.download(id, to, progress))

    def delete(self, id: F | str) -> None:
        """Delete it. Raises Conflict while a job needs it."""
        self._driver.run(self._kind.delete(id))


class Models(_Files[wire.Model]):
    """Neural networks of the workspace."""

    _kind = flows.MODELS

    def upload(
        self,
        model: str | os.PathLike[str] | bytes | Any,
        *,
        example_input: Any = None,
        name: str | None = None,
        architecture: str | None = None,
        resume: str | None = None,
        progress: Progress | None = None,
        wait: bool = True,
        timeout_seconds: float = INSPECTION_TIMEOUT_SECONDS,
    ) -> wire.Model:
        """Upload a model and wait until the server has looked into it.

        model: path or bytes of a single-file ONNX, or of safetensors with the name of a registered `architecture`; or a
        torch.nn.Module with an `example_input` (n, *shape), which is exported to ONNX here, so that no code travels.
        resume: id of an upload that broke off. progress: told bytes done and bytes in all. Raises InvalidModel.
        """
        given = flows.Given(name, architecture, resume, progress, wait, timeout_seconds)
        return self._driver.run(flows.upload_model(model, example_input, given))


class Datasets(_Files[wire.Dataset]):
    """Datasets of the workspace."""

    _kind = flows.DATASETS

    def upload(
        self,
        dataset: str | os.PathLike[str] | bytes | None = None,
        *,
        train: Split | None = None,
        validation: Split | None = None,
        test: Split | None = None,
        mean: Sequence[float] | None = None,
        std: Sequence[float] | None = None,
        name: str | None = None,
        resume: str | None = None,
        progress: Progress | None = None,
        wait: bool = True,
        timeout_seconds: float = INSPECTION_TIMEOUT_SECONDS,
    ) -> wire.Dataset:
        """Upload a dataset and wait until the server has looked into it.

        dataset: path or bytes of an .npz with train_x, train_y, ...; or instead the splits themselves, each (x, y) with
        inputs (n, *shape) as the model takes them, or uint8 with `mean` and `std` for each channel. A split that is
        missing is carved from train. Raises InvalidDataset.
        """
        given = flows.Given(name, None, resume, progress, wait, timeout_seconds)
        splits = {"train": train, "validation": validation, "test": test}
        return self._driver.run(flows.upload_dataset(dataset, splits, mean, std, given))


class Uploads:
    """Uploads under way. `models.upload` and `datasets.upload` do all of it; this is for those that broke off."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver

    def get(self, id: wire.Upload | str) -> wire.Upload:
        """An upload, with the parts that have arrived."""
        return self._driver.run(flows.upload(id))

    def cancel(self, id: wire.Upload | str) -> None:
        """Give up an upload that is not complete."""
        self._driver.run(flows.cancel_upload(id))


class Devices:
    """Devices that candidates can be costed for."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver

    def list(self, *, limit: int | None = None) -> Pages[wire.Device]:
        """All of them, by name."""
        return Pages(self._driver, flows.devices(limit))

    def get(self, name: wire.Device | str) -> wire.Device:
        """One of them. Raises NotFound."""
        return self._driver.run(flows.device(name))

    def document(self, name: wire.Device | str) -> dict[str, Any]:
        """Its document: a latency table, or an analytic model's parameters."""
        return self._driver.run(flows.device_document(name))

    def delete(self, name: wire.Device | str) -> None:
        """Forget a device that was put; jobs that use it keep their copy."""
        self._driver.run(flows.delete_device(name))

    def shapes(self, name: wire.Device | str) -> Pages[wire_overview.DeviceShape]:
        """The layers whose times on this device can be looked at."""
        return Pages(self._driver, flows.device_shapes(name))

    def sweep(
        self,
        name: wire.Device | str,
        shape: wire_overview.DeviceShape,
        *,
        along: Literal["out_channels", "in_channels"] = "out_channels",
        channels: int | None = None,
    ) -> wire_overview.Sweep:
        """Times of one shape at 1, 2, 3, ... channels, at each precision: the device's steps."""
        return self._driver.run(flows.device_sweep(name, shape, along, channels))

    def put(self, name: str, document: Mapping[str, Any] | str | os.PathLike[str]) -> wire.Device:
        """Store a device under a name: its document, or the path of one. Raises InvalidTable, Unprocessable."""
        return self._driver.run(flows.put_device(name, document))


class Algorithms:
    """Search algorithms that the server knows."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver

    def list(self, *, limit: int | None = None) -> Pages[wire.Algorithm]:
        """All of them with their options, as JSON Schema."""
        return Pages(self._driver, flows.algorithms(limit))


class Keys:
    """API keys of the workspace."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver

    def create(
        self, name: str, *, scopes: Sequence[str] | None = None, expires_in_seconds: int | None = None
    ) -> wire.ApiKey:
        """Make a key. Its `secret` is in this answer and nowhere else."""
        return self._driver.run(flows.create_key(name, scopes, expires_in_seconds))

    def list(self, *, limit: int | None = None) -> Pages[wire.ApiKey]:
        """All keys, without their secrets."""
        return Pages(self._driver, flows.keys(limit))

    def revoke(self, id: wire.ApiKey | str) -> None:
        """Make a key useless at once."""
        self._driver.run(flows.revoke_key(id))


class Webhooks:
    """Addresses that are told what happens to jobs. `paretrim.webhooks.unwrap` is for those who are told."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver

    def create(self, url: str, *, types: Sequence[wire.WebhookType] | None = None) -> wire.Webhook:
        """Have an address told. The `secret` it can check messages with is in this answer and nowhere else."""
        return self._driver.run(flows.create_webhook(url, types))

    def list(self, *, limit: int | None = None) -> Pages[wire.Webhook]:
        """All of them, newest first."""
        return Pages(self._driver, flows.webhooks(limit))

    def get(self, id: wire.Webhook | str) -> wire.Webhook:
        """One of them. Raises NotFound."""
        return self._driver.run(flows.webhook(id))

    def delete(self, id: wire.Webhook | str) -> None:
        """Tell this address nothing more."""
        self._driver.run(flows.delete_webhook(id))

    def rotate(self, id: wire.Webhook | str) -> wire.Webhook:
        """A new secret; the one before is good until the next rotation. Enables the webhook again, too."""
        return self._driver.run(flows.rotate_webhook(id))

    def test(self, id: wire.Webhook | str) -> wire.WebhookMessage:
        """Send a message of the type `test`."""
        return self._driver.run(flows.test_webhook(id))

    def messages(self, id: wire.Webhook | str, *, limit: int | None = None) -> Pages[wire.WebhookMessage]:
        """What it was told, newest first, and what became of it."""
        return Pages(self._driver, flows.webhook_messages(id, limit))


class Audit:
    """Who opened or closed a door, or deleted something."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver

    def list(self, *, limit: int | None = None) -> Pages[wire.AuditEntry]:
        """All entries, newest first."""
        return Pages(self._driver, flows.audit(limit))


class Client:
    """A paretrim server.

    base_url: its address; default PARETRIM_URL, then http://127.0.0.1:8000. api_key: default PARETRIM_API_KEY.
    timeout_seconds: for the server to answer one request. max_retries: how often a request that broke, or was
    refused for the moment, is sent again. http_client: an `httpx2.Client` with its own proxy, certificates or
    transport; it is the caller's to close.
    """

    def __init__(
        self,
        base_url: str | None = None,
        *,
        api_key: str | None = None,
        timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS,
        max_retries: int = DEFAULT_MAX_RETRIES,
        http_client: httpx2.Client | None = None,
    ) -> None:
        settings = Settings.of(base_url, api_key, timeout_seconds, max_retries)
        driver = Driver(settings, http_client)
        self._driver = driver
        self.base_url = settings.base_url
        self.models = Models(driver)
        self.datasets = Datasets(driver)
        self.uploads = Uploads(driver)
        self.jobs = Jobs(driver)
        self.devices = Devices(driver)
        self.algorithms = Algorithms(driver)
        self.keys = Keys(driver)
        self.webhooks = Webhooks(driver)
        self.audit = Audit(driver)

    def close(self) -> None:
        """Close the connections."""
        self._driver.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Client of {self.base_url}>"
