"""Jobs and what they found, as `Client` hands them out."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from paretrim import _job_flows as flows
from paretrim import _watch, wire, wire_overview
from paretrim._drive import Driver
from paretrim._events import EventReader
from paretrim._files import Progress
from paretrim._flow import fetch
from paretrim._job_flows import JobFields
from paretrim._pages import Pages
from paretrim._plot import candidate_figure
from paretrim._progress import watcher
from paretrim._requests import (
    Choice,
    change_job_call,
    check_job_call,
    clone_job_call,
    create_job_call,
    identity,
    job_request,
)
from paretrim._results import Frontier, Result
from paretrim.compression import Compression
from paretrim.problem import Budget, Constraint, Objective
from paretrim.recovery import Data, Recovery

if TYPE_CHECKING:
    from plotly.graph_objects import Figure


class JobCandidate(Result):
    """A candidate of a job."""

    def __init__(
        self, driver: Driver, job: str, view: wire.CandidateView, original: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(view, original)
        self._driver = driver
        self._job = job

    def download(
        self, to: str | os.PathLike[str] = ".", *, file: str | None = None, progress: Progress | None = None
    ) -> Path:
        """Save the delivered network as ONNX, or another of its files; where it lies now.

        to: a path, or a directory. The file is whole and its checksum right, or it is not there.
        """
        return self._driver.run(flows.fetch_file(self, to, file, progress))

    def layers(self) -> list[wire.LayerView]:
        """What is left of each layer and what it costs, beside the original's figures, in execution order."""
        return (self._driver.run(flows.layers(self._job, self.n))).layers

    def plot(self) -> Figure:
        """Channels kept, bits and share of the latency for every layer, as a plotly figure. Needs plotly."""
        return candidate_figure(self, self.layers())

    def export(self, *, timeout_seconds: float = flows.EXPORT_TIMEOUT_SECONDS) -> JobCandidate:
        """Have it fine-tuned, exported and measured if that was not done yet. Raises WaitTimeout."""
        view = self._driver.run(flows.export(self._job, self.n, timeout_seconds))
        return JobCandidate(self._driver, self._job, view, self._original)


class Job(JobFields):
    """A job. Its fields show how it stood when it was last looked at; `reload` looks again."""

    def __init__(self, driver: Driver, view: wire.Job) -> None:
        super().__init__(view)
        self._driver = driver

    def reload(self) -> Job:
        """Look again."""
        self.view = self._driver.run(flows.get(self.id))
        return self

    def wait(self, *, progress: bool = False, timeout_seconds: float | None = None) -> Job:
        """Wait until the job has ended. A connection that breaks meanwhile is taken up again.

        progress: show every search's progress, the best so far and the front's size on stderr. Raises JobFailed if
        the job failed, WaitTimeout (the job goes on then). A cancelled job is returned.
        """
        reader = EventReader(self.id)
        show = watcher() if progress else None
        try:
            self.view = self._driver.run(_watch.wait(reader, watcher=show, timeout_seconds=timeout_seconds))
        finally:
            self._driver.run(reader.close())
        return self

    def cancel(self) -> Job:
        """Stop it; what was found stays."""
        self.view = self._driver.run(flows.act(self.id, "cancel"))
        return self

    def pause(self) -> Job:
        """Stop it for now."""
        self.view = self._driver.run(flows.act(self.id, "pause"))
        return self

    def resume(self) -> Job:
        """Go on where it was paused."""
        self.view = self._driver.run(flows.act(self.id, "resume"))
        return self

    def update(
        self,
        *,
        name: str | None = None,
        tags: Sequence[str] | None = None,
        priority: int | None = None,
        candidates: int | None = None,
    ) -> Job:
        """Rename, tag or re-prioritise it, or raise the budget of its searches; a job that succeeded then goes on."""
        call = change_job_call(
            self.id, name=name, tags=None if tags is None else list(tags), priority=priority, candidates=candidates
        )
        self.view = self._driver.run(fetch(call, wire.Job))
        return self

    def clone(self, **changes: Any) -> Job:
        """Submit its request again with changes, such as `seed=1` or `constraints=["macs_ratio <= 0.3"]`."""
        return Job(self._driver, self._driver.run(fetch(clone_job_call(self.id, changes), wire.Job)))

    def delete(self) -> None:
        """Delete it and all it found. Raises Conflict unless it has ended."""
        self._driver.run(flows.delete(self.id))

    def front(self) -> Frontier[JobCandidate]:
        """The candidates that no other dominates and that meet every constraint, as of now."""
        found = self._driver.run(flows.front(self.id))
        return Frontier(found, [JobCandidate(self._driver, self.id, view, found.original) for view in found.members])

    def candidates(
        self,
        *,
        search: wire.Search | str | None = None,
        on_front: bool | None = None,
        feasible: bool | None = None,
        failed: bool | None = None,
        where: str | None = None,
        order_by: str | None = None,
        limit: int | None = None,
    ) -> Pages[JobCandidate]:
        """Every candidate that was proposed, failures included, by number.

        where: conditions such as "latency_ms <= 2, accuracy >= 0.9". order_by: `n` or a metric, `-` before it for
        descending.
        """

        def entry(view: wire.CandidateView) -> JobCandidate:
            return JobCandidate(self._driver, self.id, view, self.view.original)

        filters = {
            "search": None if search is None else identity(search, "search"),
            "on_front": on_front,
            "feasible": feasible,
            "failed": failed,
            "where": where,
            "order_by": order_by,
        }
        return Pages(self._driver, flows.candidates(self.id, entry, limit, **filters))

    def best_under(self, *constraints: str, metric: str = "accuracy") -> wire.Answers:
        """The best under constraints that the job did not have, without a new search.

        constraints: such as "latency_ratio <= 0.3". Up to two answers, each saying what it is: `evaluated`, a candidate
        of the job, and `predicted`, a policy that its candidates speak for; of accuracy only, and a guess until it is
        evaluated. Raises Infeasible if no policy meets the constraints.
        """
        return self._driver.run(flows.best_under(self.id, constraints, metric))

    def curves(self, *, search: wire.Search | str | None = None, max_points: int | None = None) -> wire.Curves:
        """Best so far and hypervolume of each search against evaluations and time."""
        wanted = None if search is None else identity(search, "search")
        return self._driver.run(flows.curves(self.id, wanted, max_points))

    def points(self, x: str = "latency_ms", y: str = "accuracy", *, max_points: int | None = None) -> wire.Points:
        """Every measured candidate as a point of two metrics, in columns; thinned out, but for the front."""
        return self._driver.run(flows.points(self.id, x, y, max_points))

    def candidate(self, n: int) -> JobCandidate:
        """One candidate by its number; 0 is the original model."""
        view = self._driver.run(flows.candidate(self.id, n))
        return JobCandidate(self._driver, self.id, view, self.view.original)

    def heat_map(
        self,
        search: wire.Search | str | None = None,
        *,
        what: Literal["keep", "weight_bits", "activation_bits"] = "keep",
        columns: int | None = None,
    ) -> wire_overview.HeatMap:
        """What a search proposed for every group or layer on average, generation by generation; the first, if none."""
        wanted = None if search is None else identity(search, "search")
        return self._driver.run(flows.heat_map(self.id, wanted, what, columns))

    def generations(self, metric: str = "accuracy", *, columns: int | None = None) -> wire_overview.Generations:
        """How good each search's proposals were, generation by generation: whether it learns."""
        return self._driver.run(flows.generations(self.id, metric, columns))

    def gauges(self, *, max_points: int | None = None) -> wire_overview.Gauges:
        """What each algorithm says of itself: an agent's reward and noise, a genetic search's generation."""
        return self._driver.run(flows.gauges(self.id, max_points))

    def sensitivity(self) -> wire_overview.Sensitivity:
        """How much accuracy hangs on each group's channels and each layer's bits, as far as the candidates tell."""
        return self._driver.run(flows.sensitivity(self.id))

    def searches(self) -> list[wire.Search]:
        """Its searches: one for each algorithm, the baselines included."""
        return Pages(self._driver, flows.searches(self.id)).all()

    def events(self, *, after: int = 0) -> Iterator[wire.Event]:
        """What happens to the job, as it happens, from the event after number `after` until the job has ended."""
        reader = EventReader(self.id, after=after)
        try:
            while (event := self._driver.run(reader.next())) is not None:
                yield event
        finally:
            self._driver.run(reader.close())


class Jobs:
    """Jobs of the workspace."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver

    def create(
        self,
        *,
        model: wire.Model | str,
        dataset: wire.Dataset | str,
        device: wire.Device | str,
        budget: Mapping[str, Any] | wire.BudgetRequest | Budget | int,
        algorithms: Sequence[Choice] | Choice | None = None,
        objectives: Sequence[str | Objective] | None = None,
        constraints: Sequence[str | Constraint] | str | None = None,
        seed: int | None = None,
        window: int | None = None,
        finetune_epochs: float | None = None,
        deliver: int | None = None,
        validation_samples: int | None = None,
        finalists: int | None = None,
        racing: float | None = None,
        metric: str | None = None,
        compression: Mapping[str, Any] | Compression | None = None,
        data: Data | None = None,
        recovery: Mapping[str, Any] | Recovery | None = None,
        batch: int | None = None,
        learn_from: wire.Job | str | None = None,
        name: str | None = None,
        tags: Sequence[str] | None = None,
        priority: int | None = None,
        idempotency_key: str | None = None,
    ) -> Job:
        """Submit a job.

        algorithms: names, or {"name": ..., "options": {...}}; by default `portfolio`. budget: what *each* search may
        spend, {"candidates": 300} or 300. compression: how policies are carried out, such as {"weight_quantizer":
        "kmeans"}, see `paretrim.compression.Compression`. data: what networks may learn from, recovery: how, see
        `paretrim.recovery.Recovery`. batch: delivered networks are timed with so many inputs at
        once, beside one. learn_from: an earlier job; on the same model searches begin with its best candidates and
        learn from the others, on another model its agents go on. What is not given is left to the server, see
        `paretrim.wire.JobRequest`.
        idempotency_key: makes this the same job however often it is submitted; without it, every call is a job of its
        own (its retries are not). Raises InvalidInput and Unprocessable, both naming the field.
        """
        request = job_request(
            model=model,
            dataset=dataset,
            device=device,
            algorithms=algorithms,
            budget=budget,
            objectives=objectives,
            constraints=constraints,
            seed=seed,
            window=window,
            finetune_epochs=finetune_epochs,
            deliver=deliver,
            validation_samples=validation_samples,
            finalists=finalists,
            racing=racing,
            metric=metric,
            compression=compression.to_json() if isinstance(compression, Compression) else compression,
            data=data,
            recovery=recovery.to_json() if isinstance(recovery, Recovery) else recovery,
            batch=batch,
            learn_from=learn_from,
            name=name,
            tags=tags,
            priority=priority,
        )
        view = self._driver.run(fetch(create_job_call(request, idempotency_key), wire.Job))
        return Job(self._driver, view)

    def list(
        self,
        *,
        state: wire.State | Sequence[wire.State] | None = None,
        tag: str | None = None,
        device: wire.Device | str | None = None,
        text: str | None = None,
        order_by: str | None = None,
        limit: int | None = None,
    ) -> Pages[Job]:
        """Jobs, newest first.

        state: one or several. text: part of a name or id. order_by: `created_at`, `name` or `priority`, `-` before
        it for descending.
        """
        named = None if device is None else identity(device, "device")
        filters = {"state": state, "tag": tag, "device": named, "q": text, "order_by": order_by}
        return Pages(self._driver, flows.jobs(lambda view: Job(self._driver, view), limit, **filters))

    def get(self, id: wire.Job | Job | str) -> Job:
        """One job. Raises NotFound."""
        return Job(self._driver, self._driver.run(flows.get(identity(id))))

    def check(
        self,
        *,
        model: wire.Model | str,
        device: wire.Device | str,
        constraints: Sequence[str | Constraint] | str | None = None,
    ) -> wire_overview.Outlook:
        """What could be had of a model on a device, and which constraints can be met. Nothing is submitted."""
        return self._driver.run(flows.check(check_job_call(model, device, constraints)))

    def queue(self) -> wire_overview.Queue:
        """The jobs that are worked on, and those that wait, next first."""
        return self._driver.run(flows.queue())
