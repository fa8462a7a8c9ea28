"""What this machine is: the part of a table's header that says whether a table is this machine's own."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hw_models.runtimes import ONNX_RUNTIME, OPENVINO, installed_version

#: instruction sets that make a difference to the kernels
_SETS = (
    "avx2",
    "fma",
    "avx512f",
    "avx512bw",
    "avx512_vnni",
    "avx_vnni",
    "amx_int8",
    "neon",
    "asimd",
    "asimddp",
    "i8mm",
)


def hardware() -> dict[str, Any]:
    """Processor, its instruction sets and caches. Only what the system tells anybody."""
    fields = _processor()
    flags = set(fields.get("flags", fields.get("Features", "")).split())
    return {
        "cpu_model": fields.get("model name", platform.processor() or "unknown"),
        "cpu_family": " ".join(
            fields.get(name, "") for name in ("vendor_id", "cpu family", "model", "stepping")
        ).strip(),
        "architecture": platform.machine(),
        "instruction_sets": [name for name in _SETS if name in flags],
        "cores": os.cpu_count() or 1,
        "virtualised": "hypervisor" in flags,
        **_caches(),
    }


def runtime(*, threads: int, batch: int, name: str = ONNX_RUNTIME) -> dict[str, Any]:
    """What executes networks, and how."""
    provider = {"device": "CPU", "precision": "f32"} if name == OPENVINO else {"provider": "CPUExecutionProvider"}
    return {
        "name": name,
        "version": installed_version(name),
        **provider,
        "threads": threads,
        "batch": batch,
        "int8": "QDQ, unsigned 8-bit activations, signed 8-bit weights per channel",
    }


def is_this_host(document: Mapping[str, Any]) -> bool:
    """Whether a table was taken on a machine like this one, in this version of the runtime."""
    return not differences(document)


def outdated(document: Mapping[str, Any]) -> list[str]:
    """What to say of a table of this machine that was taken with another version of its runtime; [] for others."""
    if document.get("kind") != "table" or _other_hardware(document):
        return []
    return [
        f"{document.get('name')} is of this machine, but {why}: its figures stay predictions, and nothing is measured"
        f" to add to it; take it again: paretrim profile --device {document.get('name')}{_option(document)}"
        for why in differences(document)
    ]


def _option(document: Mapping[str, Any]) -> str:
    name = document.get("runtime", {}).get("name")
    return "" if name == ONNX_RUNTIME else f" --runtime {name}"


def differences(document: Mapping[str, Any]) -> list[str]:
    """In what a table's machine and runtime are not this machine and its runtime; nothing, if they are the same."""
    found = _other_hardware(document)
    taken_with = document.get("runtime", {})
    name, version = str(taken_with.get("name")), taken_with.get("version")
    here = installed_version(name)
    if here is None or version != here:
        mine = f"runs {name} {here}" if here else f"{name} is not installed"
        found.append(f"it was taken with {name} {version}, here {mine}")
    return found


def _other_hardware(document: Mapping[str, Any]) -> list[str]:
    theirs, mine = document.get("hardware", {}), hardware()
    return [
        f"it was taken on a machine whose {name.replace('_', ' ')} is {theirs.get(name)!r}, here it is {mine[name]!r}"
        for name in ("cpu_model", "cpu_family", "instruction_sets")
        if theirs.get(name) != mine[name]
    ]


def _processor() -> dict[str, str]:
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return {}
    first = text.split("\n\n")[0]
    pairs = (line.split(":", 1) for line in first.splitlines() if ":" in line)
    return {name.strip(): value.strip() for name, value in pairs}


def _caches() -> dict[str, int]:
    found: dict[str, int] = {}
    for index in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        try:
            level, kind, size = ((index / name).read_text().strip() for name in ("level", "type", "size"))
        except OSError:
            continue
        if kind != "Instruction" and size.endswith("K"):
            found[f"l{level}_kib"] = int(size[:-1])
    return found
