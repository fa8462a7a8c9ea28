"""Everything a job needs before its first candidate: network, splits, statistics, costs, and the original's figures.

What was decided here and cannot be had again exactly (the latencies just measured on this host, above all) is JSON that
is kept with the job, so that a resumed job sees the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from compressors import (
    Compressor,
    CompressorOptions,
    Imported,
    PackedSizes,
    Statistics,
    collect_statistics,
    describe,
    equalize,
)
from hw_models.advice import advise
from hw_models.cost import Costs
from hw_models.device import claims
from hw_models.devices import load_device
from hw_models.profiler import extend_table
from hw_models.profiler.host import outdated
from hw_models.stored_bits import StoredBits, check_compression, needs_headroom
from paretrim.compression import Compression
from paretrim.errors import InvalidInput, InvalidModel, JobFailed
from paretrim.network import Network
from paretrim.problem import Measurement, Provenance
from search.algorithms import ALGORITHMS
from search.basis import EvaluationBasis, read_model
from search.data import Split, Splits, check_declared, check_fits, load_dataset
from search.evaluate import Evaluator, run_network
from search.explore import SearchSetting
from search.foresight import Damages, foresee
from search.packed_costs import PackedCosts, packed_sizes, stores_packed
from search.plan import JobInputs, JobPlan, ModelFile, Recorder
from search.race import SHARES, rungs, spread_rows
from search.score import margins, score
from search.space import WIDTH_ONLY, CostModel
from search.supply import CALIBRATION_ROWS as CALIBRATION_ROWS  # where it was looked for before
from search.supply import calibration_inputs, described

#: rows statistics are collected on
#: of them, rows of a layer's input for every column of its Gram matrix, and rows that are run backwards too; more were
#: not found to make better networks, and take longer than the rest of the preparation
ROWS_PER_COLUMN, SENSITIVITY_ROWS = 16, 128
#: metrics that come from a table
TIMED = frozenset({"latency_ms", "energy_mj"})


@dataclass(frozen=True, slots=True)
class Prepared:
    """A job's inputs, read, checked and measured."""

    imported: Imported
    splits: Splits
    basis: EvaluationBasis
    setting: SearchSetting
    evaluator: Evaluator

    @property
    def network(self) -> Network:
        """Operations and groups."""
        return self.setting.network

    @property
    def original(self) -> Measurement:
        """Of the uncompressed network, measured as candidates are."""
        return self.setting.original


def prepare(plan: JobPlan, inputs: JobInputs, recorder: Recorder) -> Prepared:
    """Read, check, measure, and record it. On a later attempt, the same from what was recorded.

    Raises InvalidModel, InvalidDataset, InvalidTable, Infeasible; JobFailed if the inputs are not those of the first
    attempt.
    """
    recorder.progress("preparing", 0, 3)
    imported = read_model(inputs.model, inputs.architecture)
    if plan.compression.equalize:
        imported = equalize(imported)
    network = describe(imported)
    if not network.layers:
        raise InvalidModel("the network has no layer with weights, so there is nothing to compress", field="model")
    check_compression(network, load_device(inputs.device), plan.compression)
    check_teachers(inputs.teachers, imported, plan.recovery.teachers)
    splits = load_dataset(inputs.dataset, plan.seed)
    check_declared(splits, learns_from_labels=plan.recovery.has_labels and plan.finetune_epochs > 0)
    check_fits(splits, imported.input_shape, imported.output_shape, plan.metric)
    before = recorder.preparation()
    _check_same(before, splits, network)
    recorder.progress("preparing", 1, 3)
    scoring = splits.validation.sample(plan.validation_samples, plan.seed)
    rows = calibration_inputs(imported, splits, plan.recovery, plan.seed)
    options = compressor_options(plan.compression, inputs.device)
    with ThreadPoolExecutor(1) as aside:  # two cores have statistics and the original's outputs in the time of one
        running = aside.submit(_outputs, imported, scoring) if before is None else None
        statistics = _statistics(imported, network, rows, plan.seed)
        recorder.progress("preparing", 2, 3)
        compressor = Compressor(imported, network, statistics, options)
        damages = _damages(plan, before, compressor, imported, network, rows)
    judged = Provenance("measured", f"validation split, {len(scoring)} rows")
    if running is not None:
        document = _with_measurements(plan, inputs.device, network)
        sizes = _packed_sizes(plan, document, imported, network, statistics, options)
        original, order = _measure_original(running, scoring, plan, _costs(network, document, sizes), judged)
    else:
        assert before is not None
        document, original = before["device"], Measurement.from_json(before["original"])
        order, known = before.get("order"), before.get("packed_sizes")
        sizes = None if known is None else PackedSizes.from_json(known)
    if order is not None:
        scoring = scoring.take(np.array(order, dtype=np.intp))
    source = (inputs.model, inputs.architecture, statistics)
    made_up = rows if plan.recovery.data == "none" else None
    basis = EvaluationBasis(*source, scoring, plan.metric, plan.racing, options, made_up, plan.compression.equalize)
    evaluator = Evaluator(compressor, scoring, plan.metric, confidence=plan.racing)
    setting = SearchSetting(network, document, original, judged, compressor.orders(), len(scoring), sizes, damages)
    prepared = Prepared(imported, splits, basis, setting, evaluator)
    prepared.setting.space(plan)  # says now if the constraints cannot be met
    if before is None:
        preparation = _preparation(prepared) | {"order": order, "damages": damages}
        preparation["packed_sizes"] = None if sizes is None else sizes.to_json()
        recorder.prepared(
            original,
            preparation,
            (
                *imported.warnings,
                *splits.notes,
                *described(plan.recovery, splits),
                *claims(document),
                *outdated(document),
            ),
        )
    recorder.progress("preparing", 3, 3)
    return prepared


def check_teachers(teachers: Sequence[ModelFile], pupil: Imported, names: Sequence[str]) -> None:
    """Raise InvalidInput unless every teacher takes what the network takes and answers as it does."""
    for name, file in zip(names, teachers, strict=True):
        try:
            found = read_model(file.content, file.architecture)
        except InvalidModel as error:
            raise InvalidInput(f"{name} cannot teach: {error}", field="recovery.teachers") from None
        own, theirs = ((net.input_shape, net.input_dtype, net.output_shape) for net in (pupil, found))
        if own != theirs:
            raise InvalidInput(
                f"{name} makes outputs of shape {found.output_shape} of inputs of shape {found.input_shape}, the model"
                f" {pupil.output_shape} of {pupil.input_shape}; teachers must agree with it",
                field="recovery.teachers",
            )


def _with_measurements(plan: JobPlan, document: Mapping[str, Any], network: Network) -> Mapping[str, Any]:
    """The table with what the network's policies need; measured now, if time matters and this is the very host."""
    if is_timed(plan, document):
        return extend_table(document, [network], seed=plan.seed)
    return document


def is_timed(plan: JobPlan, document: Mapping[str, Any]) -> bool:
    """Whether preparing may take times on this machine, which nothing else should keep busy then."""
    metrics = {o.metric for o in plan.objectives} | {c.base_metric for c in plan.constraints}
    return document.get("kind") == "table" and bool(metrics & TIMED)


def compressor_options(compression: Compression, device: Mapping[str, Any], **more: Any) -> CompressorOptions:
    """How policies are carried out in a job. device: its document; more: further options."""
    return CompressorOptions(
        activation_range=compression.activation_range,
        weight_range=compression.weight_range,
        weight_rounding=compression.weight_rounding,
        weight_quantizer=compression.weight_quantizer,
        weight_quantizers=compression.weight_quantizers,
        headroom=needs_headroom(device),
        compact=compression.compact,
        **more,
    )


def _costs(network: Network, document: Mapping[str, Any], sizes: PackedSizes | None) -> CostModel:
    costs = Costs(network, load_device(document))
    return costs if sizes is None else PackedCosts(costs, sizes)


def _packed_sizes(
    plan: JobPlan,
    document: Mapping[str, Any],
    imported: Imported,
    network: Network,
    statistics: Statistics,
    options: CompressorOptions,
) -> PackedSizes | None:
    """What sizes are predicted from, where they mean packed files."""
    if not stores_packed(document):
        return None
    device = StoredBits(load_device(document), plan.compression)
    return packed_sizes(imported, network, statistics, options, device, searched=_chooses_bits(plan))


def _chooses_bits(plan: JobPlan) -> bool:
    """Whether policies of the job may name bits: not if nothing but widths matters to it, see `search.space`."""
    metrics = {o.metric for o in plan.objectives} | {c.base_metric for c in plan.constraints}
    told = plan.known or any(search.algorithm == "given" or search.options.get("soft") for search in plan.searches)
    return bool(told) or not metrics - {"accuracy"} <= WIDTH_ONLY


def _statistics(imported: Imported, network: Network, rows: Tensor, seed: int) -> Statistics:
    try:
        return collect_statistics(
            imported,
            network,
            rows,
            seed=seed,
            rows_per_column=ROWS_PER_COLUMN,
            sensitivity_samples=SENSITIVITY_ROWS,
        )
    except RuntimeError as error:  # torch's word for values that are not finite, and for shapes that do not fit
        raise JobFailed(f"the original network cannot be run on its data: {error}", code="original_failed") from error


def _damages(
    plan: JobPlan,
    before: Mapping[str, Any] | None,
    compressor: Compressor,
    imported: Imported,
    network: Network,
    rows: Tensor,
) -> Damages:
    """What is foreseen of each group, if any search of the job begins with it."""
    if before is not None and "damages" in before:
        return {name: tuple(losses) for name, losses in before["damages"].items()}
    if not any(getattr(ALGORITHMS[search.algorithm], "informed", False) for search in plan.searches):
        return {}
    return foresee(compressor, imported.module, network, rows, classes=plan.metric in SHARES)


def _outputs(imported: Imported, scoring: Split) -> Tensor:
    """The original's, on the rows that decide. On one thread, as everything is."""
    torch.set_num_threads(1)
    return run_network(imported.module, scoring)


def _measure_original(
    running: Future[Tensor], scoring: Split, plan: JobPlan, costs: CostModel, judged: Provenance
) -> tuple[Measurement, list[int] | None]:
    """The original's figures; and if candidates race, the order in which they meet the rows."""
    try:
        outputs = running.result()
        accuracy = score(plan.metric, outputs, scoring.targets(), scoring.inputs())
    except Exception as error:
        raise JobFailed(f"the original network cannot be evaluated: {error}", code="original_failed") from error
    obtained = dict(costs.original.obtained) | {"accuracy": judged}
    measurement = replace(costs.original, accuracy=accuracy, obtained=obtained)
    if len(rungs(len(scoring), plan.racing)) == 1 or plan.metric not in SHARES:
        return measurement, None
    return measurement, spread_rows(margins(outputs, scoring.targets()), plan.seed).tolist()


def _preparation(prepared: Prepared) -> dict[str, Any]:
    return {
        "device": dict(prepared.setting.device),
        "splits": prepared.splits.summary(),
        "network": prepared.network.to_json(),
        "original": prepared.original.to_json(),
        "scored_on": len(prepared.basis.scoring),
        "advice": advise(prepared.network, load_device(prepared.setting.device)).to_json(),
    }


def _check_same(before: Mapping[str, Any] | None, splits: Splits, network: Network) -> None:
    for name, now in (("splits", splits.summary()), ("network", network.to_json())):
        if before is not None and before[name] != now:
            raise JobFailed(
                f"the job's {name} are not what they were on its first attempt; submit it again", code="inputs_changed"
            )
