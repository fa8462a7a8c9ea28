"""Embeddings: rows of a table, picked by the network's input."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from compressors.cut import Cut
from compressors.flow import Flow, Labels, Traced, on_axis
from compressors.graph import select
from compressors.operators.operator import Geometry, Operator
from compressors.reading import Builder, Node, Value
from compressors.writing import Writer


def read_embedding(node: Node, build: Builder) -> Value:
    """Gather of rows of a constant table -> nn.Embedding."""
    table, tokens = node.constant(0), node.value(1)
    if table.ndim != 2 or int(node.attribute("axis", 0)) != 0:
        raise node.refusal(f"it picks from a table with {table.ndim} axes; rows of a matrix are supported")
    module = nn.Embedding(table.shape[0], table.shape[1], device="meta")
    module.weight = nn.Parameter(torch.from_numpy(np.array(table, dtype=np.float32)))
    return build.call(node, module, tokens, weight=0)


def _flow(module: nn.Embedding, flow: Flow, _: Sequence[Traced], output: Sequence[int]) -> Labels:
    return on_axis(flow.fresh(module.embedding_dim), len(output) - 1, len(output))


def _shrink(module: nn.Embedding, cut: Cut) -> None:
    module.weight = select(module.weight, (1, cut.output.positions(-1)))
    module.embedding_dim = module.weight.shape[1]


def _write(module: nn.Embedding, writer: Writer, name: str, inputs: Sequence[str]) -> str:
    return writer.node("Gather", [writer.weight(f"{name}.weight", module.weight, 0), inputs[0]], name, axis=0)


OPERATORS = {
    nn.Embedding: Operator(
        kind=lambda _: "embedding",
        write=_write,
        flow=_flow,
        shrink=_shrink,
        geometry=lambda module: Geometry(extra={"vocabulary": module.num_embeddings}),
        role="layer",
        in_axis=-1,
    )
}
READERS: dict[str, object] = {}  # Gather is read in `channels`: only its table tells what it is
