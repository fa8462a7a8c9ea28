"""A microcontroller that runs 8-bit kernels one after another, weights in flash, activations in SRAM.

cycles = sum over units of (cycles per multiply-add of its kind x macs + cycles per element written) + start, and
weights that stream from flash. Kinds need constants of their own: one constant for all is off by 40 % between networks
(MLPerf Tiny v1.2 results).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hw_models.analytic.analytic_device import AnalyticDevice, read_parameters
from hw_models.device import UnitCost
from hw_models.units import Unit


@dataclass(frozen=True, slots=True)
class Parameters:
    """One chip with one runtime: the runtime alone makes a factor of 20."""

    clock_mhz: float
    convolution_cycles_per_mac: float
    narrow_input_cycles_per_mac: float  #: of convolutions with fewer than 4 input channels, as first layers are
    depthwise_cycles_per_mac: float
    linear_cycles_per_mac: float
    cycles_per_element: float  #: written, by any operation
    unit_overhead_cycles: float
    flash_bytes_per_cycle: float
    energy_per_cycle_pj: float
    sram_bytes: float
    flash_bytes: float


class Microcontroller(AnalyticDevice):
    """Cycles by kind of operation."""

    kind = "mcu"

    def __init__(self, document: Mapping[str, Any]) -> None:
        super().__init__(document)
        self.parameters = read_parameters(Parameters, document)

    def unit_cost(self, unit: Unit) -> UnitCost:
        """The time of one unit: its arithmetic, or its weights from flash if they take longer."""
        parameters = self.parameters
        compute = self._cycles_per_mac(unit) * unit.macs
        compute += parameters.cycles_per_element * unit.elements_out
        storage = unit.weights * unit.weight_bits / 8 / parameters.flash_bytes_per_cycle
        cycles = max(compute, storage) + parameters.unit_overhead_cycles
        bound = "compute" if compute > storage else "storage"
        return self.cost(cycles, parameters.clock_mhz, cycles * parameters.energy_per_cycle_pj, bound)

    def _cycles_per_mac(self, unit: Unit) -> float:
        if unit.kind in ("conv1d", "conv2d", "conv_transpose2d"):
            kinds = self.parameters
            if not unit.is_depthwise and unit.in_channels // unit.groups < 4:
                return kinds.narrow_input_cycles_per_mac
            return kinds.depthwise_cycles_per_mac if unit.is_depthwise else kinds.convolution_cycles_per_mac
        return self.parameters.linear_cycles_per_mac
