"""What stands around a layer in the graph: what feeds it, the batch norm behind it, the network's output."""

from __future__ import annotations

from torch import fx, nn

from compressors.operators.recurrent import Recurrent

LAYERS = (nn.modules.conv._ConvNd, nn.Linear, nn.Embedding, Recurrent)


def nodes(module: fx.GraphModule) -> dict[str, fx.Node]:
    """All operations' nodes by name, in execution order."""
    return {str(node.target): node for node in module.graph.nodes if node.op == "call_module"}


def batch_norm_behind(module: fx.GraphModule, node: fx.Node) -> str | None:
    """Name of the batch norm that alone reads an operation's output."""
    if len(node.users) != 1:
        return None
    (reader,) = node.users
    if reader.op != "call_module":
        return None
    name = str(reader.target)
    return name if isinstance(module.get_submodule(name), nn.modules.batchnorm._BatchNorm) else None


def feeder(node: fx.Node) -> str:
    """Name of the operation whose output is the first input; `input` for the network's own input."""
    (first, *_) = node.all_input_nodes
    return "input" if first.op == "placeholder" else str(first.target)


def final_layers(module: fx.GraphModule) -> frozenset[str]:
    """Layers whose output reaches the network's output without another layer in between."""
    found: set[str] = set()
    waiting = [node for node in module.graph.nodes if node.op == "output"]
    seen: set[fx.Node] = set()
    while waiting:
        for source in waiting.pop().all_input_nodes:
            if source in seen:
                continue
            seen.add(source)
            if source.op == "call_module" and isinstance(module.get_submodule(str(source.target)), LAYERS):
                found.add(str(source.target))
            else:
                waiting.append(source)
    return frozenset(found)
