"""What is checked before a job is accepted, so that nothing is queued that cannot end well.

Everything here works on JSON that inspection left behind: no model is loaded, no dataset opened.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from threading import Lock
from typing import Any, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from hw_models.advice import advise
from hw_models.cost import Costs
from hw_models.devices import load_device
from hw_models.legal import STEPPED, given_policies
from hw_models.limits import limits, with_limits
from hw_models.reach import smallest
from hw_models.stored_bits import StoredBits, check_compression
from paretrim.algorithms import with_baselines
from paretrim.compression import Compression
from paretrim.errors import Infeasible, InvalidInput, InvalidModel, NotMeasured
from paretrim.network import Network
from paretrim.problem import Constraint, Measurement
from paretrim.wire import AUTO, JobRequest
from service import devices, jobs, lessons, problems, quotas, tables, teachers
from service.accounts import Principal
from service.artifacts import Artifacts
from service.ids import new_id
from service.problems import Problem
from service.settings import Settings
from service.tables import Artifact

F = TypeVar("F", tables.Model, tables.Dataset)

MOST_NAME = 64  #: characters of an algorithm's name
METRIC_NAMES = ("top1", "top5", "mse", "auc")


@dataclass(frozen=True, slots=True)
class Examined:
    """A request that can end well, as it will be run, and the copy of the device's document that goes with it."""

    request: JobRequest
    document_sha256: str
    document_bytes: int


#: the least that range coding leaves of weights, as a share of their counted bytes
CODED = 0.25


def examine(session: Session, artifacts: Artifacts, principal: Principal, request: JobRequest) -> Examined:
    """Check a request. Problems name the field at fault and the remedy.

    This reckons for a while, so it is done before the transaction that writes: on SQLite that one keeps out all others.
    """
    _searches(request)
    model = _ready(session, principal, "model", tables.Model, request.model)
    dataset = _ready(session, principal, "dataset", tables.Dataset, request.dataset)
    check_fit(model.inspection or {}, dataset.inspection or {}, request.metric)
    check_learning(request, dataset.inspection or {})
    lessons.check(session, principal, request)
    teachers.check(session, principal.workspace_id, request.recovered(), model.inspection or {})
    document = _device_document(session, artifacts, principal, request.device)
    request = for_device(request, model.inspection or {}, document)
    check_reachable(request, model.inspection or {}, document)
    check_given(request, model.inspection or {}, document)
    content = devices.dump(document)
    return Examined(request, artifacts.put_bytes(content), len(content))


def submit(
    session: Session,
    settings: Settings,
    principal: Principal,
    examined: Examined,
    *,
    job_id: str,
    cloned_from: str | None = None,
) -> tables.Job:
    """Queue an examined job. 429 or 413 if there is no room for it; 422 if its model or dataset is gone meanwhile."""
    quotas.check_jobs(session, settings, principal)
    quotas.check_bytes(session, settings, principal.workspace_id, examined.document_bytes, "device")
    request = examined.request
    model = _ready(session, principal, "model", tables.Model, request.model)
    dataset = _ready(session, principal, "dataset", tables.Dataset, request.dataset)
    job = tables.Job(
        id=job_id,
        workspace_id=principal.workspace_id,
        key_id=principal.key_id,
        name=request.name,
        request=request.model_dump(mode="json"),
        tags=list(request.tags),
        priority=request.priority,
        model_id=model.id,
        dataset_id=dataset.id,
        device_name=request.device,
        device_artifact_id=_stored_document(session, principal, examined),
        cloned_from=cloned_from,
    )
    jobs.create(session, job, _searches(request), request.budget.candidates)
    return job


def _searches(request: JobRequest) -> list[jobs.NewSearch]:
    """One search per algorithm; an algorithm named twice runs again with the next seed."""
    seen: dict[str, int] = {}
    searches = []
    if not all(chosen if isinstance(chosen, str) else chosen.name for chosen in request.algorithms):
        raise InvalidInput("an algorithm has no name; leave it out, or name one", field="algorithms")
    if any(isinstance(chosen, str) and len(chosen) > MOST_NAME for chosen in request.algorithms):
        raise InvalidInput(f"no algorithm's name is longer than {MOST_NAME} characters", field="algorithms")
    for chosen in with_baselines(request.choices()):
        repeat = seen[chosen.name] = seen.get(chosen.name, -1) + 1
        seed = (request.seed + repeat) % 2**32
        searches.append(jobs.NewSearch(new_id("search"), chosen.name, chosen.options, seed, chosen.baseline))
    return searches


def _ready(session: Session, principal: Principal, kind: str, table: type[F], name: str) -> F:
    """The model or dataset a job names, if it may be used."""
    row = session.scalar(select(table).where(table.id == name, table.workspace_id == principal.workspace_id))
    if row is None:
        raise problems.unprocessable(kind, f"there is no {kind} {name!r}; upload it first")
    if row.state == "rejected":
        raise problems.unprocessable(kind, f"{name} was rejected: {row.reason}")
    if row.state != "ready":
        raise problems.conflict(f"{kind}-not-ready", f"{kind}: {name} is still being inspected; wait until it is ready")
    return row


def check_fit(model: Mapping[str, Any], dataset: Mapping[str, Any], metric: str) -> None:
    """Raise InvalidInput unless the dataset's rows are inputs of the model and its labels are among the answers."""
    if metric not in METRIC_NAMES:
        raise InvalidInput(f"{metric!r} is not a metric; choose from {', '.join(METRIC_NAMES)}", field="metric")
    wanted = list(model["input_shape"])
    for name, split in dataset["splits"].items():
        if not _fits(split["shape"], wanted):
            raise InvalidInput(
                f"{name}_x has rows of shape {tuple(split['shape'])}, the model's input {model['input_name']!r} takes"
                f" {tuple(wanted)}; upload a dataset with such rows",
                field="dataset",
            )
    if metric in ("top1", "top5"):
        _check_labels(model, dataset, metric)
    if metric == "auc" and (dataset.get("label_max") is None or dataset["label_max"] > 1):
        raise InvalidInput("metric 'auc' needs labels 0 and 1; choose metric 'top1'", field="metric")
    if metric == "mse" and dataset.get("classes") is not None:
        raise InvalidInput("metric 'mse' needs float targets, the dataset has class numbers", field="metric")


def check_learning(request: JobRequest, dataset: Mapping[str, Any]) -> None:
    """Raise InvalidInput if networks are to learn from labels that the dataset does not have."""
    if dataset.get("unlabelled") and request.finetune_epochs > 0 and request.recovered().has_labels:
        raise InvalidInput(
            "train_x of the dataset has no train_y to learn from; declare data: unlabeled, or add the labels",
            field="data",
        )


def _fits(given: Sequence[int], wanted: Sequence[int | None]) -> bool:
    return len(given) == len(wanted) and all(w in (None, g) for g, w in zip(given, wanted, strict=True))


def _check_labels(model: Mapping[str, Any], dataset: Mapping[str, Any], metric: str) -> None:
    low, high = dataset.get("label_min"), dataset.get("label_max")
    if low is None or high is None:
        raise InvalidInput("the dataset has float targets, not class numbers; choose metric 'mse'", field="metric")
    classes = max(2, int(model["classes"])) if model.get("classes") else None
    if low < 0 or (classes is not None and high >= classes):
        raise InvalidInput(
            f"labels run from {low} to {high}, the model answers with classes 0 to {(classes or 1) - 1};"
            " renumber the labels",
            field="dataset",
        )
    if metric == "top5" and classes is not None and classes <= 5:
        raise InvalidInput(
            f"metric 'top5' tells nothing of {classes} classes: it is always 1; choose metric 'top1'", field="metric"
        )


def _device_document(session: Session, artifacts: Artifacts, principal: Principal, name: str) -> Mapping[str, Any]:
    try:
        content = devices.content(session, artifacts, principal.workspace_id, name)
    except Problem:
        choice = ", ".join(devices.names(session, principal.workspace_id))
        remedy = "run `paretrim profile` and upload the table first" if name == "host-cpu" else f"choose from {choice}"
        raise problems.unprocessable("device", f"there is no device {name!r}; {remedy}") from None
    document: Mapping[str, Any] = json.loads(content)
    return document


def _stored_document(session: Session, principal: Principal, examined: Examined) -> str:
    """The id of a copy of the device's document that lives as long as the job."""
    row = Artifact(
        id=new_id("artifact"),
        workspace_id=principal.workspace_id,
        sha256=examined.document_sha256,
        size_bytes=examined.document_bytes,
        filename=f"{examined.request.device}.json",
        media_type=devices.MEDIA_TYPE,
    )
    session.add(row)
    session.flush()
    return row.id


def for_device(request: JobRequest, inspection: Mapping[str, Any], document: Mapping[str, Any]) -> JobRequest:
    """The request with what the device adds: its memory and flash as constraints, objectives where they are `auto`.

    Raises InvalidInput if the device tells too little to choose objectives.
    """
    constraints = with_limits([Constraint.parse(text) for text in request.constraints], document)
    changes: dict[str, Any] = {"constraints": [str(constraint) for constraint in constraints]}
    if request.objectives == [AUTO]:
        try:
            advice = advise(Network.from_json(inspection["network"]), load_device(document))
        except NotMeasured as error:
            raise InvalidInput(
                f"objectives 'auto' needs a figure for every operation: {error}; or name the objectives",
                field="objectives",
            ) from None
        changes |= {"objectives": list(advice.objectives), "advised": str(advice)}
    return request.model_copy(update=changes)


def check_reachable(request: JobRequest, inspection: Mapping[str, Any], document: Mapping[str, Any]) -> None:
    """Raise Infeasible if some constraint is out of reach whatever the policy; InvalidInput if it cannot be told."""
    constraints = [Constraint.parse(text) for text in request.constraints]
    wanted = {constraint.base_metric for constraint in constraints} | set(request.objectives)
    try:
        told = [json.dumps(part) for part in (inspection["network"], document, request.compression)]
        with _reckoning:
            reach, original = _reach(*told, stepped=bool(wanted & STEPPED))
    except NotMeasured as error:
        if request.device == "host-cpu":
            return  # it is measured on the machine that runs the job
        message = f"{request.device} has no figure for an operation of this model: {error}; extend its table"
        raise InvalidInput(message, field="device") from None
    except InvalidModel as error:
        raise InvalidInput(str(error), field="model") from None
    for metric in sorted(wanted - {"accuracy"}):
        if getattr(original, metric) is None:
            raise InvalidInput(f"{request.device} tells no {metric}; choose another device or metric", field="device")
    for constraint in constraints:
        _check_constraint(constraint, reach, original)


def check_given(request: JobRequest, inspection: Mapping[str, Any], document: Mapping[str, Any]) -> None:
    """Raise InvalidInput naming the place of a policy of the user's own that the network or the device cannot have."""
    given = [chosen.options.get("policies") or () for chosen in request.choices() if chosen.name == "given"]
    if any(given):
        network = Network.from_json(inspection["network"])
        device = StoredBits(load_device(document), Compression.from_json(request.compression))
        for policies in given:
            given_policies(network, device, policies)


_reckoning = Lock()  # of many who submit the same at once, one reckons


@lru_cache(maxsize=32)
def _reach(network: str, document: str, compression: str, *, stepped: bool) -> tuple[Mapping[str, float], Measurement]:
    """What `smallest` finds, and the original's cost. The same model is often submitted to the same device."""
    words, read = Network.from_json(json.loads(network)), json.loads(document)
    options, own = Compression.from_json(json.loads(compression)), load_device(read)
    check_compression(words, own, options)
    device = StoredBits(own, options)
    reach = smallest(words, device, stepped=stepped)
    if "size_bytes" in reach and "size_bytes" not in limits(read):
        reach["size_bytes"] *= CODED  # sizes mean packed files, of which counting knows the most they can be
    return reach, Costs(words, device).original


def _check_constraint(constraint: Constraint, reach: Mapping[str, float], original: Measurement) -> None:
    metric = constraint.base_metric
    if metric == "accuracy" or metric not in reach:
        return
    least = reach[metric]
    if least > constraint.limit(original):
        relative = constraint.metric != metric
        figure = least / original.value(metric) if relative else least
        raise Infeasible(
            f"{constraint} cannot be met: the least that can be reached is {constraint.metric} = {figure:.4g};"
            " loosen the constraint",
            reachable={constraint.metric: figure},
        )
