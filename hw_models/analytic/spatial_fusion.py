"""An array of 2-bit bricks that fuse to wider multipliers, in the manner of BitFusion.

Sharma et al.: Bit Fusion, bit-level dynamically composable architecture for accelerating deep neural networks,
ISCA 2018. A unit of rows x columns multiplies at 8 bits or, taken apart, at 4 or 2: widths between compute as the next
power of two, but are stored and moved as they are. Rows take the reduction, columns the output channels; sums leave the
array as they are, at full width. Ranks, ratios and the staircases are checked against the table that APQ published.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hw_models.analytic.analytic_device import AnalyticDevice, read_parameters
from hw_models.device import UnitCost
from hw_models.units import Unit

_LADDER = (2, 4, 8)


@dataclass(frozen=True, slots=True)
class Parameters:
    """One instance of the array."""

    rows: float  #: 8-bit multipliers along the reduction
    columns: float  #: ... along output channels
    clock_mhz: float
    memory_bits_per_cycle: float
    depthwise_rows: float  #: multipliers that one channel of a depthwise convolution keeps busy
    bits_per_sum: float  #: moved for every result: written, and read back
    unhidden_share: float  #: of the shorter of computing and streaming, what is not hidden behind the longer
    unit_overhead_cycles: float
    multiply_8bit_pj: float
    memory_bit_pj: float


class SpatialFusion(AnalyticDevice):
    """Multipliers per cycle double for every operand that is halved down the ladder 8, 4, 2."""

    kind = "spatial-fusion"

    def __init__(self, document: Mapping[str, Any]) -> None:
        super().__init__(document)
        self.parameters = read_parameters(Parameters, document)

    def unit_cost(self, unit: Unit) -> UnitCost:
        """The time of one unit: the longer of computing and streaming, and a share of the shorter."""
        parameters = self.parameters
        fused = 64 / (rung(unit.weight_bits) * rung(unit.activation_bits)) if unit.macs else 1.0
        compute, bits = self._steps(unit, fused), self._streamed_bits(unit)
        memory = bits / parameters.memory_bits_per_cycle
        energy = unit.macs / fused * parameters.multiply_8bit_pj + bits * parameters.memory_bit_pj
        cycles = max(compute, memory) + parameters.unhidden_share * min(compute, memory)
        cycles += parameters.unit_overhead_cycles
        return self.cost(cycles, parameters.clock_mhz, energy, "compute" if compute >= memory else "memory")

    def _steps(self, unit: Unit, fused: float) -> float:
        """Cycles of the array. A group of a grouped convolution has the array for itself."""
        parameters = self.parameters
        if not unit.macs:
            return 0.0
        positions = unit.batch * math.prod(unit.out_hw)
        if unit.kind not in ("conv1d", "conv2d", "linear"):
            return unit.macs / (parameters.rows * parameters.columns * fused)
        taps = math.prod(unit.kernel)
        if unit.is_depthwise:
            return positions * unit.out_channels * taps / (parameters.depthwise_rows * fused)
        columns = math.ceil(unit.out_channels / unit.groups / parameters.columns)
        reduction = taps * unit.in_channels // unit.groups
        return unit.groups * positions * columns * math.ceil(reduction / (parameters.rows * fused))

    def _streamed_bits(self, unit: Unit) -> float:
        """Bits to and from memory."""
        moved = unit.elements_in * min(unit.activation_bits, 32) + unit.weights * unit.weight_bits
        return moved + unit.elements_out * (self.parameters.bits_per_sum if unit.macs else 8)


def rung(bits: int) -> int:
    """The width that bricks are fused to for so many bits: 2, 4 or 8."""
    return next((width for width in _LADDER if width >= bits), _LADDER[-1])
