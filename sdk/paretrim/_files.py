"""Files on their way to the server and back: in parts, each with its checksum, taken up again where they broke off."""

from __future__ import annotations

import base64
import hashlib
import io
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any, Literal, TypeVar

import httpx2

from paretrim._flow import Attempt, Call, Flow, Sleep, Work, fetch, new_key, path, pause_seconds, status_error
from paretrim._flow import may_retry as status_may_retry
from paretrim.errors import APIConnectionError, InvalidDataset, InvalidInput, InvalidModel, WaitTimeout
from paretrim.wire import Dataset, Kind, Model, Upload, UploadRequest

F = TypeVar("F", Model, Dataset)
#: told how many bytes are done, and of how many
Progress = Callable[[int, int], None]

INSPECTION_TIMEOUT_SECONDS = 600.0
_CHUNK_BYTES = 1 << 20
#: a download that breaks so often without a byte coming through is given up
_DOWNLOAD_ATTEMPTS = 6


@dataclass(frozen=True)
class Source:
    """Bytes to be uploaded: a file that stays where it is, or bytes in memory."""

    filename: str
    file: Path | None = None
    content: bytes = b""

    def open(self) -> IO[bytes]:
        """The bytes, to be read."""
        return io.BytesIO(self.content) if self.file is None else self.file.open("rb")

    def digest(self) -> tuple[int, str]:
        """Size in bytes and SHA-256."""
        digest, size = hashlib.sha256(), 0
        with self.open() as file:
            while chunk := file.read(_CHUNK_BYTES):
                digest.update(chunk)
                size += len(chunk)
        return size, digest.hexdigest()

    def part(self, start: int, size: int) -> bytes:
        """So many bytes from there on."""
        with self.open() as file:
            file.seek(start)
            return file.read(size)


def source_of(file: Any, filename: str, field: str) -> Source:
    """What there is to upload. Raises InvalidInput if the file is not there."""
    if isinstance(file, bytes | bytearray | memoryview):
        return Source(filename, content=bytes(file))
    where = Path(file).expanduser()  # str or PathLike
    if not where.is_file():
        what = "is a directory" if where.is_dir() else "does not exist"
        raise InvalidInput(f"{where} {what}; give the path of a file", field=field)
    return Source(where.name, file=where)


@dataclass(frozen=True)
class Wish:
    """What to do with an upload beside sending it."""

    name: str | None = None
    architecture: str | None = None
    resume: str | None = None  #: id of an upload that broke off
    progress: Progress | None = None
    wait: bool = True  #: until it was inspected
    timeout_seconds: float = INSPECTION_TIMEOUT_SECONDS


def upload_model(source: Source, wish: Wish) -> Flow[Model]:
    """Upload a model. Raises InvalidModel if the server finds that it is none."""
    upload = yield from _send(source, "model", wish)
    return (yield from _inspected(upload, Model, wish))


def upload_dataset(source: Source, wish: Wish) -> Flow[Dataset]:
    """Upload a dataset. Raises InvalidDataset if the server finds that it is none."""
    upload = yield from _send(source, "dataset", wish)
    return (yield from _inspected(upload, Dataset, wish))


def _send(source: Source, kind: Kind, wish: Wish) -> Flow[str]:
    size, digest = yield Work(source.digest)
    if size == 0:
        raise InvalidInput(f"{source.filename} is empty", field=kind)
    upload = yield from _opened(source, kind, wish, size, digest)
    if upload.resource_id is not None:
        return upload.resource_id
    try:
        yield from _send_parts(source, upload, size, wish.progress)
        response = yield Call("POST", path("uploads", upload.id, "complete"), headers=new_key())
    except APIConnectionError as error:
        error.add_note(f"The upload can be taken up again: upload(..., resume={upload.id!r})")
        raise
    body = response.json()
    return str(body.get("resource_id") or body["id"])


def _opened(source: Source, kind: Kind, wish: Wish, size: int, digest: str) -> Flow[Upload]:
    if wish.resume is not None:
        upload = yield from fetch(Call("GET", path("uploads", wish.resume)), Upload)
        if (upload.kind, upload.size_bytes) != (kind, size):
            raise InvalidInput(
                f"upload {upload.id} is of a {upload.kind} of {upload.size_bytes} bytes, {source.filename} is another "
                "file; upload it anew",
                field="resume",
            )
        return upload
    request = UploadRequest(
        kind=kind,
        filename=source.filename,
        size_bytes=size,
        sha256=digest,
        name=wish.name,
        architecture=wish.architecture,
    )
    body = request.model_dump(mode="json", exclude_none=True)
    return (yield from fetch(Call("POST", path("uploads"), json=body, headers=new_key()), Upload))


def _send_parts(source: Source, upload: Upload, size: int, progress: Progress | None) -> Flow[None]:
    step = upload.part_size_bytes
    there = set(upload.parts_received)
    for number, start in enumerate(range(0, size, step), start=1):
        if number not in there:
            content: bytes = yield Work(partial(source.part, start, step))
            yield part_call(upload.id, number, content)
        if progress is not None:
            progress(min(start + step, size), size)


def part_call(upload: str, number: int, content: bytes) -> Call:
    """Sends one part, numbered from 1, with its checksum (RFC 9530)."""
    digest = base64.b64encode(hashlib.sha256(content).digest()).decode()
    headers = {"Content-Type": "application/octet-stream", "Content-Digest": f"sha-256=:{digest}:"}
    return Call("PUT", path("uploads", upload, "parts", number), content=content, headers=headers)


def _inspected(resource: str, shape: type[F], wish: Wish) -> Flow[F]:
    """Wait until the server has looked into the file."""
    collection: Literal["models", "datasets"] = "models" if shape is Model else "datasets"
    waited = 0.0
    pause = 0.1
    while True:
        file = yield from fetch(Call("GET", path(collection, resource)), shape)
        if file.state == "rejected":
            raise rejected(file)
        if file.state == "ready" or not wish.wait:
            return file
        if waited > wish.timeout_seconds:
            raise WaitTimeout(f"{collection}/{resource} is still being inspected; look again with .get({resource!r})")
        yield Sleep(pause)
        waited += pause
        pause = min(pause * 1.5, 2.0)


def rejected(file: Model | Dataset) -> InvalidModel | InvalidDataset:
    """The exception for a file that the server refused, with its reason."""
    kind = InvalidModel if isinstance(file, Model) else InvalidDataset
    return kind(f"{file.name} was rejected: {file.reason or 'no reason was given'}", field=_kind_of(file))


def _kind_of(file: Model | Dataset) -> Kind:
    return "model" if isinstance(file, Model) else "dataset"


def download(artifact: str, to: Path, progress: Progress | None = None) -> Flow[Path]:
    """Fetch an artifact into a file: whole and checked against its SHA-256, or not at all.

    A download that breaks off is taken up again where it broke (range requests).
    """
    unfinished = to.with_name(f".{to.name}.{os.getpid()}.part")
    receiver = _Receiver(unfinished, progress)
    try:
        yield from _receive(artifact, receiver)
        yield Work(receiver.check)
        unfinished.replace(to)
    finally:
        receiver.close()
        unfinished.unlink(missing_ok=True)
    return to


class _Receiver:
    """A file that fills up, over one response or several."""

    def __init__(self, file: Path, progress: Progress | None) -> None:
        self.received = 0
        self.etag: str | None = None
        self._name = file
        self._file = file.open("wb")
        self._progress = progress
        self._total = 0

    def sink(self, response: httpx2.Response) -> Callable[[bytes], object]:
        """Takes the body of a response: all of the bytes, or those that are missing."""
        if response.status_code != 206:
            self._file.seek(0)
            self._file.truncate()
            self.received = 0
        self.etag = response.headers.get("etag") or self.etag
        self._total = self.received + int(response.headers.get("content-length") or 0)
        return self._write

    def _write(self, chunk: bytes) -> None:
        self._file.write(chunk)
        self.received += len(chunk)
        if self._progress is not None:
            self._progress(self.received, self._total)

    def check(self) -> None:
        """Raise APIConnectionError if the bytes are not what the server said they are."""
        self.close()
        wanted = (self.etag or "").removeprefix("W/").strip('"').removeprefix("sha256:").removeprefix("sha256-")
        if len(wanted) != 64:
            return
        got = Source(self._name.name, file=self._name).digest()[1]
        if got != wanted:
            raise APIConnectionError(f"the bytes that came are not those that were sent (sha256 {got}); download again")

    def close(self) -> None:
        """Done with the file."""
        self._file.close()


def _receive(artifact: str, receiver: _Receiver) -> Flow[None]:
    failures = 0
    while True:
        headers = {"Accept": "*/*", "Accept-Encoding": "identity"}
        before = receiver.received
        if before and receiver.etag:
            headers |= {"Range": f"bytes={before}-", "If-Range": receiver.etag}
        call = Call("GET", path("artifacts", artifact, "content"), headers=headers, sink=receiver.sink)
        try:
            response: httpx2.Response = yield Attempt(call)
        except APIConnectionError:
            failures = failures + 1 if receiver.received == before else 0
            if failures == _DOWNLOAD_ATTEMPTS:
                raise
        else:
            if response.is_success:
                return
            failures += 1
            if failures == _DOWNLOAD_ATTEMPTS or not status_may_retry(response.status_code, None):
                raise status_error(response)
        yield Sleep(pause_seconds(failures))


def target(to: str | os.PathLike[str], filename: str) -> Path:
    """Where to write: the path given, or a file in the directory given. Raises InvalidInput."""
    where = Path(to).expanduser()
    if where.is_dir():
        where = where / filename
    if not where.parent.is_dir():
        raise InvalidInput(f"the directory {where.parent} does not exist; make it first", field="to")
    return where
