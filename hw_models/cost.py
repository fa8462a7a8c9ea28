"""What a policy makes of a network on a device: everything that can be known without running it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cached_property
from typing import Any

from hw_models.counts import bops, macs, peak_memory_bytes, size_bytes
from hw_models.device import Device, Prediction, compose
from hw_models.envelope import PAYS, Envelope
from hw_models.lowering import lower
from hw_models.many import ManyCosts
from hw_models.separate import SeparateUnits, separate_units
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


#: what depends on whether a network is held padded, beside its latency
_OF_HELD = frozenset({"energy_mj", "peak_memory_bytes"})


class Costs:
    """Costs of the policies of one network on one device. Units are looked up once each."""

    def __init__(self, network: Network, device: Device) -> None:
        self.network = network
        self.device = device
        self.envelope = Envelope(network, device)
        self.original = self.measure(UNCHANGED)

    def measure(self, policy: Policy) -> Measurement:
        """All metrics but accuracy, all predicted. Raises NotMeasured, InvalidPolicy.

        Latency and energy are those of the network padded where that is faster, see `envelope`; peak memory too.
        """
        operations = self.network.sized(policy)
        held = operations
        found = self._separate.cost(policy) if self._separate is not None else None
        if found is None:
            prediction, held = self._best(policy, operations)
            found = prediction.latency_ms, prediction.energy_mj
        latency_ms, energy_mj = found
        where = f"{self.device.kind} {self.device.name}" + (", zero-padded" if held is not operations else "")
        table = Provenance("predicted", where)
        obtained = dict.fromkeys(COUNTS, COUNTED)
        obtained["latency_ms"] = table
        if energy_mj is not None:
            obtained["energy_mj"] = table
        counted = counts(operations)
        if held is not operations:
            counted["peak_memory_bytes"] = peak_memory_bytes(held)
        return Measurement(latency_ms=latency_ms, energy_mj=energy_mj, obtained=obtained, **counted)

    def figures(self, policy: Policy, metrics: Collection[str]) -> Measurement:
        """Only some metrics, and not how they were obtained: what a search asks while it looks for a policy that fits.

        The same figures as `measure` gives. Raises NotMeasured, InvalidPolicy.
        """
        wanted = frozenset(metrics)
        if self._separate is not None and wanted & {"latency_ms", "energy_mj"}:
            separate = self._separate.cost(policy)
            if separate is not None:
                return self._with_counts(policy, wanted & COUNTS.keys(), separate)
        quick_ms = self._quick_ms(policy) if "latency_ms" in wanted and not wanted & _OF_HELD else None
        operations = self.network.sized(policy) if quick_ms is None or wanted & COUNTS.keys() else ()
        found: dict[str, float | int | None] = {name: COUNTS[name](operations) for name in metrics if name in COUNTS}
        if quick_ms is not None:
            found["latency_ms"] = quick_ms
        elif not COUNTS.keys() - {"peak_memory_bytes"} >= set(metrics):
            prediction, held = self._best(policy, operations)
            found |= {"latency_ms": prediction.latency_ms, "energy_mj": prediction.energy_mj}
            if "peak_memory_bytes" in metrics and held is not operations:
                found["peak_memory_bytes"] = peak_memory_bytes(held)
        return Measurement(**found)  # type: ignore[arg-type]

    def _with_counts(
        self, policy: Policy, metrics: Collection[str], separate: tuple[float, float | None]
    ) -> Measurement:
        operations = self.network.sized(policy) if metrics else ()
        found: dict[str, Any] = {name: COUNTS[name](operations) for name in metrics}
        return Measurement(latency_ms=separate[0], energy_mj=separate[1], **found)

    def predict(self, policy: Policy) -> Prediction:
        """Latency of the network as it is, not padded, with its 90 % interval, by operation.

        Raises NotMeasured, InvalidPolicy.
        """
        return self._predict(self.network.sized(policy))

    def padding(self, policy: Policy) -> dict[str, int]:
        """By group, the units that it is to be padded to, if the network is predicted to gain by it; else nothing."""
        operations = self.network.sized(policy)
        _, held = self._best(policy, operations)
        return self.envelope.widths(policy) if held is not operations else {}

    def _quick_ms(self, policy: Policy) -> float | None:
        """The latency that `measure` gives, by look-ups alone; None where they do not suffice, see `ManyCosts.one`."""
        own_ms = self._many.one(policy)
        padded = self.envelope.padded(policy) if own_ms is not None else None
        if own_ms is None or padded is None:
            return own_ms
        other_ms = self._many.one(padded)
        return None if other_ms is None else other_ms if other_ms < (1 - PAYS) * own_ms else own_ms

    @cached_property
    def _separate(self) -> SeparateUnits | None:
        return separate_units(self.network, self.device)

    @cached_property
    def _many(self) -> ManyCosts:
        return ManyCosts(self.network, self.device)

    def _best(
        self, policy: Policy, operations: tuple[SizedOperation, ...]
    ) -> tuple[Prediction, tuple[SizedOperation, ...]]:
        """The lesser of the network's own time and of its time padded, and the operations that take it."""
        own, padded = self._predict(operations), self.envelope.padded(policy)
        if padded is None:
            return own, operations
        wider = self.network.sized(padded)
        other = self._predict(wider)
        return (other, wider) if other.latency_ms < (1 - PAYS) * own.latency_ms else (own, operations)

    def _predict(self, operations: Sequence[SizedOperation]) -> Prediction:
        return compose(self.device, lower(operations, self.device.execution, batch=self.device.batch))
