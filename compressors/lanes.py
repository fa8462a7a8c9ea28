"""Widths that fill a processor's vector registers, for networks that are only run.

A convolution computes 8 output channels at once (or 16); with 9 it takes as long as with 16, or longer: on a CPU with
AVX2, 16 -> 9 channels of 3 x 3 took 1.5 times as long as 16 -> 16. So filters of zeros are added, whose outputs the
layer behind reads with zeros. The network computes the same.
"""

from __future__ import annotations

import weakref
from collections import Counter

import torch
from torch import Tensor, fx, nn

from compressors.provenance import operations, output_of

#: output channels are filled up to a multiple of this
LANES = 8

_chains: weakref.WeakKeyDictionary[fx.Graph, tuple[tuple[str, ...], ...]] = weakref.WeakKeyDictionary()


def fill_lanes(module: fx.GraphModule, lanes: int = LANES) -> None:
    """Widen, in place, every convolution that one other convolution alone reads, at most through ReLUs.

    Batch norms have to be folded before; one that is left keeps its layer as it is.
    """
    for chain in _chained(module.graph, module):
        first, *between, last = (module.get_submodule(name) for name in chain)
        if type(first) is not nn.Conv2d or type(last) is not nn.Conv2d or first.groups > 1 or last.groups > 1:
            continue
        lacking = -first.out_channels % lanes
        if lacking and all(isinstance(one, nn.ReLU | nn.Identity) for one in between):
            _widen(first, last, lacking)


def _chained(graph: fx.Graph, module: fx.GraphModule) -> tuple[tuple[str, ...], ...]:
    """Operations that follow one another with nobody else reading in between, from convolution to convolution.

    Worked out once for a graph: copies of a network share it. What the operations are is looked up anew each time.
    """
    known = _chains.get(graph)
    if known is None:
        known = _chains[graph] = tuple(_found(module))
    return known


def _found(module: fx.GraphModule) -> list[tuple[str, ...]]:
    reads = dict(operations(module))
    readers = Counter(read for inputs in reads.values() for read in inputs)
    readers[output_of(module)] += 1
    followers = {inputs[0]: name for name, inputs in reads.items() if len(inputs) == 1 and readers[inputs[0]] == 1}
    found = []
    for name in reads:
        chain = [name]
        while isinstance(module.get_submodule(name), nn.Conv2d) and chain[-1] in followers:
            chain.append(followers[chain[-1]])
            if isinstance(module.get_submodule(chain[-1]), nn.Conv2d):
                found.append(tuple(chain))
                break
    return found


def _widen(first: nn.Conv2d, last: nn.Conv2d, lacking: int) -> None:
    first.weight = nn.Parameter(_with_zeros(first.weight, 0, lacking), requires_grad=False)
    if first.bias is not None:
        first.bias = nn.Parameter(_with_zeros(first.bias, 0, lacking), requires_grad=False)
    last.weight = nn.Parameter(_with_zeros(last.weight, 1, lacking), requires_grad=False)
    first.out_channels += lacking
    last.in_channels += lacking


def _with_zeros(values: Tensor, dimension: int, count: int) -> Tensor:
    shape = list(values.shape)
    shape[dimension] = count
    return torch.cat([values.detach(), values.new_zeros(shape)], dim=dimension)
