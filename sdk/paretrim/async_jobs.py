"""Jobs and what they found, as `AsyncClient` hands them out. The twin of `jobs.py`; a test holds them alike."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from paretrim import _job_flows as flows
from paretrim import _watch, wire, wire_overview
from paretrim._drive import AsyncDriver
from paretrim._events import EventReader
from paretrim._files import Progress
from paretrim._flow import fetch
from paretrim._job_flows import JobFields
from paretrim._pages import AsyncPages
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


class AsyncJobCandidate(Result):
    """A candidate of a job."""

    def __init__(
        self, driver: AsyncDriver, job: str, view: wire.CandidateView, original: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(view, original)
        self._driver = driver
        self._job = job

    async def download(
        self, to: str | os.PathLike[str] = ".", *, file: str | None = None, progress: Progress | None = None
    ) -> Path:
        """Save the delivered network as ONNX, or another of its files; where it lies now.

        to: a path, or a directory. The file is whole and its checksum right, or it is not there.
        """
        return await self._driver.run(flows.fetch_file(self, to, file, progress))

    async def layers(self) -> list[wire.LayerView]:
        """What is left of each layer and what it costs, beside the original's figures, in execution order."""
        return (await self._driver.run(flows.layers(self._job, self.n))).layers

    async def plot(self) -> Figure:
        """Channels kept, bits and share of the latency for every layer, as a plotly figure. Needs plotly."""
        return candidate_figure(self, await self.layers())

    async def export(self, *, timeout_seconds: float = flows.EXPORT_TIMEOUT_SECONDS) -> AsyncJobCandidate:
        """Have it fine-tuned, exported and measured if that was not done yet. Raises WaitTimeout."""
        view = await self._driver.run(flows.export(self._job, self.n, timeout_seconds))
        return AsyncJobCandidate(self._driver, self._job, view, self._original)


class AsyncJob(JobFields):
    """A job. Its fields show how it stood when it was last looked at; `reload` looks again."""

    def __init__(self, driver: AsyncDriver, view: wire.Job) -> None:
        super().__init__(view)
        self._driver = driver

    async def reload(self) -> AsyncJob:
        """Look again."""
        self.view = await self._driver.run(flows.get(self.id))
        return self

    async def wait(self, *, progress: bool = False, timeout_seconds: float | None = None) -> AsyncJob:
        """Wait until the job has ended. A connection that breaks meanwhile is taken up again.

        progress: show every search's progress, the best so far and the front's size on stderr. Raises JobFailed if
        the job failed, WaitTimeout (the job goes on then). A cancelled job is returned.
        """
        reader = EventReader(self.id)
        show = watcher() if progress else None
        try:
            self.view = await self._driver.run(_watch.wait(reader, watcher=show, timeout_seconds=timeout_seconds))
        finally:
            await self._driver.run(reader.close())
        return self

    async def cancel(self) -> AsyncJob:
        """Stop it; what was found stays."""
        self.view = await self._driver.run(flows.act(self.id, "cancel"))
        return self

    async def pause(self) -> AsyncJob:
        """Stop it for now."""
        self.view = await self._driver.run(flows.act(self.id, "pause"))
        return self

    async def resume(self) -> AsyncJob:
        """Go on where it was paused."""
        self.view = await self._driver.run(flows.act(self.id, "resume"))
        return self

    async def update(
        self,
        *,
        name: str | None = None,
        tags: Sequence[str] | None = None,
        priority: int | None = None,
        candidates: int | None = None,
    ) -> AsyncJob:
        """Rename, tag or re-prioritise it, or raise the budget of its searches; a job that succeeded then goes on."""
        call = change_job_call(
            self.id, name=name, tags=None if tags is None else list(tags), priority=priority, candidates=candidates
        )
        self.view = await self._driver.run(fetch(call, wire.Job))
        return self

    async def clone(self, **changes: Any) -> AsyncJob:
        """Submit its request again with changes, such as `seed=1` or `constraints=["macs_ratio <= 0.3"]`."""
        return AsyncJob(self._driver, await self._driver.run(fetch(clone_job_call(self.id, changes), wire.Job)))

    async def delete(self) -> None:
        """Delete it and all it found. Raises Conflict unless it has ended."""
        await self._driver.run(flows.delete(self.id))

    async def front(self) -> Frontier[AsyncJobCandidate]:
        """The candidates that no other dominates and that meet every constraint, as of now."""
        found = await self._driver.run(flows.front(self.id))
        return Frontier(
            found, [AsyncJobCandidate(self._driver, self.id, view, found.original) for view in found.members]
        )

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
    ) -> AsyncPages[AsyncJobCandidate]:
        """Every candidate that was proposed, failures included, by number.

        where: conditions such as "latency_ms <= 2, accuracy >= 0.9". order_by: `n` or a metric, `-` before it for
        descending.
        """

        def entry(view: wire.CandidateView) -> AsyncJobCandidate:
            return AsyncJobCandidate(self._driver, self.id, view, self.view.original)

        filters = {
            "search": None if search is None else identity(search, "search"),
            "on_front": on_front,
            "feasible": feasible,
            "failed": failed,
            "where": where,
            "order_by": order_by,
        }
        return AsyncPages(self._driver, flows.candidates(self.id, entry, limit, **filters))

    async def best_under(self, *constraints: str, metric: str = "accuracy") -> wire.Answers:
        """The best under constraints that the job did not have, without a new search.

        constraints: such as "latency_ratio <= 0.3". Up to two answers, each saying what it is: `evaluated`, a candidate
        of the job, and `predicted`, a policy that its candidates speak for; of accuracy only, and a guess until it is
        evaluated. Raises Infeasible if no policy meets the constraints.
        """
        return await self._driver.run(flows.best_under(self.id, constraints, metric))

    async def curves(self, *, search: wire.Search | str | None = None, max_points: int | None = None) -> wire.Curves:
        """Best so far and hypervolume of each search against evaluations and time."""
        wanted = None if search is None else identity(search, "search")
        return await self._driver.run(flows.curves(self.id, wanted, max_points))

    async def points(self, x: str = "latency_ms", y: str = "accuracy", *, max_points: int | None = None) -> wire.Points:
        """Every measured candidate as a point of two metrics, in columns; thinned out, but for the front."""
        return await self._driver.run(flows.points(self.id, x, y, max_points))

    async def candidate(self, n: int) -> AsyncJobCandidate:
        """One candidate by its number; 0 is the original model."""
        view = await self._driver.run(flows.candidate(self.id, n))
        return AsyncJobCandidate(self._driver, self.id, view, self.view.original)

    async def heat_map(
        self,
        search: wire.Search | str | None = None,
        *,
        what: Literal["keep", "weight_bits", "activation_bits"] = "keep",
        columns: int | None = None,
    ) -> wire_overview.HeatMap:
        """What a search proposed for every group or layer on average, generation by generation; the first, if none."""
        wanted = None if search is None else identity(search, "search")
        return await self._driver.run(flows.heat_map(self.id, wanted, what, columns))

    async def generations(self, metric: str = "accuracy", *, columns: int | None = None) -> wire_overview.Generations:
        """How good each search's proposals were, generation by generation: whether it learns."""
        return await self._driver.run(flows.generations(self.id, metric, columns))

    async def gauges(self, *, max_points: int | None = None) -> wire_overview.Gauges:
        """What each algorithm says of itself: an agent's reward and noise, a genetic search's generation."""
        return await self._driver.run(flows.gauges(self.id, max_points))

    async def sensitivity(self) -> wire_overview.Sensitivity:
        """How much accuracy hangs on each group's channels and each layer's bits, as far as the candidates tell."""
        return await self._driver.run(flows.sensitivity(self.id))

    async def searches(self) -> list[wire.Search]:
        """Its searches: one for each algorithm, the baselines included."""
        return await AsyncPages(self._driver, flows.searches(self.id)).all()

    async def events(self, *, after: int = 0) -> AsyncIterator[wire.Event]:
        """What happens to the job, as it happens, from the event after number `after` until the job has ended."""
        reader = EventReader(self.id, after=after)
        try:
            while (event := await self._driver.run(reader.next())) is not None:
                yield event
        finally:
            await self._driver.run(reader.close())


class AsyncJobs:
    """Jobs of the workspace."""

    def __init__(self, driver: AsyncDriver) -> None:
        self._driver = driver

    async def create(
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
    ) -> AsyncJob:
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
        view = await self._driver.run(fetch(create_job_call(request, idempotency_key), wire.Job))
        return AsyncJob(self._driver, view)

    def list(
        self,
        *,
        state: wire.State | Sequence[wire.State] | None = None,
        tag: str | None = None,
        device: wire.Device | str | None = None,
        text: str | None = None,
        order_by: str | None = None,
        limit: int | None = None,
    ) -> AsyncPages[AsyncJob]:
        """Jobs, newest first.

        state: one or several. text: part of a name or id. order_by: `created_at`, `name` or `priority`, `-` before
        it for descending.
        """
        named = None if device is None else identity(device, "device")
        filters = {"state": state, "tag": tag, "device": named, "q": text, "order_by": order_by}
        return AsyncPages(self._driver, flows.jobs(lambda view: AsyncJob(self._driver, view), limit, **filters))

    async def get(self, id: wire.Job | AsyncJob | str) -> AsyncJob:
        """One job. Raises NotFound."""
        return AsyncJob(self._driver, await self._driver.run(flows.get(identity(id))))

    async def check(
        self,
        *,
        model: wire.Model | str,
        device: wire.Device | str,
        constraints: Sequence[str | Constraint] | str | None = None,
    ) -> wire_overview.Outlook:
        """What could be had of a model on a device, and which constraints can be met. Nothing is submitted."""
        return await self._driver.run(flows.check(check_job_call(model, device, constraints)))

    async def queue(self) -> wire_overview.Queue:
        """The jobs that are worked on, and those that wait, next first."""
        return await self._driver.run(flows.queue())
