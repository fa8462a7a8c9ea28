"""`paretrim`: the command line.

Data goes to stdout, everything else to stderr. Exit status: 0 done, 1 it could not be done, 2 wrong use or wrong
input, 3 the job failed or was cancelled, 4 no key or not the right one, 130 interrupted.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from paretrim import __version__, _cli_catalogue, _cli_files, _cli_jobs
from paretrim._output import say
from paretrim._server_commands import RootGroup
from paretrim.errors import (
    BadRequest,
    Forbidden,
    Infeasible,
    InvalidInput,
    JobFailed,
    ParetrimError,
    TooLarge,
    Unauthorized,
    Unprocessable,
)

app = typer.Typer(
    name="paretrim",
    cls=RootGroup,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Searches for smaller, faster neural networks for a device.",
)

app.add_typer(_cli_files.upload, name="upload")
app.command("submit")(_cli_jobs.submit)
app.command("watch")(_cli_jobs.watch)
app.add_typer(_cli_jobs.jobs, name="jobs")
app.command("front")(_cli_jobs.front)
app.command("download")(_cli_jobs.download)
app.add_typer(_cli_files.models, name="models")
app.add_typer(_cli_files.datasets, name="datasets")
app.add_typer(_cli_catalogue.devices, name="devices")
app.add_typer(_cli_catalogue.algorithms, name="algorithms")
app.add_typer(_cli_catalogue.keys, name="keys")
app.add_typer(_cli_catalogue.webhooks, name="webhooks")
app.command("audit")(_cli_catalogue.audit)
app.command("inspect-uploaded", hidden=True)(_cli_files.show)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"paretrim {__version__}")
        raise typer.Exit


@app.callback()
def paretrim(
    url: Annotated[
        str | None,
        typer.Option(envvar="PARETRIM_URL", help="Address of the server.", show_default="http://127.0.0.1:8000"),
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Searches for smaller, faster neural networks for a device.

    The API key is read from PARETRIM_API_KEY: what is on a command line, others on the machine can read.
    """
    del url, version  # commands read them from the context


#: a module of these that is missing is a fault, not something to install
OWN_PACKAGES = ("paretrim", "service", "search", "agents", "compressors", "hw_models", "migrations")


def exit_status(error: ParetrimError) -> int:
    """What a script is told of an error."""
    match error:
        case JobFailed():
            return _cli_jobs.EXIT_JOB_FAILED
        case Unauthorized() | Forbidden():
            return 4
        case InvalidInput() | Infeasible() | BadRequest() | Unprocessable() | TooLarge():
            return 2
        case _:
            return 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit status."""
    try:
        app(None if arguments is None else list(arguments), prog_name="paretrim")
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 0 if ended.code is None else 1
    except ParetrimError as error:
        say(f"error: {error}", style="bold red" if sys.stderr.isatty() else None)
        for note in getattr(error, "__notes__", ()):
            say(note)
        return exit_status(error)
    except ModuleNotFoundError as error:  # e.g. torch, on a device that was set up to be profiled only
        if error.name is None or error.name.partition(".")[0] in OWN_PACKAGES:
            raise
        say(f"error: this command needs the module {error.name}: pip install 'paretrim-server[worker]'")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
