"""The dashboard's figures for notebooks: the front, and what a policy does to each layer. Needs plotly."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from paretrim.errors import InvalidInput, ParetrimError
from paretrim.problem import METRICS, Constraint, Measurement
from paretrim.wire import LayerView

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

    from paretrim._results import Frontier, Result

LABELS = {
    "accuracy": "Accuracy (%)",
    "latency_ms": "Latency (ms)",
    "size_bytes": "Size (bytes)",
    "macs": "MACs",
    "bops": "Bit operations",
    "peak_memory_bytes": "Peak memory (bytes)",
    "energy_mj": "Energy (mJ)",
}
_INK = "#1d2433"
_FRONT = _KEPT = "#2563c9"
_DOMINATED = "rgba(90, 102, 125, 0.45)"
_WEIGHT = "#b4540a"
_ACTIVATION = "#0f766e"
_BOUND = "#b42318"
_WAS, _BEFORE, _AFTER = "#e4e8ee", "#6a7483", "#8b2fc9"


def front_figure(front: Frontier[Any], x: str | None, y: str | None, candidates: Iterable[Result] = ()) -> Figure:
    """The front in two metrics, with the original model, the constraints and, if given, the other candidates.

    Raises InvalidInput for a metric that is none.
    """
    go = _graph_objects()
    x, y = _axes(front.objectives, x, y)
    figure = go.Figure()
    others = [c for c in candidates if not c.on_front and c.searched.accuracy is not None]
    marker = {"color": _DOMINATED, "size": 6}
    figure.add_trace(go.Scatter(name="dominated", mode="markers", marker=marker, **_points(others, x, y)))
    members = sorted((m for m in front if _both(m.measurement, x, y)), key=lambda m: m.measurement.value(x))
    edge = _edge([(_scaled(m.measurement, x), _scaled(m.measurement, y)) for m in members], x, y)
    line = {"shape": "vh" if x == "accuracy" else "hv", "color": _INK, "width": 1.6}
    places = {"x": [a for a, _ in edge], "y": [b for _, b in edge]}
    figure.add_trace(
        go.Scatter(name="edge of the front", mode="lines", line=line, hoverinfo="skip", showlegend=False, **places)
    )
    marker = {"size": 11, "color": _FRONT, "line": {"width": 2, "color": _INK}}
    figure.add_trace(go.Scatter(name="front", mode="markers", marker=marker, **_points(members, x, y)))
    original = members[0].original if members else front.original
    if original is not None and _both(original, x, y):
        text = f"Original<br>{_said(original, x)}<br>{_said(original, y)}"
        point = {"x": [_scaled(original, x)], "y": [_scaled(original, y)], "text": [text]}
        marker = {"symbol": "star-diamond", "size": 15, "color": "white", "line": {"width": 2.2, "color": _INK}}
        figure.add_trace(go.Scatter(name="original", mode="markers", marker=marker, hoverinfo="text", **point))
        _draw_bounds(figure, front.constraints, original, x, y)
    figure.update_layout(
        template="plotly_white", xaxis_title=LABELS[x], yaxis_title=LABELS[y], legend={"orientation": "h", "y": 1.12}
    )
    return figure


def candidate_figure(result: Result, layers: Sequence[LayerView]) -> Figure:
    """For every layer: channels kept, bits of weights and activations, share of the latency before and after."""
    figure = _graph_objects().Figure()
    kept = [0.0 if e.removed else 100 * e.out_channels / e.original.out_channels for e in layers]
    _add_bars(figure, layers, "original", [100.0] * len(layers), "y", _WAS, hoverinfo="skip")
    _add_bars(figure, layers, "channels kept", kept, "y", _KEPT)
    for name, colour, offset in (("weight_bits", _WEIGHT, -0.41), ("activation_bits", _ACTIVATION, 0.01)):
        bits = [0 if layer.removed else getattr(layer, name) for layer in layers]
        _add_bars(figure, layers, name.replace("_", " "), bits, "y2", colour, offset=offset, width=0.4)
    before, after = ([each.latency_ms or 0.0 for each in some] for some in ([e.original for e in layers], layers))
    for name, times, colour, offset in (("before", before, _BEFORE, -0.41), ("after", after, _AFTER, 0.01)):
        shares = [100 * time / (sum(times) or 1.0) for time in times]
        _add_bars(figure, layers, f"latency {name}", shares, "y3", colour, offset=offset, width=0.4)
    figure.update_layout(
        template="plotly_white",
        barmode="overlay",
        height=640,
        title=f"Candidate {result.n}, {result.algorithm or 'original'}",
        legend={"orientation": "h", "y": 1.08},
        xaxis={"anchor": "y3", "tickangle": -50},
        yaxis={"domain": [0.68, 1], "range": [0, 104], "title": "Channels kept (%)"},
        yaxis2={"domain": [0.34, 0.62], "title": "Bits", "tickvals": [2, 4, 8, 16, 32], "type": "log"}
        | {"range": [0, 1.53]},
        yaxis3={"domain": [0, 0.28], "title": "Latency (%)"},
    )
    return figure


def _add_bars(
    figure: Figure, layers: Sequence[LayerView], name: str, values: Sequence[float], axis: str, colour: str, **more: Any
) -> None:
    """Bars over the layers; what one shows when pointed at is the whole layer."""
    look = {"marker_color": colour, "text": [_said_of(layer) for layer in layers], "hoverinfo": "text"} | more
    names = [layer.name for layer in layers]
    figure.add_trace(_graph_objects().Bar(name=name, x=names, y=values, yaxis=axis, textposition="none", **look))


def _edge(points: Sequence[tuple[float, float]], x: str, y: str) -> list[tuple[float, float]]:
    """Of points in two metrics those that no other beats in both, by rising x: a front of more looks jagged."""
    gains = {metric: 1.0 if metric == "accuracy" else -1.0 for metric in (x, y)}
    best, kept = float("-inf"), []
    for point in sorted(points, key=lambda point: (-gains[x] * point[0], -gains[y] * point[1])):
        if gains[y] * point[1] > best:
            best = gains[y] * point[1]
            kept.append(point)
    return sorted(kept)


def _said_of(layer: LayerView) -> str:
    if layer.removed:
        return f"{layer.name}<br>removed with its block"
    said = [
        layer.name,
        f"{layer.out_channels} of {layer.original.out_channels} channels",
        f"weights {layer.weight_bits} bits, activations {layer.activation_bits} bits",
        f"{layer.macs:,} of {layer.original.macs:,} MACs",
    ]
    if layer.latency_ms is not None and layer.original.latency_ms is not None:
        said.append(f"{layer.latency_ms:.4g} of {layer.original.latency_ms:.4g} ms")
    return "<br>".join(said)


def _axes(objectives: Sequence[str], x: str | None, y: str | None) -> tuple[str, str]:
    for metric in (x, y):
        if metric is not None and metric not in METRICS:
            raise InvalidInput(f"{metric!r} is not a metric; there are {', '.join(METRICS)}", field="metric")
    costs = [m for m in (*objectives, "latency_ms", "macs") if m not in ("accuracy", y)]
    values = [m for m in ("accuracy", *objectives) if m != (x or costs[0])]
    return x or costs[0], y or values[0]


def _points(results: Sequence[Result], x: str, y: str) -> dict[str, Any]:
    found = [r for r in results if _both(r.measurement, x, y)]
    said = [
        f"Candidate {r.n}, {r.algorithm or 'original'}<br>{_said(r.measurement, x)}<br>{_said(r.measurement, y)}"
        for r in found
    ]
    return {
        "x": [_scaled(r.measurement, x) for r in found],
        "y": [_scaled(r.measurement, y) for r in found],
        "customdata": [r.n for r in found],
        "text": said,
        "hoverinfo": "text",
    }


def _both(measurement: Measurement, x: str, y: str) -> bool:
    return getattr(measurement, x) is not None and getattr(measurement, y) is not None


def _scaled(measurement: Measurement, metric: str) -> float:
    return measurement.value(metric) * (100 if metric == "accuracy" else 1)


def _said(measurement: Measurement, metric: str) -> str:
    origin = measurement.obtained.get(metric)
    how = f" ({origin.how}, {origin.where})" if origin is not None else ""
    return f"{LABELS[metric]}: {_scaled(measurement, metric):.5g}{how}"


def _draw_bounds(figure: Figure, constraints: Sequence[str], original: Measurement, x: str, y: str) -> None:
    for constraint in map(Constraint.parse, constraints):
        if getattr(original, constraint.base_metric) is None:
            continue
        at = constraint.limit(original) * (100 if constraint.base_metric == "accuracy" else 1)
        line = {"line_dash": "dash", "line_color": _BOUND, "annotation_text": str(constraint)}
        if constraint.base_metric == x:
            figure.add_vline(x=at, **line)
        if constraint.base_metric == y:
            figure.add_hline(y=at, **line)


def _graph_objects() -> Any:
    try:
        import plotly.graph_objects as go
    except ImportError:
        raise ParetrimError("plotting needs plotly: pip install 'paretrim[plot]'") from None
    return go
