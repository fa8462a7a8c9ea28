"""Pictures of a report card, as SVG: predicted against measured, and how the errors are spread."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

_SIDE, _MARGIN = 420, 56
_COLOURS = {"fp32": "#0b6e99", "int8": "#b3541e", "mixed": "#5b7f2b"}


def scatter(card: Mapping[str, Any]) -> str:
    """Predicted over measured milliseconds, both logarithmic, with the lines of +-10 %."""
    points = card["points"]
    values = [point[name] for point in points for name in ("measured_ms", "predicted_ms")]
    low, high = math.log10(min(values)) - 0.05, math.log10(max(values)) + 0.05

    def at(milliseconds: float) -> float:
        return (math.log10(milliseconds) - low) / (high - low) * (_SIDE - 2 * _MARGIN)

    parts = []
    for factor, dash in ((1.0, ""), (0.9, "4"), (1.1, "4")):
        begin, end = 10**low, 10**high
        parts.append(_line(_x(at(begin)), _y(at(begin * factor)), _x(at(end)), _y(at(end * factor)), dash))
    parts += [
        f'<circle cx="{_x(at(p["measured_ms"])):.1f}" cy="{_y(at(p["predicted_ms"])):.1f}" r="3"'
        f' fill="{_COLOURS.get(p["precision"], "#444")}" fill-opacity="0.7">'
        f"<title>{escape(p['family'])} {escape(p['precision'])}: {p['measured_ms']:.3g} ms measured,"
        f" {p['predicted_ms']:.3g} ms predicted</title></circle>"
        for p in points
    ]
    ticks = [t for e in range(-3, 4) for t in (10**e, 3 * 10**e) if low <= math.log10(t) <= high]
    parts += [_text(_x(at(t)), _SIDE - _MARGIN + 18, f"{t:g}", "middle") for t in ticks]
    parts += [_text(_MARGIN - 8, _y(at(t)) + 4, f"{t:g}", "end") for t in ticks]
    return _framed(parts, "measured, ms", "predicted, ms", [p["precision"] for p in points])


def histogram(card: Mapping[str, Any]) -> str:
    """How many networks are off by how much, in steps of 2 %."""
    step, most = 0.02, 10
    counts = dict.fromkeys(range(-most, most + 1), 0)
    for point in card["points"]:
        off = point["predicted_ms"] / point["measured_ms"] - 1
        counts[max(-most, min(most, round(off / step)))] += 1
    width, top = (_SIDE - 2 * _MARGIN) / len(counts), max(counts.values())
    parts = []
    for place, (bucket, count) in enumerate(counts.items()):
        height = count / top * (_SIDE - 2 * _MARGIN)
        parts.append(
            f'<rect x="{_x(place * width):.1f}" y="{_y(height):.1f}" width="{width - 1:.1f}" height="{height:.1f}"'
            f' fill="#0b6e99"><title>{bucket * step:+.0%}: {count}</title></rect>'
        )
        if bucket % 5 == 0:
            parts.append(_text(_x((place + 0.5) * width), _SIDE - _MARGIN + 18, f"{bucket * step:+.0%}", "middle"))
    return _framed(parts, "predicted / measured - 1", "networks", [])


def _x(value: float) -> float:
    return _MARGIN + value


def _y(value: float) -> float:
    return _SIDE - _MARGIN - value


def _line(x1: float, y1: float, x2: float, y2: float, dash: str) -> str:
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="#888"{dashed} clip-path="url(#in)"/>'


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _framed(parts: Sequence[str], below: str, beside: str, precisions: Sequence[str]) -> str:
    inner = _SIDE - 2 * _MARGIN
    legend = [
        f'<text x="{_MARGIN + 8}" y="{_MARGIN + 16 * (row + 1)}" fill="{_COLOURS.get(name, "#444")}">{name}</text>'
        for row, name in enumerate(dict.fromkeys(precisions))
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_SIDE} {_SIDE}" font-family="sans-serif"'
        f' font-size="12">'
        f'<title>{escape(beside)} against {escape(below)}</title><rect width="100%" height="100%" fill="#fff"/>'
        f'<clipPath id="in"><rect x="{_MARGIN}" y="{_MARGIN}" width="{inner}" height="{inner}"/></clipPath>'
        f'<rect x="{_MARGIN}" y="{_MARGIN}" width="{inner}" height="{inner}" fill="none" stroke="#444"/>'
        + "".join([*parts, *legend])
        + _text(_SIDE / 2, _SIDE - 14, below, "middle")
        + f'<text transform="translate(16 {_SIDE / 2}) rotate(-90)" text-anchor="middle">{escape(beside)}</text>'
        + "</svg>\n"
    )
