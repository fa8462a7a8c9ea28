"""Templates, and how figures read on a page. Units and signs are decided here, so that all pages agree."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from paretrim.problem import METRICS
from service.dashboard import assets

#: what people call a metric; figures carry their units themselves
LABELS = {
    "accuracy": "Accuracy",
    "latency_ms": "Latency",
    "size_bytes": "Size",
    "macs": "MACs",
    "bops": "Bit operations",
    "peak_memory_bytes": "Peak memory",
    "energy_mj": "Energy",
}
DASH = "–"


def figure(value: Any, metric: str) -> str:
    """A metric's value as people read it."""
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        return DASH
    if metric == "accuracy":
        return f"{100 * value:.2f} %"
    if metric.endswith("_bytes"):
        return _scaled(value, 1024, ("B", "KiB", "MiB", "GiB", "TiB"))
    if metric in ("macs", "bops"):
        return _scaled(value, 1000, ("", "K", "M", "G", "T", "P"))
    if metric == "latency_ms":
        return f"{significant(value)} ms"
    if metric == "energy_mj":
        return f"{significant(value)} mJ"
    return significant(value)


def significant(value: Any, digits: int = 4) -> str:
    """A number with so many significant digits and without an exponent where it can be."""
    if not isinstance(value, int | float) or not math.isfinite(value):
        return DASH
    if value == 0:
        return "0"
    if not 1e-4 <= abs(value) < 1e9:
        return f"{value:.{digits - 1}e}"
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    text = f"{value:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _scaled(value: float, step: int, units: tuple[str, ...]) -> str:
    size = 0
    while abs(value) >= step and size < len(units) - 1:
        value /= step
        size += 1
    return f"{significant(value, 3) if size else f'{value:,.0f}'} {units[size]}".strip()


def change(value: Any, original: Any, metric: str) -> str:
    """How a figure compares with the original's: points of accuracy, else how many times smaller."""
    if not isinstance(value, int | float) or not isinstance(original, int | float):
        return ""
    if metric == "accuracy":
        return f"{100 * (value - original):+.2f} points"
    if value <= 0 or original <= 0:
        return ""
    ratio = original / value
    word = {"latency_ms": "faster"}.get(metric, "smaller")
    if abs(ratio - 1) < 0.005:
        return "as the original"
    if ratio < 1:
        word = {"latency_ms": "slower"}.get(metric, "larger")
        ratio = 1 / ratio
    return f"{significant(ratio, 3)}× {word}"


def duration(seconds: Any) -> str:
    """A span of time in the two units that matter."""
    if not isinstance(seconds, int | float) or not math.isfinite(seconds) or seconds < 0:
        return DASH
    if seconds < 60:
        return f"{significant(seconds, 2)} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours < 48 else f"{hours // 24} d {hours % 24} h"


def moment(value: Any) -> datetime | None:
    """A time of the wire."""
    return datetime.fromisoformat(value).astimezone(UTC) if isinstance(value, str) else None


def ago(value: Any, now: datetime | None = None) -> str:
    """How long ago a time of the wire was."""
    then = moment(value)
    if then is None:
        return DASH
    seconds = ((now or datetime.now(UTC)) - then).total_seconds()
    if seconds < 5:
        return "just now"
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{int(seconds // length)} {unit} ago"
    return f"{int(seconds)} s ago"


def algorithm_name(choice: str | Mapping[str, Any]) -> str:
    """The name of an algorithm as a request gives it: alone, or with options."""
    return choice if isinstance(choice, str) else str(choice["name"])


def percent(value: Any) -> str:
    """A share as a percentage."""
    return f"{100 * value:.3g} %" if isinstance(value, int | float) and math.isfinite(value) else DASH


def points(value: Any) -> str:
    """A difference of accuracies in points of a percent."""
    return f"{100 * value:.2f}" if isinstance(value, int | float) and math.isfinite(value) else DASH


def bits_class(bits: Any) -> int:
    """The shade that a bit-width is drawn in: 2, 4, 8, 16 or 32."""
    return next((step for step in (2, 4, 8, 16) if bits <= step), 32)


def ending(name: str, length: int) -> str:
    """A name's last characters, where layers differ."""
    return name if len(name) <= length else f"…{name[1 - length :]}"


def sentence(event: Mapping[str, Any]) -> str:
    """An event of a job, for people."""
    data = event["data"]
    match event["type"]:
        case "log":
            return str(data.get("message", ""))
        case "state":
            who = f"{data['algorithm']}: " if "algorithm" in data else ""
            why = data.get("reason") or data.get("message") or (data.get("error") or {}).get("message")
            return f"{who}{data.get('state')}" + (f" ({why})" if why else "")
        case "progress":
            detail = f" ({data['detail']})" if data.get("detail") else ""
            return f"{data.get('phase')}: {data.get('completed')} of {data.get('total')}{detail}"
        case "candidates":
            failed = f", {data['failed']} of them failed" if data.get("failed") else ""
            return f"{data.get('algorithm')}: {len(data.get('numbers', []))} candidates{failed}"
        case "front" if "delivered" in data:
            return f"candidate {data['delivered']} was fine-tuned, exported and measured"
        case "front":
            return f"{data.get('size')} on the front, hypervolume {significant(data.get('hypervolume'))}"
        case "end":
            return "the job has ended"
    return json.dumps(data)


def environment() -> Environment:
    """The templates, autoescaped, with the filters above. A name that is not given is an error."""
    made = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(
        figure=figure,
        significant=significant,
        change=change,
        duration=duration,
        ago=ago,
        algorithm_name=algorithm_name,
        percent=percent,
        points=points,
        bits_class=bits_class,
        ending=ending,
        sentence=sentence,
        json_pretty=lambda value: json.dumps(value, indent=2, ensure_ascii=False),
    )
    made.globals.update(LABELS=LABELS, METRICS=METRICS, DASH=DASH)
    return made


_ENVIRONMENT = environment()


def page(request: Request, template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """A page. Its headers keep it out of shared caches and out of frames, and let nothing but our own files run."""

    def with_query(**changes: Any) -> str:
        """This page's address with some of its filters changed; None or empty takes one away. Cursors are dropped."""
        kept = {name: request.query_params.getlist(name) for name in request.query_params if name != "cursor"}
        for name, value in changes.items():
            kept[name] = [] if value in (None, "") else [str(value)]
        return f"{request.url.path}?{urlencode(kept, doseq=True)}".rstrip("?")

    theme = request.cookies.get("paretrim_theme")
    text = _ENVIRONMENT.get_template(template).render(
        static=f"/static/{assets.version()}",
        style_ids=assets.plotly_style_ids(),
        theme=theme if theme in ("light", "dark") else None,
        path=request.url.path,
        query=defaultdict(str, request.query_params),
        with_query=with_query,
        **values,
    )
    return HTMLResponse(text, status, headers=page_headers())


def page_headers() -> Mapping[str, str]:
    """Security headers of every page."""
    return {
        "Content-Security-Policy": assets.content_security_policy(),
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "same-origin",
        "Cache-Control": "no-store",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    }
