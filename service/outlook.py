"""What can be had of a model on a device, before there is a job: the reach of each metric, and where time goes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hw_models.cost import Costs
from hw_models.device import Device
from hw_models.devices import load_device
from hw_models.reach import smallest
from paretrim.errors import InvalidInput
from paretrim.network import Network
from paretrim.problem import RELATIVE, UNCHANGED, Constraint, Measurement
from paretrim.wire_overview import ConstraintOutlook, LatencyPart, Outlook

MOST_PARTS = 12  #: operations that are named one by one


def outlook(inspection: Mapping[str, Any], document: Mapping[str, Any], constraints: Sequence[str]) -> Outlook:
    """What a job could reach. Raises NotMeasured, InvalidTable, InvalidModel, InvalidInput."""
    network, device = Network.from_json(inspection["network"]), load_device(document)
    original = Costs(network, device).original
    reach = smallest(network, device)
    return Outlook(
        original=original.to_json(),
        smallest=reach,
        constraints=[judged(Constraint.parse(text), reach, original) for text in constraints],
        parts=parts(network, device),
    )


def judged(constraint: Constraint, reach: Mapping[str, float], original: Measurement) -> ConstraintOutlook:
    """Whether a constraint can be met. Of accuracy nothing can be said before a search."""
    metric, text = constraint.base_metric, str(constraint)
    if metric == "accuracy":
        return ConstraintOutlook(text=text, metric=metric, verdict="unknown")
    if metric not in reach:
        raise InvalidInput(f"the device tells no {metric}; choose another device or metric", field="constraints")
    least = reach[metric]
    reachable = least / original.value(metric) if constraint.metric in RELATIVE else least
    if constraint.holds(original, original):
        return ConstraintOutlook(text=text, metric=metric, verdict="no limit", reachable=reachable)
    within = least <= constraint.limit(original)
    return ConstraintOutlook(text=text, metric=metric, verdict="met" if within else "out of reach", reachable=reachable)


def parts(network: Network, device: Device) -> list[LatencyPart]:
    """The operations that take longest, and all others as one: what is worth compressing."""
    times = device.predict(network, UNCHANGED).by_operation
    total = sum(times.values()) or 1.0
    ranked = sorted(times.items(), key=lambda item: -item[1])
    named = [
        LatencyPart(name=name, kind=_kind(network, name), latency_ms=ms, share=ms / total)
        for name, ms in ranked[:MOST_PARTS]
    ]
    rest = sum(ms for _, ms in ranked[MOST_PARTS:])
    if rest > 0:
        named.append(LatencyPart(name="all others", kind="", latency_ms=rest, share=rest / total))
    return named


def _kind(network: Network, name: str) -> str:
    own, _, part = name.partition(":")
    operation = network.by_name.get(own)
    return part or (operation.kind if operation is not None else "")
