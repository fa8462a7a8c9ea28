"""A bit-serial matrix engine in the manner of BISMO: time is proportional to weight bits x activation bits.

Umuroglu, Rasnayake, Sjalander: BISMO, a scalable bit-serial matrix multiplication overlay for reconfigurable computing,
FPL 2018, sections 3 and 4. An array of rows x columns dot-product units, each taking `depth` bits of both operands a
cycle, works on one pair of bit planes at a time, while operands stream from memory.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hw_models.analytic.analytic_device import AnalyticDevice, read_parameters
from hw_models.device import UnitCost
from hw_models.units import Unit


@dataclass(frozen=True, slots=True)
class Parameters:
    """One instance of the engine."""

    rows: float  #: dot-product units along output positions
    columns: float  #: ... along output channels
    depth: float  #: bits of the reduction taken in one cycle
    clock_mhz: float
    memory_bits_per_cycle: float
    unit_overhead_cycles: float  #: to start one operation
    binary_operation_pj: float
    memory_bit_pj: float


class BitSerial(AnalyticDevice):
    """Compute cycles = w_bits x a_bits x tiles; operands and results stream meanwhile."""

    kind = "bit-serial"

    def __init__(self, document: Mapping[str, Any]) -> None:
        super().__init__(document)
        self.parameters = read_parameters(Parameters, document)

    def unit_cost(self, unit: Unit) -> UnitCost:
        """The time of one unit: the longer of computing and streaming."""
        parameters = self.parameters
        planes = unit.weight_bits * unit.activation_bits
        compute = planes * self._tiles(unit)
        bits = (
            unit.elements_in * unit.activation_bits
            + unit.weights * unit.weight_bits
            + unit.elements_out * min(unit.output_bits, 32)
        )
        memory = bits / parameters.memory_bits_per_cycle
        energy = planes * unit.macs * 2 * parameters.binary_operation_pj + bits * parameters.memory_bit_pj
        cycles = max(compute, memory) + parameters.unit_overhead_cycles
        return self.cost(cycles, parameters.clock_mhz, energy, "compute" if compute > memory else "memory")

    def _tiles(self, unit: Unit) -> float:
        """Steps of the array for one pair of bit planes."""
        if not unit.macs:
            return 0.0
        reduction = math.prod(unit.kernel) * unit.in_channels // unit.groups
        positions = unit.batch * math.prod(unit.out_hw)
        channels = unit.out_channels // unit.groups
        steps = math.ceil(positions / self.parameters.rows) * math.ceil(channels / self.parameters.columns)
        return unit.groups * steps * math.ceil(reduction / self.parameters.depth)
