"""What became of each layer, and where the time of a delivered network goes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from hw_models.counts import operation_macs, operation_weights
from hw_models.measure import time_together
from hw_models.sessions import ProfiledRunner, profiling_folder
from paretrim.network import Network, SizedOperation
from paretrim.problem import UNCHANGED, Policy

#: kernels that are named, runs they are timed in, and first runs that do not count
MOST, RUNS, SKIP = 5, 40, 8


def layer_rows(
    network: Network, policy: Policy, reported: Sequence[Mapping[str, Any]], padded: Policy | None = None
) -> tuple[dict[str, Any], ...]:
    """One row a layer of the original, in order: what was reported of it, with its weights and MACs then and now.

    A layer of lower rank is the sum of its parts; one that went with its block has none left. padded: the policy whose
    widths the file has, if zeros were added to it; weights and MACs are counted without these.
    """
    wider = {} if padded is None else {operation.name: operation for operation in network.sized(padded)}
    by_name = {row["layer"]: row for row in reported}
    now: dict[str, list[SizedOperation]] = {}
    waiting: list[SizedOperation] = []
    names = {layer.name for layer in network.layers}
    for operation in network.sized(policy):
        if operation.is_layer:
            waiting.append(operation)
            if operation.name in names:  # the last part of a layer of lower rank has the layer's own name
                now[operation.name], waiting = waiting, []
    rows = []
    for before in network.sized(UNCHANGED):
        if not before.is_layer:
            continue
        parts = now.get(before.name, [])
        known = by_name.get(before.name, {})
        rows.append(
            {
                "layer": before.name,
                "kind": before.kind,
                "became": _became(before, parts) + _padded(parts, wider),
                **{name: value for name, value in known.items() if name != "layer"},
                "weights": sum(map(operation_weights, parts)),
                "original_weights": operation_weights(before),
                "macs": sum(map(operation_macs, parts)),
                "original_macs": operation_macs(before),
            }
        )
    return tuple(rows)


def hot_spots(content: bytes, *, seed: int = 0) -> list[dict[str, Any]]:
    """The kernels of a file that take most time in ONNX Runtime here, batch 1, one thread; the longest first.

    Each with its share of the sum over all kernels (medians over runs).
    """
    with profiling_folder() as folder:
        runner = ProfiledRunner(content, folder, seed=seed)
        for _ in range(RUNS):
            runner()
        kernels = runner.finish(skip=SKIP)
    times = [(float(np.median(kernel.durations_us)), kernel) for kernel in kernels]
    total = sum(time for time, _ in times) or 1.0
    longest = sorted(times, key=lambda pair: -pair[0])[:MOST]
    return [
        {"kernel": kernel.name, "operator": kernel.operator, "time_us": time, "share": time / total}
        for time, kernel in longest
    ]


def batch_latencies(contents: Sequence[bytes], batch: int, *, seed: int = 0) -> list[float] | None:
    """Milliseconds of each file for so many inputs at once, in turn on one thread; None for a batch of 1."""
    if batch == 1:
        return None
    return [timing.latency_ms for timing in time_together(contents, batch=batch, seed=seed)]


def _padded(parts: Sequence[SizedOperation], wider: Mapping[str, SizedOperation]) -> str:
    """What zeros were added to a layer."""
    found = wider.get(parts[-1].name) if parts else None
    if found is None:
        return ""
    last, told = parts[-1], ""
    if found.out_channels != last.out_channels:
        told += f", padded {last.out_channels} -> {found.out_channels}"
    if found.in_channels != last.in_channels:
        told += f", inputs padded {last.in_channels} -> {found.in_channels}"
    return told


def _became(before: SizedOperation, parts: Sequence[SizedOperation]) -> str:
    if not parts:
        return "removed with its block"
    widths = [parts[0].in_channels, *(part.out_channels for part in parts)]
    text = " -> ".join(map(str, widths))
    was = f"{before.in_channels} -> {before.out_channels}"
    return "as it was" if text == was else f"{was}, now {text}"
