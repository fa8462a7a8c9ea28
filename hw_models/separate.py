"""What policies of one network cost on a device whose units do not touch one another, by look-ups alone.

Where no conversions are placed between units and the same operations run as one whatever their bits, as on every
formula here, a unit's cost depends on its own channels and bits and on the bits that are wanted of its result. So units
are laid out once, and the cost of each is remembered by these few numbers, however the bits of the others are mixed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from hw_models.counts import tensor_bits
from hw_models.device import Device, UnitCost
from hw_models.fusion import Placed
from hw_models.lowering import lower
from hw_models.many import linear_widths
from hw_models.precision import at_kernel_bits
from hw_models.units import Unit
from paretrim.network import Axis, Network, SizedOperation
from paretrim.problem import FULL_PRECISION, UNCHANGED, Bits, Policy

#: costs of one unit that are remembered
MOST_REMEMBERED = 65_536

#: units of each group that are kept, in the order of the network's groups
Kept = Sequence[int]


@dataclass(frozen=True, slots=True)
class _Width:
    """Channels along an axis: linear in the units kept."""

    rest: int
    terms: tuple[tuple[int, int], ...]  #: position of a group, channels for each of its units

    def of(self, kept: Kept) -> int:
        return self.rest + sum(kept[group] * factor for group, factor in self.terms)


@dataclass(slots=True)
class _Slot:
    """One unit, and what decides over its cost. Layers are positions among the network's."""

    unit: Unit
    width_in: int  #: position among the widths
    width_out: int
    layer: int | None  #: the layer it begins with, if it does
    input_readers: tuple[int, ...] | None  #: whose bits it computes with if it begins with no layer; None: 32
    output_readers: tuple[int, ...] | None  #: whose bits its result has: the most precise of them; None: 32
    costs: dict[tuple[int, int, Bits | int, int], UnitCost] = field(default_factory=dict)


class SeparateUnits:
    """Latency and energy of policies: those of `Device.predict`, to the last bit."""

    def __init__(self, network: Network, device: Device, placed: Sequence[Placed], readers: _Readers) -> None:
        """See `separate_units`."""
        self.network, self.device = network, device
        self._layers = [layer.name for layer in network.layers]
        layer_at = {name: place for place, name in enumerate(self._layers)}
        operations = {operation.name: operation for operation in network.operations}
        axes: dict[Axis, int] = {}
        self._slots = [
            _Slot(
                unit=item.unit,
                width_in=axes.setdefault(operations[item.name].in_axis, len(axes)),
                width_out=axes.setdefault(operations[item.covers[-1]].out_axis, len(axes)),
                layer=layer_at.get(item.name),
                input_readers=readers[item.name],
                output_readers=readers[item.covers[-1]],
            )
            for item in placed
        ]
        factors, rest = linear_widths(tuple(axes), [group.name for group in network.groups])
        self._widths = [
            _Width(fixed, tuple((group, factor) for group, factor in enumerate(row) if factor))
            for fixed, row in zip(rest.tolist(), factors.tolist(), strict=True)
        ]

    def cost(self, policy: Policy) -> tuple[float, float | None] | None:
        """Milliseconds and millijoules of one inference; None where `predict` has to be asked: for lower ranks, removed
        blocks and zeroed weights. Raises NotMeasured."""
        if policy.rank or policy.removed or policy.sparsity:
            return None
        kept = list(self.network.kept_units(policy).values())
        widths = [width.of(kept) for width in self._widths]
        executed, bits = self.device.execution.executed, policy.bits
        kernels = [executed(bits.get(name, FULL_PRECISION)) for name in self._layers]
        costs = [self._cost(slot, widths, kernels) for slot in self._slots]
        fit = self.device.calibration
        energies = [cost.energy_mj for cost in costs]
        return (
            fit.constant_ms + fit.scale * sum(cost.latency_ms for cost in costs),
            sum(energy for energy in energies if energy is not None) if None not in energies else None,
        )

    def _cost(self, slot: _Slot, widths: Sequence[int], kernels: Sequence[Bits]) -> UnitCost:
        own: Bits | int = kernels[slot.layer] if slot.layer is not None else _widest(slot.input_readers, kernels)
        key = (widths[slot.width_in], widths[slot.width_out], own, _widest(slot.output_readers, kernels))
        known = slot.costs.get(key)
        if known is None:
            if len(slot.costs) >= MOST_REMEMBERED:
                slot.costs.clear()
            known = slot.costs[key] = self.device.unit_cost(_unit(slot.unit, *key))
        return known


def separate_units(network: Network, device: Device) -> SeparateUnits | None:
    """None if the device's units depend on one another."""
    execution = device.execution
    fuses_alike = execution.fusion.get("fp32", frozenset()) == execution.fusion.get("int8", frozenset())
    if execution.converts or execution.layout is not None or not fuses_alike:
        return None
    operations = network.sized(UNCHANGED)
    placed = lower(operations, execution, batch=device.batch)
    executed = at_kernel_bits(operations, execution)
    known = {operation.name for operation in network.operations}
    if not all(item.covers and known.issuperset(item.covers) for item in placed):
        return None
    return SeparateUnits(network, device, placed, _readers(executed, [layer.name for layer in network.layers]))


_Readers = Mapping[str, tuple[int, ...] | None]


def _readers(executed: Sequence[SizedOperation], layers: Sequence[str]) -> _Readers:
    """By operation, the layers whose bits its result has, see `tensor_bits`; None if it always has 32.

    Asked of `tensor_bits` itself: all layers at 1 bit but one at 2, for each of them.
    """
    narrow = [replace(op, activation_bits=1) if op.is_layer else op for op in executed]
    always = {name for name, bits in tensor_bits(narrow).items() if bits > 1}
    found: dict[str, list[int]] = {operation.name: [] for operation in executed}
    for place, layer in enumerate(layers):
        marked = [replace(op, activation_bits=2) if op.name == layer else op for op in narrow]
        for name, bits in tensor_bits(marked).items():
            if bits == 2 and name in found:
                found[name].append(place)
    return {name: None if name in always else tuple(places) for name, places in found.items()}


def _widest(readers: tuple[int, ...] | None, kernels: Sequence[Bits]) -> int:
    return 32 if readers is None else max([kernels[place].activation for place in readers], default=32)


def _unit(unit: Unit, channels_in: int, channels_out: int, own: Bits | int, output_bits: int) -> Unit:
    bits = Bits(own, own) if isinstance(own, int) else own
    return replace(
        unit,
        in_channels=channels_in,
        out_channels=channels_out,
        groups=channels_in if unit.is_depthwise else unit.groups,
        weight_bits=bits.weight,
        activation_bits=bits.activation,
        output_bits=output_bits,
    )
