"""At delivery: zero-pads the channels of an exported file where the device runs the wider network faster."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from compressors import pack, pad_channels
from hw_models.cost import Costs
from hw_models.devices import load_device
from hw_models.envelope import PAYS
from hw_models.measure import time_together
from paretrim.problem import Policy
from search.craft import PARITY_ROWS, Crafted
from search.prepare import Prepared


@dataclass(frozen=True, slots=True)
class Padding:
    """What was predicted to be worth padding, and what became of it."""

    widths: Mapping[str, tuple[int, int]]  #: by group, units kept and units with zeros
    predicted_ms: tuple[float, float]  #: as it is, and padded
    measured_ms: tuple[float, float] | None  #: the same of both files, timed in turn; None: the device is elsewhere
    refused: str | None  #: why the file is as it is; None: it is padded

    def to_json(self) -> dict[str, object]:
        """For reports."""
        return {
            "widths": {name: list(pair) for name, pair in self.widths.items()},
            "predicted_ms": list(self.predicted_ms),
            "measured_ms": None if self.measured_ms is None else list(self.measured_ms),
            "refused": self.refused,
        }


def pad_if_it_pays(
    crafted: Crafted, policy: Policy, prepared: Prepared, runtime: str | None
) -> tuple[Crafted, Padding | None]:
    """The network as it is to be delivered, and what was decided; None: nothing was predicted to gain.

    runtime: what the device runs, if this machine is the device: then both files are timed, and the faster one is kept.
    """
    costs = Costs(prepared.network, load_device(prepared.setting.device))
    widths = costs.padding(policy)
    if not widths:
        return crafted, None
    kept = prepared.network.kept_units(policy)
    predicted = (costs.predict(policy).latency_ms, float(costs.measure(policy).value("latency_ms")))
    pairs = {name: (kept[name], width) for name, width in widths.items()}
    if policy.rank or policy.removed:
        return crafted, Padding(pairs, predicted, None, "layers of lower rank and removed blocks are not padded")
    rows = prepared.splits.validation.inputs(0, PARITY_ROWS)
    content, refused = pad_channels(crafted.content, prepared.imported, crafted.kept, widths, rows)
    if refused:
        return crafted, Padding(pairs, predicted, None, refused)
    measured = None
    if runtime is not None:
        before, after = time_together([crafted.content, content], runtime=runtime)
        measured = (before.latency_ms, after.latency_ms)
        if after.latency_ms > (1 - PAYS) * before.latency_ms:
            return crafted, Padding(pairs, predicted, measured, "it is no faster when it is timed")
    return replace(crafted, content=content, packed=pack(content)), Padding(pairs, predicted, measured, None)


def padded_policy(policy: Policy, padding: Padding | None, units: Mapping[str, int]) -> Policy | None:
    """The policy whose widths the delivered file has, if it was padded. units: of every group."""
    if padding is None or padding.refused:
        return None
    return replace(
        policy, keep={**policy.keep, **{name: width / units[name] for name, (_, width) in padding.widths.items()}}
    )
