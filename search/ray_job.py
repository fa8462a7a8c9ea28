"""A job on Ray: one Tune experiment whose trials are the job's searches.

A trial asks for no CPU: it only asks, tells and reports; the evaluation actors hold the CPUs, or two searches on two
cores would wait for each other for ever. Tune keeps nothing: its files lie in a folder that is removed, its retries are
off. The process that owns the RayJob fetches what searches posted whenever Tune's loop turns, and writes the records.
"""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from typing import Any

import ray
import torch
from ray import tune
from ray.tune.schedulers import MedianStoppingRule, TrialScheduler

from search.deliver import deliver
from search.explore import Ended, SearchSetting, Step, Window, explore
from search.ledger import Ledger
from search.plan import Interrupted, JobInputs, JobPlan, Recorded, SearchPlan, Wanted
from search.prepare import Prepared
from search.ray_delivery import RayWorkshop
from search.ray_desk import Actor, DeskActor
from search.ray_pool import RayPool
from search.ray_worker import Crew

#: a trial must ask Tune for something; one byte of memory is nothing
NO_CPU = tune.PlacementGroupFactory([{"memory": 1.0}])
#: how often a search is started anew when its process dies
LIVES = 2
#: searches under way at once, each a process of some 300 MB
MOST_SEARCHES = 8
#: seconds between two looks at what is wanted of the job
PATIENCE_SECONDS = 0.25


@dataclass(frozen=True)
class Errand:
    """What a trial is sent with."""

    plan: JobPlan
    setting: SearchSetting
    so_far: dict[str, Recorded]  #: by search


@dataclass(frozen=True)
class RayJob:
    """A job on the cluster that this process is connected to, see `search.ray_cluster`."""

    plan: JobPlan
    inputs: JobInputs
    prepared: Prepared
    ledger: Ledger
    crew: Crew

    def search(self, *, stop_losing: bool = False) -> None:
        """Run all searches that are not over. Raises Interrupted, LeaseLost."""
        for _ in range(LIVES):
            searches = self.ledger.open_searches()
            if searches:
                self._experiment(searches, _median_rule(self.plan) if stop_losing else None)
        for search in self.ledger.open_searches():
            self.ledger.take(search, Ended("failed", f"{search.algorithm}: its process died, {LIVES} times"))

    def deliver(self) -> None:
        """Fine-tune on the cluster, measure here. Raises Interrupted, LeaseLost."""
        deliver(self.plan, self.inputs, self.prepared, self.ledger, RayWorkshop(self.crew))

    def _experiment(self, searches: list[SearchPlan], scheduler: TrialScheduler | None) -> None:
        desk: Actor = DeskActor.remote()
        for place in self.crew.present:
            desk.arrived.remote(place, self.crew.workers[place])
        clerk = Clerk(desk, self.crew, self.ledger, ends_early=scheduler is not None)
        errand = Errand(self.plan, self.prepared.setting, {s.id: self.ledger.so_far(s) for s in searches})
        try:
            with tempfile.TemporaryDirectory(prefix="pt-tune-") as folder:
                trainable = tune.with_parameters(search_trial, errand=errand, desk=desk)
                self._tuner(trainable, searches, clerk, scheduler, folder).fit()
            clerk.turn()
        finally:
            ray.kill(desk)
        if clerk.error is not None:
            raise clerk.error
        if clerk.wanted != "run":
            raise Interrupted(clerk.wanted)

    def _tuner(
        self,
        trainable: Any,
        searches: list[SearchPlan],
        clerk: Clerk,
        scheduler: TrialScheduler | None,
        folder: str,
    ) -> tune.Tuner:
        return tune.Tuner(
            tune.with_resources(trainable, NO_CPU),
            param_space={"search": tune.grid_search([search.position for search in searches])},
            tune_config=tune.TuneConfig(scheduler=scheduler, max_concurrent_trials=MOST_SEARCHES),
            run_config=tune.RunConfig(
                name="job",
                storage_path=folder,
                callbacks=[clerk],
                failure_config=tune.FailureConfig(max_failures=0),
                verbose=0,
            ),
        )


class Clerk(tune.Callback):
    """Fetches what searches posted and has it recorded; tells the desk what is wanted. Runs in Tune's loop."""

    def __init__(self, desk: Actor, crew: Crew, ledger: Ledger, *, ends_early: bool) -> None:
        self.error: Exception | None = None  #: what recording raised; Tune would hide it
        self.wanted: Wanted = "run"
        self._desk, self._crew, self._ledger = desk, crew, ledger
        self._ends_early = ends_early
        self._searches = {search.id: search for search in ledger.plan.searches}
        self._looked = 0.0

    def __getstate__(self) -> dict[str, Any]:
        return {}  # Tune pickles its callbacks; the records are no business of its files

    def on_step_begin(self, iteration: int, trials: list[Any], **info: Any) -> None:
        """Between two events, and at least every second."""
        del iteration, trials, info
        if time.monotonic() - self._looked >= PATIENCE_SECONDS:
            self.turn()

    def on_trial_complete(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """Of a search that did not say that it is over, the scheduler has said it."""
        del iteration, trials, info
        self.turn()
        search = next(s for s in self._searches.values() if s.position == trial.config["search"])
        if self._ends_early and self.wanted == "run" and self.error is None and search.id not in self._ledger.ends:
            self._guarded(search, Ended("succeeded", "stopped early: it fell behind the job's other searches"))

    def turn(self) -> None:
        """Fetch, record, fill places, ask what is wanted."""
        self._looked = time.monotonic()
        if self.error is not None:
            return
        mail, vacant = ray.get(self._desk.collect.remote())
        for search_id, step in mail:
            self._guarded(self._searches[search_id], step)
        for place in vacant:
            self._crew.refill(place)
        try:
            for place in self._crew.arrivals():
                ray.get(self._desk.arrived.remote(place, self._crew.workers[place]))
            self.wanted = self._ledger.recorder.wanted()
        except Exception as error:  # raised again when Tune has stopped
            self.error = error
        if self.wanted != "run" or self.error is not None:
            ray.get(self._desk.want.remote("cancel" if self.error else self.wanted))

    def _guarded(self, search: SearchPlan, step: Step) -> None:
        if self.error is None:
            try:
                self._ledger.take(search, step)
            except Exception as error:  # raised again when Tune has stopped
                self.error = error


def search_trial(config: dict[str, Any], errand: Errand, desk: Actor) -> None:
    """What a Tune trial does: run one search and post its steps."""
    torch.set_num_threads(1)
    search = next(search for search in errand.plan.searches if search.position == config["search"])

    def wanted() -> Wanted:
        now: Wanted = ray.get(desk.wanted.remote())
        return now

    pool = RayPool(desk, search.position)
    try:
        for step in explore(errand.plan, search, errand.setting, pool, errand.so_far[search.id], wanted):
            ray.get(desk.post.remote(search.id, step))
            if isinstance(step, Window):
                tune.report({"evaluated": step.checkpoint.told, "hypervolume": step.curve[-1].hypervolume})
    except Interrupted:
        return


def _median_rule(plan: JobPlan) -> MedianStoppingRule:
    grace = max(2 * plan.window, plan.budget.candidates // 4)
    return MedianStoppingRule("evaluated", "hypervolume", "max", grace_period=grace, min_samples_required=2)
