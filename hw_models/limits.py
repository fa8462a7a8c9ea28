"""What does not fit a device at all: memory and flash that a network may not exceed, as constraints of a job."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from paretrim.problem import Constraint

#: parameter of a device, and the metric that it bounds
LIMITED = {"sram_bytes": "peak_memory_bytes", "flash_bytes": "size_bytes"}


def limits(document: Mapping[str, Any]) -> dict[str, int]:
    """The most a network may take on a device, by metric; {} where nothing is known to bound it."""
    parameters = document.get("parameters") or {}
    return {metric: int(parameters[name]) for name, metric in LIMITED.items() if name in parameters}


def with_limits(constraints: Sequence[Constraint], document: Mapping[str, Any]) -> tuple[Constraint, ...]:
    """The constraints, and those that the device itself makes: a network beyond its memory or flash cannot run there.

    A constraint of the job that is at least as tight, in the same unit, stands alone.
    """
    own = [
        Constraint(metric, "<=", float(bound))
        for metric, bound in limits(document).items()
        if not any(c.metric == metric and c.bound <= bound for c in constraints)
    ]
    return (*constraints, *own)


def exceeded(metrics: Mapping[str, float], document: Mapping[str, Any]) -> list[str]:
    """Why a network cannot run on a device, in words; [] if nothing speaks against it."""
    words = {"peak_memory_bytes": "activations need {0:,} bytes at once, the device has {1:,} of memory",
             "size_bytes": "parameters take {0:,} bytes, the device has {1:,} of flash"}  # fmt: skip
    return [
        words[metric].format(int(metrics[metric]), bound)
        for metric, bound in limits(document).items()
        if metrics[metric] > bound
    ]
