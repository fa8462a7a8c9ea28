"""What policies cost where files are stored packed: the device's figures, with the length of the packed file."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from compressors import CompressorOptions, Imported, PackedSizes, Statistics, learn_packed_sizes
from hw_models.cost import Costs
from hw_models.device import Device
from hw_models.limits import limits
from paretrim.network import Network
from paretrim.problem import UNCHANGED, Bits, Measurement, Policy, Provenance

PREDICTED = Provenance("predicted", "the packed file, from files packed at the start")


class PackedCosts:
    """As `hw_models.cost.Costs`, but for the size."""

    def __init__(self, costs: Costs, sizes: PackedSizes) -> None:
        self._costs, self._sizes = costs, sizes
        self.original = self.measure(UNCHANGED)

    def measure(self, policy: Policy) -> Measurement:
        """All metrics but accuracy, all predicted. Raises NotMeasured, InvalidPolicy."""
        found = self._costs.measure(policy)
        return replace(found, size_bytes=self._size(policy), obtained=dict(found.obtained) | {"size_bytes": PREDICTED})

    def figures(self, policy: Policy, metrics: Collection[str]) -> Measurement:
        """Only some metrics."""
        found = self._costs.figures(policy, [metric for metric in metrics if metric != "size_bytes"])
        return replace(found, size_bytes=self._size(policy)) if "size_bytes" in metrics else found

    def _size(self, policy: Policy) -> int:
        return self._sizes.predict(self._costs.network.sized(policy))


def stores_packed(document: Mapping[str, Any]) -> bool:
    """Whether sizes mean packed files. A device with a flash runs weights from it, so they lie there unpacked."""
    return "size_bytes" not in limits(document)


def packed_sizes(
    imported: Imported,
    network: Network,
    statistics: Statistics,
    options: CompressorOptions,
    device: Device,
    *,
    searched: bool = True,
) -> PackedSizes:
    """Learnt at the bits that a search on this device may choose; searched: whether any does, else all are at their
    most."""
    choices: dict[str, Sequence[Bits]] = {}
    for layer in network.layers:
        rising = network.searched_bits(layer.name, device.legal_bits(layer))
        choices[layer.name] = rising if searched else rising[-1:]
    return learn_packed_sizes(imported, network, statistics, options, choices)
