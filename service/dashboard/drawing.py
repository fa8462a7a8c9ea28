"""A network drawn as its layers: a bar for every layer, as high as it has channels, and a line for every connection.

Layers stand in execution order from left to right. What goes past its neighbour (a shortcut, a branch) is an arc.
Operations without weights are left out, but for those at which several results meet.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from paretrim.network import Network, Operation

WIDTH = 1140.0  #: pixels that a drawing fills if its layers are few enough
WIDEST, NARROWEST = 112.0, 26.0  #: from layer to layer
TALLEST, LOWEST = 120.0, 10.0  #: height of a bar
JOIN = 8.0  #: radius of a place where results meet
MARGIN = 26.0
ROOM_FOR_FIGURES = 58.0  #: between layers, so that figures can be written below them
NAME = 20  #: characters of a layer's name that are written
MEETING = {"add": "+", "mul": "×", "matmul": "×", "concat": "∥"}


@dataclass(frozen=True, slots=True)
class Node:
    """A layer, a place where results meet, or an end of the network."""

    name: str
    kind: str  #: `layer`, `join` or `end`
    x: float  #: of its middle
    half: float  #: of its width
    height: float = 2 * JOIN  #: in the original
    kept: float = 0.0  #: height that is left
    sign: str = ""  #: of a join
    layer: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Drawing:
    """What the template needs: places in pixels."""

    nodes: Sequence[Node]
    lines: Sequence[str]  #: of connections, as SVG paths
    width: float
    middle: float  #: where the bars are centred
    figures: bool  #: whether there is room to write figures below the bars
    summary: str

    @property
    def floor(self) -> float:
        """Where the tallest bar ends."""
        return self.middle + TALLEST / 2

    @property
    def height(self) -> float:
        """Room for figures and for the names, which are written aslant, included."""
        longest = max((len(node.name) for node in self.nodes if node.kind == "layer"), default=0)
        return self.floor + (56 if self.figures else 26) + 3.4 * min(NAME, longest)


def draw(network: Network, layers: Sequence[Mapping[str, Any]]) -> Drawing:
    """Lay a network out. layers: of the wire, one for each layer of the network."""
    shown = _shown(network)
    views = {layer["name"]: layer for layer in layers}
    joins = sum(not operation.is_layer for operation, _ in shown)
    pitch = min(WIDEST, max(NARROWEST, (WIDTH - 2 * MARGIN) / (len(shown) - joins + joins / 2 + 1)))
    nodes = _nodes(shown, views, pitch)
    places = {node.name: place for place, node in enumerate(nodes)}
    edges = [(source, operation.name) for operation, sources in shown for source in sources]
    edges += [(source, "output") for source in _carriers(network)[network.output]]
    spans = [places[b] - places[a] for a, b in edges]
    middle = (70.0 if max(spans, default=1) > 1 else 16.0) + TALLEST / 2
    removed = sum(bool(layer.get("removed")) for layer in layers)
    return Drawing(
        nodes=nodes,
        lines=[_line(nodes[places[a]], nodes[places[b]], middle, past=places[b] - places[a] > 1) for a, b in edges],
        width=nodes[-1].x + MARGIN + 34,
        middle=middle,
        figures=pitch >= ROOM_FOR_FIGURES,
        summary=_summary(len(layers), removed, len(edges), sum(span > 1 for span in spans)),
    )


def _summary(layers: int, removed: int, edges: int, past: int) -> str:
    gone = f", {removed} of them removed" if removed else ""
    arcs = f", {past} of which {'goes' if past == 1 else 'go'} past a layer" if past else " in a chain"
    return f"{layers} layers{gone}, and {edges} connections{arcs}."


def _carriers(network: Network) -> dict[str, tuple[str, ...]]:
    """For every operation the drawn ones whose result it passes on: itself, if it is drawn."""
    carriers: dict[str, tuple[str, ...]] = {"input": ("input",)}
    for operation in network.operations:
        above = _above(operation, carriers)
        carriers[operation.name] = (operation.name,) if operation.is_layer or len(above) > 1 else above
    return carriers


def _shown(network: Network) -> list[tuple[Operation, tuple[str, ...]]]:
    """The operations that are drawn, with what feeds them."""
    carriers = _carriers(network)
    return [
        (operation, _above(operation, carriers))
        for operation in network.operations
        if carriers[operation.name] == (operation.name,)
    ]


def _above(operation: Operation, carriers: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(source for name in operation.inputs for source in carriers.get(name, ())))


def _nodes(
    shown: Sequence[tuple[Operation, tuple[str, ...]]], views: Mapping[str, Mapping[str, Any]], pitch: float
) -> list[Node]:
    most = max((view["original"]["out_channels"] for view in views.values()), default=1)
    bar = min(22.0, pitch * 0.3)
    nodes, x = [Node("input", "end", MARGIN, 5.0)], MARGIN
    before = "end"
    for operation, _ in shown:
        kind = "layer" if operation.name in views else "join"
        x += pitch if kind == before == "layer" else pitch * 0.75
        before = kind
        if kind == "layer":
            view = views[operation.name]
            height = _height(view["original"]["out_channels"], most)
            kept = 0.0 if view["removed"] else _height(view["out_channels"], most)
            nodes.append(Node(operation.name, kind, x, bar, height, kept, layer=view))
        else:
            nodes.append(Node(operation.name, kind, x, JOIN, sign=MEETING.get(operation.kind, "•")))
    return [*nodes, Node("output", "end", x + pitch * 0.75, 5.0)]


def _height(channels: int, most: int) -> float:
    """Pixels of a bar: by the square root, so that narrow layers can be seen beside wide ones."""
    return LOWEST + (TALLEST - LOWEST) * math.sqrt(channels / most)


def _line(start: Node, end: Node, middle: float, *, past: bool) -> str:
    if not past:
        return f"M{start.x + start.half:.1f} {middle:.1f}H{end.x - end.half:.1f}"
    rise = 22 + 48 * min(1.0, (end.x - start.x) / 600)
    top = middle - TALLEST / 2 - rise
    return (
        f"M{start.x:.1f} {middle - start.height / 2:.1f}C{start.x:.1f} {top:.1f} {end.x:.1f} {top:.1f}"
        f" {end.x:.1f} {middle - end.height / 2:.1f}"
    )
