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
    figure.add_trace(
        go.Scatter(
            name="front",
            mode="lines+markers",
            line={"shape": "hv" if y == "accuracy" else "linear", "color": _FRONT, "width": 1.6},
            marker={"size": 11, "color": _FRONT, "line": {"width": 2, "color": _INK}},
            **_points(members, x, y),
        )
    )
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
    """For every layer: channels kept, and bits of weights and activations."""
    go = _graph_objects()
    names = [layer.name for layer in layers]
    kept = [0.0 if e.removed else 100 * e.out_channels / e.original.out_channels for e in layers]
    text = [_said_of(layer) for layer in layers]
    figure = go.Figure()
    bars: Any = go.Bar
    figure.add_trace(
        bars(
            name="channels kept", x=names, y=kept, text=text, textposition="none", hoverinfo="text", marker_color=_KEPT
        )
    )
    for name, colour in (("weight_bits", _WEIGHT), ("activation_bits", _ACTIVATION)):
        bits = [0 if layer.removed else getattr(layer, name) for layer in layers]
        figure.add_trace(bars(name=name.replace("_", " "), x=names, y=bits, yaxis="y2", marker_color=colour))
    figure.update_layout(
        template="plotly_white",
        title=f"Candidate {result.n}, {result.algorithm or 'original'}",
        legend={"orientation": "h", "y": 1.12},
        xaxis={"anchor": "y2", "tickangle": -50},
        yaxis={"domain": [0.5, 1], "range": [0, 104], "title": "Channels kept (%)"},
        yaxis2={"domain": [0, 0.42], "title": "Bits", "tickvals": [2, 4, 8, 16, 32], "type": "log", "range": [0, 1.53]},
    )
    return figure


def _said_of(layer: LayerView) -> str:
    if layer.removed:
        return f"{layer.name}<br>removed with its block"
    channels = f"{layer.out_channels} of {layer.original.out_channels} channels"
    return f"{layer.name}<br>{channels}<br>{layer.macs:,} of {layer.original.macs:,} MACs"


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
