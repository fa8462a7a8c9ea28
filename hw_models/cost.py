"""What a policy makes of a network on a device: everything that can be known without running it."""

from __future__ import annotations

from collections.abc import Sequence

from hw_models.counts import bops, macs, peak_memory_bytes, size_bytes
from hw_models.device import Device, Prediction, compose
from hw_models.lowering import lower
from paretrim.network import Network, SizedOperation
from paretrim.problem import UNCHANGED, Measurement, Policy, Provenance

__all__ = ["Costs", "bops", "counts", "macs", "peak_memory_bytes", "size_bytes"]

COUNTED = Provenance("predicted", "counted from the policy")


def counts(operations: Sequence[SizedOperation]) -> dict[str, int]:
    """The metrics that need no device, by name."""
    return {
        "size_bytes": size_bytes(operations),
        "macs": macs(operations),
        "bops": bops(operations),
        "peak_memory_bytes": peak_memory_bytes(operations),
    }


class Costs:
    """Costs of the policies of one network on one device. Units are looked up once each."""

    def __init__(self, network: Network, device: Device) -> None:
        self.network = network
        self.device = device
        self.original = self.measure(UNCHANGED)

    def measure(self, policy: Policy) -> Measurement:
        """All metrics but accuracy, all predicted. Raises NotMeasured, InvalidPolicy."""
        operations = self.network.sized(policy)
        prediction = self._predict(operations)
        table = Provenance("predicted", f"{self.device.kind} {self.device.name}")
        obtained = {name: COUNTED for name in ("size_bytes", "macs", "bops", "peak_memory_bytes")}
        obtained["latency_ms"] = table
        if prediction.energy_mj is not None:
            obtained["energy_mj"] = table
        return Measurement(
            latency_ms=prediction.latency_ms, energy_mj=prediction.energy_mj, obtained=obtained, **counts(operations)
        )

    def predict(self, policy: Policy) -> Prediction:
        """Latency with its 90 % interval, by operation. Raises NotMeasured, InvalidPolicy."""
        return self._predict(self.network.sized(policy))

    def _predict(self, operations: Sequence[SizedOperation]) -> Prediction:
        return compose(self.device, lower(operations, self.device.execution, batch=self.device.batch))
