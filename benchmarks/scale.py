"""How much of many workers a job keeps busy: evaluations that only take their time, on nodes of one machine.

    python benchmarks/scale.py [--workers 64] [--nodes 4] [--evaluation-ms 100] [--database sqlite|postgresql]

A whole job runs through Tune, the desk, the pools and `SqlRecorder`; in place of the evaluators, workers sleep. They are
logical: a process answers for several of them, since on a small machine as many processes would measure their start. The
baseline is the ideal, every worker evaluating all the time. CPU time by kind of process says what would be in the way
first; a machine that has fewer cores than all of them together want is itself in the way, and `cores` tells.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parent.parent), str(Path(__file__).parent.parent / "sdk")]


from search import ray_cluster  # isort: split

import psutil
import ray
from ray.cluster_utils import Cluster as RayCluster

import search.ray_worker
from benchmarks.overhead import sql
from hw_models.devices import shipped
from paretrim.problem import Policy
from search.evaluate import Outcome
from search.plan import CurveStep, SearchPlan
from search.ray_worker import Crew
from search.run import run_job
from service.recorder import SqlRecorder
from tests.postgres import Cluster as PostgresCluster
from tests.search import tiny

LOGICAL = 8  #: workers that one process answers for
#: it has kernels of many bit-widths, so that the small network has more policies than a run evaluates: where few are left,
#: searches look long for a new one
DEVICE = "bit-serial"


class Sleeper:
    """Workers that take their time and know the answer: it depends on the policy alone."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self.count = 0

    def ready(self) -> None:
        """Answered once the process is there."""

    def evaluate(self, errands: Sequence[tuple[Policy, int]]) -> list[Outcome]:
        """Accuracies, `seconds` later for each."""
        time.sleep(self._seconds * len(errands))
        self.count += len(errands)
        keys = [policy.key.encode()[-4:] for policy, _ in errands]
        return [Outcome(accuracy=0.5 + (int.from_bytes(key, "big") % 1000) / 4000) for key in keys]

    def evaluated(self) -> int:
        """How many there were."""
        return self.count


class LogicalCrew(Crew):
    """A crew of sleepers, several to a process."""

    seconds = 0.1
    hosts: tuple[Any, ...] = ()

    def __init__(self, basis: Any, size: int) -> None:
        remote: Any = ray.remote(num_cpus=1 / 16, max_concurrency=LOGICAL + 1)  # type: ignore[call-overload]
        actor = remote(Sleeper)
        type(self).hosts = tuple(actor.remote(self.seconds) for _ in range(-(-size // LOGICAL)))
        ray.get([host.ready.remote() for host in self.hosts])
        super().__init__(basis, size)

    def refill(self, place: int) -> None:
        """One more place at a process."""
        self.workers[place] = self.hosts[place % len(self.hosts)]
        self._awaited[self.workers[place].ready.remote()] = place

    def dismiss(self) -> None:
        """They are asked how many they were, so they end with the cluster."""


class Watch(SqlRecorder):
    """Notes when windows were recorded."""

    times: list[tuple[float, int]]

    def record(
        self, search: SearchPlan, candidates: Sequence[Any], curve: Sequence[CurveStep], checkpoint: Any
    ) -> None:
        """See SqlRecorder."""
        if not self.times:
            self.start()
        super().record(search, candidates, curve, checkpoint)
        self.times.append((time.perf_counter(), len(candidates)))

    def start(self) -> None:
        """The first window is there: from now on it counts."""
        self.usage = Usage()
        self.usage.start()
        self.done = sum(ray.get([host.evaluated.remote() for host in LogicalCrew.hosts]))
        self.times.append((time.perf_counter(), 0))


class Usage(threading.Thread):
    """CPU time from now on, by kind of process: this one, the searches, the sleepers, Ray's own, the database."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self._ended = threading.Event()
        self._first: dict[tuple[str, int], float] = {}
        self._last: dict[tuple[str, int], float] = {}

    def run(self) -> None:
        """Look now and then: processes that end take their figures with them."""
        own = psutil.Process()
        self._look([own, *own.children(recursive=True)], self._first)
        while not self._ended.wait(1.0):
            self._look([own, *own.children(recursive=True)], self._last)

    def _look(self, processes: Sequence[psutil.Process], into: dict[tuple[str, int], float]) -> None:
        for process in processes:
            with suppress(psutil.Error):
                into[kind_of(process), process.pid] = sum(process.cpu_times()[:2])

    def end(self) -> dict[str, float]:
        """CPU seconds by kind."""
        self._ended.set()
        self.join()
        spent: dict[str, float] = {}
        for (kind, pid), seconds in self._last.items():
            spent[kind] = spent.get(kind, 0.0) + seconds - self._first.get((kind, pid), 0.0)
        return spent


def kind_of(process: psutil.Process) -> str:
    """What a process of this benchmark does."""
    if process.pid == os.getpid():
        return "job (Tune, records)"
    words = " ".join(process.cmdline())
    marks = {"Sleeper": "workers", "Desk": "desk", "ray::": "searches", "postgres": "database"}
    return next((kind for mark, kind in marks.items() if mark in words), "Ray's own")


@contextmanager
def nodes(count: int, workers: int) -> Iterator[None]:
    """A head without CPUs and so many nodes, each with a raylet of its own, on the loopback interface."""
    ray_cluster._take_token()
    with ray_cluster._short_folder() as folder:
        os.environ["RAY_TMPDIR"] = str(folder)
        store: dict[str, Any] = {"object_store_memory": 80 * 2**20}
        cluster = RayCluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False, **store})
        for _ in range(count):
            cluster.add_node(num_cpus=max(1.0, workers / LOGICAL / count), **store)
        ray.init(address=cluster.address, log_to_driver=False, configure_logging=False)
        try:
            yield
        finally:
            ray.shutdown()
            cluster.shutdown()  # type: ignore[no-untyped-call]


def measure(arguments: argparse.Namespace, url: str, folder: Path) -> None:
    """One job."""
    with sql(
        url,
        arguments.algorithms,
        arguments.candidates,
        folder,
        window=arguments.window,
        device=DEVICE,
        limit=arguments.limit,
        objectives=arguments.objectives.split(","),
    ) as (plan, recorder):
        recorder.__class__ = Watch
        recorder.times = []  # type: ignore[attr-defined]
        run_job(plan, tiny.inputs(folder, shipped()[DEVICE]), recorder, executor="ray", workers=arguments.workers)
        assert isinstance(recorder, Watch)
    spent = recorder.usage.end()
    done = sum(ray.get([host.evaluated.remote() for host in LogicalCrew.hosts])) - recorder.done
    elapsed = recorder.times[-1][0] - recorder.times[0][0]
    ideal = arguments.workers / LogicalCrew.seconds
    recorded = sum(count for _, count in recorder.times[1:])
    gaps = [after[0] - before[0] for before, after in zip(recorder.times, recorder.times[1:], strict=False)]
    print(f"{len(plan.searches)} searches, windows of {plan.window}: {recorded} candidates recorded in {elapsed:.1f} s")
    print(f"evaluations: {done / elapsed:.0f} a second, {100 * done / elapsed / ideal:.0f} % of the ideal {ideal:.0f}")
    print(f"a window every {1000 * statistics.median(gaps):.0f} ms (median)")
    for kind, seconds in sorted(spent.items()):
        print(f"  {kind:22} {1000 * seconds / max(1, done):6.2f} CPU ms an evaluation")
    print(f"  {'all':22} {1000 * sum(spent.values()) / max(1, done):6.2f}: {sum(spent.values()) / elapsed:.2f} cores of"
          f" {os.cpu_count()}")  # fmt: skip


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, default=64)
    parser.add_argument("--nodes", type=int, default=4)
    parser.add_argument("--evaluation-ms", type=float, default=100.0)
    parser.add_argument("--candidates", type=int, default=1500, help="of each search")
    parser.add_argument("--window", type=int, default=256)
    parser.add_argument(
        "--limit", help="a constraint, as in `latency_ratio <= 0.6`: then proposals are projected onto it"
    )
    parser.add_argument(
        "--objectives",
        default="accuracy,latency_ms",
        help="with a cost among them every proposal is brought onto one value of it",
    )
    parser.add_argument("--algorithms", default="random,random")
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    arguments = parser.parse_args()
    LogicalCrew.seconds = arguments.evaluation_ms / 1000
    search.ray_worker.Crew = LogicalCrew  # type: ignore[misc]
    cluster = PostgresCluster(durable=True) if arguments.database == "postgresql" else None
    try:
        with tempfile.TemporaryDirectory() as made, nodes(arguments.nodes, arguments.workers):
            url = cluster.create("scale") if cluster is not None else f"sqlite:///{made}/p.db"
            measure(arguments, url, Path(made))
    finally:
        if cluster is not None:
            cluster.remove()


if __name__ == "__main__":
    main()
