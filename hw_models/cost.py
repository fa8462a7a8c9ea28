"""What a policy makes of a network on a device: everything that can be known without running it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from hw_models.counts import bops, macs, peak_memory_bytes, size_bytes
from hw_models.device import Device, Prediction, compose
from hw_models.lowering import lower
from paretrim.network import Network, SizedOperation
from paretrim.problem import UNCHANGED, Measurement, Policy, Provenance

__all__ = ["Costs", "bops", "counts", "macs", "peak_memory_bytes", "size_bytes"]

COUNTED = Provenance("predicted", "counted from the policy")

COUNTS: Mapping[str, Callable[[Sequence[SizedOperation]], int]] = {
    "size_bytes": size_bytes,
    "macs": macs,
    "bops": bops,
    "peak_memory_bytes": peak_memory_bytes,
}


def counts(operations: Sequence[SizedOperation]) -> dict[str, int]:
    """The metrics that need no device, by name."""
    return {name: count(operations) for name, count in COUNTS.items()}


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
        obtained = dict.fromkeys(COUNTS, COUNTED)
        obtained["latency_ms"] = table
        if prediction.energy_mj is not None:
            obtained["energy_mj"] = table
        return Measurement(
            latency_ms=prediction.latency_ms, energy_mj=prediction.energy_mj, obtained=obtained, **counts(operations)
        )

    def figures(self, policy: Policy, metrics: Collection[str]) -> Measurement:
        """Only some metrics, and not how they were obtained: what a search asks while it looks for a policy that fits.

        The same figures as `measure` gives. Raises NotMeasured, InvalidPolicy.
        """
        operations = self.network.sized(policy)
        found: dict[str, float | int | None] = {name: COUNTS[name](operations) for name in metrics if name in COUNTS}
        if not COUNTS.keys() >= set(metrics):
            prediction = self._predict(operations)
            found |= {"latency_ms": prediction.latency_ms, "energy_mj": prediction.energy_mj}
        return Measurement(**found)  # type: ignore[arg-type]

    def predict(self, policy: Policy) -> Prediction:
        """Latency with its 90 % interval, by operation. Raises NotMeasured, InvalidPolicy."""
        return self._predict(self.network.sized(policy))

    def _predict(self, operations: Sequence[SizedOperation]) -> Prediction:
        return compose(self.device, lower(operations, self.device.execution, batch=self.device.batch))
