"""The pages about the SDK and the command line say what there is, and only that."""

from __future__ import annotations

import ast
import inspect
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer

import paretrim
from paretrim import Client, Frontier, Job, JobCandidate, cli
from paretrim._server_commands import KNOWN, LOCAL

DOCS = Path(__file__).parent.parent.parent / "docs"
SDK, LINE = (DOCS / "sdk.md").read_text(), (DOCS / "command-line.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", SDK, re.DOTALL)


def methods(kind: type) -> set[str]:
    return {
        name
        for name, member in inspect.getmembers(kind)
        if not name.startswith("_") and (inspect.isfunction(member) or isinstance(member, property))
    }


def test_every_method_of_the_client_is_in_the_page() -> None:
    client = Client()
    for name, resource in vars(client).items():
        if not name.startswith("_") and name != "base_url":
            for method in methods(type(resource)):
                assert re.search(rf"\b{name}\.{method}\(|`{method}`|the same for `{name}`", SDK), f"{name}.{method}"


@pytest.mark.parametrize("kind", [Job, JobCandidate, Frontier])
def test_what_a_job_a_front_and_a_candidate_can_do_is_in_the_page(kind: type) -> None:
    own = {n for n in methods(kind) if inspect.isfunction(getattr(kind, n))} - {"count", "index", "artifact"}
    for name in own:
        assert re.search(rf"\.{name}\(", SDK), name


@pytest.mark.parametrize("block", BLOCKS)
def test_the_examples_use_what_there_is(block: str) -> None:
    """Every attribute of an example exists on something public, every keyword is an argument."""
    client = Client()
    known = {"print", "reachable", "code", "request_id", *vars(client)}
    for kind in (Client, *map(type, vars(client).values()), Job, JobCandidate, Frontier):
        known |= set(dir(kind))
    tree = ast.parse(block)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            assert node.attr in known, node.attr
        if isinstance(node, ast.ImportFrom):
            assert all(hasattr(paretrim, alias.name) for alias in node.names)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "create":
            arguments = inspect.signature(client.jobs.create).parameters
            assert {keyword.arg for keyword in node.keywords} <= set(arguments)


def test_the_defaults_in_the_page_are_the_real_ones() -> None:
    parameters = inspect.signature(Client.__init__).parameters
    assert f"timeout_seconds={parameters['timeout_seconds'].default:g}" in SDK
    assert f"max_retries={parameters['max_retries'].default}" in SDK


COMMAND: Any = typer.main.get_command(cli.app)


def test_every_command_is_in_the_page() -> None:
    for name, command in COMMAND.commands.items():
        if command.hidden:
            continue
        assert f"paretrim {name}" in LINE, name
        for subcommand in getattr(command, "commands", {}):
            assert re.search(rf"paretrim {name} {subcommand}\b|`{subcommand}`", LINE), f"{name} {subcommand}"
    for name in KNOWN:
        assert f"paretrim {name}" in LINE, name


def examples() -> list[list[str]]:
    text = "\n".join(re.findall(r"```\n(.*?)```", LINE, re.DOTALL)).replace("\\\n", " ")
    quick = "\n".join(re.findall(r"```\n(.*?)```", (DOCS / "quickstart.md").read_text(), re.DOTALL)).replace(
        "\\\n", " "
    )
    lines = [line.split(" > ")[0] for line in (text + quick).splitlines() if line.startswith("paretrim ")]
    return [words[1:] for line in lines if (words := shlex.split(line, comments=True))[1] not in KNOWN]


@pytest.mark.parametrize("words", examples(), ids=" ".join)
def test_the_examples_of_the_page_can_be_typed(words: list[str]) -> None:
    """Parsed to the end, with every option known; not run."""
    command, context, names = COMMAND, None, []
    while hasattr(command, "commands"):
        context = command.make_context(command.name, [], parent=context, resilient_parsing=True)
        names.append(words[0])
        command, words = command.commands[words[0].removesuffix(LOCAL)], words[1:]
    command.make_context(names[-1], list(words), parent=context)
