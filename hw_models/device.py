"""What a device answers: how long a network takes on it, which bit-widths it has kernels for, which widths pay.

Every device, measured or analytic, costs single units; composing them into a network is the same for all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from hw_models.fusion import Execution, Placed
from hw_models.lowering import lower
from hw_models.units import Unit
from paretrim.network import Network, Operation, SizedOperation
from paretrim.problem import Bits, Policy

#: where the time of a unit comes from
Source = Literal["measured", "interpolated", "analytic", "imported"]


@dataclass(frozen=True, slots=True)
class UnitCost:
    """The time of one unit within a network, and a 90 % interval."""

    latency_ms: float
    low_ms: float
    high_ms: float
    source: Source
    energy_mj: float | None = None
    bound: str | None = None  #: what binds, if the device knows: `compute`, `memory`, `storage`, `overhead`


@dataclass(frozen=True, slots=True)
class Calibration:
    """Network time = constant + scale x sum of units; fitted on whole networks."""

    scale: float = 1.0
    constant_ms: float = 0.0
    error: float = 0.0  #: half width of the 90 % interval that calibration leaves, as a share of the time


@dataclass(frozen=True, slots=True)
class Prediction:
    """The time of a whole network, its 90 % interval, and where it goes."""

    latency_ms: float
    low_ms: float
    high_ms: float
    energy_mj: float | None
    by_operation: Mapping[str, float]  #: ms by first operation of each unit; conversions as `NAME:quantize`
    sources: Mapping[str, Source]  #: by the same names


class Device(Protocol):
    """Something networks run on."""

    @property
    def name(self) -> str:
        """As jobs refer to it."""
        ...

    @property
    def kind(self) -> str:
        """`table`, or the analytic model's name."""
        ...

    @property
    def execution(self) -> Execution:
        """Its kernels' bit-widths, fusions and conversions."""
        ...

    @property
    def calibration(self) -> Calibration:
        """From the sum of units to the network."""
        ...

    @property
    def batch(self) -> int:
        """Inputs per inference that the figures hold for."""
        ...

    def legal_bits(self, operation: Operation | SizedOperation) -> tuple[Bits, ...]:
        """Bit-widths worth proposing for a layer."""
        ...

    def channel_step(self, operation: Operation | SizedOperation, bits: Bits) -> int:
        """Channel counts that are multiples of this pay; others cost about as much as the next multiple, or more."""
        ...

    def unit_cost(self, unit: Unit) -> UnitCost:
        """The time of one unit. Raises NotMeasured rather than guessing 0."""
        ...

    def predict(self, network: Network, policy: Policy) -> Prediction:
        """The time of a network under a policy. Raises NotMeasured, InvalidPolicy."""
        ...

    def document(self) -> Mapping[str, Any]:
        """JSON that `load_device` makes this device from."""
        ...


def predict(device: Device, network: Network, policy: Policy) -> Prediction:
    """Compose the units of a network into its time: what every device's `predict` does."""
    return compose(device, lower(network.sized(policy), device.execution, batch=device.batch))


def compose(device: Device, placed: tuple[Placed, ...]) -> Prediction:
    """The time of placed units: constant + scale x sum. A result may be converted more than once, each at its cost."""
    costs = [(item.name, device.unit_cost(item.unit)) for item in placed]
    fit = device.calibration
    total, low, high = (
        fit.constant_ms + fit.scale * sum(getattr(cost, name) for _, cost in costs)
        for name in ("latency_ms", "low_ms", "high_ms")
    )
    energies = [cost.energy_mj for _, cost in costs]
    by_operation: dict[str, float] = {}
    for name, cost in costs:
        by_operation[name] = by_operation.get(name, 0.0) + fit.scale * cost.latency_ms
    return Prediction(
        latency_ms=total,
        low_ms=max(0.0, low - fit.error * total),
        high_ms=high + fit.error * total,
        energy_mj=sum(energy for energy in energies if energy is not None) if None not in energies else None,
        by_operation=by_operation,
        sources={name: cost.source for name, cost in costs},
    )


def claims(document: Mapping[str, Any]) -> list[str]:
    """What a reader of a device's figures must know of them; [] for a table that was measured."""
    if document.get("kind") != "table":
        return [
            f"{document.get('name')} is a formula: its latency and energy are good for ranks and ratios, not for"
            " milliseconds and millijoules"
        ]
    method = document.get("method") or {}
    if method.get("mode") == "imported":
        return [f"{document.get('name')} was imported from a published table; nothing of it was measured here"]
    return []
