"""Commands of other distributions: real ones, installed into a folder of their own, loaded when they are used."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

PYTHON = sys.executable


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


def paretrim(*arguments: str, path: Path | None, url: str = "http://127.0.0.1:9") -> tuple[int, str, str]:
    """Run the command line with the entry points found in `path` only, as if nothing else were installed."""
    program = (
        "import sys, importlib.metadata as m\n"
        "from paretrim import _flow, _server_commands\n"
        "_flow.FIRST_PAUSE_SECONDS = 0\n"
        f"found = list(m.distributions(path=[{str(path)!r}])) if {path is not None} else []\n"
        "def entry_points(group, name=None):\n"
        "    points = [p for d in found for p in d.entry_points if p.group == group]\n"
        "    return [p for p in points if name is None or p.name == name]\n"
        "_server_commands.entry_points = entry_points\n"
        "from paretrim.cli import main\n"
        "sys.exit(main(sys.argv[1:]))\n"
    )
    environment = os.environ | {"PARETRIM_URL": url, "NO_COLOR": "1"}
    if path is not None:
        environment["PYTHONPATH"] = os.pathsep.join([str(path), *sys.path])
    command = [PYTHON, "-c", program, *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, env=environment, check=False, timeout=60)
    assert "Traceback" not in ended.stderr, ended.stderr
    return ended.returncode, ended.stdout, ended.stderr


def test_a_command_of_another_distribution_is_listed_without_being_loaded(elsewhere: Path) -> None:
    status, out, err = paretrim("--help", path=elsewhere)
    assert status == 0
    assert "shrink" in out
    assert "serve" in out
    assert "LOADED" not in err


def test_it_runs_with_its_own_options_and_its_own_help(elsewhere: Path) -> None:
    assert paretrim("serve", "--port", "81", path=elsewhere)[1] == "serving at 81\n"
    assert "Where to listen." in paretrim("serve", "--help", path=elsewhere)[1]
    status, _, err = paretrim("serve", "--prot", "81", path=elsewhere)
    assert status == 2
    assert "--port" in err


def test_its_errors_are_said_as_ours_are(elsewhere: Path) -> None:
    status, out, err = paretrim("shrink", path=elsewhere)
    assert (status, out) == (2, "")
    assert "error: it has no layers" in err


def test_its_subcommands_join_the_group_of_the_same_name(elsewhere: Path) -> None:
    assert paretrim("devices", "validate", "pi4", path=elsewhere)[1] == "pi4 is fine\n"
    assert paretrim("devices", "import", path=elsewhere)[0] == 5
    status, out, _ = paretrim("devices", "--help", path=elsewhere)
    assert status == 0
    assert all(name in out for name in ("list", "show", "put", "validate", "import"))


def test_where_both_have_a_command_of_one_name_both_can_be_had(elsewhere: Path) -> None:
    _, out, _ = paretrim("keys", "--help", path=elsewhere)
    assert "create-local" in out
    assert "rotate" in out
    assert paretrim("keys", "create-local", "x", "--data-dir", "/d", path=elsewhere)[1] == "x in the database of /d\n"
    assert paretrim("keys", "rotate", path=elsewhere)[1] == "rotated\n"
    status, _, err = paretrim("keys", "create", "x", path=elsewhere)
    assert status == 1, "this one asks the server, which is not there"
    assert "LOADED" not in err


def test_what_was_uploaded_is_inspected_over_http_and_a_file_here(elsewhere: Path) -> None:
    assert paretrim("inspect", "net.onnx", path=elsewhere)[1] == "the file net.onnx\n"
    status, _, err = paretrim("inspect", "mdl_123", path=elsewhere)
    assert status == 1
    assert "cannot be reached" in err
    assert "LOADED" not in err


def test_without_the_server_distribution_its_commands_say_how_to_get_it() -> None:
    for arguments in (
        ["serve"],
        ["run", "a.onnx", "b.npz"],
        ["profile"],
        ["inspect", "x.onnx"],
        ["devices", "validate", "x"],
    ):
        status, out, err = paretrim(*arguments, path=None)
        assert (status, out) == (2, "")
        assert "paretrim-server" in err
    status, out, _ = paretrim("--help", path=None)
    assert status == 0
    assert "serve" in out
    assert paretrim("devices", "--help", path=None)[0] == 0


def test_a_half_installed_distribution_is_named(elsewhere: Path) -> None:
    status, _, err = paretrim("run", path=elsewhere)
    assert status == 2
    assert "other_missing" in err
    status, _, err = paretrim("profile", path=elsewhere)
    assert status == 2
    assert "other_commands:nothing" in err


def test_every_command_of_the_server_distribution_has_its_summary() -> None:
    """What is said of a command before it is loaded exists for each that this repository adds."""
    import tomllib

    from paretrim._server_commands import KNOWN

    root = Path(__file__).parent.parent.parent
    added = tomllib.loads((root / "pyproject.toml").read_text())["project"]["entry-points"]["paretrim.commands"]
    assert set(KNOWN) == set(added) - {"keys", "devices"}
