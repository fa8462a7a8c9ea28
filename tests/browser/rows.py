"""Rows for pages that are about many or about odd things: inserted as the service's own functions would insert them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from hw_models.cost import Costs
from hw_models.devices import load_device
from paretrim.network import Axis, Group, Network, Operation, Segment
from paretrim.problem import Bits, Budget, Candidate, Constraint, Measurement, Objective, Policy, Provenance
from paretrim.wire import JobRequest
from search.front import Front
from search.plan import Checkpoint, CurveStep, JobPlan, SearchPlan
from service import devices, jobs, tables
from service.context import Service
from service.ids import new_id
from service.recorder import SqlRecorder

DEVICE = "bit-serial"
ORIGINAL_ACCURACY = 0.93
HOSTILE = "<img src=x onerror=\"document.title='owned'\">"


def network(layers: Sequence[str] = ("stem", "body.1", "body.2", "body.3", "body.4", "body.5")) -> Network:
    """A chain of convolutions and a classifier, made of words only."""
    axis: Axis = (Segment(None, 3, 1),)
    operations: list[Operation] = []
    groups: list[Group] = []
    source, side = "input", 32
    for place, name in enumerate(layers):
        stride = 2 if place in (2, 4) else 1
        width = 16 * 2 ** min(2, place // 2)
        out: Axis = (Segment(f"g{place}", width, 1),)
        follower = layers[place + 1] if place + 1 < len(layers) else "classifier"
        groups.append(Group(f"g{place}", width, (name,), (follower,)))
        reached = side // stride
        operations.append(
            Operation(
                name, "conv2d", (source,), axis, out, (side, side), (reached, reached),
                kernel=(3, 3), stride=(stride, stride), padding=(1, 1, 1, 1), dilation=(1, 1), bias=True,
            )
        )  # fmt: skip
        source, axis, side = name, out, reached
    operations.append(Operation("pool", "global_avg_pool", (source,), axis, axis, (side, side), (1, 1)))
    operations.append(Operation("flat", "flatten", ("pool",), axis, axis, (1, 1)))
    operations.append(Operation("classifier", "linear", ("flat",), axis, (Segment(None, 10, 1),), bias=True))
    return Network(tuple(operations), tuple(groups), (3, 32, 32), "classifier")


@dataclass(frozen=True)
class World:
    """A workspace with a model and a dataset."""

    workspace_id: str
    model_id: str
    dataset_id: str
    network: Network


def world(session: Session, workspace_id: str, *, name: str, network: Network) -> World:
    """A model and a dataset that are ready."""
    inspection = {
        "input_name": "x", "input_shape": list(network.input_shape), "output_name": "logits", "output_shape": [10],
        "classes": 10, "parameters": 123_456, "macs": 7_654_321, "layers": [layer.name for layer in network.layers],
        "groups": [group.name for group in network.groups], "network": network.to_json(), "warnings": [],
    }  # fmt: skip
    split = {"samples": 1000, "shape": list(network.input_shape), "dtype": "float32"}
    report = {
        "splits": {"train": split, "validation": split, "test": split}, "classes": 10, "label_min": 0, "label_max": 9,
        "mean": None, "std": None, "carved": [], "warnings": [],
    }  # fmt: skip
    common: dict[str, Any] = {"workspace_id": workspace_id, "name": name, "state": "ready", "sha256": "0" * 64}
    model = tables.Model(id=new_id("model"), size_bytes=500_000, inspection=inspection, **common)
    dataset = tables.Dataset(id=new_id("dataset"), size_bytes=9_000_000, inspection=report, **common)
    session.add_all([model, dataset])
    session.flush()
    return World(workspace_id, model.id, dataset.id, network)


def stored_device(session: Session, service: Service, workspace_id: str, name: str = DEVICE) -> str:
    """The artifact that holds the document of a device that ships."""
    content = devices.dump(devices.shipped()[name])
    row = tables.Artifact(
        id=new_id("artifact"), workspace_id=workspace_id, sha256=service.artifacts.put_bytes(content),
        size_bytes=len(content), filename=f"{name}.json",
    )  # fmt: skip
    session.add(row)
    session.flush()
    return row.id


def queued_job(
    session: Session, service: Service, world: World, *, name: str | None, candidates: int, tags: Sequence[str] = ()
) -> tables.Job:
    """A job with two searches and a baseline that nobody has begun."""
    request = JobRequest(
        model=world.model_id, dataset=world.dataset_id, device=DEVICE, algorithms=["amc", "nsga2"],
        objectives=["accuracy", "latency_ms"], constraints=["latency_ratio <= 0.8"], budget={"candidates": candidates},  # type: ignore[arg-type]
        name=name, tags=list(tags),
    )  # fmt: skip
    job = tables.Job(
        id=new_id("job"), workspace_id=world.workspace_id, name=name, request=request.model_dump(mode="json"),
        tags=list(tags), model_id=world.model_id, dataset_id=world.dataset_id, device_name=DEVICE,
        device_artifact_id=stored_device(session, service, world.workspace_id),
    )  # fmt: skip
    searches = [jobs.NewSearch(new_id("search"), algorithm, {}, 0, algorithm in ("random", "uniform"))
                for algorithm in ("amc", "nsga2", "random")]  # fmt: skip
    jobs.create(session, job, searches, candidates)
    return job


def _plan(job: tables.Job, searches: Sequence[tables.Search]) -> JobPlan:
    """What the recorder needs to know of a job."""
    request = JobRequest.model_validate(job.request)
    return JobPlan(
        id=job.id,
        searches=tuple(SearchPlan(s.id, s.position, s.algorithm, s.options, s.seed, s.baseline) for s in searches),
        objectives=tuple(Objective(metric) for metric in request.objectives),
        constraints=tuple(Constraint.parse(text) for text in request.constraints),
        budget=Budget(request.budget.candidates),
    )


class Filled:
    """Puts candidates into a job, window by window, through the recorder a worker uses."""

    def __init__(self, service: Service, job_id: str, world: World, *, seed: int) -> None:
        self.world = world
        self.costs = Costs(world.network, load_device(devices.shipped()[DEVICE]))
        self.random = np.random.default_rng(seed)
        self._pool: list[tuple[Policy, Measurement]] = []
        self.database = service.database
        with self.database.write() as session:
            # by its own name, not by `claim`: that takes the oldest job, whichever it is
            session.execute(update(tables.Job).where(tables.Job.id == job_id).values(priority=100))
            fence = jobs.claim(session, "a-test", lease_seconds=3600.0, running_per_workspace=1000)
            assert fence is not None
            assert fence.job_id == job_id
            session.execute(update(tables.Job).where(tables.Job.id == job_id).values(priority=0))
        with self.database.read() as session:
            job = session.get_one(tables.Job, job_id)
            searches = session.scalars(select(tables.Search).where(tables.Search.job_id == job_id))
            self.plan = _plan(job, sorted(searches, key=lambda search: search.position))
        self.fence = fence
        self.recorder = SqlRecorder(service.database, service.artifacts, self.plan, fence)
        self.original = self._with_accuracy(self.costs.original, ORIGINAL_ACCURACY)
        self.recorder.prepared(self.original, {}, [])
        self.fronts = [Front(self.plan.objectives, self.plan.constraints, self.original) for _ in self.plan.searches]
        self.front = Front(self.plan.objectives, self.plan.constraints, self.original)
        self.done = 0

    def add(self, per_search: int, *, policies: int | None = None, fail_every: int = 0) -> None:
        """`per_search` more candidates of each search. `policies`: so many different ones at most, for speed."""
        if policies and not self._pool:
            drawn = [self._policy(0, index) for index in range(policies)]
            self._pool = [(policy, self.costs.measure(policy)) for policy in drawn]
        for position, search in enumerate(self.plan.searches):
            candidates, curve = [], []
            for index in range(self.done, self.done + per_search):
                if policies:
                    policy, cost = self._pool[int(self.random.integers(len(self._pool)))]
                else:
                    policy = self._policy(position, index)
                    cost = self.costs.measure(policy)
                candidates.append(self._candidate(position, index, policy, cost, fail_every))
                curve.append(self._told(position, candidates[-1]))
            checkpoint = Checkpoint(self.done + per_search, {}, gauges=self._gauges(search.algorithm, per_search))
            self.recorder.record(search, candidates, curve, checkpoint)
        self.done += per_search
        self.recorder.front(self.front.numbers, self.front.hypervolume, self.front.best)
        self.recorder.progress("searching", self.done * len(self.plan.searches), self.total)
        self.recorder.spent(0.11 * per_search * len(self.plan.searches))
        self.recorder.log("info", f"{self.done} candidates of each search")
        self.recorder.flush()

    @property
    def total(self) -> int:
        """Candidates of all searches together."""
        return self.plan.budget.candidates * len(self.plan.searches)

    def _candidate(self, position: int, index: int, policy: Policy, cost: Measurement, fail_every: int) -> Candidate:
        if fail_every and index % fail_every == fail_every - 1:
            return Candidate(index, policy, failure="<b>the loss</b> is not a number")
        return Candidate(index, policy, self._with_accuracy(cost, self._accuracy(cost, position, index)))

    def _told(self, position: int, candidate: Candidate) -> CurveStep:
        front = self.fronts[position]
        if candidate.measurement is not None:
            n = self.plan.number(position, candidate.index)
            front.add(n, candidate.measurement)
            self.front.add(n, candidate.measurement)
        seconds = 0.4 * (candidate.index + 1) * (1.3 if position == 0 else 1.0)
        return CurveStep(candidate.index, front.best.get("accuracy"), front.hypervolume, seconds)

    def _with_accuracy(self, measurement: Measurement, accuracy: float) -> Measurement:
        obtained = {**measurement.obtained, "accuracy": Provenance("measured", "validation split")}
        return replace(measurement, accuracy=accuracy, obtained=obtained)

    def _policy(self, position: int, index: int) -> Policy:
        learned = min(1.0, index / 50) if position < 2 else 0.0
        centre = 0.25 + 0.6 * self.random.random()
        keep = {}
        for place, group in enumerate(self.world.network.prunable_groups):
            taught = centre + learned * (0.25 if place in (0, 3) else -0.1)
            keep[group.name] = float(np.clip(taught + (0.4 - 0.3 * learned) * self.random.normal() / 2, 0.05, 1.0))
        low = 8 if learned > 0.5 and self.random.random() < 0.7 else int(self.random.choice([4, 6, 8]))
        bits = {layer.name: Bits(low if place else 8, 8) for place, layer in enumerate(self.world.network.layers)}
        return Policy(keep=keep, bits=bits)

    def _accuracy(self, cost: Measurement, position: int, index: int) -> float:
        share = cost.value("macs") / self.original.value("macs")
        skill = 0.03 * min(1.0, index / 60) if position < 2 else 0.0
        figure = ORIGINAL_ACCURACY - 0.6 * (1 - share) ** 3 - 0.06 * abs(self.random.normal()) * (1 - 8 * skill) + skill
        return float(np.clip(figure, 0.1, 0.99))

    def _gauges(self, algorithm: str, per_search: int) -> dict[str, float]:
        done = self.done + per_search
        said = {"amc": {"reward": 0.5 + done / 200, "noise": 0.5 * 0.97**done}, "nsga2": {"generation": done / 8}}
        return said.get(algorithm, {})

    def finish(self) -> None:
        """The searches have spent their budgets, and the job has succeeded."""
        for search in self.plan.searches:
            self.recorder.search_ended(search, "succeeded", None)
        with self.database.write() as session:
            jobs.succeed(session, self.fence)


@dataclass(frozen=True)
class Shown:
    """A job, and what fills it."""

    id: str
    filled: Filled


def job(
    service: Service,
    world: World,
    name: str | None,
    *,
    candidates: int = 60,
    tags: Sequence[str] = (),
    filled: int = 0,
    ended: bool = False,
    seed: int = 0,
) -> Shown:
    """A job that was submitted and that a worker has taken as far as `filled` candidates of each search."""
    with service.database.write() as session:
        queued = queued_job(session, service, world, name=name, candidates=candidates, tags=tags)
    shown = Shown(queued.id, Filled(service, queued.id, world, seed=seed))
    if filled:
        shown.filled.add(filled, fail_every=20)
    if ended:
        shown.filled.finish()
    return shown
