"""What exporters spell out, put back together: channel shuffles, and activations written as arithmetic.

Both are recognised by what they compute, not by how they are written: a shuffle by following numbered channels, an
activation by its values at many points. So it does not matter which exporter wrote them.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, fx, nn

from compressors.operators.activation import Clip, HardSigmoid, Unary
from compressors.operators.channels import Pick
from compressors.operators.elementwise import Arithmetic
from compressors.operators.shaping import Reshape, Transpose
from compressors.reading import Builder

_SIMPLE = (Unary, Clip, HardSigmoid, nn.ReLU, nn.ReLU6, nn.Sigmoid, nn.Tanh, nn.Softplus)
#: largest number of operations an activation is spelled out in
_LONGEST = 12


def simplify(build: Builder) -> None:
    """Replace chains of operations by the one they stand for."""
    for node in list(build.graph.nodes):
        if node.op == "call_module" and str(node.target) in build.modules:
            _join_shuffle(build, node)
    for node in reversed(list(build.graph.nodes)):
        if node.op == "call_module" and str(node.target) in build.modules:
            _join_activation(build, node)


def _join_shuffle(build: Builder, last: fx.Node) -> None:
    """Reshape, Transpose, Reshape that only put channels in another order -> Pick."""
    chain = [last]
    while len(chain) < 3:
        before = chain[0].args[0]
        if not isinstance(before, fx.Node) or before.op != "call_module" or len(before.users) != 1:
            return
        chain.insert(0, before)
    first, middle, final = (build.modules.get(str(node.target)) for node in chain)
    if not (isinstance(first, Reshape) and isinstance(middle, Transpose) and isinstance(final, Reshape)):
        return
    source = chain[0].args[0]
    assert isinstance(source, fx.Node)
    shape = build.extents.get(source)
    if shape is None or build.extents[last] != shape or len(shape) < 3 or shape[0] != 1:
        return
    numbers = torch.arange(shape[1]).reshape(1, -1, *(1,) * (len(shape) - 2)).expand(shape)
    order = final(middle(first(numbers))).reshape(shape[1], -1)
    if bool((order == order[:, :1]).all()):
        _replace(build, chain, source, Pick(1, order[:, 0].clone()), "shuffle")


def _join_activation(build: Builder, last: fx.Node) -> None:
    """Arithmetic on one tensor that computes a known activation -> its module."""
    ending = build.modules[str(last.target)]
    if not isinstance(ending, Arithmetic) or ending.operation not in ("mul", "div"):
        return
    inside, sources = [last], [node for node in dict.fromkeys(last.all_input_nodes)]
    while len(inside) < _LONGEST:
        if len(sources) == 1:
            module = _recognised(build, inside, sources[0])
            if module is not None:
                _replace(build, inside, sources[0], module, type(module).__name__.lower())
                return
        grown = next((node for node in reversed(sources) if _may_join(build, node, inside)), None)
        if grown is None:
            return
        inside.insert(0, grown)
        order = {node: place for place, node in enumerate(build.graph.nodes)}
        outside = (read for node in inside for read in node.all_input_nodes if read not in inside)
        sources = sorted(dict.fromkeys(outside), key=order.__getitem__)


def _may_join(build: Builder, node: fx.Node, inside: Iterable[fx.Node]) -> bool:
    module = build.modules.get(str(node.target)) if node.op == "call_module" else None
    if isinstance(module, Arithmetic):
        single = module.constant is None or module.constant.numel() == 1
    else:
        single = isinstance(module, _SIMPLE)
    return single and set(node.users) <= set(inside)


def _recognised(build: Builder, inside: list[fx.Node], source: fx.Node) -> nn.Module | None:
    """The activation that the operations compute together."""
    ending = build.modules[str(inside[-1].target)]
    if len(inside) < 2 and len(inside[-1].args) < 2:
        return None
    if isinstance(ending, Arithmetic) and ending.constant is not None and ending.constant.numel() > 1:
        return None
    points = torch.linspace(-9.0, 9.0, 361)
    found = _evaluate(build, inside, source, points)
    for module in (nn.GELU(), nn.GELU("tanh"), nn.SiLU(), nn.Hardswish(), nn.Mish()):
        if torch.allclose(found, module(points), rtol=0, atol=2e-6):
            return module
    return None


def _evaluate(build: Builder, inside: list[fx.Node], source: fx.Node, points: Tensor) -> Tensor:
    values = {source: points}
    order = {node: place for place, node in enumerate(build.graph.nodes)}
    with torch.no_grad():
        for node in sorted(inside, key=order.__getitem__):
            values[node] = build.modules[str(node.target)](*(values[read] for read in node.args))  # type: ignore[index]
    return values[inside[-1]].reshape(points.shape)


def _replace(build: Builder, chain: list[fx.Node], source: fx.Node, module: nn.Module, what: str) -> None:
    last = chain[-1]
    owner = str(last.target).rpartition(".")[0]
    name = build.names.unused(f"{owner}.{what}" if owner else what)
    build.modules[name] = module.eval()
    with build.graph.inserting_after(last):
        new = build.graph.call_module(name, (source,))
    build.extents[new] = build.extents[last]
    last.replace_all_uses_with(new)
    order = {node: place for place, node in enumerate(build.graph.nodes)}
    for node in sorted(chain, key=order.__getitem__, reverse=True):
        build.graph.erase_node(node)
