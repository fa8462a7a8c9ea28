"""Commands of other distributions: real ones, installed into a folder of their own, loaded when they are used."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """A folder with a distribution that adds commands, as pip would have put it there; its modules are heavy."""
    info = tmp_path / "site" / "other-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: other\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[paretrim.commands]\n"
        "shrink = other_commands:shrink\n"
        "serve = other_commands:serve\n"
        "run = other_missing:run\n"
        "profile = other_commands:nothing\n"
        "inspect = other_commands:inspect\n"
        "keys = other_commands:keys\n"
        "devices = other_commands:devices\n"
    )
    (tmp_path / "site" / "other_commands.py").write_text(
        "import sys\n"
        "import typer\n"
        "from typing import Annotated\n"
        "from paretrim.errors import InvalidModel\n"
        "sys.stderr.write('LOADED\\n')\n"
        "keys = typer.Typer()\n"
        "devices = typer.Typer()\n"
        "@keys.command('create')\n"
        "def create(name: str, data_dir: str = '.') -> None:\n"
        "    typer.echo(f'{name} in the database of {data_dir}')\n"
        "@keys.command('rotate')\n"
        "def rotate() -> None:\n"
        "    typer.echo('rotated')\n"
        "@devices.command('validate')\n"
        "def validate(name: str) -> None:\n"
        "    typer.echo(f'{name} is fine')\n"
        "@devices.command('import')\n"
        "def import_() -> None:\n"
        "    raise typer.Exit(5)\n"
        "def serve(port: Annotated[int, typer.Option(help='Where to listen.')] = 8000) -> None:\n"
        "    typer.echo(f'serving at {port}')\n"
        "def shrink() -> None:\n"
        "    raise InvalidModel('it has no layers', field='model')\n"
        "def inspect(model: str) -> None:\n"
        "    typer.echo(f'the file {model}')\n"
    )
    return tmp_path / "site"


PROGRAM = """
import contextlib, importlib.metadata, io, json, sys
from paretrim import _flow, _server_commands
from paretrim.cli import main
_flow.FIRST_PAUSE_SECONDS = 0
path, lines = json.loads(sys.argv[1])
found = [] if path is None else list(importlib.metadata.distributions(path=[path]))
def entry_points(group, name=None):
    points = [point for one in found for point in one.entry_points if point.group == group]
    return [point for point in points if name is None or point.name == name]
_server_commands.entry_points = entry_points
ended = []
for line in lines:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = main(line)
    ended.append([status, out.getvalue(), err.getvalue()])
json.dump(ended, sys.stdout)
"""


def paretrim(path: Path | None, *lines: str) -> list[tuple[int, str, str]]:
    """Run command lines in one fresh interpreter that finds the distributions in `path` only; status, out, err."""
    environment = os.environ | {"PARETRIM_URL": "http://127.0.0.1:9", "NO_COLOR": "1"}
    if path is not None:
        environment["PYTHONPATH"] = os.pathsep.join([str(path), *sys.path])
    argument = json.dumps([None if path is None else str(path), [line.split() for line in lines]])
    command = [sys.executable, "-c", PROGRAM, argument]
    ended = subprocess.run(command, capture_output=True, text=True, env=environment, check=True, timeout=60)
    return [tuple(one) for one in json.loads(ended.stdout)]


def test_a_command_of_another_distribution_is_listed_without_being_loaded(elsewhere: Path) -> None:
    ((status, out, err),) = paretrim(elsewhere, "--help")
    assert status == 0
    assert "shrink" in out
    assert "serve" in out
    assert "LOADED" not in err


def test_it_runs_with_its_own_options_and_its_own_help(elsewhere: Path) -> None:
    run, helped, (status, _, err) = paretrim(elsewhere, "serve --port 81", "serve --help", "serve --prot 81")
    assert run[1] == "serving at 81\n"
    assert "Where to listen." in helped[1]
    assert status == 2
    assert "--port" in err


def test_its_errors_are_said_as_ours_are(elsewhere: Path) -> None:
    ((status, out, err),) = paretrim(elsewhere, "shrink")
    assert (status, out) == (2, "")
    assert "error: it has no layers" in err


def test_its_subcommands_join_the_group_of_the_same_name(elsewhere: Path) -> None:
    validated, imported, (status, out, _) = paretrim(
        elsewhere, "devices validate pi4", "devices import", "devices --help"
    )
    assert validated[1] == "pi4 is fine\n"
    assert imported[0] == 5
    assert status == 0
    assert all(name in out for name in ("list", "show", "put", "validate", "import"))


def test_where_both_have_a_command_of_one_name_both_can_be_had(elsewhere: Path) -> None:
    (status, _, err), helped, local, rotated = paretrim(
        elsewhere, "keys create x", "keys --help", "keys create-local x --data-dir /d", "keys rotate"
    )
    assert status == 1, "this one asks the server, which is not there"
    assert "LOADED" not in err
    assert "create-local" in helped[1]
    assert "rotate" in helped[1]
    assert local[1] == "x in the database of /d\n"
    assert rotated[1] == "rotated\n"


def test_what_was_uploaded_is_inspected_over_http_and_a_file_here(elsewhere: Path) -> None:
    (status, _, err), local = paretrim(elsewhere, "inspect mdl_123", "inspect net.onnx")
    assert status == 1
    assert "cannot be reached" in err
    assert "LOADED" not in err
    assert local[1] == "the file net.onnx\n"


def test_without_the_server_distribution_its_commands_say_how_to_get_it() -> None:
    *theirs, helped, devices = paretrim(
        *(None, "serve", "run a.onnx b.npz", "profile", "inspect x.onnx", "devices validate x"),
        *("--help", "devices --help"),
    )
    for status, out, err in theirs:
        assert (status, out) == (2, "")
        assert "paretrim-server" in err
        assert "Traceback" not in err
    assert helped[0] == devices[0] == 0
    assert "serve" in helped[1]


def test_a_half_installed_distribution_is_named(elsewhere: Path) -> None:
    missing, lacking = paretrim(elsewhere, "run", "profile")
    assert missing[0] == lacking[0] == 2
    assert "other_missing" in missing[2]
    assert "other_commands:nothing" in lacking[2]


def test_every_command_of_the_server_distribution_has_its_summary() -> None:
    """What is said of a command before it is loaded exists for each that this repository adds."""
    import tomllib

    from paretrim._server_commands import KNOWN

    root = Path(__file__).parent.parent.parent
    added = tomllib.loads((root / "pyproject.toml").read_text())["project"]["entry-points"]["paretrim.commands"]
    assert set(KNOWN) == set(added) - {"keys", "devices"}
