"""A network drawn as its layers: what is drawn, in which order, and what goes past what."""

from __future__ import annotations

from typing import Any

from paretrim.network import Axis, Network, Operation, Segment
from service.dashboard.drawing import draw
from tests.browser import rows


def residual() -> Network:
    """Three convolutions, the last two of which have a shortcut past them; activations between them."""
    axis: Axis = (Segment(None, 8, 1),)
    image: Axis = (Segment(None, 3, 1),)

    def operation(name: str, kind: str, *inputs: str, of: Axis = axis) -> Operation:
        return Operation(name, kind, inputs, of, axis)

    return Network(
        (
            operation("stem", "conv2d", "input", of=image),
            operation("stem.relu", "relu", "stem"),
            operation("one", "conv2d", "stem.relu"),
            operation("one.relu", "relu", "one"),
            operation("two", "conv2d", "one.relu"),
            operation("sum", "add", "two", "stem.relu"),
            operation("end", "relu", "sum"),
        ),
        (),
        (3, 8, 8),
        "end",
    )


def views(network: Network, **changed: dict[str, Any]) -> list[dict[str, Any]]:
    """Layers as the wire has them, unchanged but for those named."""
    whole = {"out_channels": 8, "in_channels": 8, "weight_bits": 32, "activation_bits": 32, "removed": False}
    return [
        {"name": layer.name, "kind": layer.kind, "original": whole, **whole, **changed.get(layer.name, {})}
        for layer in network.layers
    ]


def test_layers_and_meetings_are_drawn_in_order_and_activations_are_not() -> None:
    drawing = draw(residual(), views(residual()))
    assert [node.name for node in drawing.nodes] == ["input", "stem", "one", "two", "sum", "output"]
    assert [node.kind for node in drawing.nodes] == ["end", "layer", "layer", "layer", "join", "end"]
    assert [node.x for node in drawing.nodes] == sorted(node.x for node in drawing.nodes)
    assert drawing.nodes[4].sign == "+"


def test_a_shortcut_is_an_arc_and_a_step_is_straight() -> None:
    drawing = draw(residual(), views(residual()))
    assert len(drawing.lines) == 6
    assert sum("C" in line for line in drawing.lines) == 1
    assert drawing.summary == "3 layers, and 6 connections, 1 of which goes past a layer."


def test_a_bar_is_as_high_as_channels_are_left_and_a_removed_layer_has_none() -> None:
    drawing = draw(residual(), views(residual(), one={"out_channels": 2}, two={"removed": True, "out_channels": 0}))
    stem, one, two = drawing.nodes[1:4]
    assert stem.kept == stem.height
    assert 0 < one.kept < one.height
    assert two.kept == 0
    assert "1 of them removed" in drawing.summary


def test_a_deep_network_is_drawn_narrow_and_without_figures() -> None:
    network = rows.network([f"layer.{place}" for place in range(80)])
    layers = [{**view, "original": {**view["original"], "out_channels": 64}} for view in views(network)]
    drawing = draw(network, layers)
    assert not drawing.figures
    assert len(drawing.nodes) == 83
    gaps = [b.x - a.x for a, b in zip(drawing.nodes, drawing.nodes[1:], strict=False)]
    assert min(gaps) >= 19, "layers stay apart; what does not fit is scrolled to"
