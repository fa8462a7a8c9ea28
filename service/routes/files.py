"""Uploads, and the models and datasets they become; artifacts to download."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from typing import Annotated, Any, TypeVar

from anyio import to_thread
from fastapi import APIRouter, Header, Path, Request, Response
from fastapi.responses import FileResponse
from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from paretrim import wire
from service import audit, idempotency, problems, teachers, views
from service.accounts import Principal
from service.context import IdempotencyHeader, Reader, ReadSession, ServiceDep, Writer, owned_upload
from service.ids import new_id
from service.pages import DEFAULT_LIMIT, CursorQuery, Key, LimitQuery, page
from service.problems import Problem
from service.settings import MEBIBYTE
from service.tables import Artifact, Dataset, Job, Model
from service.uploads import part_count, parts_of

F = TypeVar("F", wire.Model, wire.Dataset)

router = APIRouter()

PartNumber = Annotated[int, Path(ge=1, le=1_000_000)]
_DIGEST = re.compile(r"(?:^|[,\s])sha-256=:([^:]*):")


@router.post("/uploads", tags=["uploads"], status_code=201)
def create_upload(
    request: wire.UploadRequest,
    response: Response,
    service: ServiceDep,
    principal: Writer,
    idempotency_key: IdempotencyHeader = None,
) -> wire.Upload:
    """Open an upload. The file's bytes follow in parts of `part_size_bytes`, numbered from 1."""
    upload_id = new_id("upload")
    sha256 = idempotency.digest("POST /uploads", request.model_dump(mode="json"))
    with service.database.write() as session:
        made = idempotency.reserve(session, principal.workspace_id, idempotency_key, sha256, upload_id)
        if made is not None:
            response.headers["Idempotency-Replayed"] = "true"
            row = owned_upload(session, principal, made)
        else:
            row = service.uploads.open(session, principal.workspace_id, upload_id, request)
        response.headers["Location"] = f"{views.API}/uploads/{row.id}"
        return views.upload(row, parts_of(session, row.id))


@router.get("/uploads/{upload_id}", tags=["uploads"])
def get_upload(upload_id: str, session: ReadSession, principal: Reader) -> wire.Upload:
    """An upload with the parts that have arrived, so that an interrupted one can be continued."""
    row = owned_upload(session, principal, upload_id)
    return views.upload(row, parts_of(session, row.id))


@router.delete("/uploads/{upload_id}", tags=["uploads"], status_code=204)
def cancel_upload(upload_id: str, service: ServiceDep, principal: Writer) -> None:
    """Give up an upload that is not complete."""
    with service.database.write() as session:
        service.uploads.cancel(session, owned_upload(session, principal, upload_id))


@router.put(
    "/uploads/{upload_id}/parts/{n}",
    tags=["uploads"],
    max_body_size=64 * MEBIBYTE,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
        }
    },
)
async def put_part(
    upload_id: str,
    n: PartNumber,
    request: Request,
    service: ServiceDep,
    principal: Writer,
    content_digest: Annotated[
        str | None, Header(description="RFC 9530: `sha-256=:<base64>:`; checked if it is sent.", max_length=1000)
    ] = None,
) -> wire.Upload:
    """Send one part as the raw body. Sending it again replaces it."""
    announced = _announced(content_digest)

    def begin() -> Any:
        with service.database.read() as session:
            upload = owned_upload(session, principal, upload_id)
        return service.uploads.begin_part(upload, n)

    part = await to_thread.run_sync(begin)
    try:
        async for chunk in request.stream():
            part.write(chunk)
        part.check(announced)
        await to_thread.run_sync(service.uploads.keep_part, upload_id, part)
    finally:
        part.discard()
    return await to_thread.run_sync(_upload_view, service, principal, upload_id)


def _upload_view(service: ServiceDep, principal: Principal, upload_id: str) -> wire.Upload:
    with service.database.read() as session:
        row = owned_upload(session, principal, upload_id)
        return views.upload(row, parts_of(session, row.id))


def _announced(content_digest: str | None) -> bytes | None:
    """The SHA-256 in a Content-Digest header. Other algorithms are passed over, as the RFC says."""
    if content_digest is None:
        return None
    found = _DIGEST.search(content_digest)
    if found is None:
        return None
    try:
        return base64.b64decode(found[1], validate=True)
    except (binascii.Error, ValueError):
        raise Problem(400, "bad-digest", "Content-Digest must be `sha-256=:<base64>:`") from None


@router.post("/uploads/{upload_id}/complete", tags=["uploads"], status_code=202)
def complete_upload(upload_id: str, service: ServiceDep, principal: Writer) -> wire.Upload:
    """All parts are sent: check the whole file's hash, and inspect it. `resource_id` is the model or dataset."""
    with service.database.read() as session:
        upload = owned_upload(session, principal, upload_id)
    row = service.uploads.complete(upload)
    return views.upload(row, list(range(1, part_count(row) + 1)))


@router.get("/models", tags=["models"])
def list_models(
    session: ReadSession,
    service: ServiceDep,
    principal: Reader,
    limit: LimitQuery = DEFAULT_LIMIT,
    cursor: CursorQuery = None,
) -> wire.Page[wire.Model]:
    """The workspace's models, newest first. A single one tells more: `inspection` is left out of lists."""
    return _listed(session, service, principal, Model, _model_in_list, limit, cursor)


@router.get("/datasets", tags=["datasets"])
def list_datasets(
    session: ReadSession,
    service: ServiceDep,
    principal: Reader,
    limit: LimitQuery = DEFAULT_LIMIT,
    cursor: CursorQuery = None,
) -> wire.Page[wire.Dataset]:
    """The workspace's datasets, newest first."""
    return _listed(session, service, principal, Dataset, views.dataset, limit, cursor)


def _model_in_list(row: Model) -> wire.Model:
    return views.model(row).model_copy(update={"inspection": None})


def _listed(
    session: Session,
    service: ServiceDep,
    principal: Principal,
    table: Any,
    view: Callable[[Any], F],
    limit: int,
    cursor: str | None,
) -> wire.Page[F]:
    return page(
        session,
        service.cursors,
        select(table).where(table.workspace_id == principal.workspace_id),
        [Key(table.id, descending=True)],
        limit=limit,
        cursor=cursor,
        query={"of": table.__tablename__, "workspace": principal.workspace_id},
        position=lambda row: [row[0].id],
        view=lambda row: view(row[0]),
    )


def _owned_file(session: Session, principal: Principal, table: Any, kind: str, name: str) -> Any:
    row = session.scalar(select(table).where(table.id == name, table.workspace_id == principal.workspace_id))
    if row is None:
        raise problems.not_found(kind, name)
    return row


@router.get("/models/{model_id}", tags=["models"])
def get_model(model_id: str, session: ReadSession, principal: Reader) -> wire.Model:
    """A model with what its inspection found: input, output, layers, groups, warnings."""
    return views.model(_owned_file(session, principal, Model, "model", model_id))


@router.get("/datasets/{dataset_id}", tags=["datasets"])
def get_dataset(dataset_id: str, session: ReadSession, principal: Reader) -> wire.Dataset:
    """A dataset with what its inspection found: splits, shapes, classes, warnings."""
    return views.dataset(_owned_file(session, principal, Dataset, "dataset", dataset_id))


@router.delete("/models/{model_id}", tags=["models"], status_code=204)
def delete_model(model_id: str, request: Request, service: ServiceDep, principal: Writer) -> None:
    """Delete a model that no job refers to."""
    with service.database.write() as session:
        row = _owned_file(session, principal, Model, "model", model_id)
        _delete_file(session, row, "model", teachers.refers(row))
        audit.note(session, request, principal, "model.delete", model_id)


@router.delete("/datasets/{dataset_id}", tags=["datasets"], status_code=204)
def delete_dataset(dataset_id: str, request: Request, service: ServiceDep, principal: Writer) -> None:
    """Delete a dataset that no job refers to."""
    with service.database.write() as session:
        row = _owned_file(session, principal, Dataset, "dataset", dataset_id)
        _delete_file(session, row, "dataset", Job.dataset_id == row.id)
        audit.note(session, request, principal, "dataset.delete", dataset_id)


def _delete_file(session: Session, row: Any, kind: str, refers: Any) -> None:
    if session.scalar(select(exists().where(refers))):
        raise problems.conflict(f"{kind}-in-use", f"jobs refer to {kind} {row.id}; delete them first")
    artifact = None if row.artifact_id is None else session.get_one(Artifact, row.artifact_id)
    session.delete(row)
    session.flush()
    if artifact is not None:
        session.delete(artifact)


@router.get(
    "/artifacts/{artifact_id}/content",
    tags=["artifacts"],
    response_class=FileResponse,
    responses={
        200: {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}},
        206: {"description": "The range that was asked for"},
        304: {"description": "The client has it"},
        416: {"description": "No such range"},
    },
)
def download_artifact(
    artifact_id: str,
    session: ReadSession,
    service: ServiceDep,
    principal: Reader,
    range_header: Annotated[str | None, Header(alias="Range", max_length=100)] = None,
    if_none_match: Annotated[str | None, Header(max_length=1000)] = None,
) -> Response:
    """The bytes of an artifact. One range may be asked for."""
    row = session.scalar(
        select(Artifact).where(Artifact.id == artifact_id, Artifact.workspace_id == principal.workspace_id)
    )
    if row is None:
        raise problems.not_found("artifact", artifact_id)
    return file_response(service, row, range_header, if_none_match)


_RANGE = re.compile(r"^bytes=(?:(\d{1,15})-(\d{0,15})|-(\d{1,15}))$")


def file_response(service: ServiceDep, row: Artifact, range_header: str | None, if_none_match: str | None) -> Response:
    """A download: never shown in place, never sniffed, immutable."""
    etag = f'"{row.sha256}"'
    digest = base64.b64encode(bytes.fromhex(row.sha256)).decode()
    headers = {
        "ETag": etag,
        "Repr-Digest": f"sha-256=:{digest}:",
        "Cache-Control": "private, max-age=31536000, immutable",
        "Accept-Ranges": "bytes",
    }
    if if_none_match is not None and etag in [part.strip() for part in if_none_match.split(",")]:
        return Response(status_code=304, headers=headers)
    if range_header is not None and row.size_bytes and range_header.startswith("bytes="):
        _check_range(range_header, row.size_bytes)
    path = service.artifacts.path(row.sha256)
    if not path.is_file():
        raise Problem(503, "artifact-missing", "the file is not on this server's disk; restore it from a backup")
    return FileResponse(path, headers=headers, media_type=row.media_type, filename=row.filename)


def _check_range(header: str, size_bytes: int) -> None:
    """Refuse what the framework would answer in its own way: several ranges, or none that exists."""
    unsatisfiable = Problem(
        416,
        "range-not-satisfiable",
        f"ask for one range within {size_bytes} bytes",
        headers={"Content-Range": f"bytes */{size_bytes}"},
    )
    match = _RANGE.match(header.replace(" ", ""))
    if match is None:
        raise unsatisfiable
    first, last, suffix = match.groups()
    if (suffix is not None and int(suffix) == 0) or (first is not None and int(first) >= size_bytes):
        raise unsatisfiable
    if first is not None and last and int(last) < int(first):
        raise unsatisfiable
