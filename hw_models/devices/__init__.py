"""The devices that ship with paretrim, and the door through which every device document comes in."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache
from importlib import resources
from typing import Any

from hw_models.analytic.bit_serial import BitSerial
from hw_models.analytic.ethos_u import EthosU
from hw_models.analytic.mcu import Microcontroller
from hw_models.analytic.roofline import Roofline
from hw_models.analytic.spatial_fusion import SpatialFusion
from hw_models.device import Device
from hw_models.table import TableDevice
from paretrim.errors import InvalidTable

#: kinds of device documents, and what makes a device of them
KINDS: Mapping[str, Callable[[Mapping[str, Any]], Device]] = {
    TableDevice.kind: TableDevice,
    BitSerial.kind: BitSerial,
    Microcontroller.kind: Microcontroller,
    SpatialFusion.kind: SpatialFusion,
    EthosU.kind: EthosU,
    Roofline.kind: Roofline,
}


def load_device(document: Mapping[str, Any]) -> Device:
    """A device from its JSON document. Raises InvalidTable naming the field at fault and the remedy."""
    if not isinstance(document, Mapping):
        raise InvalidTable("a device is a JSON object; see docs/latency-tables.md", field="device")
    kind = document.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        raise InvalidTable(f"kind {kind!r} is not known; there are {', '.join(KINDS)}", field="device.kind")
    return KINDS[kind](document)


@cache
def _texts() -> Mapping[str, str]:
    files = sorted(resources.files(__name__).iterdir(), key=lambda entry: entry.name)
    return {entry.name[: -len(".json")]: entry.read_text("utf-8") for entry in files if entry.name.endswith(".json")}


def shipped() -> dict[str, dict[str, Any]]:
    """The documents of the devices that ship with paretrim, by name."""
    return {name: json.loads(text) for name, text in _texts().items()}
