"""Plays a dispatcher by hand: claims a job of the real service and records what a search would have found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select, update

from paretrim.problem import METRICS, Measurement, Policy, Provenance
from service import jobs, tables
from service.context import Service
from service.ids import new_id

VALIDATION = Provenance("measured", "validation split")
TABLE = Provenance("predicted", "host-cpu table")
TEST = Provenance("measured", "test split")
RUNTIME = Provenance("measured", "ONNX Runtime, 1 thread")

ORIGINAL = Measurement(0.92, 2.0, 40_000, 1_000_000, obtained={"accuracy": VALIDATION, "latency_ms": TABLE})


def searched(accuracy: float, latency_ms: float, size_bytes: int = 20_000, macs: int = 500_000) -> Measurement:
    """What the search goes by."""
    return Measurement(accuracy, latency_ms, size_bytes, macs, obtained={"accuracy": VALIDATION, "latency_ms": TABLE})


def delivered(accuracy: float, latency_ms: float) -> Measurement:
    """What is measured at the end; no MACs, as nobody can time those."""
    return Measurement(accuracy, latency_ms, obtained={"accuracy": TEST, "latency_ms": RUNTIME})


class Worker:
    """Holds one job."""

    def __init__(self, service: Service, job_id: str) -> None:
        self.service = service
        self.job_id = job_id
        with service.database.write() as session:
            fence = jobs.claim(session, "played", lease_seconds=600, running_per_workspace=100)
            assert fence is not None
            assert fence.job_id == job_id, "another job was waiting"
            self.fence = fence
            self.searches = list(
                session.scalars(
                    select(tables.Search.id).where(tables.Search.job_id == job_id).order_by(tables.Search.position)
                )
            )

    def tell(self, *events: tuple[str, Mapping[str, Any]], **values: Any) -> None:
        """Append events and set what is shown of the job."""
        with self.service.database.write() as session:
            jobs.hold(session, self.fence, events, **values)

    def record(
        self,
        n: int,
        outcome: Measurement | str,
        *,
        policy: Policy | None = None,
        feasible: bool = True,
        on_front: bool = False,
    ) -> None:
        """A candidate with its measurement or its failure; number 0 is the original."""
        measurement = outcome if isinstance(outcome, Measurement) else None
        position, index = ((n - 1) % len(self.searches), (n - 1) // len(self.searches)) if n else (None, 0)
        row = tables.Candidate(
            job_id=self.job_id,
            n=n,
            search_id=None if position is None else self.searches[position],
            index=index,
            policy=(policy or Policy()).to_json(),
            measurement=None if measurement is None else measurement.to_json(),
            failure=None if measurement is not None else outcome,
            feasible=feasible,
            on_front=on_front,
            **{name: None if measurement is None else getattr(measurement, name) for name in METRICS},
        )
        with self.service.database.write() as session:
            session.add(row)
            if position is not None:
                session.execute(
                    update(tables.Search)
                    .where(tables.Search.id == row.search_id)
                    .values(evaluated=tables.Search.evaluated + 1, state="running")
                )
            jobs.hold(session, self.fence, [("candidates", {"n": [n]})], completed=tables.Job.completed + 1)

    def deliver(self, n: int, measurement: Measurement, content: bytes, report: str = "# report") -> None:
        """A front member made real."""
        files = {
            "model.onnx": self._artifact("model.onnx", content),
            "report.md": self._artifact("r.md", report.encode()),
        }
        with self.service.database.write() as session:
            session.add(
                tables.Delivery(
                    job_id=self.job_id,
                    n=n,
                    measurement=measurement.to_json(),
                    original=delivered(0.93, 2.1).to_json(),
                    artifact_id=files["model.onnx"],
                    files=files,
                    precision="int8",
                    report={},
                )
            )

    def _artifact(self, filename: str, content: bytes) -> str:
        sha256 = self.service.artifacts.put_bytes(content)
        row = tables.Artifact(
            id=new_id("artifact"),
            workspace_id=self._workspace(),
            sha256=sha256,
            size_bytes=len(content),
            filename=filename,
        )
        with self.service.database.write() as session:
            session.add(row)
        return row.id

    def _workspace(self) -> str:
        with self.service.database.read() as session:
            return session.get_one(tables.Job, self.job_id).workspace_id

    def succeed(self) -> None:
        """The job is done."""
        with self.service.database.write() as session:
            jobs.hold(session, self.fence, phase="done")
            jobs.succeed(session, self.fence)

    def fail(self, code: str, message: str) -> None:
        """The job has failed."""
        with self.service.database.write() as session:
            jobs.fail(session, self.fence, code, message)

    def stop(self) -> None:
        """The job stops as it was asked to."""
        with self.service.database.write() as session:
            jobs.stop(session, self.fence)
