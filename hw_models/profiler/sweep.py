"""Which units to measure: a spread of everything for a table, and what a network's policies can come to need."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from hw_models.device import Device
from hw_models.families import FAMILIES, Precision, draw
from hw_models.fusion import Execution
from hw_models.interpolation import family_of
from hw_models.legal import legal_units
from hw_models.lowering import lower
from hw_models.profiler.contexts import in_context
from hw_models.sketch import Sketch
from hw_models.units import Unit
from paretrim.errors import NotMeasured
from paretrim.network import Network
from paretrim.problem import UNCHANGED, Bits, Policy

#: kinds of layers whose channel steps are looked for
STEP_KINDS = ("conv2d", "conv2d_1x1", "depthwise2d", "linear")
_SIDES = (8, 10, 12, 16, 20, 24, 28, 32, 40, 48)
#: shares of every group that are tried together, narrowest last
_UNIFORM = (1.0, 0.875, 0.75, 0.625, 0.5, 0.375, 0.25, 0.125)


def spread(count: int, precisions: Sequence[Precision], execution: Execution, *, seed: int, batch: int) -> list[Unit]:
    """About `count` different units, as they occur in random networks of all families and many sizes of image.

    Drawn in turn from every family of the interpolation, so that each has enough to be learnt from; three layers for
    every unit without weights.
    """
    pools: dict[str, list[Unit]] = {}
    for unit in _occurring(8 * count, precisions, execution, seed=seed, batch=batch):
        pools.setdefault(family_of(unit), []).append(unit)
    chosen: list[Unit] = []
    while len(chosen) < count and any(pools.values()):
        for pool in pools.values():
            share = 3 if pool and pool[0].is_layer else 1
            chosen += pool[:share]
            del pool[:share]
    return chosen[:count]


def _occurring(
    count: int, precisions: Sequence[Precision], execution: Execution, *, seed: int, batch: int
) -> list[Unit]:
    """Units in the order in which they turn up in random networks."""
    random = np.random.default_rng(seed)
    units: dict[Unit, None] = {}
    families = tuple(FAMILIES)
    for turn in range(count):
        height = int(random.choice(_SIDES))
        width = height if random.random() < 0.7 else int(random.choice(_SIDES))
        operations = draw(
            families[turn % len(families)],
            int(random.integers(1 << 30)),
            precision=precisions[turn % len(precisions)],
            hw=(height, width),
            multiple=int(random.choice((1, 1, 4, 8))),
        )
        for item in lower(operations, execution, batch=batch):
            units.setdefault(item.unit, None)
        if len(units) >= count:
            break
    return list(units)


def staircase(kind: str, narrow: bool, widths: Sequence[int], execution: Execution, *, batch: int) -> list[Unit]:
    """One unit per width, of a layer that reads and writes that many channels."""
    bits = Bits(8, 8) if narrow else Bits()
    units = []
    for width in widths:
        sketch = _stair(kind, width, bits)
        layer = sketch.operations[0 if kind == "linear" else 2]
        placed = lower(sketch.operations, execution, batch=batch)
        units += [item.unit for item in placed if layer.name in item.covers]
    return units


def _stair(kind: str, width: int, bits: Bits) -> Sketch:
    sketch = Sketch(16, (12, 12), bits)
    if kind == "linear":
        sketch.channels["flat"], sketch.hw["flat"] = width, ()
        sketch.linear("flat", width)
        return sketch
    x = sketch.relu(sketch.conv("input", width, 1))
    kernel = 1 if kind == "conv2d_1x1" else 3
    x = sketch.conv(x, width, kernel, groups=width if kind == "depthwise2d" else 1)
    sketch.conv(sketch.relu(x), 16, 1)
    return sketch


def needed(network: Network, device: Device, policies: Sequence[Policy] | None, *, limit: int, seed: int) -> list[Unit]:
    """Units that the policies of a network consist of, at most `limit`; random ones on the device's steps, if None."""
    units: dict[Unit, None] = {}
    proposals = iter(policies) if policies is not None else _policies(network, device, seed)
    for policy in proposals:
        for item in lower(network.sized(policy), device.execution, batch=device.batch):
            units.setdefault(item.unit, None)
        if len(units) >= limit:
            break
    return list(units)[:limit]


def can_be_timed(unit: Unit, execution: Execution) -> bool:
    """Whether the profiler knows how to build the unit into a network."""
    try:
        in_context(unit, execution)
    except NotMeasured:
        return False
    return True


def _policies(network: Network, device: Device, seed: int, count: int = 400) -> Iterator[Policy]:
    """The original, uniform networks at every precision, then random ones: three on the steps for one of any width."""
    random = np.random.default_rng(seed)
    choices = {layer.name: device.legal_bits(layer) for layer in network.layers}
    kernels = device.execution.kernels
    uniform_bits = [{name: bits for name, options in choices.items() if bits in options} for bits in kernels]
    yield UNCHANGED
    for share in _UNIFORM:
        for bits in uniform_bits:
            yield Policy(keep=_keep(network, device, share), bits=bits)
    for turn in range(count):
        keep = _any_keep(network, device, random, stepped=turn % 4 != 3)
        yield Policy(keep=keep, bits=uniform_bits[int(random.integers(len(uniform_bits)))])
        mixed = {name: options[int(random.integers(len(options)))] for name, options in choices.items()}
        yield Policy(keep=keep, bits=mixed)


def _keep(network: Network, device: Device, share: float) -> dict[str, float]:
    """Keep ratios that leave about this share of every group, on the device's steps."""
    keep = {}
    for group in network.prunable_groups:
        legal = legal_units(network, device, group, min_keep=0.0, stepped=True)
        nearest = min((abs(units - share * group.units), units) for units in legal)[1]
        keep[group.name] = nearest / group.units
    return keep


def _any_keep(network: Network, device: Device, random: np.random.Generator, *, stepped: bool) -> dict[str, float]:
    """A random legal width for every group."""
    return {
        group.name: int(random.choice(legal_units(network, device, group, min_keep=0.0, stepped=stepped))) / group.units
        for group in network.prunable_groups
    }
