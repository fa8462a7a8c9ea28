"""Rows for pages that are about many or about odd things: inserted as the service's own functions would insert them."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import insert, update
from sqlalchemy.orm import Session

from hw_models.devices import load_device
from hw_models.cost import Costs
from paretrim.network import Axis, Group, Network, Operation, Segment
from paretrim.problem import UNCHANGED, Bits, Measurement, Objective, Policy
from paretrim.wire import JobRequest
from search.front import Front
from service import devices, jobs, tables
from service.context import Service
from service.ids import new_id

DEVICE = "bit-serial"
ORIGINAL_ACCURACY = 0.93


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


class Filled:
    """Puts candidates into a job, batch by batch, as a worker that holds its lease does."""

    def __init__(self, session: Session, job: tables.Job, world: World, *, seed: int) -> None:
        self.job, self.world = job, world
        self.costs = Costs(world.network, load_device(devices.shipped()[DEVICE]))
        self.random = np.random.default_rng(seed)
        self.original = self._with_accuracy(self.costs.original, ORIGINAL_ACCURACY)
        objectives = tuple(Objective(metric) for metric in job.request["objectives"])
        self.front = Front(objectives, (), self.original)
        self.limit = 0.8 * self.original.value("latency_ms")
        self.searches = list(
            session.scalars(
                tables.Search.__table__.select().with_only_columns(tables.Search.id)
                .where(tables.Search.job_id == job.id).order_by(tables.Search.position)
            )
        )  # fmt: skip
        self.fence = jobs.claim(session, "a-test", lease_seconds=3600.0, running_per_workspace=1000)
        assert self.fence is not None
        assert self.fence.job_id == job.id
        self.done = 0
        self._begin(session)

    def _begin(self, session: Session) -> None:
        assert self.fence is not None
        jobs.hold(session, self.fence, phase="searching", original=self.original.to_json())
        row = self._row(0, None, 0, UNCHANGED, self.original, feasible=False)
        session.execute(insert(tables.Candidate), [row])

    def _with_accuracy(self, measurement: Measurement, accuracy: float) -> Measurement:
        where = {"how": "measured", "where": "validation split"}
        return Measurement.from_json(
            measurement.to_json()
            | {"accuracy": accuracy}
            | {"obtained": measurement.to_json()["obtained"] | {"accuracy": where}}
        )

    def _policy(self, position: int, index: int) -> Policy:
        centre = 0.25 + 0.6 * self.random.random()
        spread = 0.1 + 0.3 * math.exp(-index / 40) if position < 2 else 0.4
        keep = {
            group.name: float(np.clip(centre + spread * self.random.standard_normal() / 2, 0.05, 1.0))
            for group in self.world.network.prunable_groups
        }
        width = int(self.random.choice([4, 6, 8]))
        bits = {layer.name: Bits(width, 8) for layer in self.world.network.layers}
        return Policy(keep=keep, bits=bits)

    def add(self, session: Session, per_search: int, *, policies: int | None = None) -> None:
        """`per_search` more candidates of each search. `policies`: so many different ones, for speed."""
        rows, curve = [], []
        pool = [self._measured(self._policy(0, k)) for k in range(policies)] if policies else []
        best: dict[int, float] = {}
        for index in range(self.done, self.done + per_search):
            for position, search in enumerate(self.searches):
                policy, cost = pool[int(self.random.integers(len(pool)))] if pool else self._measured(
                    self._policy(position, index)
                )  # fmt: skip
                measurement = self._with_accuracy(cost, self._accuracy(cost, position, index))
                n = 1 + index * len(self.searches) + position
                feasible = measurement.value("latency_ms") <= self.limit
                rows.append(self._row(n, search, index, policy, measurement, feasible=feasible))
                if feasible:
                    self.front.add(n, measurement)
                    best[position] = max(best.get(position, 0.0), measurement.value("accuracy"))
                curve.append(
                    {"search_id": search, "index": index, "best": best.get(position), "seconds": 0.4 * (index + 1),
                     "hypervolume": best.get(position, 0.0) * (0.6 + 0.02 * position)}
                )  # fmt: skip
        self.done += per_search
        session.execute(insert(tables.Candidate), rows)
        session.execute(insert(tables.CurvePoint), curve)
        self._tell(session, len(rows), best)

    def _measured(self, policy: Policy) -> tuple[Policy, Measurement]:
        return policy, self.costs.measure(policy)

    def _accuracy(self, cost: Measurement, position: int, index: int) -> float:
        share = cost.value("macs") / self.original.value("macs")
        skill = (0.02 * min(1.0, index / 60)) if position < 2 else 0.0
        figure = ORIGINAL_ACCURACY - 0.6 * (1 - share) ** 3 - 0.05 * abs(self.random.standard_normal()) + skill
        return float(np.clip(figure, 0.1, 0.99))

    def _row(
        self, n: int, search: str | None, index: int, policy: Policy, measurement: Measurement, *, feasible: bool
    ) -> dict[str, Any]:
        plain = measurement.to_json()
        return {
            "job_id": self.job.id, "n": n, "search_id": search, "index": index, "policy": policy.to_json(),
            "measurement": plain, "failure": None, "feasible": feasible, "on_front": False,
            **{metric: value for metric, value in plain.items() if metric != "obtained"},
        }  # fmt: skip

    def _tell(self, session: Session, count: int, best: dict[int, float]) -> None:
        assert self.fence is not None
        numbers = list(self.front.numbers)
        session.execute(
            update(tables.Candidate)
            .where(tables.Candidate.job_id == self.job.id)
            .values(on_front=tables.Candidate.n.in_(numbers))
        )
        for position, search in enumerate(self.searches):
            values = {"evaluated": self.done, "best": best.get(position), "hypervolume": 0.6 * best.get(position, 0.0)}
            session.execute(update(tables.Search).where(tables.Search.id == search).values(**values))
        jobs.hold(
            session, self.fence, [("candidates", {"count": count}), ("front", {"size": len(numbers)})],
            completed=self.done * len(self.searches), best=dict(self.front.best), front_size=len(numbers),
            hypervolume=self.front.hypervolume,
        )  # fmt: skip

    def finish(self, session: Session) -> None:
        """The job has succeeded."""
        assert self.fence is not None
        jobs.succeed(session, self.fence)


def sha256(content: bytes) -> str:
    """Of some bytes, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()
