"""Modules that compute with rounded inputs and weights: any operation of a graph, with its own class's forward.

In evaluation mode the arithmetic is that of `grid`, and so of the exported file. In training mode gradients pass
through the rounding (Bengio et al. 2013), and the steps of the grids are learnt (Esser et al., LSQ, ICLR 2020, eq. 3
to 5).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.nn import functional

from compressors.graph import clone_leaf, replace_module
from compressors.grid import ActivationGrid, coarse, fixed_point, weight_top
from compressors.operators.convolution import torch_pads
from compressors.operators.elementwise import Arithmetic

#: numbers that stay in a core's cache from one pass over them to the next
CACHED = 2**16

#: place of an operation's output among its rounded tensors
OUTPUT_PLACE = -1


class SharedRounding:
    """Lets several readers of one tensor round it once in a forward pass. readers: how many there are."""

    def __init__(self, readers: int) -> None:
        self._readers, self._left = readers, 0
        self._before: Tensor | None = None
        self._after: Tensor | None = None

    def get(self, x: Tensor, compute: Callable[[Tensor], Tensor]) -> Tensor:
        """The rounded tensor; it is forgotten as soon as the last reader has it."""
        if self._before is not x or self._after is None:
            self._before, self._after, self._left = x, compute(x), self._readers
        after, self._left = self._after, self._left - 1
        if self._left == 0:
            self._before = self._after = None
        return after


class ActivationRounding(nn.Module):
    """Rounds a tensor to an asymmetric grid. `input_step` is the distance of two neighbours on it.

    shared and overwrites save time in evaluation without gradients: readers of the same tensor on the same grid can
    share the result, and a tensor that nobody else reads can be rounded where it is. Training ends the sharing.
    """

    shared: SharedRounding | None = None
    overwrites: bool = False

    input_step: nn.Parameter
    zero_point: Tensor

    def __init__(self, grid: ActivationGrid) -> None:
        super().__init__()
        self.input_step = nn.Parameter(torch.tensor(grid.scale))
        self.register_buffer("zero_point", torch.tensor(grid.zero_point, dtype=torch.int32))
        self.top = grid.top

    @property
    def grid(self) -> ActivationGrid:
        """The grid as it stands now."""
        return ActivationGrid(float(self.input_step.detach()), int(self.zero_point), self.top)

    def forward(self, x: Tensor) -> Tensor:
        """Same shape, values on the grid."""
        if not self.training:
            return self._snap(x) if self.shared is None else self.shared.get(x, self._snap)
        step = scaled_gradient(self.input_step, 1.0 / math.sqrt(x[0].numel() * self.top))
        codes = (round_through(x / step) + self.zero_point).clamp(0, self.top)
        return (codes - self.zero_point) * step

    def train(self, mode: bool = True) -> ActivationRounding:
        """As for any module. Grids that are trained are no longer one."""
        if mode:
            self.shared = None
        return super().train(mode)

    def _snap(self, x: Tensor) -> Tensor:
        """Four cheap passes; torch's fake_quantize also writes a mask for gradients and takes ten times as long.

        Rows are taken a few at once, so that all passes but the first find them in the cache.
        """
        step, zero = self.input_step.detach(), int(self.zero_point)
        if torch.is_grad_enabled() and x.requires_grad:
            return x.div(step).round_().clamp_(-zero, self.top - zero).mul_(step)
        whole = x if self.overwrites and not torch.is_grad_enabled() else torch.empty_like(x)
        rows = max(1, CACHED * len(x) // max(1, x.numel()))
        for source, target in zip(torch.split(x, rows), torch.split(whole, rows), strict=True):
            torch.div(source, step, out=target).round_().clamp_(-zero, self.top - zero).mul_(step)
        return whole


class WeightRounding(nn.Module):
    """Rounds a weight to symmetric grids, one per output channel, at `axis`. bits: 1 to 8.

    digits: binary digits behind the leading one that its steps have; None: all that single precision has.
    """

    weight_step: nn.Parameter

    def __init__(self, step: Tensor, bits: int, axis: int, digits: int | None = None) -> None:
        super().__init__()
        self.weight_step = nn.Parameter(step.detach().clone().float())
        self.bits, self.axis, self.digits = bits, axis, digits

    @property
    def steps(self) -> Tensor:
        """(output channels,) as they are used, without gradients."""
        held = self.weight_step.detach()
        return held if self.digits is None else coarse(held, self.digits)

    def forward(self, weight: Tensor) -> Tensor:
        """Same shape, values on their channel's grid."""
        top = weight_top(self.bits)
        if not self.training and self.bits > 1:
            zeros = torch.zeros(len(self.weight_step), dtype=torch.int32, device=weight.device)
            return torch.fake_quantize_per_channel_affine(weight, self.steps, zeros, self.axis, -top, top)
        shape = [1] * weight.ndim
        shape[self.axis] = -1
        step = self.weight_step if self.digits is None else pass_through(self.weight_step, self.steps)
        step = step.reshape(shape)
        if self.bits == 1:
            return _sign(weight / step) * step
        step = scaled_gradient(step, 1.0 / math.sqrt(weight[0].numel() * top))
        return round_through((weight / step).clamp(-top, top)) * step


class Rounded:
    """Mixed into a module's class: its inputs, its weight and its output are rounded where there is a grid for it."""

    _modules: dict[str, nn.Module | None]
    #: binary digits that a layer's largest bias has, where biases are not on an integer grid; None: all
    bias_digits: int | None = None

    def forward(self, *inputs: Tensor) -> Tensor:
        """As the module's own class, on rounded tensors. Where only shapes are asked for, nothing is rounded."""
        if inputs[0].is_meta:
            plain: Tensor = super().forward(*inputs)  # type: ignore[misc]
            return plain
        held = self._modules
        seen = [_applied(held.get(_place(index)), x) for index, x in enumerate(inputs)]
        weight_rounding = held.get("weight_rounding")
        if weight_rounding is None:
            output = super().forward(*seen)  # type: ignore[misc]
        else:
            output = run_with_weight(self, weight_rounding(self.weight), self._rounded_bias(), *seen)  # type: ignore[attr-defined]
        return _applied(held.get(_place(OUTPUT_PLACE)), output)

    def _rounded_bias(self) -> Tensor | None:
        """On the grid of input step x weight step, as integers are added; else with as many digits as it may have."""
        bias: Tensor | None = getattr(self, "bias", None)
        seen, weight = self._modules.get(_place(0)), self._modules["weight_rounding"]
        integers = isinstance(weight, WeightRounding) and isinstance(self, nn.Conv1d | nn.Conv2d | nn.Linear)
        if bias is None or seen is None or not integers:
            short = bias is not None and self.bias_digits is not None
            return pass_through(bias, fixed_point(bias.detach(), self.bias_digits)) if short else bias  # type: ignore[arg-type, union-attr]
        step = seen.input_step.detach() * weight.steps  # type: ignore[union-attr, operator]
        return round_through(bias / step) * step


def rounded(module: nn.Module, grids: Mapping[int, ActivationGrid], weight: nn.Module | None = None) -> nn.Module:
    """A copy of an operation that rounds. grids: by place among its inputs; OUTPUT_PLACE rounds the output.

    weight: what its weight goes through: WeightRounding, or one of `weight_tables`.
    """
    copied = clone_leaf(module)
    copied.__class__ = _rounded_class(type(module))
    for place, grid in grids.items():
        copied._modules[_place(place)] = ActivationRounding(grid)
    if weight is not None:
        copied._modules["weight_rounding"] = weight
    return copied.train(module.training)


def share_roundings(module: fx.GraphModule) -> None:
    """Let the roundings of a network save each other's work, as far as the graph allows."""
    for node in module.graph.nodes:
        found: dict[ActivationGrid, list[ActivationRounding]] = {}
        readings = 0
        for reader in node.users:
            inputs = reader.args if reader.op == "call_module" else ()
            for place, source in enumerate(inputs):
                if source is node:
                    readings += 1
                    held = module.get_submodule(str(reader.target))._modules.get(_place(place))
                    if isinstance(held, ActivationRounding):
                        found.setdefault(held.grid, []).append(held)
        for roundings in found.values():
            shared = SharedRounding(len(roundings)) if len(roundings) > 1 else None
            for rounding in roundings:
                rounding.shared = shared
                rounding.overwrites = readings == 1 and len(node.users) == 1 and _computes(module, node)


def drop_relus(module: fx.GraphModule) -> None:
    """Take out, in place, every ReLU whose readers all round what it gives to a grid that begins at 0, as ReLU does.

    For a network that is only run: it computes the same, with one pass less over the tensor.
    """
    for node in module.graph.nodes:
        if node.op == "call_module" and isinstance(module.get_submodule(str(node.target)), nn.ReLU):
            places = [_readings(module, node, reader) for reader in node.users]
            held = [rounding for roundings in places for rounding in roundings]
            if held and all(isinstance(one, ActivationRounding) and one.grid.zero_point == 0 for one in held):
                replace_module(module, str(node.target), nn.Identity())
    share_roundings(module)


def _readings(module: fx.GraphModule, node: fx.Node, reader: fx.Node) -> list[nn.Module | None]:
    """What a tensor goes through where another operation reads it, at each place; None: nothing."""
    if reader.op != "call_module":
        return [None]
    modules = module.get_submodule(str(reader.target))._modules
    return [modules.get(_place(place)) for place, source in enumerate(reader.args) if source is node]


def _computes(module: fx.GraphModule, node: fx.Node) -> bool:
    """Whether an operation's output is memory of its own that nobody else reads."""
    if node.op != "call_module" or len(node.users) != 1:
        return False
    held = module.get_submodule(str(node.target))
    if isinstance(held, nn.Identity):
        (source,) = node.all_input_nodes
        return _computes(module, source)
    return isinstance(held, nn.modules.conv._ConvNd | nn.Linear | nn.ReLU | Arithmetic)


def stored_grid(module: nn.Module, place: int) -> ActivationGrid | None:
    """The grid on which an operation takes its input `place`, or gives its output; None if it does not round it."""
    held = module._modules.get(_place(place))
    return held.grid if isinstance(held, ActivationRounding) else None


def stored_rounding(module: nn.Module) -> nn.Module | None:
    """What a layer's weight goes through; None if it is not rounded."""
    return module._modules.get("weight_rounding")


def stored_steps(module: nn.Module) -> Tensor | None:
    """(output channels,) steps of a layer's weight; None if it is not rounded to integers times steps."""
    held = stored_rounding(module)
    return held.steps if isinstance(held, WeightRounding) else None


def runs_in_floating_point(module: nn.Module) -> bool:
    """Whether a layer's weight is rounded to values that no integer kernel takes."""
    held = stored_rounding(module)
    return held is not None and not isinstance(held, WeightRounding)


def run_with_weight(layer: Any, weight: Tensor, bias: Tensor | None, x: Tensor) -> Tensor:
    """What the layer gives with another weight and bias."""
    if isinstance(layer, nn.Linear):
        return functional.linear(x, weight, bias)
    if isinstance(layer, nn.Embedding):
        return functional.embedding(x, weight)
    if isinstance(layer, nn.ConvTranspose1d | nn.ConvTranspose2d):
        run: Callable[..., Tensor] = (
            functional.conv_transpose1d if isinstance(layer, nn.ConvTranspose1d) else functional.conv_transpose2d
        )
        return run(x, weight, bias, layer.stride, layer.padding, layer.output_padding, layer.groups, layer.dilation)
    if hasattr(layer, "pads"):
        x = functional.pad(x, torch_pads(layer.pads))
    output: Tensor = layer._conv_forward(x, weight, bias)
    return output


_CLASSES: dict[type[nn.Module], type[nn.Module]] = {}


def _rounded_class(original: type[nn.Module]) -> type[nn.Module]:
    """The class with rounding mixed in; its exporter finds the original behind it."""
    if issubclass(original, Rounded):
        return original
    if original not in _CLASSES:
        _CLASSES[original] = type(f"Rounded{original.__name__}", (Rounded, original), {})
    return _CLASSES[original]


def _place(index: int) -> str:
    return "output_rounding" if index == OUTPUT_PLACE else f"input_rounding_{index}"


def _applied(rounding: nn.Module | None, x: Tensor) -> Tensor:
    if rounding is None:
        return x
    result: Tensor = rounding(x)
    return result


def round_through(x: Tensor) -> Tensor:
    """Rounded, with the gradient of x."""
    return pass_through(x, torch.round(x))


def pass_through(x: Tensor, value: Tensor) -> Tensor:
    """The value, with the gradient of x. (Bengio et al. 2013.)"""
    return x + (value - x).detach()


def _sign(x: Tensor) -> Tensor:
    """-1 or +1, with the gradient of x where |x| <= 1 (BinaryConnect, Courbariaux et al. 2015)."""
    clipped = x.clamp(-1.0, 1.0)
    return clipped + (torch.where(x < 0, -1.0, 1.0) - clipped).detach()


def scaled_gradient(x: Tensor, factor: float) -> Tensor:
    """x, with its gradient multiplied by the factor (LSQ, section 2.2)."""
    scaled = x * factor
    return (x - scaled).detach() + scaled
