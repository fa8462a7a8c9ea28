"""Latencies of thousands of policies of one network at once.

What a network is lowered to depends on widths only through a few facts (is a width a whole block, a multiple of what
blocked kernels read, ...) and on bits. Policies that agree in these have the same units at the same places, with other
numbers of channels. So a network is lowered once for every combination that occurs, and of each unit in it a
table by channels in and out is filled as needed; after that a prediction is one look-up per unit, for all policies
together. Results are those of `Device.predict`, to the last bit but for the order of summation; those of one policy
at a time, which is what a search asks for most, to the last bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hw_models.device import Device
from hw_models.fusion import Placed
from hw_models.lowering import lower
from hw_models.units import Unit
from paretrim.errors import InvalidPolicy
from paretrim.network import Axis, Network
from paretrim.problem import Bits, Policy

Whole = NDArray[np.int64]
Floats = NDArray[np.float64]

#: combinations that are remembered; when there are more, the oldest are forgotten
MOST_TEMPLATES = 4096
#: combinations that were met, but of which no more is remembered yet
MOST_MET = 65_536


@dataclass(slots=True)
class _Slot:
    """One unit of a template: which axes its channels are, and the times found so far by channels in and out."""

    unit: Unit
    axis_in: int
    axis_out: int
    times: Floats  #: (in, out), milliseconds; NaN: not asked yet. The same for units that differ in channels only


class ManyCosts:
    """Predicts latencies of many policies of one network on one device."""

    def __init__(self, network: Network, device: Device) -> None:
        self.network, self.device = network, device
        self.kernels = device.execution.kernels
        self._groups = [group.name for group in network.groups]
        self._units = np.array([group.units for group in network.groups], dtype=np.int64)
        self._layers = [layer.name for layer in network.layers]
        axes: dict[Axis, int] = {}
        self._axis_in = {op.name: axes.setdefault(op.in_axis, len(axes)) for op in network.operations}
        self._axis_out = {op.name: axes.setdefault(op.out_axis, len(axes)) for op in network.operations}
        self._scale, self._rest = linear_widths(tuple(axes), self._groups)
        self._most = self._scale @ self._units + self._rest
        self._templates: dict[bytes, list[_Slot] | None] = {}
        self._met: set[bytes] = set()
        self._times: dict[tuple[Unit, int, int], Floats] = {}
        self._sparse = [
            [(group, int(factor)) for group, factor in enumerate(row) if factor] for row in self._scale.tolist()
        ]
        self._position = {kernel: index for index, kernel in enumerate(self.kernels)}

    def latency_ms(self, kept: Whole, bits: Whole) -> Floats:
        """kept: (policies, groups), units of every group of the network. bits: (policies, layers), positions in
        `kernels`. Returns (policies,), milliseconds. Raises NotMeasured, InvalidPolicy for units that are not there."""
        if ((kept < 1) | (kept > self._units)).any():
            raise InvalidPolicy("a policy keeps at least one unit of every group, and no more than there are")
        widths = kept @ self._scale.T + self._rest  # (policies, axes)
        keys = np.concatenate([self._classes(widths), bits.astype(np.uint8)], axis=1)
        packed = np.ascontiguousarray(keys).view(np.dtype((np.void, keys.shape[1]))).ravel()
        found, first, inverse = np.unique(packed, return_index=True, return_inverse=True)
        sums = np.empty(len(kept))
        for position, (key, example) in enumerate(zip(found, first, strict=True)):
            mine = np.flatnonzero(inverse == position) if len(found) > 1 else np.arange(len(kept))
            slots = self._template(key.tobytes(), kept[example], bits[example], widths[example])
            sums[mine] = self._sum(slots, widths[mine]) if slots is not None else self._slow(kept[mine], bits[mine])
        fit = self.device.calibration
        return np.asarray(fit.constant_ms + fit.scale * sums, dtype=np.float64)

    def one(self, policy: Policy) -> float | None:
        """Latency of one policy in milliseconds, exactly as `Device.predict` gives it; None where that has to be asked.

        That is for lower ranks, removed blocks, zeroed weights, and units whose channels are no axis of an operation;
        and the first time that a combination occurs, since most of bits that differ from layer to layer occur but once.
        Raises as `latency_ms`.
        """
        if policy.rank or policy.removed or policy.sparsity:
            return None
        kept = list(self.network.kept_units(policy).values())
        axes = zip(self._rest.tolist(), self._sparse, strict=True)
        widths = [rest + sum(kept[group] * factor for group, factor in terms) for rest, terms in axes]
        executed = self.device.execution.executed
        bits = [self._position[executed(policy.bits.get(name, Bits()))] for name in self._layers]
        key = self._key(widths, bits)
        if key not in self._templates and self._is_new(key):
            return None
        slots = self._template(key, np.array(kept), np.array(bits), np.array(widths))
        if slots is None:
            return None
        times = []
        for slot in slots:
            channels = widths[slot.axis_in], widths[slot.axis_out]
            milliseconds = slot.times.item(channels)
            if milliseconds != milliseconds:
                self._fill(slot, np.array(channels[:1]), np.array(channels[1:]))
                milliseconds = slot.times.item(channels)
            times.append(milliseconds)
        fit = self.device.calibration
        return float(fit.constant_ms + fit.scale * sum(times))

    def _is_new(self, key: bytes) -> bool:
        if key in self._met:
            return False
        if len(self._met) >= MOST_MET:
            self._met.clear()
        self._met.add(key)
        return True

    def of_policies(self, policies: Sequence[Policy]) -> Floats:
        """The same of policies as they are written. (policies,)"""
        kept = [list(self.network.kept_units(policy).values()) for policy in policies]
        executed = self.device.execution.executed
        bits = [
            [self._position[executed(policy.bits.get(name, Bits()))] for name in self._layers] for policy in policies
        ]
        return self.latency_ms(np.array(kept, dtype=np.int64), np.array(bits, dtype=np.int64))

    def _classes(self, widths: Whole) -> NDArray[np.uint8]:
        """All that lowering asks of a width. (policies, axes)"""
        layout = self.device.execution.layout
        if layout is None or not layout.block:
            return np.zeros(widths.shape, dtype=np.uint8)
        block, align = layout.block, max(1, layout.align)
        facts: Whole = (widths < block) | (widths % block == 0) << 1 | (widths % align == 0) << 2
        return facts.astype(np.uint8)

    def _key(self, widths: Sequence[int], bits: Sequence[int]) -> bytes:
        """The combination that one policy is, as `latency_ms` tells them apart."""
        layout = self.device.execution.layout
        if layout is None or not layout.block:
            return bytes(len(widths)) + bytes(bits)
        block, align = layout.block, max(1, layout.align)
        facts = ((w < block) | (w % block == 0) << 1 | (w % align == 0) << 2 for w in widths)
        return bytes(facts) + bytes(bits)

    def _policy(self, kept: Whole, bits: Whole) -> Policy:
        ratios = {name: int(k) / int(u) for name, k, u in zip(self._groups, kept, self._units, strict=True) if k != u}
        return Policy(keep=ratios, bits={n: self.kernels[b] for n, b in zip(self._layers, bits, strict=True)})

    def _placed(self, kept: Whole, bits: Whole) -> tuple[Placed, ...]:
        sized = self.network.sized(_unfrozen(self._policy(kept, bits), self.network))
        return lower(sized, self.device.execution, batch=self.device.batch)

    def _template(self, key: bytes, kept: Whole, bits: Whole, widths: Whole) -> list[_Slot] | None:
        """The units of a combination; None if some unit's channels are no axis of an operation."""
        if key not in self._templates:
            if len(self._templates) >= MOST_TEMPLATES:
                del self._templates[next(iter(self._templates))]
            slots = [self._slot(item, widths) for item in self._placed(kept, bits)]
            self._templates[key] = None if None in slots else [slot for slot in slots if slot is not None]
        return self._templates[key]

    def _slot(self, item: Placed, widths: Whole) -> _Slot | None:
        name = item.name.split(":")[0]
        if not item.covers:  # a conversion of a result, or of the network's input
            axis = self._axis_out.get(name, self._axis_in[self.network.operations[0].name])
            axis_in = axis_out = axis
        elif name in self._axis_in:
            axis_in = self._axis_in[name]
            axis_out = self._axis_out.get(item.covers[-1].split(":")[0], self._axis_out[name])
        else:
            return None
        unit = item.unit
        if (unit.in_channels, unit.out_channels) != (widths[axis_in], widths[axis_out]):
            return None
        groups = 1 if unit.is_depthwise else unit.groups
        alike = (replace(unit, in_channels=1, out_channels=1, groups=groups), axis_in, axis_out)
        if alike not in self._times:
            self._times[alike] = np.full((int(self._most[axis_in]) + 1, int(self._most[axis_out]) + 1), np.nan)
        return _Slot(unit, axis_in, axis_out, self._times[alike])

    def _sum(self, slots: Sequence[_Slot], widths: Whole) -> Floats:
        total = np.zeros(len(widths))
        for slot in slots:
            channels_in, channels_out = widths[:, slot.axis_in], widths[:, slot.axis_out]
            times = slot.times[channels_in, channels_out]
            if np.isnan(times).any():
                self._fill(slot, channels_in[np.isnan(times)], channels_out[np.isnan(times)])
                times = slot.times[channels_in, channels_out]
            total += times
        return total

    def _fill(self, slot: _Slot, channels_in: Whole, channels_out: Whole) -> None:
        for cin, cout in {(int(a), int(b)) for a, b in zip(channels_in, channels_out, strict=True)}:
            groups = cin if slot.unit.is_depthwise else slot.unit.groups
            unit = replace(slot.unit, in_channels=cin, out_channels=cout, groups=groups)
            slot.times[cin, cout] = self.device.unit_cost(unit).latency_ms

    def _slow(self, kept: Whole, bits: Whole) -> Floats:
        """One by one, as `compose` does."""
        sums = [
            sum(self.device.unit_cost(item.unit).latency_ms for item in self._placed(k, b))
            for k, b in zip(kept, bits, strict=True)
        ]
        return np.array(sums)


def linear_widths(axes: Sequence[Axis], groups: Sequence[str]) -> tuple[Whole, Whole]:
    """Widths of axes as a linear function of units kept: (axes, groups) and (axes,)."""
    scale, rest = np.zeros((len(axes), len(groups)), dtype=np.int64), np.zeros(len(axes), dtype=np.int64)
    position = {name: index for index, name in enumerate(groups)}
    for row, axis in enumerate(axes):
        for segment in axis:
            if segment.group is None:
                rest[row] += segment.channels
            else:
                scale[row, position[segment.group]] += segment.channels_per_unit
    return scale, rest


def _unfrozen(policy: Policy, network: Network) -> Policy:
    """Without what names a frozen group: those are whole anyway."""
    free = {group.name for group in network.groups if group.frozen is None}
    return replace(policy, keep={name: ratio for name, ratio in policy.keep.items() if name in free})
