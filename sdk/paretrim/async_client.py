"""`AsyncClient`: paretrim over HTTP, for asyncio and trio. The twin of `client.py`; a test holds them alike.

async with AsyncClient() as client:
    job = await client.jobs.create(model="mdl_1", dataset="dst_1", device="host-cpu", algorithms="amc", budget=300)
    await job.wait()
    await (await job.front()).best("accuracy", latency_ms=1.5).download("small.onnx")
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
from paretrim._drive import AsyncDriver, Settings
from paretrim._files import INSPECTION_TIMEOUT_SECONDS, Progress
from paretrim._pages import AsyncPages
from paretrim.async_jobs import AsyncJobs
from paretrim.client import DEFAULT_MAX_RETRIES, DEFAULT_TIMEOUT_SECONDS

F = TypeVar("F", wire.Model, wire.Dataset)


class _AsyncFiles(Generic[F]):
    _kind: flows.FileKind[F]

    def __init__(self, driver: AsyncDriver) -> None:
        self._driver = driver

    def list(self, *, limit: int | None = None) -> AsyncPages[F]:
        """What was uploaded, newest first."""
        return AsyncPages(self._driver, self._kind.listing(limit))

    async def get(self, id: F | str) -> F:
        """One of them. Raises NotFound."""
        return await self._driver.run(self._kind.get(id))

    async def download(
        self, id: F | str, to: str | os.PathLike[str] = ".", *, progress: Progress | None = None
    ) -> Path:
        """Save the file that was uploaded; where it lies now."""
        return await self._driver.run(self._kind.download(id, to, progress))

    async def delete(self, id: F | str) -> None:
        """Delete it. Raises Conflict while a job needs it."""
        await self._driver.run(self._kind.delete(id))


class AsyncModels(_AsyncFiles[wire.Model]):
    """Neural networks of the workspace."""

    _kind = flows.MODELS

    async def upload(
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
        return await self._driver.run(flows.upload_model(model, example_input, given))


class AsyncDatasets(_AsyncFiles[wire.Dataset]):
    """AsyncDatasets of the workspace."""

    _kind = flows.DATASETS

    async def upload(
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
        return await self._driver.run(flows.upload_dataset(dataset, splits, mean, std, given))


class AsyncUploads:
    """Uploads under way. `models.upload` and `datasets.upload` do all of it; this is for those that broke off."""

    def __init__(self, driver: AsyncDriver) -> None:
        self._driver = driver

    async def get(self, id: wire.Upload | str) -> wire.Upload:
        """An upload, with the parts that have arrived."""
        return await self._driver.run(flows.upload(id))

    async def cancel(self, id: wire.Upload | str) -> None:
        """Give up an upload that is not complete."""
        await self._driver.run(flows.cancel_upload(id))


class AsyncDevices:
    """AsyncDevices that candidates can be costed for."""

    def __init__(self, driver: AsyncDriver) -> None:
        self._driver = driver

    def list(self, *, limit: int | None = None) -> AsyncPages[wire.Device]:
        """All of them, by name."""
        return AsyncPages(self._driver, flows.devices(limit))

    async def get(self, name: wire.Device | str) -> wire.Device:
        """One of them. Raises NotFound."""
        return await self._driver.run(flows.device(name))

    async def document(self, name: wire.Device | str) -> dict[str, Any]:
        """Its document: a latency table, or an analytic model's parameters."""
        return await self._driver.run(flows.device_document(name))

    async def delete(self, name: wire.Device | str) -> None:
        """Forget a device that was put; jobs that use it keep their copy."""
        await self._driver.run(flows.delete_device(name))

    def shapes(self, name: wire.Device | str) -> AsyncPages[wire_overview.DeviceShape]:
        """The layers whose times on this device can be looked at."""
        return AsyncPages(self._driver, flows.device_shapes(name))

    async def sweep(
        self,
        name: wire.Device | str,
        shape: wire_overview.DeviceShape,
        *,
        along: Literal["out_channels", "in_channels"] = "out_channels",
        channels: int | None = None,
    ) -> wire_overview.Sweep:
        """Times of one shape at 1, 2, 3, ... channels, at each precision: the device's steps."""
        return await self._driver.run(flows.device_sweep(name, shape, along, channels))

    async def put(self, name: str, document: Mapping[str, Any] | str | os.PathLike[str]) -> wire.Device:
        """Store a device under a name: its document, or the path of one. Raises InvalidTable, Unprocessable."""
        return await self._driver.run(flows.put_device(name, document))


class AsyncAlgorithms:
    """Search algorithms that the server knows."""

    def __init__(self, driver: AsyncDriver) -> None:
        self._driver = driver

    def list(self, *, limit: int | None = None) -> AsyncPages[wire.Algorithm]:
        """All of them with their options, as JSON Schema."""
        return AsyncPages(self._driver, flows.algorithms(limit))


class AsyncKeys:
    """API keys of the workspace."""

    def __init__(self, driver: AsyncDriver) -> None:
        self._driver = driver

    async def create(
        self, name: str, *, scopes: Sequence[str] | None = None, expires_in_seconds: int | None = None
    ) -> wire.ApiKey:
        """Make a key. Its `secret` is in this answer and nowhere else."""
        return await self._driver.run(flows.create_key(name, scopes, expires_in_seconds))

    def list(self, *, limit: int | None = None) -> AsyncPages[wire.ApiKey]:
        """All keys, without their secrets."""
        return AsyncPages(self._driver, flows.keys(limit))

    async def revoke(self, id: wire.ApiKey | str) -> None:
        """Make a key useless at once."""
        await self._driver.run(flows.revoke_key(id))


class AsyncWebhooks:
    """Addresses that are told what happens to jobs. `paretrim.webhooks.unwrap` is for those who are told."""

    def __init__(self, driver: AsyncDriver) -> None:
        self._driver = driver

    async def create(self, url: str, *, types: Sequence[wire.WebhookType] | None = None) -> wire.Webhook:
        """Have an address told. The `secret` it can check messages with is in this answer and nowhere else."""
        return await self._driver.run(flows.create_webhook(url, types))

    def list(self, *, limit: int | None = None) -> AsyncPages[wire.Webhook]:
        """All of them, newest first."""
        return AsyncPages(self._driver, flows.webhooks(limit))

    async def get(self, id: wire.Webhook | str) -> wire.Webhook:
        """One of them. Raises NotFound."""
        return await self._driver.run(flows.webhook(id))

    async def delete(self, id: wire.Webhook | str) -> None:
        """Tell this address nothing more."""
        await self._driver.run(flows.delete_webhook(id))

    async def rotate(self, id: wire.Webhook | str) -> wire.Webhook:
        """A new secret; the one before is good until the next rotation. Enables the webhook again, too."""
        return await self._driver.run(flows.rotate_webhook(id))

    async def test(self, id: wire.Webhook | str) -> wire.WebhookMessage:
        """Send a message of the type `test`."""
        return await self._driver.run(flows.test_webhook(id))

    def messages(self, id: wire.Webhook | str, *, limit: int | None = None) -> AsyncPages[wire.WebhookMessage]:
        """What it was told, newest first, and what became of it."""
        return AsyncPages(self._driver, flows.webhook_messages(id, limit))


class AsyncAudit:
    """Who opened or closed a door, or deleted something."""

    def __init__(self, driver: AsyncDriver) -> None:
        self._driver = driver

    def list(self, *, limit: int | None = None) -> AsyncPages[wire.AuditEntry]:
        """All entries, newest first."""
        return AsyncPages(self._driver, flows.audit(limit))


class AsyncClient:
    """A paretrim server.

    base_url: its address; default PARETRIM_URL, then http://127.0.0.1:8000. api_key: default PARETRIM_API_KEY.
    timeout_seconds: for the server to answer one request. max_retries: how often a request that broke, or was
    refused for the moment, is sent again. http_client: an `httpx2.AsyncClient` with its own proxy, certificates or
    transport; it is the caller's to close.
    """

    def __init__(
        self,
        base_url: str | None = None,
        *,
        api_key: str | None = None,
        timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS,
        max_retries: int = DEFAULT_MAX_RETRIES,
        http_client: httpx2.AsyncClient | None = None,
    ) -> None:
        settings = Settings.of(base_url, api_key, timeout_seconds, max_retries)
        driver = AsyncDriver(settings, http_client)
        self._driver = driver
        self.base_url = settings.base_url
        self.models = AsyncModels(driver)
        self.datasets = AsyncDatasets(driver)
        self.uploads = AsyncUploads(driver)
        self.jobs = AsyncJobs(driver)
        self.devices = AsyncDevices(driver)
        self.algorithms = AsyncAlgorithms(driver)
        self.keys = AsyncKeys(driver)
        self.webhooks = AsyncWebhooks(driver)
        self.audit = AsyncAudit(driver)

    async def close(self) -> None:
        """Close the connections."""
        await self._driver.close()

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"<AsyncClient of {self.base_url}>"
