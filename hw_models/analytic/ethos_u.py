"""An Ethos-U class neural processor: blocks of output computed by a fixed array, weights streamed from flash.

Own formula after the published description of the estimate of Arm's compiler (ethos-u-vela, Apache-2.0): of every
operation the longest of computing, SRAM and flash traffic counts. The array makes a small block of positions and output
channels at a time, and takes in one step either several taps of few input channels or one tap of many. Checked against
Vela 5.2 on the networks of MLPerf Tiny; ranks and ratios only, as its own vendor says of Vela.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hw_models.analytic.analytic_device import AnalyticDevice, read_parameters
from hw_models.counts import VIEWS
from hw_models.device import UnitCost
from hw_models.units import Unit


@dataclass(frozen=True, slots=True)
class Parameters:
    """One configuration of the unit in one system."""

    clock_mhz: float
    block_positions: float  #: that the array makes at a time
    block_channels: float  #: output channels of the same
    step_cycles: float  #: for one step of the reduction
    step_taps: float  #: taken in one step, with `step_depth` input channels each
    step_depth: float
    elementwise_cycles: float  #: per element of an addition or the like
    unit_overhead_cycles: float  #: to begin one operation
    sram_bytes_per_cycle: float
    flash_bytes_per_cycle: float
    energy_per_mac_pj: float
    energy_per_sram_byte_pj: float
    energy_per_flash_byte_pj: float
    sram_bytes: float
    flash_bytes: float


class EthosU(AnalyticDevice):
    """Cycles of one operation: the longest of its arithmetic and its traffic."""

    kind = "ethos-u"

    def __init__(self, document: Mapping[str, Any]) -> None:
        super().__init__(document)
        self.parameters = read_parameters(Parameters, document)

    def unit_cost(self, unit: Unit) -> UnitCost:
        """The time of one unit, in whichever of compute, memory and storage takes longest."""
        parameters = self.parameters
        traffic = unit.elements_in + unit.elements_out
        stored = unit.weights * min(unit.weight_bits, 8) / 8
        parts = {
            "compute": self.compute_cycles(unit),
            "memory": traffic / parameters.sram_bytes_per_cycle,
            "storage": stored / parameters.flash_bytes_per_cycle,
        }
        bound = max(parts, key=parts.__getitem__)
        energy = (
            unit.macs * parameters.energy_per_mac_pj
            + traffic * parameters.energy_per_sram_byte_pj
            + stored * parameters.energy_per_flash_byte_pj
        )
        return self.cost(max(parts[bound], 1.0), parameters.clock_mhz, energy, bound)

    def compute_cycles(self, unit: Unit) -> float:
        """Cycles of the arithmetic alone."""
        parameters = self.parameters
        if not unit.macs:
            pooled = math.prod(unit.kernel) if unit.kernel else 1
            if unit.kind in ("global_avg_pool", "avg_pool", "max_pool"):
                return unit.elements_in / 2 * max(1, pooled // 4) + parameters.unit_overhead_cycles
            return unit.elements_out * parameters.elementwise_cycles if unit.kind not in VIEWS else 1.0
        positions = unit.batch * math.ceil(math.prod(unit.out_hw) / parameters.block_positions)
        taps = math.prod(unit.kernel or (1,))
        by_taps = math.ceil(taps / parameters.step_taps)
        if unit.is_depthwise:
            steps = by_taps
            channels = math.ceil(unit.out_channels / parameters.block_channels)
        else:
            share = unit.in_channels // unit.groups
            by_depth = math.ceil(share / parameters.step_depth)
            all_depth = math.ceil(share / (parameters.step_taps * parameters.step_depth))
            steps = min(by_taps * by_depth, taps * all_depth)
            channels = unit.groups * math.ceil(unit.out_channels / unit.groups / parameters.block_channels)
        return positions * channels * steps * parameters.step_cycles + parameters.unit_overhead_cycles
