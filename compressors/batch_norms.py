"""Means and variances of batch norms, taken anew after a network has lost channels."""

from __future__ import annotations

import torch
from torch import Tensor, fx, nn

from compressors.graph import clone


def reestimate(module: fx.GraphModule, inputs: Tensor, *, batch_size: int = 128) -> fx.GraphModule:
    """A copy whose batch norms have the statistics of what they get now; needs inputs, no labels.

    inputs: (N, *input_shape). Every batch counts by its size. Where there are no batch norms (folded at export)
    the copy is the same as the original.
    """
    copied = clone(module).eval()
    norms = [part for part in copied.modules() if isinstance(part, nn.modules.batchnorm._BatchNorm)]
    before = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.train()
    with torch.no_grad():
        seen = 0
        for batch in torch.split(inputs, batch_size):
            seen += len(batch)
            for norm in norms:
                norm.momentum = len(batch) / seen
            copied(batch)
    for norm, momentum in zip(norms, before, strict=True):
        norm.momentum = momentum
    return copied.eval()
