"""Intermediate tensors of a network and its teacher, for feature matching."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, fx, nn


class _Shapes(fx.Interpreter):
    """Notes the shape of every operation's output."""

    def __init__(self, module: fx.GraphModule) -> None:
        super().__init__(module)
        self.shapes: dict[str, tuple[int, ...]] = {}

    def run_node(self, n: fx.Node) -> object:
        """One node."""
        output = super().run_node(n)
        if n.op == "call_module" and isinstance(output, Tensor):
            self.shapes[str(n.target)] = tuple(output.shape)
        return output


def matching_operations(
    student: fx.GraphModule, teacher: fx.GraphModule, inputs: Tensor, *, same_width: bool
) -> tuple[str, ...]:
    """Operations to compare: at every spatial extent the last one that both networks have, of (N, C, ...) outputs.

    same_width: only where the channels are as many.
    """
    with torch.no_grad():
        mine, theirs = _Shapes(student), _Shapes(teacher)
        mine.run(inputs)
        theirs.run(inputs)
    last: dict[tuple[int, ...], str] = {}
    for name, shape in mine.shapes.items():
        other = theirs.shapes.get(name)
        if other is None or len(shape) < 3 or shape[2:] != other[2:] or (same_width and shape[1] != other[1]):
            continue
        last[shape[2:]] = name
    return tuple(last.values())


@contextmanager
def recorded(module: nn.Module, operations: Sequence[str]) -> Iterator[list[Tensor]]:
    """Inside, every forward pass leaves the outputs of these operations in the list, in their order."""
    kept: list[Tensor] = []

    def keep(_: nn.Module, __: tuple[Tensor, ...], output: Tensor) -> None:
        if len(kept) == len(operations):
            kept.clear()
        kept.append(output)

    hooks = [module.get_submodule(name).register_forward_hook(keep) for name in operations]
    try:
        yield kept
    finally:
        for hook in hooks:
            hook.remove()
