"""A job from its inputs to its delivered networks: prepare, search, deliver.

The one process that calls `run_job` is the only one that writes records. With the executor `ray`, searches and
evaluations run elsewhere and send their results here; with `inline` everything happens here. The answer is the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

from paretrim.errors import JobFailed, ParetrimError
from search.deliver import deliver
from search.evaluate import single_thread
from search.explore import Step, explore
from search.ledger import Ledger
from search.memory import keep_freed_memory
from search.plan import JobInputs, JobPlan, Recorder, SearchPlan
from search.prepare import Prepared, is_timed, prepare
from search.serial_pool import SerialPool

Executor = Literal["inline", "ray"]


def run_job(
    plan: JobPlan,
    inputs: JobInputs,
    recorder: Recorder,
    *,
    executor: Executor = "inline",
    workers: int | None = None,
    stop_losing: bool = False,
) -> None:
    """Run a job to its end, from wherever its records say it is.

    executor: `inline` for one process, `ray` for a pool: on the cluster that RAY_ADDRESS names, else on one that is
    started here for this job. workers: evaluations at once on Ray; None: as many as the cluster has CPUs.
    stop_losing: on Ray, let Tune's median rule end a search that falls behind the others; which ones then depends on
    timing, so the same job need not give the same answer.
    Raises Interrupted when it was paused or cancelled, LeaseLost when somebody else took it over, JobFailed.
    """
    keep_freed_memory()
    try:
        with single_thread(), _ahead(plan, inputs, executor, workers) as started:
            prepared = prepare(plan, inputs, recorder)
            started()
            ledger = Ledger(plan, prepared.original, recorder)
            if executor == "inline":
                search_inline(plan, prepared, ledger)
                settle(ledger)
                deliver(plan, inputs, prepared, ledger)
            else:
                _run_on_ray(plan, inputs, prepared, ledger, workers, stop_losing)
    except JobFailed:
        raise
    except ParetrimError as error:
        raise JobFailed(str(error), code=_code(error)) from error


@contextmanager
def _ahead(plan: JobPlan, inputs: JobInputs, executor: Executor, workers: int | None) -> Iterator[Callable[[], object]]:
    """Ray is started beside the preparation, unless that times something, which it would disturb."""
    if executor == "inline" or is_timed(plan, inputs.device):
        yield lambda: None
        return
    from search.ray_ahead import started_ahead

    with started_ahead(inputs, workers) as started:
        yield started


def _run_on_ray(
    plan: JobPlan, inputs: JobInputs, prepared: Prepared, ledger: Ledger, workers: int | None, stop_losing: bool
) -> None:
    """Search and deliver on a cluster. Ray takes a second to import, and its settings have to be there before."""
    from search.ray_cluster import cluster  # isort: split
    from search.ray_job import RayJob
    from search.ray_worker import Crew

    data_bytes = 2 * sum(split.x.nbytes + split.y.nbytes for split in prepared.splits.present().values())
    with cluster(data_bytes=data_bytes + 4 * len(inputs.model), workers=workers) as count:
        crew = Crew(prepared.basis, count)
        try:
            job = RayJob(plan, inputs, prepared, ledger, crew)
            job.search(stop_losing=stop_losing)
            settle(ledger)
            job.deliver()
        finally:
            crew.dismiss()


def search_inline(plan: JobPlan, prepared: Prepared, ledger: Ledger) -> None:
    """All searches in this process, taking turns of one window. Raises Interrupted, LeaseLost."""
    pool = SerialPool(prepared.evaluator)
    wanted = ledger.recorder.wanted
    turns: list[tuple[SearchPlan, Iterator[Step]]] = [
        (search, explore(plan, search, prepared.setting, pool, ledger.so_far(search), wanted))
        for search in ledger.open_searches()
    ]
    ledger.report()
    while turns:
        for turn in list(turns):
            search, steps = turn
            step = next(steps, None)
            if step is None:
                turns.remove(turn)
            else:
                ledger.take(search, step)


def settle(ledger: Ledger) -> None:
    """Record the final front, reckoned in order of number: to the last bit the same however the job ran.

    Raises JobFailed if no search came to anything, LeaseLost.
    """
    if all(end == "failed" for end in ledger.ends.values()):
        reasons = "; ".join(dict.fromkeys(ledger.messages.values())) or "see the searches"
        raise JobFailed(f"every search failed: {reasons}", code="all_searches_failed")
    front = ledger.front()
    ledger.recorder.front(front.numbers, front.hypervolume, front.best)
    if not len(front):
        ledger.recorder.log("warning", "no candidate meets every constraint, so nothing can be delivered")


def _code(error: ParetrimError) -> str:
    """InvalidDataset -> invalid_dataset."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", type(error).__name__).lower()
