"""A network as it was read: a graph of small modules, and what is needed to write it back as it was."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import fx


@dataclass(frozen=True, eq=False)
class Imported:
    """A trainable network, with its file's input and output.

    module: every node of its graph calls a small module whose name is the operation's name.
    """

    module: fx.GraphModule
    input_name: str
    input_shape: tuple[int, ...]  #: without the batch dimension
    output_name: str
    output_shape: tuple[int, ...]  #: without the batch dimension
    opset: int
    input_dtype: torch.dtype = torch.float32
    warnings: tuple[str, ...] = ()
