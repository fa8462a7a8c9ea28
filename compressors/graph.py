"""Cheap copies of a graph module: the same generated forward over other submodules.

`fx.GraphModule` compiles its forward once per class. A smaller network has the same nodes, so its copy shares that
class and graph and holds other modules; nothing is traced or compiled again.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import fx, nn

Make = Callable[[str, nn.Module], nn.Module]


def clone(module: fx.GraphModule, make: Make | None = None) -> fx.GraphModule:
    """A copy whose leaf modules are `make(name, leaf)`; by default their own copies with their own parameters."""
    copied = _clone_tree(module, "", make or (lambda _, leaf: clone_leaf(leaf)), frozenset(targets(module)))
    assert isinstance(copied, fx.GraphModule)
    return copied


def clone_leaf(module: nn.Module, *, parameters: bool = True) -> nn.Module:
    """A copy of one module, without running its constructor. parameters=False shares the tensors."""
    copied = _bare_copy(module)
    if parameters:
        for name, parameter in module._parameters.items():
            if parameter is not None:
                fresh = nn.Parameter(parameter.detach().clone(), parameter.requires_grad)
                copied._parameters[name] = fresh
        for name, buffer in module._buffers.items():
            copied._buffers[name] = None if buffer is None else buffer.clone()
    for name, child in module._modules.items():
        if child is not None:
            copied._modules[name] = clone_leaf(child, parameters=parameters)
    return copied


def replace_module(module: fx.GraphModule, name: str, new: nn.Module) -> None:
    """Put `new` where the operation `name` was; the graph stays."""
    owner, _, last = name.rpartition(".")
    module.get_submodule(owner)._modules[last] = new


def targets(module: fx.GraphModule) -> tuple[str, ...]:
    """Names of the operations in execution order."""
    return tuple(str(node.target) for node in module.graph.nodes if node.op == "call_module")


def _clone_tree(module: nn.Module, prefix: str, make: Make, leaves: frozenset[str]) -> nn.Module:
    copied = _bare_copy(module)
    for name, child in module._modules.items():
        if child is None:
            continue
        path = f"{prefix}{name}"
        is_leaf = path in leaves
        copied._modules[name] = make(path, child) if is_leaf else _clone_tree(child, f"{path}.", make, leaves)
    return copied


def _bare_copy(module: nn.Module) -> nn.Module:
    """Same class and attributes, own dictionaries; parameters, buffers and children still shared."""
    copied: nn.Module = object.__new__(type(module))
    attributes = dict(module.__dict__)
    for own in ("_parameters", "_buffers", "_modules"):
        attributes[own] = dict(attributes[own])
    object.__setattr__(copied, "__dict__", attributes)  # the module's own way asks of each what it is
    return copied


def select(parameter: torch.Tensor, *cuts: tuple[int, torch.Tensor | None]) -> nn.Parameter:
    """A parameter of its own with the entries that (dimension, positions) name; positions None: all of them."""
    values = parameter.detach()
    for dimension, positions in cuts:
        if positions is not None:
            values = values.index_select(dimension, positions)
    if all(positions is None for _, positions in cuts):
        values = values.clone()
    return nn.Parameter(values, parameter.requires_grad)
