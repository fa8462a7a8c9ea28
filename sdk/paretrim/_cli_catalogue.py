"""`paretrim devices`, `algorithms`, `keys`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from paretrim._cli_connection import OutputOption, confirmed, connect, listed
from paretrim._cli_files import Id, Limit, Yes
from paretrim._output import Output, emit_one, emit_rows, say, write_json
from paretrim._server_commands import MergedGroup

devices = typer.Typer(cls=MergedGroup, no_args_is_help=True, help="Devices: latency tables and analytic models.")
algorithms = typer.Typer(no_args_is_help=True, help="Search algorithms.")
keys = typer.Typer(cls=MergedGroup, no_args_is_help=True, help="API keys.")

webhooks = typer.Typer(no_args_is_help=True, help="Addresses that are told what happens to jobs.")

DeviceName = Annotated[str, typer.Argument(help="Name of the device.", show_default=False)]

_DEVICE_COLUMNS = ("name", "kind", "summary", "weight_bits", "activation_bits", "rows", "created_at")
_HOOK_COLUMNS = ("id", "url", "types", "disabled_reason", "created_at")
_MESSAGE_COLUMNS = ("id", "type", "state", "attempts", "last_status", "last_error", "created_at")
_KEY_COLUMNS = ("id", "name", "prefix", "scopes", "created_at", "expires_at", "last_used_at")


@devices.command("list")
def list_devices(ctx: typer.Context, output: OutputOption = Output.table) -> None:
    """All devices a job may name."""
    with connect(ctx) as client:
        found = client.devices.list().all()
    emit_rows([device.model_dump() for device in found], _DEVICE_COLUMNS, output, whole=found)


@devices.command("show")
def show_device(
    ctx: typer.Context,
    name: DeviceName,
    document: Annotated[bool, typer.Option("--document", help="The whole document, as JSON.")] = False,
    output: OutputOption = Output.table,
) -> None:
    """One device and where its figures come from."""
    with connect(ctx) as client:
        if document:
            write_json(client.devices.document(name))
            return
        found = client.devices.get(name)
    row = {column: getattr(found, column) for column in _DEVICE_COLUMNS}
    emit_one(found, row | {key: str(value) for key, value in found.provenance.items()}, output)


@devices.command("put")
def put_device(
    ctx: typer.Context,
    name: DeviceName,
    file: Annotated[Path, typer.Argument(help="What `paretrim profile` wrote.", show_default=False)],
    output: OutputOption = Output.table,
) -> None:
    """Store a device document on the server."""
    with connect(ctx) as client:
        found = client.devices.put(name, file)
    emit_one(found, {column: getattr(found, column) for column in _DEVICE_COLUMNS}, output)


@devices.command("delete")
def delete_device(ctx: typer.Context, name: DeviceName, yes: Yes = False) -> None:
    """Forget a device that was stored; jobs that use it keep their copy."""
    confirmed(f"deleting device {name}", yes)
    with connect(ctx) as client:
        client.devices.delete(name)
    say(f"deleted {name}")


@algorithms.command("list")
def list_algorithms(ctx: typer.Context, output: OutputOption = Output.table) -> None:
    """All algorithms; their options are in the JSON."""
    with connect(ctx) as client:
        found = client.algorithms.list().all()
    rows = [
        {"name": entry.name, "summary": entry.summary, "options": list(entry.options.get("properties", {}))}
        for entry in found
    ]
    emit_rows(rows, ("name", "summary", "options"), output, whole=found)


@keys.command("list")
def list_keys(ctx: typer.Context, limit: Limit = None, output: OutputOption = Output.table) -> None:
    """All API keys, without their secrets."""
    with connect(ctx) as client:
        found = client.keys.list(limit=limit).all()
    emit_rows([key.model_dump() for key in found], _KEY_COLUMNS, output, whole=found)


@keys.command("create")
def create_key(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="Who or what it is for.", show_default=False)],
    scopes: Annotated[
        list[str] | None, typer.Option("--scopes", "--scope", help="read, write, admin.", show_default="read,write")
    ] = None,
    expires_in_seconds: Annotated[int | None, typer.Option(help="After so long it is useless.")] = None,
    output: OutputOption = Output.table,
) -> None:
    """Make an API key. The secret is shown this once."""
    with connect(ctx) as client:
        key = client.keys.create(name, scopes=listed(scopes) or None, expires_in_seconds=expires_in_seconds)
    say("Keep the secret; it cannot be shown again.")
    emit_one(key, {column: getattr(key, column) for column in ("id", "name", "secret", "scopes", "expires_at")}, output)


@keys.command("revoke")
def revoke_key(ctx: typer.Context, id: Id, yes: Yes = False) -> None:
    """Make a key useless at once."""
    confirmed(f"revoking key {id}", yes)
    with connect(ctx) as client:
        client.keys.revoke(id)
    say(f"revoked {id}")


@webhooks.command("list")
def list_webhooks(ctx: typer.Context, output: OutputOption = Output.table) -> None:
    """All webhooks."""
    with connect(ctx) as client:
        found = client.webhooks.list().all()
    emit_rows([hook.model_dump() for hook in found], _HOOK_COLUMNS, output, whole=found)


@webhooks.command("create")
def create_webhook(
    ctx: typer.Context,
    url: Annotated[str, typer.Argument(help="Who is to be told.", show_default=False)],
    types: Annotated[
        list[str] | None, typer.Option("--types", "--type", help="Such as job.succeeded,job.failed.")
    ] = None,
    output: OutputOption = Output.table,
) -> None:
    """Have an address told what happens to jobs. The secret is shown this once."""
    with connect(ctx) as client:
        hook = client.webhooks.create(url, types=listed(types) or None)  # type: ignore[arg-type]  # checked there
    say("Keep the secret; it cannot be shown again.")
    emit_one(hook, {column: getattr(hook, column) for column in ("id", "url", "secret", "types")}, output)


@webhooks.command("rotate")
def rotate_webhook(ctx: typer.Context, id: Id, output: OutputOption = Output.table) -> None:
    """A new secret; the one before is good until the next rotation."""
    with connect(ctx) as client:
        hook = client.webhooks.rotate(id)
    emit_one(hook, {column: getattr(hook, column) for column in ("id", "url", "secret", "types")}, output)


@webhooks.command("test")
def test_webhook(ctx: typer.Context, id: Id) -> None:
    """Send a message of the type `test`."""
    with connect(ctx) as client:
        message = client.webhooks.test(id)
    say(f"message {message.id} is on its way; see: paretrim webhooks messages {id}")


@webhooks.command("messages")
def list_messages(ctx: typer.Context, id: Id, limit: Limit = None, output: OutputOption = Output.table) -> None:
    """What a webhook was told, newest first, and what became of it."""
    with connect(ctx) as client:
        found = client.webhooks.messages(id, limit=limit).all()
    emit_rows([message.model_dump() for message in found], _MESSAGE_COLUMNS, output, whole=found)


@webhooks.command("delete")
def delete_webhook(ctx: typer.Context, id: Id, yes: Yes = False) -> None:
    """Tell this address nothing more."""
    confirmed(f"deleting webhook {id}", yes)
    with connect(ctx) as client:
        client.webhooks.delete(id)
    say(f"deleted {id}")


def audit(ctx: typer.Context, limit: Limit = None, output: OutputOption = Output.table) -> None:
    """Who opened or closed a door, or deleted something; newest first."""
    columns = ("created_at", "action", "subject", "key", "address", "request_id")
    with connect(ctx) as client:
        found = client.audit.list(limit=limit).all()
    emit_rows([entry.model_dump() for entry in found], columns, output, whole=found)
