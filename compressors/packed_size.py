"""How long a policy's packed file will be, before there is one.

Coded weights take as many bytes as their distribution asks for, which no counting tells. So the network is packed some
times in the beginning: at every width it may have, alike and mixed, whole and with half of its units. From these, the
length of any other policy's file is reckoned: the weights of every layer at its own bytes per weight, between and
beyond those seen; all else (biases, scales, graph) by a line fitted to channels at each width and the number of widths.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from compressors.coding import Coded
from compressors.compressor import Compressor, CompressorOptions
from compressors.export import write_onnx
from compressors.imported import Imported
from compressors.pack import Packed, pack
from compressors.statistics import Statistics
from paretrim.network import Network, SizedOperation
from paretrim.problem import FULL_PRECISION, Bits, Policy

#: shares of the units that are packed
_SHARES = (1.0, 0.5)
#: mixtures of widths that are packed, for each share and width
_MIXTURES = 2

#: by layer and width: (weights there were, bytes each took), rising in weights
Rates = Mapping[str, Mapping[int, tuple[tuple[int, float], ...]]]


@dataclass(frozen=True, slots=True)
class PackedSizes:
    """Predicts the bytes of packed files of one network. Made of values.

    rest: coefficients of `_features` for all bytes that are no weights; widths: what they were fitted on.
    """

    rates: Rates
    widths: tuple[int, ...]
    rest: tuple[float, ...]

    def predict(self, operations: Sequence[SizedOperation]) -> int:
        """Bytes of the packed file of a network of these sizes."""
        layers = [operation for operation in operations if operation.is_layer]
        weights = sum(_elements(layer) * self._rate(layer) for layer in layers)
        return max(1, round(weights + float(_features(layers, self.widths) @ np.array(self.rest))))

    def _rate(self, layer: SizedOperation) -> float:
        """Bytes per weight: between two packed sizes on a line over the logarithm of their number, beyond them too."""
        known = self.rates.get(layer.name, {})
        if layer.sparsity is not None or not known:
            return operation_weight_bits(layer) / 8 / _elements(layer)
        points = known[_nearest_width(layer.weight_bits, known)]
        (fewer, low), (more, high) = points[0], points[-1]
        if fewer == more:
            return high
        share = math.log(_elements(layer) / more) / math.log(fewer / more)
        return max(0.25 * high, high + (low - high) * share)

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        rates = {
            name: {str(width): [list(point) for point in points] for width, points in by_width.items()}
            for name, by_width in self.rates.items()
        }
        return {"rates": rates, "widths": list(self.widths), "rest": list(self.rest)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> PackedSizes:
        """The inverse of `to_json`."""
        rates = {
            name: {int(w): tuple((int(n), float(rate)) for n, rate in points) for w, points in by_width.items()}
            for name, by_width in value["rates"].items()
        }
        return cls(rates, tuple(map(int, value["widths"])), tuple(map(float, value["rest"])))


def learn_packed_sizes(
    imported: Imported,
    network: Network,
    statistics: Statistics | None,
    options: CompressorOptions,
    choices: Mapping[str, Sequence[Bits]],
) -> PackedSizes:
    """Pack the network at every width in `choices` (by layer: the bits that layer may have)."""
    compressor = Compressor(imported, network, statistics, replace(options, reconstruction="gram"))
    widths = tuple(sorted({FULL_PRECISION.weight} | {bits.weight for legal in choices.values() for bits in legal}))
    rates: dict[str, dict[int, dict[int, float]]] = {layer.name: {} for layer in network.layers}
    coded: dict[bytes, Coded] = {}
    features, left = [], []
    for policy in _policies(network, choices, widths):
        packed = pack(write_onnx(compressor.compress(policy).module, imported, policy=policy), coded)
        layers = [operation for operation in network.sized(policy) if operation.is_layer]
        features.append(_features(layers, widths))
        left.append(_learn(packed, layers, rates))
    fitted = np.linalg.lstsq(np.array(features), np.array(left), rcond=1e-6)[0]
    found = {name: {w: tuple(sorted(seen.items())) for w, seen in known.items()} for name, known in rates.items()}
    return PackedSizes(found, widths, tuple(float(each) for each in fitted))


def _policies(network: Network, choices: Mapping[str, Sequence[Bits]], widths: Sequence[int]) -> Iterator[Policy]:
    """Every layer at every width it may have: once with all layers alike, then with the widths mixed by chance."""
    names = [name for name in choices if choices[name]]
    mixed = np.random.default_rng(0).integers(0, len(widths), (_MIXTURES, len(names))).tolist()
    for share in _SHARES:
        keep = {group.name: share for group in network.prunable_groups if share < 1.0}
        for start in range(len(widths)):
            for offsets in ([0] * len(names), *(mixed if len(widths) > 1 else ())):
                wanted = [widths[(start + offset) % len(widths)] for offset in offsets]
                bits = {name: _nearest(choices[name], width) for name, width in zip(names, wanted, strict=True)}
                yield Policy(keep=keep, bits=bits)


def _nearest(legal: Sequence[Bits], width: int) -> Bits:
    """The bits with this width of weights, or those nearest to it; the narrowest activations."""
    return min(legal, key=lambda bits: (abs(bits.weight - width), bits.activation))


def _learn(packed: Packed, layers: Sequence[SizedOperation], rates: dict[str, dict[int, dict[int, float]]]) -> float:
    """Note the weights' bytes of every layer. Returns the bytes of everything else."""
    by_tensor = {tensor.name: tensor.packed_bytes for tensor in packed.tensors}
    left = len(packed.content)
    for layer in layers:
        weight = by_tensor.get(f"{layer.name}.weight")
        if weight is not None:
            left -= weight
            count = _elements(layer)
            rates[layer.name].setdefault(layer.weight_bits, {})[count] = weight / count
    return float(left)


def _features(layers: Sequence[SizedOperation], widths: Sequence[int]) -> npt.NDArray[np.float64]:
    """1; channels at each width; how many layers are quantized; how many widths there are beside each other."""
    channels = dict.fromkeys(widths, 0)
    for layer in layers:
        channels[_nearest_width(layer.weight_bits, widths)] += layer.out_channels
    quantized = sum(layer.weight_bits <= 8 for layer in layers)
    return np.array([1.0, *channels.values(), quantized, len({layer.weight_bits for layer in layers})])


def _nearest_width(width: int, known: Iterable[int]) -> int:
    return min(known, key=lambda each: (abs(each - width), each))


def operation_weight_bits(layer: SizedOperation) -> int:
    """Bits of a layer's weights by counting: those that are not zero and where they are, if it is sparse."""
    if layer.sparsity is None:
        return _elements(layer) * layer.weight_bits
    inputs = layer.in_channels // layer.groups
    return layer.sparsity.stored_bits(layer.out_channels, inputs, layer.kernel, layer.weight_bits)


def _elements(layer: SizedOperation) -> int:
    return max(1, math.prod(layer.kernel) * layer.in_channels // layer.groups * layer.out_channels)
