"""A device as a job's options let it be used: the bits of weights that are legal for each layer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hw_models.device import Calibration, Device, Prediction, UnitCost
from hw_models.fusion import Execution
from hw_models.units import Unit
from paretrim.compression import INTEGER, WIDTHS, Compression, check_quantizer
from paretrim.errors import InvalidInput, InvalidPolicy
from paretrim.network import Network, Operation, SizedOperation
from paretrim.problem import Bits, Policy


class StoredBits:
    """A device on which weights may also have widths that it has no kernel for, and only those a quantizer can make.

    Widths without a kernel run as the next wider kernel: they save bytes, not time. Weights that are no integers run in
    floating point.
    """

    def __init__(self, device: Device, compression: Compression) -> None:
        self._device, self._compression = device, compression

    def legal_bits(self, operation: Operation | SizedOperation) -> tuple[Bits, ...]:
        """The device's own and the stored widths, as far as the layer's quantizer can make them.

        Raises InvalidInput naming the layer if the device cannot run what the quantizer makes.
        """
        legal, options = self._device.legal_bits(operation), self._compression
        quantizer = options.quantizer(operation.name, operation.kind)
        makes, wide = WIDTHS[quantizer], tuple(bits for bits in legal if bits.weight > 8)
        if quantizer not in INTEGER:
            if not wide:
                raise InvalidInput(
                    f"layer {operation.name!r} cannot have weights by the quantizer {quantizer!r} on"
                    f" {self._device.name}, which has no floating-point kernels; choose an integer quantizer",
                    field="compression.weight_quantizer",
                )
            widths = makes & frozenset(options.storage_bits) if options.storage_bits else makes
            return (*wide, *(Bits(width, 32) for width in sorted(widths)))
        narrow = sorted({bits.activation for bits in legal if bits.activation <= 8})
        added = set(options.storage_bits) | (makes if len(makes) == 1 else set())
        stored = [Bits(width, activation) for width in sorted(added & makes) for activation in narrow]
        own = [bits for bits in legal if bits.weight > 8 or bits.weight in makes]
        return tuple(dict.fromkeys([*own, *stored]))

    @property
    def name(self) -> str:
        """The device's."""
        return self._device.name

    @property
    def kind(self) -> str:
        """The device's."""
        return self._device.kind

    @property
    def execution(self) -> Execution:
        """The device's."""
        return self._device.execution

    @property
    def calibration(self) -> Calibration:
        """The device's."""
        return self._device.calibration

    @property
    def batch(self) -> int:
        """The device's."""
        return self._device.batch

    def channel_step(self, operation: Operation | SizedOperation, bits: Bits) -> int:
        """The device's."""
        return self._device.channel_step(operation, bits)

    def unit_cost(self, unit: Unit) -> UnitCost:
        """The device's."""
        return self._device.unit_cost(unit)

    def predict(self, network: Network, policy: Policy) -> Prediction:
        """The device's."""
        return self._device.predict(network, policy)

    def document(self) -> Mapping[str, Any]:
        """The device's."""
        return self._device.document()


def check_compression(network: Network, device: Device, compression: Compression) -> None:
    """Raise InvalidInput naming the layer if a quantizer is named for one that is not there or that it does not fit."""
    kinds = {layer.name: layer.kind for layer in network.layers}
    for name, quantizer in compression.weight_quantizers.items():
        where = f"compression.weight_quantizers.{name}"
        if name not in kinds:
            raise InvalidInput(f"there is no layer {name!r}; there are {', '.join(kinds)}", field=where)
        try:
            check_quantizer(name, kinds[name], quantizer, Bits(min(WIDTHS[quantizer])))
        except InvalidPolicy as error:
            raise InvalidInput(str(error), field=where) from None
    legal = StoredBits(device, compression)
    for layer in network.layers:
        legal.legal_bits(layer)


def needs_headroom(document: Mapping[str, Any]) -> bool:
    """Whether 8-bit weights must keep to 7 bits there: x86 without VNNI, where ONNX Runtime's sums saturate."""
    hardware = document.get("hardware") or {}
    sets = set(hardware.get("instruction_sets", ()))
    runs = (document.get("runtime") or {}).get("name") == "onnxruntime"
    return runs and bool(sets & {"avx2", "fma", "avx512f"}) and not sets & {"avx512_vnni", "avx_vnni", "amx_int8"}
