"""Fully connected layers: Gemm, and MatMul with constant weights (with or without an Add behind it)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from compressors.cut import Cut
from compressors.flow import Flow, Labels, Traced, on_axis
from compressors.graph import select
from compressors.operators.operator import Geometry, Operator
from compressors.reading import Builder, Const, Node, Value
from compressors.writing import Writer


def read_gemm(node: Node, build: Builder) -> Value:
    """Gemm -> nn.Linear. alpha and beta go into the weights."""
    x, weight = node.value(), node.constant(1)
    if node.attribute("transA", 0):
        raise node.refusal("its input is transposed (transA)")
    if not node.attribute("transB", 0):
        weight = weight.T
    bias = node.constant(2) if node.has(2) else None
    if bias is not None:
        bias = np.broadcast_to(bias.reshape(-1) * node.attribute("beta", 1.0), (weight.shape[0],))
    return build.call(node, linear(weight * node.attribute("alpha", 1.0), bias), x, weight=1)


def read_weighted_matmul(node: Node, build: Builder) -> Value:
    """MatMul of the input with a constant matrix -> nn.Linear."""
    return build.call(node, linear(node.constant(1).T, None), node.value(), weight=1)


def is_weighted(node: Node) -> bool:
    """Whether a MatMul has a constant matrix on its right."""
    second = node.inputs[1]
    return isinstance(second, Const) and second.array.ndim == 2 and isinstance(node.inputs[0], Value)


def linear(weight: np.ndarray, bias: np.ndarray | None) -> nn.Linear:
    """A layer with these weights. weight: (out, in)."""
    module = nn.Linear(weight.shape[1], weight.shape[0], bias=bias is not None, device="meta")
    module.weight = nn.Parameter(torch.from_numpy(np.array(weight, dtype=np.float32)))
    if bias is not None:
        module.bias = nn.Parameter(torch.from_numpy(np.array(bias, dtype=np.float32)))
    return module


def write_linear(module: nn.Linear, writer: Writer, name: str, inputs: Sequence[str]) -> str:
    """nn.Linear -> Gemm for matrices, MatMul and Add for more axes."""
    if len(writer.shapes[inputs[0]]) == 2:
        names = [writer.weight(f"{name}.weight", module.weight, 0)]
        if module.bias is not None:
            names.append(writer.bias(f"{name}.bias", module.bias))
        return writer.node("Gemm", [inputs[0], *names], name, transB=1)
    weight = writer.weight(f"{name}.weight", module.weight.detach().T, 1)
    product = writer.node("MatMul", [inputs[0], weight], name)
    if module.bias is None:
        return product
    return writer.node("Add", [product, writer.constant(f"{name}.bias", module.bias)], f"{name}.add_bias")


def flow_linear(module: nn.Linear, flow: Flow, inputs: Sequence[Traced], output: Sequence[int]) -> Labels:
    """Fresh labels along the last axis. Over positions of labelled channels, the output cannot shrink."""
    x, rank = inputs[0], len(output)
    if x.varying and rank - 1 not in x.varying:  # it works along positions (MLP-Mixer): channels pass
        flow.freeze(x.labels, "a fully connected layer runs along their positions")
        return x.labels
    flow.along(x, -1)
    return on_axis(flow.fresh(module.out_features), rank - 1, rank)


def shrink_linear(module: nn.Linear, cut: Cut) -> None:
    """Keep the weights between features that are left."""
    into, out = cut.inputs[0].positions(-1), cut.output.positions(-1)
    module.weight = select(module.weight, (0, out), (1, into))
    if module.bias is not None:
        module.bias = select(module.bias, (0, out))
    module.in_features, module.out_features = cut.inputs[0].extent(-1), cut.output.extent(-1)


OPERATORS = {
    nn.Linear: Operator(
        kind=lambda _: "linear",
        write=write_linear,
        flow=flow_linear,
        shrink=shrink_linear,
        geometry=lambda module: Geometry(bias=module.bias is not None),
        role="layer",
        in_axis=-1,
    )
}


READERS = {"Gemm": read_gemm}
