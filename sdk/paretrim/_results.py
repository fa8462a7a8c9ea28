"""What a job found, as values: candidates and the front. No network; the handles in `jobs.py` add that."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from paretrim.errors import Infeasible, InvalidInput, ParetrimError
from paretrim.problem import METRICS, RELATIVE, Constraint, Measurement, Policy
from paretrim.wire import CandidateView, Delivery, Front

if TYPE_CHECKING:
    from plotly.graph_objects import Figure


class Result:
    """A policy that was proposed and what came of it.

    `accuracy`, `latency_ms`, ... are the figures of the delivered network (fine-tuned, exported, on the test split,
    in the runtime) once there is one, and until then those the search went by (validation split, device table).
    `searched` and `delivered` hold each, with how and where every figure was obtained.
    """

    def __init__(self, view: CandidateView, original: Mapping[str, Any] | None = None) -> None:
        self.view = view
        self._original = original

    @property
    def n(self) -> int:
        """Its number within the job; 0 is the original model."""
        return self.view.n

    @property
    def algorithm(self) -> str | None:
        """The algorithm that proposed it."""
        return self.view.algorithm

    @property
    def policy(self) -> Policy:
        """What is done to the network."""
        return Policy.from_json(self.view.policy)

    @property
    def failure(self) -> str | None:
        """Why there is no measurement, if there is none."""
        return self.view.failure

    @property
    def feasible(self) -> bool:
        """Whether it meets every constraint."""
        return self.view.feasible

    @property
    def on_front(self) -> bool:
        """Whether no other candidate dominates it."""
        return self.view.on_front

    @property
    def delivery(self) -> Delivery | None:
        """The network made real, with its files and report; None if it was not delivered."""
        return self.view.delivery

    @property
    def searched(self) -> Measurement:
        """The figures the search went by. Empty if the candidate failed."""
        return Measurement.from_json(self.view.measurement or {})

    @property
    def delivered(self) -> Measurement | None:
        """The figures of the delivered network; None if it was not delivered."""
        return None if self.view.delivery is None else Measurement.from_json(self.view.delivery.measurement)

    @property
    def delivered_original(self) -> Measurement | None:
        """The uncompressed model, measured beside the delivered network; None if it was not delivered."""
        return None if self.view.delivery is None else Measurement.from_json(self.view.delivery.original)

    @property
    def measurement(self) -> Measurement:
        """The best figures there are: delivered where they were obtained, otherwise searched."""
        delivered = self.delivered
        return self.searched if delivered is None else _filled(delivered, self.searched)

    @property
    def original(self) -> Measurement | None:
        """The uncompressed model, measured the same way as `measurement`."""
        searched = None if self._original is None else Measurement.from_json(self._original)
        delivered = self.delivered_original
        if delivered is None or searched is None:
            return delivered or searched
        return _filled(delivered, searched)

    @property
    def accuracy(self) -> float | None:
        """In [0, 1]; higher is better."""
        return self.measurement.accuracy

    @property
    def latency_ms(self) -> float | None:
        """Time of one inference on the job's device."""
        return self.measurement.latency_ms

    @property
    def size_bytes(self) -> int | None:
        """Size of the weights."""
        return self.measurement.size_bytes

    @property
    def macs(self) -> int | None:
        """Multiply-adds of one inference."""
        return self.measurement.macs

    @property
    def bops(self) -> int | None:
        """MACs x weight bits x activation bits."""
        return self.measurement.bops

    @property
    def peak_memory_bytes(self) -> int | None:
        """Activations alive at once, at the worst moment."""
        return self.measurement.peak_memory_bytes

    @property
    def energy_mj(self) -> float | None:
        """Energy of one inference."""
        return self.measurement.energy_mj

    def artifact(self, name: str | None = None) -> tuple[str, str]:
        """Id and file name of the delivered network, or of another of its files. Raises ParetrimError, InvalidInput."""
        delivery = self.view.delivery
        if delivery is None:
            raise ParetrimError(
                f"candidate {self.n} was not delivered, so there is no file of it; a job delivers as many members of "
                "its front as `deliver` says, and .export() asks for this one"
            )
        if name is None or name == "model.onnx":
            return delivery.artifact, f"candidate-{self.n}.onnx"
        if name not in delivery.artifacts:
            there = ", ".join(sorted({"model.onnx", *delivery.artifacts}))
            raise InvalidInput(f"candidate {self.n} has no file {name!r}; it has {there}", field="file")
        return delivery.artifacts[name], f"candidate-{self.n}-{PurePosixPath(name).name}"

    def __repr__(self) -> str:
        figures = ", ".join(
            f"{name}={getattr(self.measurement, name):g}"
            for name in METRICS
            if getattr(self.measurement, name) is not None
        )
        return f"<candidate {self.n} {self.algorithm or 'original'}: {self.failure or figures}>"


def _filled(first: Measurement, second: Measurement) -> Measurement:
    """The first, with what it lacks taken from the second; how each figure was obtained stays with it."""
    source = {name: first if getattr(first, name) is not None else second for name in METRICS}
    obtained = {name: origin.obtained[name] for name, origin in source.items() if name in origin.obtained}
    return Measurement(**{name: getattr(origin, name) for name, origin in source.items()}, obtained=obtained)


R = TypeVar("R", bound=Result)


class Frontier(Sequence[R], Generic[R]):
    """The candidates of a job that meet every constraint and that no other dominates.

    In the order of what the search found, best in the first objective first, as everywhere else.
    """

    def __init__(self, front: Front, members: Sequence[R]) -> None:
        self.front = front
        self._members = list(members)

    @overload
    def __getitem__(self, index: int) -> R: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[R]: ...
    def __getitem__(self, index: int | slice) -> R | Sequence[R]:
        return self._members[index]

    def __len__(self) -> int:
        return len(self._members)

    def __iter__(self) -> Iterator[R]:
        return iter(self._members)

    @property
    def objectives(self) -> list[str]:
        """What was minimised or maximised."""
        return self.front.objectives

    @property
    def constraints(self) -> list[str]:
        """What every member meets."""
        return self.front.constraints

    @property
    def original(self) -> Measurement | None:
        """The uncompressed model, as the search measured it."""
        return None if self.front.original is None else Measurement.from_json(self.front.original)

    @property
    def hypervolume(self) -> float | None:
        """The share of the objectives' space that the front covers."""
        return self.front.hypervolume

    @property
    def delivered(self) -> list[R]:
        """The members that were fine-tuned, exported and measured again."""
        return [member for member in self._members if member.delivery is not None]

    def best(self, metric: str | None = None, /, **bounds: float) -> R:
        """The best member in a metric (by default the first objective) among those within the bounds.

        bounds: by name of a metric or a relative one: `latency_ms=1.5` means at most that, `accuracy=0.9` at least.
        Where members were delivered, only those are looked at, so that like is compared with like and the answer can be
        downloaded. Raises InvalidInput for an unknown name, Infeasible if no member is within the bounds.
        """
        wanted = metric or self.front.objectives[0]
        if wanted not in METRICS:
            raise InvalidInput(f"{wanted!r} is not a metric; there are {', '.join(METRICS)}", field="metric")
        limits = [_limit(name, bound) for name, bound in bounds.items()]
        pool = [member for member in self.delivered or self._members if _has(member, wanted)]
        if not pool:
            raise Infeasible(f"the front has no member with a figure for {wanted}", reachable={})
        within = [member for member in pool if all(_within(member, limit) for limit in limits)]
        if not within:
            raise _unreachable(pool, limits)
        sign = 1.0 if METRICS[wanted] == "minimize" else -1.0
        return min(within, key=lambda member: sign * member.measurement.value(wanted))

    def plot(self, x: str | None = None, y: str | None = None, *, candidates: Iterable[Result] = ()) -> Figure:
        """The front in two metrics as a plotly figure, other candidates around it if given. Needs plotly."""
        from paretrim._plot import front_figure

        return front_figure(self, x, y, candidates)

    def __repr__(self) -> str:
        return f"<front of {self.front.job}: {len(self)} members, {' against '.join(self.objectives)}>"


def _limit(name: str, bound: float) -> Constraint:
    if name not in METRICS and name not in RELATIVE:
        raise InvalidInput(f"{name!r} is not a metric; there are {', '.join((*METRICS, *RELATIVE))}", field=name)
    return Constraint(name, ">=" if name == "accuracy" else "<=", float(bound))


def _has(member: Result, metric: str) -> bool:
    return getattr(member.measurement, metric) is not None


def _value(member: Result, limit: Constraint) -> float | None:
    original = member.original
    if not _has(member, limit.base_metric):
        return None
    if limit.metric in RELATIVE and (original is None or getattr(original, limit.base_metric) is None):
        return None
    return limit.value(member.measurement, original or Measurement())


def _within(member: Result, limit: Constraint) -> bool:
    value = _value(member, limit)
    if value is None:
        return False
    return value <= limit.bound if limit.relation == "<=" else value >= limit.bound


def _unreachable(pool: Sequence[Result], limits: Sequence[Constraint]) -> Infeasible:
    reachable: dict[str, float] = {}
    for limit in limits:
        values = [value for member in pool if (value := _value(member, limit)) is not None]
        if values:
            reachable[limit.metric] = min(values) if limit.relation == "<=" else max(values)
    asked = " and ".join(str(limit) for limit in limits)
    found = ", ".join(f"{name} {value:.6g}" for name, value in reachable.items())
    return Infeasible(
        f"no member of the front has {asked}; the best reached of each: {found or 'none'}. Ask for less, or submit a "
        "job with tighter constraints",
        reachable=reachable,
    )
