"""How long a policy's packed file will be, before there is one.

Coded weights take as many bytes as their distribution asks for, which no counting tells. So the network is packed some
times in the beginning: at every width it may have, alike and mixed, whole and with fewer units. What a layer's weights
take depends on its own width, on how many inputs each of its channels has, and hardly on the other layers; what its
scales and biases take, on its width and its channels. Both are as packed for the whole layer, and follow fitted lines
for fewer units. What belongs to no layer (the graph, the tensors' codings) is fitted to how many layers are rounded and
what lies beside them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from typing import Any

import numpy as np

from compressors.coding import Coded
from compressors.compressor import Compressor, CompressorOptions
from compressors.export import write_onnx
from compressors.imported import Imported
from compressors.pack import Packed, pack
from compressors.statistics import Statistics
from paretrim.network import Network, SizedOperation
from paretrim.problem import FULL_PRECISION, Bits, Policy

#: shares of the units that are packed with all layers alike
_SHARES = (1.0, 0.65, 0.4)
#: for each of them, where activations are among those legal: at the most bits, the fewest, in the middle
_ALIKE = (1.0, 0.0, 0.5)
#: mixtures of widths that are packed for each width, with all units and again with shares by chance
_MIXTURES = 2
#: mixtures in which half of the layers, drawn by chance, have 32 bits: their graphs differ most
_HALVES = 8
#: smallest share in a mixture
_LEAST_SHARE = 0.3
#: how much a slope must explain to be believed
_RIDGE = 1e-3


@dataclass(frozen=True, slots=True)
class LayerRate:
    """What one layer takes at one width.

    inputs, channels, whole: of the largest that was packed, and the bytes of its weights; each: bytes per weight of one
    that has lost units (refitted weights need not pack as the original's do); inputs_slope: what is added for every
    e-fold of inputs; fixed: bytes that do not shrink with the weights; others: bytes of scales and biases of the
    largest; others_slope: of every channel.
    """

    inputs: int
    channels: int
    whole: int
    each: float
    inputs_slope: float = 0.0
    fixed: float = 0.0
    others: float = 0.0
    others_slope: float = 0.0
    least: float = 0.0  #: bytes per weight that were seen
    most: float = math.inf
    loses_inputs: bool = False  #: whether some of those packed had fewer inputs, and so were refitted

    def weights(self, inputs: int, channels: int) -> float:
        """Bytes of the weights of the layer with so many inputs for each channel, and so many channels."""
        if inputs == self.inputs and (channels == self.channels or self.loses_inputs):
            return self.whole * channels / self.channels  # its weights are the original's
        each = self.each + self.inputs_slope * math.log(inputs / self.inputs)
        count = inputs * channels
        return count * min(1.05 * self.most, max(0.95 * self.least, each + self.fixed / count))

    def scales(self, channels: int) -> float:
        """Bytes of its scales and biases."""
        return max(0.0, self.others + self.others_slope * (channels - self.channels))


@dataclass(frozen=True, slots=True)
class PackedSizes:
    """Predicts the bytes of packed files of one network. Made of values.

    rates: by layer and width; rest: coefficients of `_features` for the bytes that belong to no layer.
    """

    rates: Mapping[str, Mapping[int, LayerRate]]
    rest: tuple[float, ...]

    def predict(self, operations: Sequence[SizedOperation]) -> int:
        """Bytes of the packed file of a network of these sizes."""
        total = sum(self._layer(operation) for operation in operations if operation.is_layer)
        return max(1, round(total + sum(a * b for a, b in zip(_features(operations), self.rest, strict=True))))

    def _layer(self, layer: SizedOperation) -> float:
        known = self.rates.get(layer.name)
        if not known:
            return operation_weight_bits(layer) / 8
        rate = known[_nearest_width(layer.weight_bits, known)]
        weights = operation_weight_bits(layer) / 8
        if layer.sparsity is None:
            weights = rate.weights(_inputs(layer), layer.out_channels)
        return weights + rate.scales(layer.out_channels)

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        rates = {
            name: {str(width): list(astuple(rate)) for width, rate in by_width.items()}
            for name, by_width in self.rates.items()
        }
        return {"rates": rates, "rest": list(self.rest)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> PackedSizes:
        """The inverse of `to_json`."""
        rates = {
            name: {int(width): LayerRate(*rate) for width, rate in by_width.items()}
            for name, by_width in value["rates"].items()
        }
        return cls(rates, tuple(map(float, value["rest"])))


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a layer took in one packed file."""

    inputs: int
    channels: int
    weights: int  #: bytes
    others: int  #: bytes of scales and biases


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
    seen: dict[str, dict[int, list[_Seen]]] = {layer.name: {} for layer in network.layers}
    coded: dict[bytes, Coded] = {}
    features, left = [], []
    for policy in _policies(network, choices, widths):
        packed = pack(write_onnx(compressor.compress(policy).module, imported, policy=policy), coded)
        operations = network.sized(policy)
        features.append(_features(operations))
        left.append(_learn(packed, [each for each in operations if each.is_layer], seen))
    table, wanted = np.array(features), np.array(left)
    ridge = 0.1 * np.eye(table.shape[1])
    fitted = np.linalg.solve(table.T @ table + ridge, table.T @ wanted)
    rates = {name: {width: _fitted(points) for width, points in known.items()} for name, known in seen.items()}
    return PackedSizes(rates, tuple(float(each) for each in fitted))


def _policies(network: Network, choices: Mapping[str, Sequence[Bits]], widths: Sequence[int]) -> Iterator[Policy]:
    """Every layer at every width it may have: with all layers alike, then with widths, and shares, mixed by chance.

    Activations have the most bits that go with a width, the fewest, or some by chance: graphs differ in them.
    """
    names = [name for name in choices if choices[name]]
    generator = np.random.default_rng(0)
    groups = [group.name for group in network.prunable_groups]
    mixes = any(len(legal) > 1 for legal in choices.values())
    mixed = generator.integers(0, len(widths), (_MIXTURES, len(names))).tolist() if mixes else []
    for start in range(len(widths)):
        for place, share in enumerate(_SHARES if groups else _SHARES[:1]):
            keep = dict.fromkeys(groups, share) if share < 1.0 else {}
            activations = [_ALIKE[place]] * len(names)
            yield Policy(keep=keep, bits=_bits(choices, names, [widths[start]] * len(names), activations))
        for offsets in mixed:
            wanted = [widths[(start + offset) % len(widths)] for offset in offsets]
            bits = _bits(choices, names, wanted, generator.random(len(names)).tolist())
            yield Policy(bits=bits)
            if groups:
                shares = generator.uniform(_LEAST_SHARE, 1.0, len(groups)).tolist()
                yield Policy(keep=dict(zip(groups, shares, strict=True)), bits=bits)
    for _ in range(_HALVES if mixes else 0):
        chosen = generator.integers(0, len(widths), len(names)).tolist()
        plain = generator.random(len(names)) < 0.5
        wanted = [FULL_PRECISION.weight if full else widths[at] for full, at in zip(plain, chosen, strict=True)]
        yield Policy(bits=_bits(choices, names, wanted, generator.random(len(names)).tolist()))


def _bits(
    choices: Mapping[str, Sequence[Bits]], names: Sequence[str], widths: Sequence[int], activations: Sequence[float]
) -> dict[str, Bits]:
    """For each layer the legal bits nearest to a width of weights; full precision is the original's, whether the device
    has it or not. activations: where among the legal bits of activations, from the fewest (0) to the most (1)."""
    return {
        name: FULL_PRECISION if width == FULL_PRECISION.weight else _nearest(choices[name], width, share)
        for name, width, share in zip(names, widths, activations, strict=True)
    }


def _nearest(legal: Sequence[Bits], width: int, share: float) -> Bits:
    """Of the bits whose weights are nearest to this width, those at a share of the way to the most for activations."""
    distance = min(abs(bits.weight - width) for bits in legal)
    near = sorted((b for b in legal if abs(b.weight - width) == distance), key=lambda b: (b.activation, b.weight))
    return near[min(len(near) - 1, int(share * len(near)))]


def _learn(packed: Packed, layers: Sequence[SizedOperation], seen: dict[str, dict[int, list[_Seen]]]) -> float:
    """Note the bytes of every layer. Returns the bytes of everything else."""
    by_tensor = {tensor.name: tensor.packed_bytes for tensor in packed.tensors}
    by_layer = packed.by_layer()
    left = len(packed.content)
    for layer in layers:
        weight = by_tensor.get(f"{layer.name}.weight")
        if weight is not None:
            left -= by_layer[layer.name]
            point = _Seen(_inputs(layer), layer.out_channels, weight, by_layer[layer.name] - weight)
            seen[layer.name].setdefault(layer.weight_bits, []).append(point)
    return float(left)


def _fitted(points: Sequence[_Seen]) -> LayerRate:
    """The largest as it was packed; through the others, as near as a rate and two slopes come."""
    whole = max(points, key=lambda point: (point.inputs * point.channels, point.inputs))
    left = [p for p in points if p.inputs != whole.inputs]
    left = left or [p for p in points if p.channels != whole.channels] or [whole]
    counts = np.array([p.inputs * p.channels for p in left], dtype=np.float64)
    logarithms = np.log([p.inputs / whole.inputs for p in left])
    rows = np.stack([counts, counts * logarithms, np.ones_like(counts)], axis=1)
    sizes = np.maximum(np.abs(rows).max(0), 1e-9)
    scaled = rows / sizes
    normal = scaled.T @ scaled + np.diag([1e-12, _RIDGE, _RIDGE])
    each, slope, fixed = np.linalg.solve(normal, scaled.T @ np.array([p.weights for p in left])) / sizes
    steps = np.array([p.channels - whole.channels for p in points], dtype=np.float64)
    lacking = np.array([p.others - whole.others for p in points], dtype=np.float64)
    each_channel = float(steps @ lacking / (steps @ steps)) if steps.any() else 0.0
    return LayerRate(
        whole.inputs,
        whole.channels,
        whole.weights,
        float(each),
        float(slope),
        float(fixed),
        float(whole.others),
        each_channel,
        *_bounds(points),
        any(point.inputs != whole.inputs for point in points),
    )


def _bounds(points: Sequence[_Seen]) -> tuple[float, float]:
    """Fewest and most bytes per weight that were seen."""
    seen = [point.weights / (point.inputs * point.channels) for point in points]
    return min(seen), max(seen)


def _features(operations: Sequence[SizedOperation]) -> tuple[float, ...]:
    """1; rounded layers; neighbours of which one is rounded, or both; joints of rounded ones; ends; kinds of sizes."""
    layers = [operation for operation in operations if operation.is_layer]
    narrow = {layer.name: layer.activation_bits <= 8 for layer in layers}
    before: dict[str, set[str]] = {}  # the layers nearest above each operation's result
    pairs, joints = [], []
    for operation in operations:
        above = set[str]().union(*(before.get(name, set()) for name in operation.inputs))
        if operation.is_layer:
            pairs += [(narrow[name], narrow[operation.name]) for name in above]
        elif len(operation.inputs) > 1:
            joints.append([narrow[name] for name in above])
        before[operation.name] = {operation.name} if operation.is_layer else above
    ends = [narrow[layer.name] for layer in (*layers[:1], *layers[-1:])] or [False, False]
    counts = (
        1,
        sum(layer.weight_bits <= 8 for layer in layers),
        sum(narrow.values()),
        sum(layer.activation_bits < 8 for layer in layers),
        sum(first and not second for first, second in pairs),
        sum(second and not first for first, second in pairs),
        sum(any(joint) and not all(joint) for joint in joints),
        sum(all(joint) for joint in joints),
        *ends,
        len({layer.weight_bits for layer in layers}),
        len({layer.out_channels for layer in layers}),
    )
    return tuple(map(float, counts))


def _nearest_width(width: int, known: Iterable[int]) -> int:
    return min(known, key=lambda each: (abs(each - width), each))


def operation_weight_bits(layer: SizedOperation) -> int:
    """Bits of a layer's weights by counting: those that are not zero and where they are, if it is sparse."""
    if layer.sparsity is None:
        return _elements(layer) * layer.weight_bits
    inputs = layer.in_channels // layer.groups
    return layer.sparsity.stored_bits(layer.out_channels, inputs, layer.kernel, layer.weight_bits)


def _inputs(layer: SizedOperation) -> int:
    """Weights of each output channel."""
    return max(1, math.prod(layer.kernel) * layer.in_channels // layer.groups)


def _elements(layer: SizedOperation) -> int:
    return _inputs(layer) * layer.out_channels
