"""Tables of simulators of mixed-precision accelerators: HAQ's and APQ's. They claim ratios between bit-widths only."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from hw_models.importers.rows import ForeignTable, checked_unit, conv
from hw_models.importers.text import json_of, number, whole_option
from hw_models.units import Unit
from paretrim.errors import InvalidTable
from paretrim.problem import Bits

_APQ_KEY = re.compile(r"^\((?P<shape>\d+(?:, ?\d+){6})\)-W(?P<w>\d)A(?P<a>\d)$")


def read_apq(content: bytes, options: Mapping[str, str]) -> ForeignTable:
    """APQ's BitFusion table, JSON: "(cin, cout, size, kernel, stride, padding, groups)-WwAa" -> latency, energy.

    Wang et al.: APQ, CVPR 2020. Latency is taken as ms and energy as mJ, as in the paper.
    """
    del options
    found = json_of(content)
    if not isinstance(found, Mapping):
        raise InvalidTable("an APQ table is a JSON object", field="file")
    table = ForeignTable(
        kernels=(), runtime={"name": "bitfusion-simulator", "version": "unknown"}, hardware={"cpu_model": "BitFusion"}
    )
    seen: set[Bits] = set()
    for key, entry in found.items():
        match = _APQ_KEY.match(key)
        if match is None or not isinstance(entry, Mapping) or "latency" not in entry:
            table.notes.append(f"{key[:60]!r} is no layer and is left out")
            continue
        bits = Bits(int(match["w"]), int(match["a"]))
        seen.add(bits)
        cin, cout, size, kernel, stride, padding, groups = (int(part) for part in match["shape"].split(","))
        unit = conv(
            1, (cin, cout), (size, size), kernel=kernel, stride=stride, padding=padding, groups=groups, bits=bits
        )
        energy = entry.get("energy")
        table.add(
            key,
            unit,
            1e3 * number(entry["latency"], key),
            energy_uj=None if energy is None else 1e3 * number(energy, key),
        )
    table.kernels = tuple(sorted(seen, key=lambda b: (-b.weight, -b.activation)))
    return table


def read_haq(content: bytes, options: Mapping[str, str]) -> ForeignTable:
    """HAQ's table, .npy of whole cycles: (layers, weight bits 1 to 8, activation bits 1 to 8).

    Wang et al.: HAQ, CVPR 2019. The table knows layers by number only, so a unit is `haq.layer` with that number. HAQ
    itself looks a missing activation width (-1) up at index -2, which is 7 bits; here bits are 1 to 8 or an error.
    """
    clock_mhz = whole_option(options, "clock_mhz", 1000)
    cycles = _array(content)
    table = ForeignTable(
        kernels=tuple(Bits(w, a) for w in range(8, 0, -1) for a in range(8, 0, -1)),
        runtime={"name": "haq-simulator", "version": "unknown", "clock_mhz": clock_mhz},
        hardware={"cpu_model": "unknown"},
        batch=whole_option(options, "batch", 16),
        smooth=False,
    )
    if "clock_mhz" not in options:
        table.notes.append("the file has cycles; 1000 MHz is assumed, so times are ratios only: --option clock_mhz=N")
    for layer, w, a in np.ndindex(cycles.shape):
        unit = haq_unit(layer, Bits(w + 1, a + 1), table.batch)
        table.add(f"layer {layer} W{w + 1}A{a + 1}", unit, float(cycles[layer, w, a]) / clock_mhz)
    return table


def haq_unit(layer: int, bits: Bits, batch: int = 16) -> Unit:
    """A layer of HAQ's table at some bits: 1 to 8 each."""
    return checked_unit(
        kind="haq.layer",
        in_channels=1,
        out_channels=1,
        weight_bits=bits.weight,
        activation_bits=bits.activation,
        output_bits=bits.activation,
        batch=batch,
        extra={"layer": layer},
    )


def _array(content: bytes) -> NDArray[np.generic]:
    """Whole numbers (layers, 8, 8). Object arrays, which are pickles, are refused by numpy."""
    if not content.startswith(b"\x93NUMPY"):
        raise InvalidTable("the file is not a .npy file", field="file")
    try:
        array: NDArray[np.generic] = np.load(io.BytesIO(content), allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise InvalidTable(f"the .npy file cannot be read: {error}", field="file") from None
    if array.ndim != 3 or array.shape[1:] != (8, 8) or not np.issubdtype(array.dtype, np.number):
        raise InvalidTable(f"a HAQ table is (layers, 8, 8) numbers, this is {array.shape} {array.dtype}", field="file")
    return array
