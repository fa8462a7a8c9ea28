"""The least that any policy can cost, so that a constraint nobody can meet is refused when a job is submitted."""

from __future__ import annotations

from collections.abc import Mapping

from hw_models.cost import Costs
from hw_models.device import Device
from hw_models.legal import STEPPED, legal_units
from paretrim.network import Network
from paretrim.problem import METRICS, Bits, Measurement, Policy


def smallest(network: Network, device: Device, *, stepped: bool | None = None) -> dict[str, float]:
    """The smallest value of every metric that is minimised and that the device knows, over the policies of a search.

    stepped: whether widths lie on the device's steps, as they do in a search for which latency or energy counts; None:
    for these two metrics yes, for the others no. Fewer bits are not always faster, so the narrowest network is tried at
    every bit-width. It is the search's own legal values that are tried, but not all of them: a search may find a policy
    that is a little cheaper still.
    """
    costs = Costs(network, device)
    tried = {on_steps: _tried(network, device, costs, on_steps) for on_steps in (True, False)}
    reach: dict[str, float] = {}
    for metric, direction in METRICS.items():
        on_steps = metric in STEPPED if stepped is None else stepped
        values = [getattr(measurement, metric) for measurement in tried[on_steps]]
        if direction == "minimize" and None not in values:
            reach[metric] = float(min(values))
    return reach


def _tried(network: Network, device: Device, costs: Costs, stepped: bool) -> list[Measurement]:
    narrowest: dict[str, float | tuple[int, ...]] = {
        group.name: legal_units(network, device, group, min_keep=0.0, stepped=stepped)[0] / group.units
        for group in network.free_groups
    }
    choices = {layer.name: network.searched_bits(layer.name, device.legal_bits(layer)) for layer in network.layers}
    return [costs.original, *(costs.measure(Policy(keep=narrowest, bits=bits)) for bits in _uniform(choices))]


def _uniform(choices: Mapping[str, tuple[Bits, ...]]) -> list[dict[str, Bits]]:
    """Every layer as close as it may come to the same bits, for all bits that occur."""
    occurring = {bits for options in choices.values() for bits in options}
    return [
        {name: min(options, key=lambda bits: _distance(bits, want)) for name, options in choices.items()}
        for want in sorted(occurring, key=lambda bits: (bits.weight, bits.activation))
    ]


def _distance(bits: Bits, wanted: Bits) -> tuple[int, int]:
    return abs(bits.weight - wanted.weight), abs(bits.activation - wanted.activation)
