"""A refined roofline for a digital signal processor or GPU: arithmetic that fills its array only in part, or traffic.

Wess et al.: ANNETTE, accurate neural network execution time estimation with stacked models, IEEE Access 2021, section
IV. Utilisation along a dimension of extent n on an array of width p is u = n / (ceil(n / p) p), and an efficiency
1 / ((1 - a) + a / u) with a fitted by dimension: a = 1 where the array is filled strictly, 0 where it does not matter.
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
    """One processor with one runtime."""

    peak_macs_per_us: float  #: at the widest bits the device has
    memory_bytes_per_us: float
    weight_bytes_per_us: float
    out_width: float  #: of the array along output channels
    out_alpha: float
    in_width: float  #: ... input channels
    in_alpha: float
    row_width: float  #: ... rows of the image
    row_alpha: float
    depthwise_share: float  #: of the peak that depthwise convolutions reach
    unit_overhead_us: float
    energy_per_mac_pj: float
    energy_per_byte_pj: float


class Roofline(AnalyticDevice):
    """The longer of arithmetic at its efficiency and traffic."""

    kind = "roofline"

    def __init__(self, document: Mapping[str, Any]) -> None:
        super().__init__(document)
        self.parameters = read_parameters(Parameters, document)
        self._widest = max(bits.weight * bits.activation for bits in self.execution.kernels)

    def unit_cost(self, unit: Unit) -> UnitCost:
        """The time of one unit."""
        parameters = self.parameters
        compute = self._compute_us(unit)
        moved = unit.elements_in * unit.activation_bits / 8 + unit.elements_out * unit.output_bits / 8
        stored = unit.weights * unit.weight_bits / 8
        memory = moved / parameters.memory_bytes_per_us + stored / parameters.weight_bytes_per_us
        energy = unit.macs * parameters.energy_per_mac_pj + (moved + stored) * parameters.energy_per_byte_pj
        time_us = max(compute, memory) + parameters.unit_overhead_us
        bound = "overhead" if parameters.unit_overhead_us > max(compute, memory) else None
        return self.cost(time_us, 1.0, energy, bound or ("compute" if compute >= memory else "memory"))

    def _compute_us(self, unit: Unit) -> float:
        if not unit.macs:
            return 0.0
        parameters = self.parameters
        rows = unit.out_hw[0] if unit.out_hw else 1
        efficiency = (
            _efficiency(unit.out_channels, parameters.out_width, parameters.out_alpha)
            * _efficiency(unit.in_channels // unit.groups, parameters.in_width, parameters.in_alpha)
            * _efficiency(rows, parameters.row_width, parameters.row_alpha)
        )
        if unit.is_depthwise:
            efficiency = parameters.depthwise_share * _efficiency(
                unit.out_channels, parameters.out_width, parameters.out_alpha
            )
        narrower = unit.weight_bits * unit.activation_bits / self._widest
        return unit.macs * math.sqrt(narrower) / (parameters.peak_macs_per_us * efficiency)


def _efficiency(extent: int, width: float, alpha: float) -> float:
    used = extent / (math.ceil(extent / width) * width)
    return 1.0 / ((1.0 - alpha) + alpha / used)
