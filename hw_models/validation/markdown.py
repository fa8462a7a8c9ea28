"""A report card as a page for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_COLUMNS = (
    ("networks", "networks"),
    ("mape", "MAPE"),
    ("rmspe", "RMSPE"),
    ("within_5", "±5 %"),
    ("within_10", "±10 %"),
    ("within_15", "±15 %"),
    ("bias", "bias"),
    ("worst", "worst"),
    ("kendall_tau", "τ"),
    ("violations", "over budget"),
    ("violations_beyond_5", "... by over 5 %"),
    ("regret", "regret"),
)


def markdown(card: Mapping[str, Any]) -> str:
    """The page. card: as `validate` makes it."""
    noise, table = card["repeat_error"], card["table"]
    lines = [
        f"# Report card of {card['device']}",
        "",
        f"{card['hardware'].get('cpu_model', 'unknown processor')}, {card['runtime'].get('name')}"
        f" {card['runtime'].get('version')}, {card['runtime'].get('threads', 1)} thread(s), {card['date']}; table of"
        f" {table['date']} with {table['rows']} rows.",
        "",
        f"{card['networks']} networks nothing of the table was made of, of {len(card['families'])} families"
        f" ({', '.join(card['families'])}), of which {', '.join(card['calibrated_families'])} were calibrated with.",
        f"The truth itself repeats within {noise['median']:.1%} (median; nine in ten within {noise['p90']:.1%};"
        f" {card['sessions']} times loaded and timed): no prediction can be seen to be better than that.",
        *_drift(card),
        "",
        *_rows("predictions", {"all": card["overall"], "never calibrated": card["never_calibrated"]}),
        *_rows("precision", card["by_precision"]),
        *_rows("family", card["by_family"]),
        *_rows("way of predicting", {way["is"]: way for way in card["ways"].values()}),
        *_ratio(card),
        *_targets(card),
    ]
    return "\n".join(lines) + "\n"


def _rows(first: str, groups: Mapping[str, Mapping[str, Any] | None]) -> list[str]:
    head = "| " + " | ".join([first, *(label for _, label in _COLUMNS)]) + " |"
    rule = "|" + "---|" * (1 + len(_COLUMNS))
    body = [
        "| " + " | ".join([name, *(_figure(key, figures[key]) for key, _ in _COLUMNS)]) + " |"
        for name, figures in groups.items()
        if figures is not None
    ]
    return [head, rule, *body, ""]


def _figure(name: str, value: float) -> str:
    if name == "networks":
        return str(value)
    return f"{value:.3f}" if name == "kendall_tau" else f"{value:.1%}"


def _drift(card: Mapping[str, Any]) -> list[str]:
    if card["drift"] is None:
        return []
    way = "slower" if card["drift"] > 0 else "faster"
    return [f"The machine was {abs(card['drift']):.1%} {way} than when the table was taken; that is taken out."]


def _ratio(card: Mapping[str, Any]) -> list[str]:
    ratio = card["ratio"]
    return [
        f"Speed-ups (pruned against dense, {ratio['pairs']} pairs) are off by {ratio['mape']:.1%} on average, the worst"
        f" by {ratio['worst']:.1%}; {ratio['within_5']:.0%} are within 5 %.",
        f"The 90 % intervals cover {card['interval_covers']:.0%} of the networks.",
        "",
    ]


def _targets(card: Mapping[str, Any]) -> list[str]:
    lines = ["| target | wanted | found | met |", "|---|---|---|---|"]
    for name, entry in card["targets"].items():
        lines.append(f"| {name} | {entry['wanted']:g} | {entry['found']:.4g} | {'yes' if entry['met'] else 'no'} |")
    return lines
