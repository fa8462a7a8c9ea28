"""Fits the microcontroller devices on the results of MLPerf Tiny v1.2, and checks them across chips.

    python -m benchmarks.mcu_fit [../shared/luts/mlperf_tiny/v1.2_summary.csv]

Prints, for every chip, predicted / published cycles of the four networks: fitted on the chip's own results, and with the
constants of the Cortex-M4 scaled by one result alone (image classification). The second is the check. Baseline in the
same run: one constant per multiply-add, fitted on the same one result.
"""

from __future__ import annotations

import csv
import json
import os
import sys
from pathlib import Path

import numpy as np
from scipy.optimize import nnls

from hw_models.counts import macs
from hw_models.devices import load_device, shipped
from hw_models.lowering import lower
from hw_models.reference_networks import MLPERF_TINY

SHARED = Path(os.environ.get("PARETRIM_SHARED", "../shared"))
CHIPS = {"mcu-m4": ("NUCLEO-L4R5ZI", 120), "mcu-m33": ("NUCLEO-U575ZI-Q", 160), "mcu-m7": ("NUCLEO-H7A3ZI-Q", 280)}
TERMS = ("convolution", "narrow_input", "depthwise", "linear")


def published(path: Path) -> dict[tuple[str, str], tuple[float, float]]:
    """Cycles and microjoules of an inference, by device and network; results of the maker's own runtime."""
    found = {}
    for row in csv.DictReader(path.read_text().splitlines()):
        for name, (board, mhz) in CHIPS.items():
            if row["BoardName"] == board and row["Organization"] == "STMicroelectronics":
                found[name, row["MlperfModel"]] = (mhz * 1e6 / float(row["Result"]), float(row["Power"]))
    return found


def terms(network: str) -> np.ndarray:
    """Multiply-adds of one network by kind of layer. (4,)"""
    counted = np.zeros(len(TERMS))
    for item in lower(MLPERF_TINY[network](), load_device(shipped()["mcu-m4"]).execution):
        unit = item.unit
        if unit.kind == "conv2d":
            narrow = not unit.is_depthwise and unit.in_channels < 4
            counted[2 if unit.is_depthwise else 1 if narrow else 0] += unit.macs
        elif unit.kind == "linear":
            counted[3] += unit.macs
    return counted


def main() -> None:
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else SHARED / "luts" / "mlperf_tiny" / "v1.2_summary.csv"
    results = published(path)
    networks = list(MLPERF_TINY)
    matrix = np.stack([terms(network) for network in networks])
    counted = np.array([macs(MLPERF_TINY[network]()) for network in networks], dtype=float)
    prior = np.array([[-1.0, 0.0, 1.0, 0.0]])  # depthwise costs as much as any, four results cannot tell
    fitted = {}
    for name in CHIPS:
        cycles = np.array([results[name, network][0] for network in networks])
        own, _ = nnls(np.vstack([matrix / cycles[:, None], prior]), np.append(np.ones(len(networks)), 0.0))
        fitted[name] = own
        picojoules = [1e6 * results[name, network][1] / results[name, network][0] for network in networks]
        first = fitted["mcu-m4"]
        scale = cycles[0] / float(matrix[0] @ first)
        print(
            json.dumps(
                {
                    "device": name,
                    "cycles_per_mac": dict(zip(TERMS, own.round(3).tolist(), strict=True)),
                    "energy_per_cycle_pj": round(float(np.mean(picojoules))),
                    "own": dict(zip(networks, (matrix @ own / cycles).round(3).tolist(), strict=True)),
                    "scaled_from_m4_by_ic": dict(
                        zip(networks, (scale * (matrix @ first) / cycles).round(3).tolist(), strict=True)
                    ),
                    "baseline_one_constant": dict(
                        zip(networks, (counted / counted[0] * cycles[0] / cycles).round(3).tolist(), strict=True)
                    ),
                }
            )
        )


if __name__ == "__main__":
    main()
