"""`paretrim upload`, `models`, `datasets`: files on the server."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from paretrim import wire
from paretrim._cli_connection import OutputOption, confirmed, connect, transfer
from paretrim._output import Output, emit_one, emit_rows, say
from paretrim._server_commands import UPLOADED_PREFIXES
from paretrim.errors import InvalidInput

upload = typer.Typer(no_args_is_help=True, help="Upload a model or a dataset.")
models = typer.Typer(no_args_is_help=True, help="Models on the server.")
datasets = typer.Typer(no_args_is_help=True, help="Datasets on the server.")

File = Annotated[Path, typer.Argument(help="The file.", show_default=False)]
Id = Annotated[str, typer.Argument(help="Its id.", show_default=False)]
Name = Annotated[str | None, typer.Option(help="What to call it.", show_default="the file's name")]
Resume = Annotated[str | None, typer.Option(help="Id of an upload that broke off.", metavar="UPLOAD")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Limit = Annotated[int | None, typer.Option(min=1, help="At most so many.")]

_COLUMNS = ("id", "name", "state", "size_bytes", "created_at", "reason")


@upload.command("model")
def upload_model(
    ctx: typer.Context,
    file: File,
    name: Name = None,
    architecture: Annotated[str | None, typer.Option(help="Of safetensors: a registered architecture.")] = None,
    resume: Resume = None,
    output: OutputOption = Output.table,
) -> None:
    """Upload a model: single-file ONNX, or safetensors of a registered architecture."""
    with connect(ctx) as client, transfer(file.name) as progress:
        model = client.models.upload(file, name=name, architecture=architecture, resume=resume, progress=progress)
    _warn(model)
    emit_one(model, _row(model) | _seen(model), output)


@upload.command("dataset")
def upload_dataset(
    ctx: typer.Context, file: File, name: Name = None, resume: Resume = None, output: OutputOption = Output.table
) -> None:
    """Upload a dataset: an .npz with train_x, train_y, ..."""
    with connect(ctx) as client, transfer(file.name) as progress:
        dataset = client.datasets.upload(file, name=name, resume=resume, progress=progress)
    _warn(dataset)
    emit_one(dataset, _row(dataset) | _seen(dataset), output)


@models.command("list")
def list_models(ctx: typer.Context, limit: Limit = None, output: OutputOption = Output.table) -> None:
    """All models, newest first."""
    with connect(ctx) as client:
        found = client.models.list(limit=limit).all()
    emit_rows([_row(model) for model in found], _COLUMNS, output, whole=found)


@datasets.command("list")
def list_datasets(ctx: typer.Context, limit: Limit = None, output: OutputOption = Output.table) -> None:
    """All datasets, newest first."""
    with connect(ctx) as client:
        found = client.datasets.list(limit=limit).all()
    emit_rows([_row(dataset) for dataset in found], _COLUMNS, output, whole=found)


@models.command("show")
def show_model(ctx: typer.Context, id: Id, output: OutputOption = Output.table) -> None:
    """One model, with what the server saw in it."""
    show(ctx, id, output)


@datasets.command("show")
def show_dataset(ctx: typer.Context, id: Id, output: OutputOption = Output.table) -> None:
    """One dataset, with what the server saw in it."""
    show(ctx, id, output)


@models.command("delete")
def delete_model(ctx: typer.Context, id: Id, yes: Yes = False) -> None:
    """Delete a model that no job refers to."""
    confirmed(f"deleting model {id}", yes)
    with connect(ctx) as client:
        client.models.delete(id)
    say(f"deleted {id}")


@datasets.command("delete")
def delete_dataset(ctx: typer.Context, id: Id, yes: Yes = False) -> None:
    """Delete a dataset that no job refers to."""
    confirmed(f"deleting dataset {id}", yes)
    with connect(ctx) as client:
        client.datasets.delete(id)
    say(f"deleted {id}")


def show(
    ctx: typer.Context,
    id: Annotated[str, typer.Argument(help="Id of a model or a dataset.", show_default=False)],
    output: OutputOption = Output.table,
) -> None:
    """Show what the server saw in an uploaded model or dataset."""
    if not id.startswith(UPLOADED_PREFIXES):
        raise InvalidInput(f"{id!r} is not the id of a model (mdl_...) or a dataset (dst_...)", field="id")
    with connect(ctx) as client:
        file: wire.Model | wire.Dataset = (client.models if id.startswith("mdl_") else client.datasets).get(id)
    _warn(file)
    emit_one(file, _row(file) | _seen(file), output)


def _row(file: wire.Model | wire.Dataset) -> dict[str, Any]:
    return {name: getattr(file, name) for name in _COLUMNS}


def _seen(file: wire.Model | wire.Dataset) -> dict[str, Any]:
    """What a person wants to know of an inspection: not the whole network."""
    seen = dict(file.inspection or {})
    told = ("input_shape", "output_shape", "classes", "parameters", "macs")
    rows = {name: seen[name] for name in told if name in seen}
    for name in ("layers", "groups"):
        if name in seen:
            rows[name] = len(seen[name])
    for name, split in (seen.get("splits") or {}).items():
        rows[name] = f"{split.get('samples')} x {split.get('shape')} {split.get('dtype')}"
    return rows


def _warn(file: wire.Model | wire.Dataset) -> None:
    for warning in (file.inspection or {}).get("warnings") or ():
        say(f"note: {warning}")
