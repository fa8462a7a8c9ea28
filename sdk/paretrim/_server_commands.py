"""Commands that live in other distributions: found by entry point, loaded when they are used.

A distribution adds a command by an entry point in the group `paretrim.commands`: a `typer.Typer`, or a function
that typer can read. Listing commands loads none of them, so `paretrim --help` and `paretrim jobs` never pay for
torch. One whose name is already that of a group here (`devices`, `keys`) adds its subcommands to it; where both
have one of the same name, the other's is called `NAME-local`.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from functools import partial
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from paretrim.errors import InvalidInput

GROUP = "paretrim.commands"

#: what can be said of each command without loading it
KNOWN = {
    "serve": "Run the API, the dashboard and a dispatcher on this machine.",
    "dispatcher": "Run a dispatcher: it claims jobs and drives them.",
    "migrate": "Bring the database to the schema this version needs.",
    "run": "Search for smaller networks here, without a server.",
    "profile": "Measure this machine into a latency table.",
    "inspect": "Show what paretrim sees in a model file, or in an uploaded model or dataset.",
    "best": "The best under other constraints: the candidate that was evaluated, and the policy that is predicted.",
    "pack": "Pack a network into a .ptz file, each tensor in the fewest bytes that give it back exactly.",
    "unpack": "Give back the very .onnx file that was packed.",
    "restore": "Build a delivered network anew from the original, its policy and its weights.",
}
#: subcommands of the groups here that another distribution adds
KNOWN_WITHIN = {"devices": ("validate", "import")}


#: what the ids of models and datasets begin with
UPLOADED_PREFIXES = ("mdl_", "dst_")
#: what a subcommand's name gets that a group here has too
LOCAL = "-local"


class NotInstalled(InvalidInput):
    """A command of a distribution that is not installed."""


def entry_point(name: str) -> EntryPoint | None:
    """The entry point of a command."""
    return next(iter(entry_points(group=GROUP, name=name)), None)


def load(name: str) -> Any:
    """A command as click sees it. Raises NotInstalled, saying how to install it."""
    found = entry_point(name)
    if found is None:
        raise NotInstalled(f"`paretrim {name}` needs the server distribution: pip install 'paretrim-server[worker]'")
    try:
        target = found.load()
    except ModuleNotFoundError as error:
        raise NotInstalled(
            f"`paretrim {name}` needs the module {error.name}: pip install 'paretrim-server[worker]'"
        ) from error
    except AttributeError as error:
        raise NotInstalled(f"`paretrim {name}` is to be {found.value}, and that is not there ({error})") from error
    if isinstance(target, typer.Typer):
        return typer.main.get_command(target)
    app = typer.Typer(add_completion=False)
    app.command(name)(target)
    return typer.main.get_command(app)


class LoadedLater(TyperCommand):
    """Stands for a command until it is used."""

    def __init__(self, name: str, summary: str, loader: Callable[[Sequence[str]], Any]) -> None:
        super().__init__(name=name, help=summary, rich_help_panel="On this machine")
        self._loader = loader

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        """The context of the real command, which is thereby the one that runs, helps and completes."""
        return self._loader(args).make_context(info_name, args, parent=parent, **extra)


class MergedGroup(TyperGroup):
    """A group with commands of its own, and those that other distributions add to the entry point of its name."""

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Own commands first; then those that are found."""
        own = super().get_command(ctx, cmd_name)
        name = str(self.name)
        if own is not None or (entry_point(name) is None and cmd_name not in KNOWN_WITHIN.get(name, ())):
            return own
        added = load(name)
        if not isinstance(added, TyperGroup):
            return None
        theirs = cmd_name.removesuffix(LOCAL)
        if theirs not in self.commands:
            return added.get_command(ctx, cmd_name)
        command = copy.copy(added.get_command(ctx, theirs))
        if command is not None:
            command.name = cmd_name
        return command

    def list_commands(self, ctx: Any) -> list[str]:
        """All names, own ones first."""
        own = super().list_commands(ctx)
        try:
            added = load(str(self.name))
        except NotInstalled:
            return own
        found = added.list_commands(ctx) if isinstance(added, TyperGroup) else []
        return [*own, *(name + LOCAL if name in own else name for name in found)]


def _chosen(group: TyperGroup, name: str, args: Sequence[str]) -> Any:
    """The command of that name; of a thing that was uploaded, the one here that asks the server (`NAME-uploaded`)."""
    uploaded = group.commands.get(f"{name}-uploaded")
    ids = any(arg.startswith(UPLOADED_PREFIXES) for arg in args)
    return uploaded if uploaded is not None and ids else load(name)


class RootGroup(TyperGroup):
    """All of `paretrim`: its own commands, and those of entry points."""

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Own commands first; then those that are known or found."""
        own = super().get_command(ctx, cmd_name)
        if own is not None:
            return own
        if cmd_name not in KNOWN and entry_point(cmd_name) is None:
            return None
        return LoadedLater(cmd_name, KNOWN.get(cmd_name, "Added by another package."), partial(_chosen, self, cmd_name))

    def list_commands(self, ctx: Any) -> list[str]:
        """All names, own ones first."""
        own = super().list_commands(ctx)
        found = {point.name for point in entry_points(group=GROUP)}
        return [*own, *(name for name in dict.fromkeys((*KNOWN, *sorted(found))) if name not in own)]
