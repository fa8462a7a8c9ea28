"""What a profiler has measured so far, on disk, so that one that was interrupted goes on where it stopped.

One JSON line for the plan, then one for every batch. A journal of another plan (other units, another machine or version
of the runtime) is begun anew; a last line that was cut off is dropped.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hw_models.profiler.host import hardware, runtime
from hw_models.runtimes import ONNX_RUNTIME
from hw_models.units import Unit


class Journal:
    """Batches by name, in the order they were measured."""

    def __init__(self, path: Path, plan: Mapping[str, Any]) -> None:
        """Open or begin. plan: whatever decides what is measured; any other makes another journal."""
        self._path = path
        self._plan = _digest(plan)
        self._batches = self._read()
        if not self._batches:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps({"plan": self._plan}) + "\n", "utf-8")

    def batch(self, name: str) -> Any | None:
        """What was kept under a name; None if it is still to be measured."""
        return self._batches.get(name)

    def keep(self, name: str, value: Any) -> None:
        """Add a batch. It is on disk when this returns."""
        self._batches[name] = value
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"batch": name, "value": value}, separators=(",", ":")) + "\n")

    def close(self) -> None:
        """All is measured: forget it."""
        self._path.unlink(missing_ok=True)

    def _read(self) -> dict[str, Any]:
        try:
            lines = self._path.read_text("utf-8").splitlines()
        except (OSError, UnicodeDecodeError):
            return {}
        entries = []
        for line in lines:
            try:
                entries.append(json.loads(line))
            except ValueError:
                break  # cut off in the middle, or no journal at all
        if not entries or entries[0] != {"plan": self._plan}:
            return {}
        if len(entries) < len(lines):
            self._path.write_text("".join(json.dumps(entry) + "\n" for entry in entries), "utf-8")
        return {str(entry["batch"]): entry["value"] for entry in entries[1:]}


def plan_of(
    units: Sequence[Unit], *, threads: int, batch: int, seed: int, effort: object, runtime_name: str = ONNX_RUNTIME
) -> dict[str, Any]:
    """What decides what is measured: the units in order, how carefully, where."""
    return {
        "units": [unit.to_json() for unit in units],
        "effort": repr(effort),
        "seed": seed,
        "hardware": hardware(),
        "runtime": runtime(threads=threads, batch=batch, name=runtime_name),
    }


def _digest(plan: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(plan, sort_keys=True, default=str).encode()).hexdigest()
