"""Reports as Markdown: predicted beside measured, baselines beside agents, and what could not be done."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from paretrim.problem import METRICS, Candidate, Measurement
from search.plan import JobPlan, SearchEnd

Row = Sequence[object]

#: what "accuracy" is, by the job's metric
METRIC_NAMES: Mapping[str, str] = {
    "top1": "top-1 accuracy",
    "top5": "top-5 accuracy",
    "mse": "fidelity, 1 - mean squared error / variance of the targets",
    "auc": "area under the ROC curve",
}


@dataclass(frozen=True, slots=True)
class SearchSummary:
    """One search, as a report compares it."""

    algorithm: str
    baseline: bool
    evaluated: int
    failed: int
    best: float | None  #: in the first objective, among candidates that meet the constraints
    hypervolume: float
    seconds: float
    end: SearchEnd | None
    message: str | None = None


def table(header: Row, rows: Iterable[Row]) -> str:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines)


def figure(metric: str, value: float | None) -> str:
    """A metric as a person reads it, with its unit."""
    if value is None:
        return "-"
    if metric == "accuracy":
        return f"{100 * value:.2f} %"
    if metric in ("latency_ms", "energy_mj"):
        return f"{value:.4g} {metric.rsplit('_', 1)[1].replace('mj', 'mJ')}"
    if metric in ("size_bytes", "peak_memory_bytes"):
        return f"{value:,.0f} bytes"
    return f"{value:,.0f}"


def candidate_report(
    n: int,
    candidate: Candidate,
    delivered: Measurement,
    original: Measurement,
    precision: str,
    report: Mapping[str, Any],
) -> str:
    """What one delivered network is worth: before, promised, and measured.

    delivered, original: measured the same way; report: the JSON of `search.plan.Delivered`.
    """
    parts = [
        f"# Candidate {n} ({precision})",
        _verdict(report),
        "## Before and after\n\n" + _comparison(candidate.measurement, delivered, original) + _parameters(report),
        "## Accuracy\n\n" + _accuracy(report),
        "## Speed on this host\n\n" + _speed(report),
        "## Exported file\n\n" + _parity(report),
        "## What each step contributed\n\n" + _contributions(report["contributions"]),
        "## Packed file\n\n" + _packed(report["packed"]),
        "## Layers\n\n" + _layers(report["layers"]),
        "## Where the time goes\n\n" + _hot_spots(report.get("hot_spots", ())),
    ]
    if report.get("padding"):
        parts.insert(5, "## Channels of zeros\n\n" + _padding(report["padding"]))
    if report.get("scratch"):
        parts.append("## The same structure, trained from nothing\n\n" + _scratch(report))
    if report["finetuning"]:
        header = list(report["finetuning"][0])
        rows = [[_short(epoch[name]) for name in header] for epoch in report["finetuning"]]
        several = report.get("teachers", ())[1:]
        said = f"\n\nBeside the original, {', '.join(several)} taught: the mean of their answers." if several else ""
        parts.append("## Fine-tuning\n\n" + table(header, rows) + said)
    return "\n\n".join(parts) + "\n"


def _padding(padding: Mapping[str, Any]) -> str:
    """What was padded, or why not."""
    widths = ", ".join(f"{name} {kept} -> {width}" for name, (kept, width) in padding["widths"].items())
    own, wider = padding["predicted_ms"]
    text = f"Predicted to be faster with groups padded by zeros: {widths} ({own:.4g} ms, padded {wider:.4g} ms)."
    if padding["measured_ms"] is not None:
        before, after = padding["measured_ms"]
        text += f" Timed in turn: {before:.4g} ms, padded {after:.4g} ms."
    if padding["refused"]:
        return f"{text} Not done: {padding['refused']}."
    return f"{text} Done; the outputs are the same."


def job_report(
    plan: JobPlan,
    original: Measurement,
    front: Mapping[int, Measurement],
    deliveries: Mapping[int, Mapping[str, Any]],
    searches: Sequence[SearchSummary],
    warnings: Sequence[str],
) -> str:
    """The whole job on a page. front: measurements as searched, by number; deliveries: JSON of Delivered, by number."""
    asked = ", ".join(str(constraint) for constraint in plan.constraints) or "none"
    parts = [
        "# paretrim report",
        f"Objectives: {', '.join(o.metric for o in plan.objectives)}. Constraints: {asked}. "
        f"Budget: {plan.budget.candidates} candidates a search. Seed: {plan.seed}. Metric: {plan.metric}"
        f" (accuracy means {METRIC_NAMES[plan.metric]}).",
        "## Front\n\n" + _front(original, front, deliveries),
        "## Searches\n\n" + _searches(plan, searches) + "\n\n" + compared(plan, searches),
    ]
    if warnings:
        parts.append("## Warnings\n\n" + "\n".join(f"- {warning}" for warning in dict.fromkeys(warnings)))
    return "\n\n".join(parts) + "\n"


def compared(plan: JobPlan, searches: Sequence[SearchSummary]) -> str:
    """Whether what was asked for beats the baselines at the same cost, in hypervolume, in plain words."""
    baselines = [search for search in searches if search.algorithm in ("random", "uniform")]
    asked = [search for search in searches if search not in baselines]
    if not baselines or not asked:
        return "There is nothing to compare: the job ran baselines only." if baselines else "No baselines ran."
    bar = max(baselines, key=lambda search: search.hypervolume)
    lines = []
    for search in asked:
        verb = "beats" if search.hypervolume > bar.hypervolume else "does not beat"
        lines.append(
            f"- `{search.algorithm}` {verb} the better baseline, `{bar.algorithm}`: hypervolume"
            f" {search.hypervolume:.4f} against {bar.hypervolume:.4f},"
            f" {search.evaluated} against {bar.evaluated} evaluations (one seed: {plan.seed})."
        )
    return "\n".join(lines)


def _verdict(report: Mapping[str, Any]) -> str:
    host = report["host"]
    if report["faster"]:
        return f"{host['speedup']:.2f} times as fast as the original in ONNX Runtime on this host."
    return (
        f"**Not faster than the original** in ONNX Runtime on this host ({host['speedup']:.2f} times its speed),"
        " whatever was predicted. Do not choose it for speed."
    )


def _comparison(predicted: Measurement | None, delivered: Measurement, original: Measurement) -> str:
    rows = []
    for metric in METRICS:
        found = delivered.obtained.get(metric)
        if getattr(delivered, metric) is None or found is None:
            continue
        promised = getattr(predicted, metric) if predicted is not None else None
        ratio = _ratio(metric, getattr(delivered, metric), getattr(original, metric))
        values = (figure(metric, value) for value in (getattr(original, metric), promised, getattr(delivered, metric)))
        rows.append([metric, *values, ratio, f"{found.how}: {found.where}"])
    return table(["metric", "original", "in the search", "delivered", "original / delivered", "delivered is"], rows)


def _parameters(report: Mapping[str, Any]) -> str:
    found = report.get("parameters")
    if not found:
        return ""
    return f"\n\n{found['delivered']:,} parameters of {found['original']:,}, batch norms folded in both."


def _ratio(metric: str, own: float | None, original: float | None) -> str:
    if not own or original is None or metric == "accuracy":
        return "-"
    return f"{original / own:.2f}"


def _accuracy(report: Mapping[str, Any]) -> str:
    test, original, validation = report["test"], report["original_test"], report["validation"]
    rows = [
        ["original, test split", figure("accuracy", original["accuracy"]), _interval(original["interval"])],
        ["delivered, test split", figure("accuracy", test["accuracy"]), _interval(test["interval"])],
        ["validation split before fine-tuning", figure("accuracy", validation["before"]), "-"],
        ["validation split after fine-tuning", figure("accuracy", validation["after"]), "-"],
    ]
    return table(["", METRIC_NAMES[report.get("metric", "top1")], "95 % interval"], rows)


def _interval(ends: Sequence[float]) -> str:
    return f"{100 * ends[0]:.2f} to {100 * ends[1]:.2f} %"


def _speed(report: Mapping[str, Any]) -> str:
    host = report["host"]
    rows = [
        ["original", f"{host['original_latency_ms']:.4f}", "-", "-"],
        ["delivered", f"{host['latency_ms']:.4f}", f"{host['p10_ms']:.4f}", f"{host['p90_ms']:.4f}"],
    ]
    wide, four_bit = report["integers"]["floating_latency_ms"], report["four_bit"]
    if wide is not None:
        rows.append(["the same with 32 bits", f"{wide:.4f}", "-", "-"])
    if four_bit is not None:
        rows.append(["with 4-bit kernels (model-4bit.onnx)", f"{four_bit['latency_ms']:.4f}", "-", "-"])
    if report.get("batch"):
        batch = report["batch"]
        rows += [
            [f"{name}, batch {batch['inputs']}", f"{batch[key]:.4f}", "-", "-"]
            for name, key in (("original", "original_latency_ms"), ("delivered", "latency_ms"))
        ]
    integers = _integers(report["integers"])
    note = integers + (
        "Measured in turns, batch 1 where nothing else is said, one thread: the lower quartile of the CPU time of the"
        " thread that runs the network."
    )
    return table(["ONNX Runtime", "ms", "p10", "p90"], rows) + "\n\n" + note


def _integers(integers: Mapping[str, Any]) -> str:
    wanted, lost = integers["intended"], integers["fallen_back"]
    if not wanted:
        return ""
    text = f"{len(wanted) - len(lost)} of {len(wanted)} layers of 8 bits or fewer run in 8-bit kernels"
    return text + (f"; in floating point: {', '.join(lost)}. " if lost else ". ")


def _contributions(steps: Sequence[Mapping[str, Any]]) -> str:
    rows = [
        [
            step["step"],
            figure("accuracy", step["accuracy"]),
            f"{100 * step['accuracy_change']:+.2f} points" if place else "-",
            figure("size_bytes", step["size_bytes"]),
            f"{step['size_change']:+,} bytes" if place else "-",
        ]
        for place, step in enumerate(steps)
    ]
    return table(["step", "accuracy, validation", "change", "packed size", "change"], rows)


def _packed(packed: Mapping[str, Any]) -> str:
    predicted = packed["predicted_bytes"]
    rows = [
        ["original, packed", figure("size_bytes", packed["original_bytes"])],
        ["packed (model.ptz)", figure("size_bytes", packed["size_bytes"])],
        ["predicted in the search", "-" if predicted is None else figure("size_bytes", predicted)],
        ["as ONNX", figure("size_bytes", packed["onnx_bytes"])],
        ["compression ratio", f"{packed['ratio']:.2f}"],
    ]
    layers = [[name, size] for name, size in packed["layers"].items()]
    layers.append(["graph, names, checksum", packed["overhead_bytes"]])
    return table(["", ""], rows) + "\n\n" + table(["layer", "bytes in the packed file"], layers)


def _parity(report: Mapping[str, Any]) -> str:
    return table(["torch against ONNX Runtime", ""], [[name, _short(v)] for name, v in report["parity"].items()])


def _hot_spots(spots: Sequence[Mapping[str, Any]]) -> str:
    rows = [[s["kernel"], s["operator"], f"{s['time_us']:.0f} us", f"{100 * s['share']:.1f} %"] for s in spots]
    return table(["kernel", "operator", "median time", "of all kernels"], rows) if rows else "Not measured."


def _scratch(report: Mapping[str, Any]) -> str:
    control, own = report["scratch"], report["test"]["accuracy"]
    verdict = "the weights mattered" if own > control["test"] else "the structure mattered, its weights did not"
    return (
        f"{figure('accuracy', control['test'])} on test after {control['epochs']:g} epochs from fresh weights,"
        f" {figure('accuracy', own)} as delivered: {verdict} (one seed)."
    )


def _layers(layers: Sequence[Mapping[str, Any]]) -> str:
    if not layers:
        return "No layer was changed."
    header = list(dict.fromkeys(name for layer in layers for name in layer))
    return table(header, [[_short(layer.get(name)) for name in header] for layer in layers])


def _front(original: Measurement, front: Mapping[int, Measurement], deliveries: Mapping[int, Mapping[str, Any]]) -> str:
    if not front:
        return "No candidate meets the constraints."
    header = ["n", "accuracy, validation", "latency, predicted", "size, predicted", "MACs"]
    header += ["accuracy, test", "latency, measured", "speed-up", "file"]
    rows: list[Row] = [["original", *_searched(original), "", "", "", ""]]
    rows += [[n, *_searched(measurement), *_made(deliveries.get(n))] for n, measurement in front.items()]
    return table(header, rows)


def _searched(measurement: Measurement) -> list[str]:
    return [figure(name, getattr(measurement, name)) for name in ("accuracy", "latency_ms", "size_bytes", "macs")]


def _made(delivery: Mapping[str, Any] | None) -> list[str]:
    if delivery is None:
        return ["not delivered", "", "", ""]
    host = delivery["report"]["host"]
    slower = "" if delivery["report"]["faster"] else " (not faster than the original)"
    return [
        figure("accuracy", delivery["measurement"]["accuracy"]),
        figure("latency_ms", host["latency_ms"]),
        f"{host['speedup']:.2f}{slower}",
        delivery["file"],
    ]


def _searches(plan: JobPlan, searches: Sequence[SearchSummary]) -> str:
    header = ["algorithm", "evaluated", "failed", f"best {plan.objectives[0].metric}", "hypervolume", "seconds", "end"]
    rows = [
        [
            f"{search.algorithm}{' (baseline)' if search.baseline else ''}",
            search.evaluated,
            search.failed,
            figure(plan.objectives[0].metric, search.best),
            f"{search.hypervolume:.4f}",
            f"{search.seconds:.1f}",
            f"{search.end or 'open'}{': ' + search.message if search.message else ''}",
        ]
        for search in searches
    ]
    return table(header, rows)


def _short(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_short(entry)}" for name, entry in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_short(entry) for entry in value)
    return "-" if value is None else str(value)
