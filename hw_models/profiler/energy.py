"""Energy from the processor's own counters (RAPL), where the system lets anybody read them.

The counters are of whole processors and move about once a millisecond, so a file is run over and over between two
readings. What comes out is the power while it runs, idle power and whatever else runs included; a unit's energy is
that times its latency. Virtual machines mostly have no counters, and many systems let only root read them: rows then
have no energy.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

POWERCAP = Path("/sys/class/powercap")
#: between two readings; some twenty steps of the counter
SECONDS = 0.02


class EnergyMeter:
    """The counters of all processors together."""

    def __init__(self, folders: list[Path]) -> None:
        self._folders = folders
        self._ranges = [_number(folder / "max_energy_range_uj") or 0 for folder in folders]

    @classmethod
    def of_this_host(cls, root: Path = POWERCAP) -> EnergyMeter | None:
        """None if there are no counters, or they cannot be read."""
        # `intel-rapl:0` is a processor (AMD's too), `intel-rapl:0:1` a part of one
        folders = sorted(path for path in root.glob("*rapl:*") if path.name.count(":") == 1)
        readable = [path for path in folders if _number(path / "energy_uj") is not None]
        return cls(readable) if readable else None

    def watts(self, run: Callable[[], object], *, seconds: float = SECONDS) -> float | None:
        """Power while something runs over and over for so long; None if the counters stood still or failed."""
        before, begun = self._read(), time.monotonic()
        while (elapsed := time.monotonic() - begun) < seconds:
            run()
        after = self._read()
        if before is None or after is None:
            return None
        spent = sum(
            last - first if last >= first else last - first + most
            for first, last, most in zip(before, after, self._ranges, strict=True)
        )
        return spent / 1e6 / elapsed if spent > 0 else None

    def _read(self) -> list[int] | None:
        found = [_number(folder / "energy_uj") for folder in self._folders]
        whole = [value for value in found if value is not None]
        return whole if len(whole) == len(found) else None


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return None
