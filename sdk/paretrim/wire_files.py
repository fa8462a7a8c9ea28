"""Bodies about what jobs work with: uploads, models, datasets, devices, algorithms."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from paretrim.wire_base import Request, Response

FileState = Literal["inspecting", "ready", "rejected"]

Kind = Literal["model", "dataset"]


class UploadRequest(Request):
    """Opens an upload. The bytes follow in parts."""

    kind: Kind
    filename: Annotated[str, Field(min_length=1, max_length=255)]
    size_bytes: Annotated[int, Field(ge=1)]
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]  #: of the whole file
    name: Annotated[str | None, Field(max_length=255)] = None  #: shown to people; the file's name if absent
    architecture: Annotated[str | None, Field(max_length=64)] = None  #: for safetensors: one of the registered ones


class Upload(Response):
    """An upload under way. `resource_id` is the model or dataset it became."""

    id: str
    kind: Kind
    filename: str
    size_bytes: int
    part_size_bytes: int
    parts_received: list[int] = []
    state: Literal["open", "completed"] = "open"
    resource_id: str | None = None
    expires_at: datetime


class Inspected(Response):
    """A file that jobs work on, and what its inspection found."""

    id: str
    name: str
    state: FileState
    sha256: str
    size_bytes: int
    created_at: datetime
    reason: str | None = None  #: why it was rejected


class Model(Inspected):
    """An uploaded neural network."""

    inspection: dict[str, Any] | None = None  #: input, output, layers, groups, parameters, macs, warnings


class Dataset(Inspected):
    """An uploaded dataset."""

    inspection: dict[str, Any] | None = None  #: shapes and types of the splits, classes, warnings


class Device(Response):
    """A latency table or an analytic model, with its provenance."""

    name: str
    kind: Literal["table", "analytic"]
    summary: str
    weight_bits: list[int]
    activation_bits: list[int]
    provenance: dict[str, Any] = {}
    rows: int = 0  #: measured operations
    sha256: str | None = None
    created_at: datetime | None = None


class Algorithm(Response):
    """A search algorithm and its options, as JSON Schema."""

    name: str
    summary: str
    options: dict[str, Any] = {}
