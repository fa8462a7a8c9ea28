"""`paretrim devices validate`, `import` and `local`: what is done with devices on this machine."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from paretrim import Client
from paretrim._output import Output, emit_one, emit_rows, say, write_json
from paretrim.errors import InvalidInput
from search.local_devices import device_folder, find_device, keep_device

devices = typer.Typer(no_args_is_help=True, help="Devices on this machine.")

OutputOption = Annotated[Output, typer.Option("--output", "-o", help="How data is written to stdout.")]


@devices.callback()
def _devices() -> None:
    """Devices on this machine; those of a server are listed by `paretrim devices list`."""


@devices.command("local")
def local_devices(output: OutputOption = Output.table) -> None:
    """The devices that `paretrim run` finds here: shipped ones, and tables that were profiled."""
    from search.local_devices import known_devices

    emit_rows(known_devices(), ("name", "kind", "rows", "where", "fault"), output)


@devices.command("validate")
def validate_device(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="A table of this machine: its name, or a .json file.")],
    networks: Annotated[int, typer.Option(min=12, help="How many held-out networks.")] = 240,
    measure: Annotated[
        bool, typer.Option("--measure/--as-is", help="Measure units the table lacks, as a job does; or interpolate.")
    ] = True,
    full: Annotated[
        bool, typer.Option("--full", help="Measure them as carefully as `profile` without --quick.")
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help="Another seed, other networks.")] = 0,
    again: Annotated[
        bool, typer.Option("--again", help="Time the networks again, though their times were kept last time.")
    ] = False,
    out: Annotated[Path | None, typer.Option(help="Folder for card.json, card.md and two pictures.")] = None,
    upload: Annotated[
        bool, typer.Option("--upload", help="Put the table, with how it did, to the server as well.")
    ] = False,
    output: Annotated[str, typer.Option("--output", "-o", help="table, json or markdown.")] = "table",
) -> None:
    """Judge a table by whole networks it has never seen. Interrupted, the same command goes on where it was."""
    from hw_models.validation import validate
    from hw_models.validation.markdown import markdown
    from search.local_devices import progress_lines

    if output not in ("table", "json", "markdown"):
        raise InvalidInput(f"output must be table, json or markdown, got {output!r}", field="output")
    document = find_device(name, say)
    if document.get("kind") != "table":
        raise InvalidInput(
            f"{name} is a formula, not a table: it claims ranks and ratios only, and there is no such hardware here to"
            " compare with",
            field="device",
        )
    journal = device_folder() / f"{document['name']}.validation.part"
    truth = device_folder() / f"{document['name']}.truth.jsonl"
    if again:
        truth.unlink(missing_ok=True)
    card = validate(
        document,
        networks=networks,
        measure=measure,
        mode="full" if full else "quick",
        seed=seed,
        journal=journal,
        truth=truth,
        progress=progress_lines(say),
    )
    if out is not None:
        _write_card(card, out)
    _keep_card(ctx, name, document, card, upload=upload)
    if output == "json":
        write_json(card)
    elif output == "markdown":
        sys.stdout.write(markdown(card))
    else:
        columns = ("way", "networks", "mape", "within_5", "within_10", "bias", "kendall_tau", "violations", "regret")
        emit_rows([{"way": way, **figures} for way, figures in card["ways"].items()], columns, Output.table)
        noise = card["repeat_error"]
        say(f"the truth itself repeats within {noise['median']:.1%}; with `--output markdown` there is more")


#: of a report card, what its table says of itself from then on
_KEPT = ("mape", "rmspe", "within_5", "within_10", "within_15", "bias", "kendall_tau", "violations", "regret")


def _keep_card(
    ctx: typer.Context, name: str, document: Mapping[str, Any], card: Mapping[str, Any], *, upload: bool
) -> None:
    """Write how the table did into the table, here and, if asked, on the server."""
    overall = card["overall"]
    summary = {
        "date": card["date"],
        "networks": overall["networks"],
        "families": list(card["families"]),
        "truth_repeats_within": card["repeat_error"]["median"],
        **{key: overall[key] for key in _KEPT},
    }
    judged = {**document, "validation": summary}
    path = Path(name) if Path(name).suffix == ".json" else device_folder() / f"{name}.json"
    keep_device(judged, path)
    if upload:
        with Client(ctx.find_root().params.get("url")) as client:
            client.devices.put(str(document["name"]), judged)
        say(f"uploaded {document['name']}")


def _write_card(card: dict[str, Any], folder: Path) -> None:
    from hw_models.validation.markdown import markdown
    from hw_models.validation.plots import histogram, scatter

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "card.json").write_text(json.dumps(card, indent=1), "utf-8")
    (folder / "card.md").write_text(markdown(card), "utf-8")
    (folder / "predicted.svg").write_text(scatter(card), "utf-8")
    (folder / "errors.svg").write_text(histogram(card), "utf-8")
    say(f"wrote card.json, card.md, predicted.svg and errors.svg to {folder}")


@devices.command("import")
def import_device(
    file: Annotated[Path, typer.Argument(help="What another system published.")],
    form: Annotated[
        str, typer.Option("--format", help="proxylessnas, ofa, fbnet, netadapt, haq, apq, paddleslim, ...")
    ],
    name: Annotated[str | None, typer.Option(help="What to call it; absent: the format's name.")] = None,
    option: Annotated[list[str] | None, typer.Option(help="What the file does not say: batch=1. Repeatable.")] = None,
    out: Annotated[Path | None, typer.Option(help="File to write; absent: where `run` looks for it.")] = None,
    output: OutputOption = Output.table,
) -> None:
    """Make a device of a table that another system published. Nothing in the file is executed."""
    from hw_models.importers import import_table

    pairs = [text.partition("=") for text in option or []]
    wrong = [name for name, equals, value in pairs if not equals or not value]
    if wrong:
        raise InvalidInput(f"--option {wrong[0]!r} must be NAME=VALUE", field="option")
    try:
        content = file.read_bytes()
    except OSError as error:
        raise InvalidInput(f"cannot read {file}: {error.strerror}", field="file") from error
    options = {key: value for key, _, value in pairs}
    document = import_table(content, form, name=name or form, filename=file.name, options=options)
    path = out or device_folder() / f"{document['name']}.json"
    keep_device(document, path)
    for note in document["method"]["notes"]:
        say(f"note: {note}")
    row = {"device": document["name"], "rows": len(document["rows"]), "file": str(path)}
    emit_one(row, row, output)
