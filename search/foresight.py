"""What losing units of each group does to the network's outputs, each alone, measured once before a search begins.

What the living rivals of a search do (MCT, SPDY, HALP): shrink one group at a time, run a few inputs, and compare the
outputs with the original's. It says nothing of how damages add up, so it is where searches begin and what their models
are drawn to, never what decides. No label is looked at.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, fx, nn

from compressors import Compressor, fold
from paretrim.errors import ParetrimError
from paretrim.network import Group, Network
from paretrim.problem import Policy

#: inputs that are run
INPUTS = 128

#: shares of a group's units that are tried, the most telling first, and how many networks may be tried in all
SHARES, MOST_TRIED = (0.5, 0.25, 0.75), 150

Damages = dict[str, tuple[float, ...]]


def foresee(
    compressor: Compressor, module: fx.GraphModule, network: Network, inputs: Tensor, *, classes: bool
) -> Damages:
    """By group that may shrink, what is lost with its first 0, 1, ... units of `Compressor.orders`.

    module: the original; inputs: (N, *input_shape), of which the first are run; classes: whether outputs are scores of
    classes along axis 1: then the loss is the divergence of the original's shares of them from the network's, else the
    squared error as a share of the outputs' variance. Groups that cannot be tried are left out.
    """
    rows = inputs[:INPUTS]
    judge = _judge(_run(fold(module), rows), classes)
    groups = network.free_groups
    shares = SHARES[: max(1, MOST_TRIED // max(1, len(groups)))]
    found: Damages = {}
    for group in groups:
        points = {group.units: 0.0}
        for count in {max(1, round(share * group.units)) for share in shares} - {group.units}:
            try:
                tried = compressor.compress(Policy(keep={group.name: count / group.units})).module
            except (ParetrimError, RuntimeError):  # the search will find out, and say so
                continue
            points[count] = judge(_run(fold(tried, copy=False), rows))
        if len(points) > 1 and all(np.isfinite(list(points.values()))):
            found[group.name] = _curve(group, points)
    return found


def _run(module: nn.Module, rows: Tensor) -> Tensor:
    laid_out = module.to(memory_format=torch.channels_last) if rows.dim() == 4 else module  # type: ignore[call-overload]
    with torch.inference_mode():
        outputs: Tensor = laid_out(
            rows.contiguous(memory_format=torch.channels_last) if rows.dim() == 4 else rows.contiguous()
        )
    return outputs.double()


def _judge(original: Tensor, classes: bool) -> Callable[[Tensor], float]:
    """How far outputs are from the original's."""
    if classes and original.dim() >= 2:
        wanted = original.log_softmax(1)
        return lambda outputs: float((wanted.exp() * (wanted - outputs.log_softmax(1))).sum(1).mean())
    scale = float(original.var(correction=0)) or 1.0
    return lambda outputs: float((outputs - original).square().mean()) / scale


def _curve(group: Group, points: dict[int, float]) -> tuple[float, ...]:
    """Between the counts that were tried straight lines, beyond them the last one; never falling."""
    counts = sorted(points, reverse=True)
    lost = np.array([group.units - count for count in counts], dtype=np.float64)
    losses = np.maximum.accumulate([points[count] for count in counts])
    everywhere = np.interp(np.arange(group.units), lost, losses)
    slope = (losses[-1] - losses[-2]) / (lost[-1] - lost[-2])
    beyond = np.maximum(np.arange(group.units) - lost[-1], 0.0) * slope
    return tuple((everywhere + beyond).tolist())
