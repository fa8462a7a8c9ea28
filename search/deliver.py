"""From the front to files: which members, made real, timed beside the original, reported.

Speed is claimed of the exported file only, in the runtime it is for, interleaved with the original's. Where the device
is another machine, its figure stays a prediction and is called one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import onnx

from compressors import fold, pack, write_onnx
from hw_models.measure import time_together
from hw_models.profiler.host import is_this_host
from hw_models.runtimes import ONNX_RUNTIME, TITLES
from hw_models.timing import Timing
from paretrim.errors import JobFailed
from paretrim.problem import UNCHANGED, Candidate, Measurement, Provenance
from search.craft import CraftBasis, Crafted, SerialWorkshop, Workshop, judge
from search.final import play
from search.front import Front
from search.ledger import Ledger
from search.padding import Padding, pad_if_it_pays, padded_policy
from search.plan import Delivered, JobInputs, JobPlan
from search.prepare import Prepared
from search.report import candidate_report
from search.score import Interval
from search.training_log import Bulletin
from search.what_became import batch_latencies, hot_spots, layer_rows

ORT = "ONNX Runtime on this host"


@dataclass(frozen=True, slots=True)
class Judged:
    """The original, as delivered networks are judged."""

    content: bytes
    accuracy: float
    interval: Interval
    packed_bytes: int  #: of its packed file
    parameters: int


def deliver(
    plan: JobPlan, inputs: JobInputs, prepared: Prepared, ledger: Ledger, workshop: Workshop | None = None
) -> None:
    """Make members of the front real and record them. Raises Interrupted, LeaseLost; JobFailed if none can be made."""
    recorder = ledger.recorder
    workshop = workshop or SerialWorkshop()
    chosen = choose(_front(plan, inputs, prepared, ledger, workshop), plan.deliver)
    before = recorder.delivered_numbers()
    policies = {n: ledger.candidates[n].policy for n in chosen if n not in before}
    recorder.progress("delivering", len(chosen) - len(policies), len(chosen))
    if not policies:
        return
    original = _original(inputs, prepared)
    failures: list[str] = []
    bulletin = Bulletin(recorder, len(chosen) - len(policies), len(chosen))
    for n, crafted in workshop.craft(_basis(plan, inputs, prepared), policies, recorder.wanted, bulletin):
        if isinstance(crafted, str):
            failures.append(crafted)
            recorder.log("error", f"candidate {n} cannot be delivered: {crafted}")
        else:
            delivered = _delivered(n, ledger.candidates[n], crafted, original, prepared, plan)
            recorder.delivered(delivered)
            for text in cautions(delivered.report):
                recorder.log("warning", f"candidate {n}: {text}")
            recorder.spent(crafted.cpu_seconds)
        bulletin.done(n)
    if len(failures) == len(policies) and not before:
        raise JobFailed(f"no member of the front could be delivered: {failures[0]}", code="delivery_failed")


def _front(plan: JobPlan, inputs: JobInputs, prepared: Prepared, ledger: Ledger, workshop: Workshop) -> Front:
    """That of the search; or of what a final makes of those close to it, if the job has one."""
    if not (plan.finalists and plan.deliver and plan.finetune_epochs):
        return ledger.front()
    return play(plan, ledger, _basis(plan, inputs, prepared), workshop)


def choose(front: Front, most: int) -> tuple[int, ...]:
    """At most so many members, spread over the front: the best in the first objective, then always the one farthest
    from those chosen, each objective in units of its extent on the front. The original needs no delivery."""
    members = {n: front.losses(measurement) for n, measurement in front.members.items() if n != 0}
    if len(members) <= most:
        return tuple(members)
    numbers = list(members)
    points = np.array([members[n] for n in numbers])  # (members, objectives)
    extent = np.ptp(points, axis=0)
    points = points / np.where(extent > 0, extent, 1.0)
    chosen = [0]
    while len(chosen) < most:
        distance = np.linalg.norm(points[:, None] - points[chosen], axis=2).min(axis=1)
        chosen.append(int(distance.argmax()))
    return tuple(numbers[place] for place in sorted(chosen[:most]))


def _basis(plan: JobPlan, inputs: JobInputs, prepared: Prepared) -> CraftBasis:
    splits = prepared.splits
    return CraftBasis(
        prepared.basis,
        splits.train,
        splits.validation,
        splits.test,
        plan.finetune_epochs,
        plan.seed,
        plan.compression.four_bit_linear,
        plan.recovery,
        inputs.teachers,
    )


def _original(inputs: JobInputs, prepared: Prepared) -> Judged:
    """The user's own file, if it is one that runs a single input; else the network written anew."""
    content, written = inputs.model, write_onnx(prepared.imported.module, prepared.imported, policy=UNCHANGED)
    if inputs.architecture is not None or not _takes_one(content):
        content = written
    accuracy, interval = judge(content, prepared.splits.test, prepared.basis.metric)
    parameters = sum(parameter.numel() for parameter in fold(prepared.imported.module).parameters())
    return Judged(content, accuracy, interval, len(pack(written).content), parameters)


def _takes_one(content: bytes) -> bool:
    batch = onnx.load_model_from_string(content).graph.input[0].type.tensor_type.shape.dim[0]
    return not batch.HasField("dim_value") or batch.dim_value == 1


def _delivered(
    n: int, candidate: Candidate, crafted: Crafted, original: Judged, prepared: Prepared, plan: JobPlan
) -> Delivered:
    here = is_this_host(prepared.setting.device)
    runtime = str(prepared.setting.device["runtime"]["name"]) if here else None
    crafted, padding = pad_if_it_pays(crafted, candidate.policy, prepared, runtime)
    others = {"floating": crafted.floating, "four_bit": crafted.four_bit}
    present = {name: content for name, content in others.items() if content is not None}
    before, after, *rest = time_together([original.content, crafted.content, *present.values()])
    timings = {"original": before, "delivered": after, **dict(zip(present, rest, strict=True))}
    split = Provenance("measured", f"test split, {len(prepared.splits.test)} rows, {ORT}")
    costs = prepared.setting.space(plan).measure(candidate.policy)
    if padding is not None and padding.refused:
        costs = replace(costs, latency_ms=padding.predicted_ms[0])
    sizes = (len(crafted.packed.content), original.packed_bytes) if prepared.setting.sizes is not None else (None, None)
    on_device = (before, after)
    if runtime is not None and runtime != ONNX_RUNTIME:
        first, second = time_together([original.content, crafted.content], runtime=runtime)
        on_device = (first, second)
    measurement = _measured(costs, crafted.test, split, sizes[0], runtime, on_device[1])
    beside = _measured(prepared.original, original.accuracy, split, sizes[1], runtime, on_device[0])
    report = _report(candidate, crafted, original, timings)
    report |= _details(plan, prepared, candidate, crafted, original, padding)
    files = {
        "model.onnx": crafted.content,
        "model.ptz": crafted.packed.content,
        "weights.safetensors": crafted.weights,
        "policy.json": json.dumps(_policy_json(candidate, crafted, plan, prepared, report), indent=2).encode(),
        "report.md": candidate_report(n, candidate, measurement, beside, crafted.precision, report).encode(),
    }
    if crafted.four_bit is not None:
        files["model-4bit.onnx"] = crafted.four_bit
    return Delivered(n, measurement, beside, files, crafted.precision, report)


def _measured(
    costs: Measurement,
    accuracy: float,
    split: Provenance,
    packed_bytes: int | None,
    runtime: str | None,
    timing: Timing,
) -> Measurement:
    """packed_bytes: None where sizes do not mean packed files, but what lies in the device's flash. runtime: that it
    was timed in; None where the device is another machine.
    """
    obtained = dict(costs.obtained) | {"accuracy": split}
    size = costs.size_bytes
    if packed_bytes is not None:
        size, obtained["size_bytes"] = packed_bytes, Provenance("measured", "the packed file")
    latency = costs.latency_ms
    if runtime is not None:
        latency = timing.latency_ms
        where = f"{TITLES[runtime]} on this host, batch 1, 1 thread, lower quartile"
        obtained["latency_ms"] = Provenance("measured", where)
    return replace(costs, accuracy=accuracy, latency_ms=latency, size_bytes=size, obtained=obtained)


def _report(
    candidate: Candidate,
    crafted: Crafted,
    original: Judged,
    timings: Mapping[str, Timing],
) -> dict[str, Any]:
    """JSON beside the files: what was promised, what was measured, and whether it is any faster."""
    before, after = timings["original"], timings["delivered"]
    assert candidate.measurement is not None  # front members were measured
    return {
        "predicted": candidate.measurement.to_json(),
        "validation": {"before": crafted.validation_before, "after": crafted.validation_after},
        "test": {"accuracy": crafted.test, "interval": list(crafted.interval), "confidence": 0.95},
        "original_test": {"accuracy": original.accuracy, "interval": list(original.interval), "confidence": 0.95},
        "host": {
            "runtime": "onnxruntime",
            "latency_ms": after.latency_ms,
            "p10_ms": after.p10_ms,
            "p90_ms": after.p90_ms,
            "original_latency_ms": before.latency_ms,
            "speedup": before.latency_ms / after.latency_ms,
        },
        "faster": after.latency_ms < before.latency_ms,
        "integers": {
            "intended": list(crafted.intended),
            "fallen_back": list(crafted.fallen_back),
            "floating_latency_ms": timings["floating"].latency_ms if "floating" in timings else None,
        },
        "four_bit": _four_bit(crafted, timings),
        "packed": _packed(candidate, crafted, original),
        "contributions": [dict(step) for step in crafted.contributions],
        "parity": dict(crafted.parity),
        "finetuning": [dict(epoch) for epoch in crafted.history],
        "layers": [dict(layer) for layer in crafted.layers],
    }


def _details(
    plan: JobPlan,
    prepared: Prepared,
    candidate: Candidate,
    crafted: Crafted,
    original: Judged,
    padding: Padding | None,
) -> dict[str, Any]:
    """Layer by layer, where time goes, the job's batch, the zeros that were added, and the control."""
    units = {group.name: group.units for group in prepared.network.groups}
    wider = padded_policy(candidate.policy, padding, units)
    batch = batch_latencies([original.content, crafted.content], plan.batch, seed=plan.seed)
    return {
        "layers": list(layer_rows(prepared.network, candidate.policy, crafted.layers, wider)),
        "padding": None if padding is None else padding.to_json(),
        "parameters": {"delivered": crafted.parameters, "original": original.parameters},
        "hot_spots": hot_spots(crafted.content, seed=plan.seed),
        "batch": None
        if batch is None
        else {"inputs": plan.batch, "original_latency_ms": batch[0], "latency_ms": batch[1]},
        "metric": plan.metric,
        "teachers": ["original", *plan.recovery.teachers],
        "scratch": None if crafted.scratch is None else dict(crafted.scratch),
    }


def _four_bit(crafted: Crafted, timings: Mapping[str, Timing]) -> dict[str, Any] | None:
    if crafted.four_bit is None or crafted.four_bit_parity is None:
        return None
    return {"latency_ms": timings["four_bit"].latency_ms, "parity": dict(crafted.four_bit_parity)}


def _packed(candidate: Candidate, crafted: Crafted, original: Judged) -> dict[str, Any]:
    """Bytes of the packed file, to the last one."""
    assert candidate.measurement is not None
    total = len(crafted.packed.content)
    return {
        "size_bytes": total,
        "predicted_bytes": candidate.measurement.size_bytes,
        "onnx_bytes": len(crafted.content),
        "original_bytes": original.packed_bytes,
        "ratio": original.packed_bytes / total,
        "layers": crafted.packed.by_layer(),
        "overhead_bytes": crafted.packed.overhead_bytes,
    }


def cautions(report: Mapping[str, Any]) -> list[str]:
    """What a person should know before using a delivered network: layers and speeds that are not as intended."""
    integers, host, found = report["integers"], report["host"], []
    if integers["fallen_back"]:
        found.append(
            f"ONNX Runtime computes {', '.join(integers['fallen_back'])} in floating point, though they have 8 bits"
        )
    wide = integers["floating_latency_ms"]
    if wide is not None and host["latency_ms"] > wide:
        found.append(
            f"slower on this host than the same network with 32 bits: {host['latency_ms']:.4f} against {wide:.4f} ms;"
            " conversions between integers and floating point cost more than 8-bit kernels save"
        )
    return found


def _policy_json(
    candidate: Candidate, crafted: Crafted, plan: JobPlan, prepared: Prepared, report: Mapping[str, Any]
) -> dict[str, Any]:
    """The policy as it was proposed, the units it came to keep, and those that some groups were padded to."""
    kept = {group: list(units) for group, units in crafted.kept.items()}
    how = {"compression": plan.compression.to_json(), "headroom": prepared.basis.options.headroom}
    padded = report["padding"]
    added = {name: pair[1] for name, pair in padded["widths"].items()} if padded and not padded["refused"] else {}
    return {**candidate.policy.to_json(), "kept": kept, "padded": added, "key": candidate.policy.key, **how}
