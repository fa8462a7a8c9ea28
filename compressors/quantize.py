"""A folded network with rounded layers: steps, ranges and rounded weights chosen, and every choice remembered."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor, fx, nn

from compressors.graph import clone, clone_leaf
from compressors.grid import ActivationGrid, activation_grid, coarse, snap_weight
from compressors.neighbours import LAYERS
from compressors.operators import operator_of
from compressors.operators.pooling import Reduce
from compressors.operators.recurrent import Recurrent
from compressors.placement import OUTPUT, Edge, placement
from compressors.ranges import RangeMethod
from compressors.reconstruction import covariance, readable_weight, stored_weight, weight_from_matrix, weight_matrix
from compressors.rounding import OUTPUT_PLACE, WeightRounding, rounded, share_roundings
from compressors.statistics import Statistics
from compressors.weight_quantizers import LayerWeights, put_on_grid
from compressors.weight_steps import StepMethod, weight_steps
from paretrim.compression import INTEGER, WeightQuantizer, WeightRule, check_quantizer
from paretrim.errors import InvalidPolicy
from paretrim.problem import Bits

#: rounded weights remembered
REMEMBERED = 1024
#: what is left where few bytes count more: binary digits of steps behind the leading one, and of a layer's largest bias
STEP_DIGITS = 3
BIAS_DIGITS = 8


@dataclass(frozen=True, slots=True)
class RoundedWeight:
    """A weight on its grid.

    weight: like the layer's; make: what rounds it in the layer; shift: (output channels,), what rounding took from the
    outputs' means, to be added to the bias (Nagel et al., Data-free quantization, ICCV 2019, section 4.2); None: not
    known.
    """

    weight: Tensor
    make: Callable[[], nn.Module]
    shift: Tensor | None = None


@dataclass(frozen=True, slots=True)
class Remaining:
    """What is left of a layer's input. places: of the weight's input dimension; groups: of its convolution groups."""

    places: Tensor
    groups: Tensor


@dataclass(eq=False)
class Quantizer:
    """Rounds networks that were made from one original."""

    statistics: Statistics | None
    activation_range: RangeMethod
    percentile: float
    step_method: StepMethod
    rule: WeightRule
    quantizers: Callable[[str, str], WeightQuantizer] = lambda *_: "uniform"  #: by layer and its kind
    headroom: bool = False  #: whether 8-bit weights keep to 7 bits where activations have 8
    compact: bool = False  #: whether steps and biases have few digits, so that they pack well
    _weights: OrderedDict[object, RoundedWeight] = field(default_factory=OrderedDict)
    _grids: dict[tuple[str, int], ActivationGrid] = field(default_factory=dict)

    def quantize(
        self, folded: fx.GraphModule, bits: Mapping[str, Bits], remaining: Mapping[str, Remaining], key: str
    ) -> fx.GraphModule:
        """A copy of a folded network whose layers have these bits.

        remaining: by layer, what is left of the original's input. key: names the network's
        weights, so that those rounded before are found again. Raises InvalidPolicy if a layer's inputs are to be
        rounded and no range is known.
        """
        quantizers = self._quantizers(folded, bits)
        floating = [name for name, quantizer in quantizers.items() if quantizer not in INTEGER]
        plan = placement(folded, bits, floating)
        grids: dict[str, dict[int, ActivationGrid]] = {}
        for (operation, place), edge in plan.edges.items():
            if operation != OUTPUT:
                grids.setdefault(operation, {})[place] = self._grid(edge, operation)
        for operation in [name for name in grids if rounds_its_mean(folded.get_submodule(name))]:
            grids[operation][OUTPUT_PLACE] = self._grid(Edge(operation, operation, 8), operation)
        last = plan.edges.get((OUTPUT, 0))
        if last is not None:
            grids.setdefault(last.tensor, {})[OUTPUT_PLACE] = self._grid(last, last.tensor)

        def make(name: str, leaf: nn.Module) -> nn.Module:
            width = plan.weights.get(name)
            if name not in grids and width is None:
                return _halved(leaf) if name in bits and bits[name].weight == 16 else clone_leaf(leaf)
            if width is not None and isinstance(leaf, Recurrent):
                return rounded(_snapped(leaf, width), grids.get(name, {}))
            if width is None or not isinstance(leaf, LAYERS):
                return rounded(leaf, grids.get(name, {}))
            task = _Task(name, quantizers[name], width, self.headroom and bits[name] == Bits(8, 8))
            return self._layer(task, leaf, grids.get(name, {}), remaining.get(name), key)

        module = clone(folded, make)
        share_roundings(module)
        return module

    def _quantizers(self, folded: fx.GraphModule, bits: Mapping[str, Bits]) -> dict[str, WeightQuantizer]:
        """By layer that is quantized. Raises InvalidPolicy naming a layer whose quantizer cannot be used for it."""
        chosen: dict[str, WeightQuantizer] = {}
        for name, width in bits.items():
            leaf = folded.get_submodule(name)
            kind = operator_of(leaf).kind(leaf)
            chosen[name] = self.quantizers(name, kind)
            if isinstance(leaf, LAYERS):  # else its block is removed
                check_quantizer(name, kind, chosen[name], width)
        return chosen

    def _layer(
        self, task: _Task, leaf: nn.Module, grids: Mapping[int, ActivationGrid], left: Remaining | None, key: str
    ) -> nn.Module:
        known = self._weights.pop((key, task), None)
        if known is None:
            known = self._round(task, leaf, left)
        self._weights[key, task] = known
        if len(self._weights) > REMEMBERED:
            self._weights.popitem(last=False)
        made = rounded(leaf, grids, known.make())
        if self.compact:
            made.bias_digits = BIAS_DIGITS  # type: ignore[assignment]
        with torch.no_grad():
            made.weight.copy_(known.weight)  # type: ignore[operator]
            if known.shift is not None and isinstance(made.bias, Tensor):
                made.bias += known.shift
        return made

    def _round(self, task: _Task, leaf: nn.Module, left: Remaining | None) -> RoundedWeight:
        weight = leaf.weight
        assert isinstance(weight, Tensor)
        axis = 1 if isinstance(leaf, nn.modules.conv._ConvTransposeNd) else 0
        bits = 7 if task.headroom else task.bits
        digits = STEP_DIGITS if self.compact else None
        known = self.statistics.layers.get(task.name) if self.statistics else None
        if axis == 1 or ((known is None or left is None) and task.quantizer == "uniform"):
            steps = weight_steps(weight, bits, axis=axis, method=self.step_method)
            steps = steps if digits is None else coarse(steps, digits)
            return RoundedWeight(weight.detach(), lambda: WeightRounding(steps, bits, axis, digits))
        rule = "nearest" if task.bits >= 8 else self.rule
        if known is None or left is None:
            flat = weight.detach().double().flatten(1)[None]
            layer = LayerWeights(task.name, weight, axis, flat, None, lambda m: m[0].reshape(weight.shape))
            made = put_on_grid(layer, task.quantizer, bits, method=self.step_method, rule="nearest", digits=digits)
            return RoundedWeight(layer.unflatten(made.matrix).float(), made.make)
        width = known.gram.columns_per_channel
        columns = (left.places[:, None] * width + torch.arange(width)).flatten()
        moments = None
        if rule != "nearest" or task.quantizer not in INTEGER:
            moments = covariance(known.gram, 1e-2, centred=False)[left.groups][:, columns][:, :, columns]
        inputs = readable_weight(leaf).shape[1]
        layer = LayerWeights(
            task.name,
            weight,
            axis,
            weight_matrix(leaf, known.gram),
            moments,
            lambda m: stored_weight(leaf, weight_from_matrix(leaf, known.gram, m, inputs)),
        )
        made = put_on_grid(layer, task.quantizer, bits, method=self.step_method, rule=rule, digits=digits)
        taps = layer.matrix.shape[0] * layer.matrix.shape[1] // weight.shape[0]
        means = known.gram.matrix[left.groups][:, columns, -1]
        lost = torch.einsum("god,gd->go", layer.matrix - made.matrix.double(), means)
        shift = lost.reshape(weight.shape[0], taps).sum(1).float()
        return RoundedWeight(layer.unflatten(made.matrix).float(), made.make, shift)

    def _grid(self, edge: Edge, operation: str) -> ActivationGrid:
        spread = self.statistics.spreads.get(edge.source) if self.statistics else None
        if spread is None:
            raise InvalidPolicy(
                f"layer {operation!r} cannot have activations of {edge.bits} bits: the range of what it reads is not "
                "known; collect statistics on calibration inputs first",
                field=f"bits.{operation}",
            )
        key = (edge.source, edge.bits)
        if key not in self._grids:
            low, high = spread.range(edge.bits, self.activation_range, self.percentile)
            self._grids[key] = activation_grid(low, high, edge.bits)
        return self._grids[key]


@dataclass(frozen=True, slots=True)
class _Task:
    """How a layer's weights are to be rounded."""

    name: str
    quantizer: WeightQuantizer
    bits: int
    headroom: bool


def rounds_its_mean(module: nn.Module) -> bool:
    """Whether the exporter writes an operation with rounded inputs as an integer pooling, which rounds its output."""
    return isinstance(module, Reduce) and not module.keep


def _snapped(leaf: Recurrent, bits: int) -> nn.Module:
    """A recurrent layer with its weights on their grids, one step per gate's row; its activations stay as they are."""
    copied = clone_leaf(leaf)
    assert isinstance(copied, Recurrent)
    with torch.no_grad():
        copied.weight_ih.copy_(snap_weight(leaf.weight_ih, bits, 1))
        copied.weight_hh.copy_(snap_weight(leaf.weight_hh, bits, 1))
    return copied


def _halved(leaf: nn.Module) -> nn.Module:
    """A copy with its weight as half precision would store it."""
    copied = clone_leaf(leaf)
    weight = getattr(copied, "weight", None)
    if isinstance(weight, nn.Parameter):
        with torch.no_grad():
            weight.copy_(weight.half().float())
    return copied
