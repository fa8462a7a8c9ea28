"""More of what crosses HTTP: a search's policies from afar, what a job could reach, the queue."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from paretrim.problem import Constraint
from paretrim.wire import Request, Response, State


class HeatMap(Response):
    """What a search proposed, on average, generation by generation."""

    search: str
    what: Literal["keep", "weight_bits", "activation_bits"]
    rows: list[str]  #: groups or layers, in execution order
    spans: list[tuple[int, int]]  #: first and last index of the candidates of each column
    values: list[list[float]]  #: by row, by column
    front: list[float] | None = None  #: by row: mean over the job's front, whichever search found it


class OutlookRequest(Request):
    """Asks what could be had of a model on a device."""

    model: Annotated[str, Field(max_length=64)]
    device: Annotated[str, Field(max_length=64)]
    constraints: Annotated[tuple[str, ...], Field(max_length=16)] = ()

    @field_validator("constraints")
    @classmethod
    def _readable_constraints(cls, constraints: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(str(Constraint.parse(text)) for text in constraints)


class ConstraintOutlook(Response):
    """Whether a constraint can be met at all."""

    text: str
    metric: str
    verdict: Literal["met", "out of reach", "no limit", "unknown"]  #: `no limit`: the original meets it already
    reachable: float | None = None  #: the least that can be had, in the constraint's own terms


class LatencyPart(Response):
    """What one operation takes of the original's time."""

    name: str
    kind: str
    latency_ms: float
    share: float


class Outlook(Response):
    """What could be had of a model on a device."""

    original: dict[str, Any]
    smallest: dict[str, float]  #: by metric: the least any policy reaches
    constraints: list[ConstraintOutlook]
    parts: list[LatencyPart]  #: longest first


class HeldJob(Response):
    """A job that a worker holds."""

    id: str
    name: str | None = None
    state: State
    phase: str
    worker: str
    attempt: int
    losses: int  #: how often a worker was lost on it
    lease_seconds: float  #: until the lease runs out, unless it is renewed
    worked_seconds: float


class WaitingJob(Response):
    """A job that waits for a worker."""

    id: str
    name: str | None = None
    priority: int
    created_at: datetime


class Queue(Response):
    """Who works on what, and what waits."""

    held: list[HeldJob]
    waiting: list[WaitingJob]  #: next first


class DeviceShape(Response):
    """A layer whose times on a device can be looked at, at any number of output channels."""

    op: dict[str, Any]  #: as a row of the table has it
    label: str
    rows: int  #: of the table


class SweepSeries(Response):
    """The times of one shape at one precision, in one layout, channel by channel."""

    label: str
    weight_bits: int
    activation_bits: int
    layout: str
    channels: list[int]
    latency_ms: list[float]
    low_ms: list[float]
    high_ms: list[float]
    source: list[str]  #: of each: `measured`, `interpolated`, `analytic`
    measured_channels: list[int]  #: of the table's own rows
    measured_ms: list[float]
    missing: str | None = None  #: why some are missing


class Sweep(Response):
    """A device's times along the channels of one shape."""

    op: dict[str, Any]
    label: str
    along: Literal["out_channels", "in_channels"]
    series: list[SweepSeries]


class SearchGenerations(Response):
    """How good the proposals of one search were, generation by generation."""

    id: str
    algorithm: str
    baseline: bool = False
    spans: list[tuple[int, int]]  #: first and last index of the candidates of each generation
    mean: list[float]
    low: list[float]  #: a tenth of the candidates lie below
    high: list[float]  #: a tenth lie above


class Generations(Response):
    """What the searches of a job proposed, by one metric: whether they learn, and when they stop to explore."""

    metric: str
    searches: list[SearchGenerations]


class Sensitive(Response):
    """How much accuracy hangs on one group's channels, or on the bits of one layer's weights."""

    name: str  #: of a group, or of a layer
    layers: list[str]  #: whose channels, or bits, these are
    accuracy_lost: float  #: with each tenth of the channels, or each halving of the bits; in [0, 1]
    error: float  #: standard error of that


class Sensitivity(Response):
    """What a job's candidates tell of each layer's worth. An estimate: nothing was evaluated for it."""

    candidates: int  #: it was estimated from
    explained: float | None  #: of the variance of accuracy, each candidate left out in turn; None: too few candidates
    channels: list[Sensitive]
    bits: list[Sensitive]


class Gauge(Response):
    """A figure of an algorithm's own, as its search goes on."""

    name: str  #: `reward`, `noise`, `generation`, ...
    told: list[int]  #: candidates the algorithm had been told
    values: list[float]


class SearchGauges(Response):
    """What one algorithm says of itself."""

    id: str
    algorithm: str
    baseline: bool = False
    gauges: list[Gauge]


class Gauges(Response):
    """What the algorithms of a job say of themselves. Those that say nothing have no gauges."""

    searches: list[SearchGauges]
