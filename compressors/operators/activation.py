"""Activations and other functions of single values."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from compressors.cut import Cut
from compressors.flow import Flow, Labels, Traced
from compressors.graph import select
from compressors.operators.operator import Operator
from compressors.reading import Builder, Node, Value
from compressors.writing import Writer

_FUNCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "Sqrt": torch.sqrt,
    "Exp": torch.exp,
    "Log": torch.log,
    "Neg": torch.neg,
    "Abs": torch.abs,
    "Erf": torch.erf,
    "Reciprocal": torch.reciprocal,
    "Floor": torch.floor,
    "Ceil": torch.ceil,
    "Round": torch.round,
    "Sin": torch.sin,
    "Cos": torch.cos,
    "Sign": torch.sign,
}


class Unary(nn.Module):
    """A function of each value, by the name of its ONNX operator."""

    def __init__(self, operator: str) -> None:
        super().__init__()
        self.operator = operator

    def forward(self, x: Tensor) -> Tensor:
        """Any shape."""
        return _FUNCTIONS[self.operator](x)

    def extra_repr(self) -> str:
        """What is printed between the brackets."""
        return self.operator


class Clip(nn.Module):
    """Values below `low` and above `high` are set to them; None: no bound."""

    def __init__(self, low: float | None, high: float | None) -> None:
        super().__init__()
        self.low = low
        self.high = high

    def forward(self, x: Tensor) -> Tensor:
        """Any shape."""
        return x.clamp(self.low, self.high) if (self.low, self.high) != (None, None) else x

    def extra_repr(self) -> str:
        """What is printed between the brackets."""
        return f"{self.low}, {self.high}"


class HardSigmoid(nn.Module):
    """max(0, min(1, slope x + shift)): slope is 1/6 in torch, 0.2 in Keras."""

    def __init__(self, slope: float, shift: float) -> None:
        super().__init__()
        self.slope = slope
        self.shift = shift

    def forward(self, x: Tensor) -> Tensor:
        """Any shape."""
        return (x * self.slope + self.shift).clamp(0.0, 1.0)


def _read_simple(make: Callable[[Node], nn.Module]) -> Callable[[Node, Builder], Value]:
    return lambda node, build: build.call(node, make(node), node.value())


def read_clip(node: Node, build: Builder) -> Value:
    """Clip -> nn.ReLU, nn.ReLU6 or Clip."""
    low, high = (
        float(node.constant(index)) if node.has(index) else node.attribute(name)
        for index, name in ((1, "min"), (2, "max"))
    )
    if high is not None and (math.isinf(high) or high >= np.finfo(np.float32).max):
        high = None
    module: nn.Module = Clip(low, high)
    if low == 0.0 and high in (None, 6.0):
        module = nn.ReLU() if high is None else nn.ReLU6()
    return build.call(node, module, node.value())


def read_prelu(node: Node, build: Builder) -> Value:
    """PRelu with one slope, or one per channel -> nn.PReLU."""
    x, slope = node.value(), node.constant(1)
    rank = len(x.shape)
    aligned = (1,) * (rank - slope.ndim) + slope.shape
    if slope.size > 1 and [axis for axis, extent in enumerate(aligned) if extent > 1] != [1]:
        raise node.refusal(f"its slopes have shape {slope.shape}; one, or one per channel, is supported")
    module = nn.PReLU(slope.size)
    module.weight = nn.Parameter(torch.from_numpy(slope.astype(np.float32).reshape(-1)))
    return build.call(node, module, x)


def _softmax_axis(node: Node) -> int:
    x = node.value()
    axis = int(node.attribute("axis", -1 if node.opset >= 13 else 1)) % len(x.shape)
    if axis == x.batch_axis:
        raise node.refusal("it runs over the batch")
    if node.opset < 13 and axis != len(x.shape) - 1:
        raise node.refusal(f"before opset 13 it normalises over all axes from {axis} on; only the last is supported")
    return axis


def _shrink_prelu(module: nn.PReLU, cut: Cut) -> None:
    if module.num_parameters > 1:
        module.weight = select(module.weight, (0, cut.output.positions(1)))
        module.num_parameters = module.weight.numel()


def _write_prelu(module: nn.PReLU, writer: Writer, name: str, inputs: Sequence[str]) -> str:
    rank = len(writer.shapes[inputs[0]])
    slope = module.weight.reshape(-1, *(1,) * (rank - 2)) if rank > 2 else module.weight
    return writer.node("PRelu", [inputs[0], writer.constant(f"{name}.weight", slope)], name)


def _write_clip(module: Any, writer: Writer, name: str, inputs: Sequence[str]) -> str:
    low, high = (0.0, 6.0) if isinstance(module, nn.ReLU6) else (module.low, module.high)
    bounds = [
        "" if bound is None else writer.constant(f"{name}.{side}", np.float32(bound).reshape(()))
        for side, bound in (("low", low), ("high", high))
    ]
    while bounds and not bounds[-1]:
        bounds.pop()
    return writer.node("Clip", [inputs[0], *bounds], name)


def _flow_softmax(module: Any, flow: Flow, inputs: Sequence[Traced], _: Sequence[int]) -> Labels:
    labels = inputs[0].labels
    if labels.shape[module.dim] > 1 or labels.size == 1 == inputs[0].extents[module.dim]:
        flow.freeze(labels, "a softmax runs over them")
    return labels


def _write_gelu(module: nn.GELU, writer: Writer, name: str, inputs: Sequence[str]) -> str:
    """One node from opset 20 on; before, what it stands for."""
    x = inputs[0]
    if writer.opset >= 20:
        return writer.node("Gelu", [x], name, approximate=module.approximate)

    def number(key: str, value: float) -> str:
        return writer.constant(f"{name}.{key}", np.float32(value).reshape(()))

    def step(operator: str, key: str, *operands: str) -> str:
        return writer.node(operator, operands, f"{name}.{key}")

    if module.approximate == "tanh":
        bent = step("Mul", "bent", step("Pow", "cube", x, number("three", 3.0)), number("bend", 0.044715))
        inner = step("Mul", "inner", step("Add", "sum", x, bent), number("root", math.sqrt(2 / math.pi)))
        curve = step("Tanh", "tanh", inner)
    else:
        curve = step("Erf", "erf", step("Div", "scaled", x, number("root", math.sqrt(2.0))))
    gate = step("Mul", "gate", step("Add", "shifted", curve, number("one", 1.0)), number("half", 0.5))
    return writer.node("Mul", [x, gate], name)


def _write_mish(_: nn.Mish, writer: Writer, name: str, inputs: Sequence[str]) -> str:
    if writer.opset >= 18:
        return writer.node("Mish", [inputs[0]], name)
    soft = writer.node("Softplus", [inputs[0]], f"{name}.softplus")
    return writer.node("Mul", [inputs[0], writer.node("Tanh", [soft], f"{name}.tanh")], name)


def _write_silu(_: nn.SiLU, writer: Writer, name: str, inputs: Sequence[str]) -> str:
    return writer.node("Mul", [inputs[0], writer.node("Sigmoid", [inputs[0]], f"{name}.sigmoid")], name)


def _plain(kind: str, operator: str, attributes: Callable[[Any], dict[str, Any]] | None = None) -> Operator:
    def write(module: Any, writer: Writer, name: str, inputs: Sequence[str]) -> str:
        return writer.node(operator, [inputs[0]], name, **(attributes(module) if attributes else {}))

    return Operator(kind=lambda _: kind, write=write)


OPERATORS = {
    nn.ReLU: _plain("relu", "Relu"),
    nn.ReLU6: Operator(kind=lambda _: "clip", write=_write_clip),
    Clip: Operator(kind=lambda _: "clip", write=_write_clip),
    nn.LeakyReLU: _plain("leaky_relu", "LeakyRelu", lambda module: {"alpha": module.negative_slope}),
    nn.PReLU: Operator(kind=lambda _: "prelu", write=_write_prelu, shrink=_shrink_prelu, role="through"),
    nn.ELU: _plain("elu", "Elu", lambda module: {"alpha": module.alpha}),
    nn.SELU: _plain("selu", "Selu"),
    nn.CELU: _plain("celu", "Celu", lambda module: {"alpha": module.alpha}),
    nn.Sigmoid: _plain("sigmoid", "Sigmoid"),
    HardSigmoid: _plain("hard_sigmoid", "HardSigmoid", lambda module: {"alpha": module.slope, "beta": module.shift}),
    nn.Hardswish: _plain("hard_swish", "HardSwish"),
    nn.SiLU: Operator(kind=lambda _: "silu", write=_write_silu),
    nn.Tanh: _plain("tanh", "Tanh"),
    nn.Softplus: _plain("softplus", "Softplus"),
    nn.Softsign: _plain("softsign", "Softsign"),
    nn.Mish: Operator(kind=lambda _: "mish", write=_write_mish),
    nn.GELU: Operator(kind=lambda _: "gelu", write=_write_gelu),
    nn.Softmax: Operator(
        kind=lambda _: "softmax",
        flow=_flow_softmax,
        write=lambda module, writer, name, inputs: writer.node("Softmax", [inputs[0]], name, axis=module.dim),
    ),
    nn.LogSoftmax: Operator(
        kind=lambda _: "log_softmax",
        flow=_flow_softmax,
        write=lambda module, writer, name, inputs: writer.node("LogSoftmax", [inputs[0]], name, axis=module.dim),
    ),
    Unary: Operator(
        kind=lambda module: module.operator.lower(),
        write=lambda module, writer, name, inputs: writer.node(module.operator, [inputs[0]], name),
    ),
}

READERS: dict[str, Callable[[Node, Builder], Value]] = {
    "Relu": _read_simple(lambda _: nn.ReLU()),
    "Clip": read_clip,
    "LeakyRelu": _read_simple(lambda node: nn.LeakyReLU(node.attribute("alpha", 0.01))),
    "PRelu": read_prelu,
    "Elu": _read_simple(lambda node: nn.ELU(node.attribute("alpha", 1.0))),
    "Selu": _read_simple(lambda _: nn.SELU()),
    "Celu": _read_simple(lambda node: nn.CELU(node.attribute("alpha", 1.0))),
    "Sigmoid": _read_simple(lambda _: nn.Sigmoid()),
    "HardSigmoid": _read_simple(lambda node: HardSigmoid(node.attribute("alpha", 0.2), node.attribute("beta", 0.5))),
    "HardSwish": _read_simple(lambda _: nn.Hardswish()),
    "Tanh": _read_simple(lambda _: nn.Tanh()),
    "Softplus": _read_simple(lambda _: nn.Softplus()),
    "Softsign": _read_simple(lambda _: nn.Softsign()),
    "Mish": _read_simple(lambda _: nn.Mish()),
    "Gelu": _read_simple(lambda node: nn.GELU(node.attribute("approximate", "none"))),
    "Softmax": _read_simple(lambda node: nn.Softmax(_softmax_axis(node))),
    "LogSoftmax": _read_simple(lambda node: nn.LogSoftmax(_softmax_axis(node))),
    **{operator: _read_simple(lambda node: Unary(node.op)) for operator in _FUNCTIONS},
}
