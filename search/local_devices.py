"""Where `paretrim run` finds a device without a server: a file, one that ships, or one profiled here before."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from hw_models.devices import load_device, shipped
from hw_models.profiler import extend_table, profile_host
from hw_models.profiler.profile import Mode
from hw_models.runtimes import ONNX_RUNTIME
from paretrim.errors import InvalidInput, InvalidTable

#: the device that a machine is to itself
HOST = "host-cpu"


def device_folder() -> Path:
    """Where `paretrim profile` keeps tables."""
    base = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(base) / "paretrim" / "devices"


def find_device(name: str, say: Callable[[str], None]) -> Mapping[str, Any]:
    """The document of a device, by name or path. This host is profiled if it never was.

    Raises InvalidInput if there is no such device, InvalidTable if its document is wrong.
    """
    path = Path(name)
    kept = device_folder() / f"{name}.json"
    if path.suffix == ".json":
        return read_device(path)
    if kept.is_file():
        return read_device(kept)
    if name in shipped():
        return shipped()[name]
    if name == HOST:
        say("this host was never profiled; profiling it now, quickly (`paretrim profile` does it thoroughly)")
        document = profile_host()
        keep_device(document, kept)
        return document
    known = sorted({*shipped(), *(entry.stem for entry in device_folder().glob("*.json")), HOST})
    raise InvalidInput(f"there is no device {name!r}; choose from {', '.join(known)}, or a .json file", field="device")


def known_devices() -> list[dict[str, Any]]:
    """The devices that `find_device` finds: name, kind, rows, where each is from, and what is wrong with it."""
    found = {name: _entry(name, document, "shipped") for name, document in shipped().items()}
    for path in sorted(device_folder().glob("*.json")):  # a table kept here hides a shipped one
        try:
            found[path.stem] = _entry(path.stem, read_device(path), str(path))
        except InvalidInput as error:
            found[path.stem] = {**_entry(path.stem, {}, str(path)), "fault": f"{error}; profile it again"}
    return [found[name] for name in sorted(found)]


def _entry(name: str, document: Mapping[str, Any], where: str) -> dict[str, Any]:
    rows = len(document.get("rows", ()))
    return {"name": name, "kind": document.get("kind"), "rows": rows, "where": where, "fault": None}


def read_device(path: Path) -> Mapping[str, Any]:
    """A device document from a file, checked. Raises InvalidInput, InvalidTable."""
    try:
        document = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise InvalidInput(f"cannot read {path}: {error.strerror}", field="device") from error
    except (ValueError, RecursionError) as error:
        raise InvalidTable(
            f"{path} is not JSON: {error}; `paretrim profile --out FILE` writes one", field="device"
        ) from error
    load_device(document)
    checked: Mapping[str, Any] = document
    return checked


def keep_device(document: Mapping[str, Any], path: Path) -> None:
    """Write a device document, all of it or none of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    part.write_text(json.dumps(document, indent=1), "utf-8")
    part.replace(path)


def progress_lines(say: Callable[[str], None]) -> Callable[[str, int, int, float], None]:
    """Says every tenth of a phase, with the seconds left."""
    last = ""

    def progress(what: str, done: int, total: int, seconds_left: float) -> None:
        nonlocal last
        now = f"{what} {10 * done // max(1, total)}"
        if now != last:
            last = now
            say(f"measuring {what}: {done} of {total}, {seconds_left:.0f} s left")

    return progress


def profile(
    name: str,
    models: Sequence[bytes],
    *,
    quick: bool,
    say: Callable[[str], None],
    threads: int = 1,
    precisions: Sequence[str] = ("fp32", "int8"),
    runtime_name: str = ONNX_RUNTIME,
) -> dict[str, Any]:
    """A table of this machine, with the operations of these networks in it. What was measured is kept until it is done.

    Raises InvalidModel, InvalidInput for an unknown precision or a runtime that is not installed.
    """
    networks = []
    if models:  # torch is needed to read a model, and is not there on every device that is measured
        from compressors import describe, read_onnx

        networks = [describe(read_onnx(content)) for content in models]
    mode: Mode = "quick" if quick else "full"
    progress = progress_lines(say)
    document = profile_host(
        name=name,
        mode=mode,
        precisions=precisions,
        threads=threads,
        progress=progress,
        journal=device_folder() / f"{name}.profile.part",
        runtime_name=runtime_name,
    )
    return extend_table(document, networks, mode=mode, progress=progress) if networks else document
