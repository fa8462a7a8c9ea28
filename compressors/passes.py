"""How a network is run where no gradient is needed: on which device, and on how many rows at once."""

from __future__ import annotations

from itertools import chain

import torch
from torch import Tensor, nn

CPU = torch.device("cpu")

#: bytes of the largest activation of all rows together; above, each pass waits for memory (`benchmarks.passes`)
LARGEST_BYTES = 6 * 2**20
MOST_ROWS = 250


def place_of(module: nn.Module) -> torch.device:
    """The device a module computes on."""
    first = next(chain(module.parameters(), module.buffers()), None)
    return CPU if first is None else first.device


def rows_at_once(module: nn.Module, row: Tensor) -> int:
    """Rows to run at once where no gradient is needed, at most 250; on a GPU 250.

    module: in evaluation mode. row: one input, (1, ...); it is run once, so that the size of each result is known.
    """
    place = place_of(module)
    if place.type != "cpu":
        return MOST_ROWS
    largest = _largest_bytes(module, row)
    return max(1, min(MOST_ROWS, LARGEST_BYTES // max(largest, 1)))


def _largest_bytes(module: nn.Module, row: Tensor) -> int:
    """Of what any part of the network makes of a row."""
    sizes = [row.numel() * row.element_size()]

    def note(_part: nn.Module, _inputs: object, made: object) -> None:
        if isinstance(made, Tensor):
            sizes.append(made.numel() * made.element_size())

    hooks = [part.register_forward_hook(note) for part in module.modules()]
    try:
        with torch.inference_mode():
            module(row)
    finally:
        for hook in hooks:
            hook.remove()
    return max(sizes)
