"""What all analytic devices share: the document, its checks, and the composition of units."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, ClassVar, TypeVar

from hw_models import document as checks
from hw_models.counts import ACTIVATIONS
from hw_models.device import Calibration, Prediction, UnitCost, predict
from hw_models.fusion import Execution
from hw_models.table import step_kind
from hw_models.units import Unit
from paretrim.errors import InvalidTable
from paretrim.network import LAYER_KINDS, Network, Operation, SizedOperation
from paretrim.problem import FULL_PRECISION, Bits, Policy

_FIELDS = frozenset({"format", "version", "name", "kind", "title", "source", "kernels", "steps", "parameters"})
#: what every accelerator does on the way out: activations run inside the operation before them
_CHAINS = frozenset(f"{kind}+{act}" for kind in (*LAYER_KINDS, "add") for act in ACTIVATIONS)

Parameters = TypeVar("Parameters")


class AnalyticDevice(ABC):
    """A device whose units are computed from parameters with a public source.

    A layer that a policy leaves at full precision runs at the widest kernel the device has.
    """

    kind: ClassVar[str]
    batch = 1
    calibration = Calibration()
    #: half width of the 90 % interval, as a share; what a formula of this sort was seen to be off by
    error: ClassVar[float] = 0.3

    def __init__(self, document: Mapping[str, Any]) -> None:
        header = checks.check_header(document, known=_FIELDS)
        self.name: str = header["name"]
        self.title = str(header.get("title", ""))[:500]
        self.source = str(header.get("source", ""))[:2000]
        self.steps = {
            name: checks.whole(step, f"device.steps.{name}", most=1024)
            for name, step in checks.mapping(header.get("steps", {}), "device.steps").items()
        }
        self.execution = Execution(
            kernels=checks.kernels(header), fusion={"fp32": _CHAINS, "int8": _CHAINS}, converts=False
        )
        self._document = dict(header)

    @abstractmethod
    def unit_cost(self, unit: Unit) -> UnitCost:
        """The time and energy of one unit."""

    def legal_bits(self, operation: Operation | SizedOperation) -> tuple[Bits, ...]:
        """The kernels the device has."""
        return self.execution.kernels if operation.is_layer else (FULL_PRECISION,)

    def channel_step(self, operation: Operation | SizedOperation, bits: Bits) -> int:  # noqa: ARG002
        """The width of the array that computes output channels; 1 where it does not matter."""
        return self.steps.get(step_kind(operation), 1)

    def predict(self, network: Network, policy: Policy) -> Prediction:
        """The time of a network under a policy. Raises InvalidPolicy."""
        return predict(self, network, policy)

    def document(self) -> dict[str, Any]:
        """JSON that this device can be loaded from again."""
        return dict(self._document)

    def cost(self, cycles: float, clock_mhz: float, energy_pj: float | None, bound: str) -> UnitCost:
        """A unit's cost from its cycles."""
        latency_ms = cycles / (clock_mhz * 1e3)
        return UnitCost(
            latency_ms=latency_ms,
            low_ms=latency_ms * (1 - self.error),
            high_ms=latency_ms * (1 + self.error),
            source="analytic",
            energy_mj=None if energy_pj is None else energy_pj * 1e-9,
            bound=bound,
        )


def read_parameters(kind: type[Parameters], document: Mapping[str, Any]) -> Parameters:
    """The parameters of an analytic device: every field of the dataclass `kind`, positive numbers, nothing else.

    Raises InvalidTable naming the field.
    """
    given = checks.mapping(document.get("parameters"), "device.parameters")
    names = [entry.name for entry in fields(kind)]  # type: ignore[arg-type]
    if set(given) != set(names):
        wrong = sorted(set(given) ^ set(names))
        raise InvalidTable(
            f"device.parameters must hold exactly {', '.join(names)}; missing or unknown: {', '.join(wrong)}",
            field="device.parameters",
        )
    return kind(**{name: checks.positive(given[name], f"device.parameters.{name}", most=1e15) for name in names})
