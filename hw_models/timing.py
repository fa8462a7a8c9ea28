"""How time is taken on a machine that does other things as well.

Time on the thread's own processor clock, so that being pre-empted does not count; everything to be compared is run in
turn in random order, so that a slow moment meets all alike; a low percentile, because disturbances only ever add; and
the spread between two halves of the samples, so that the noise is known.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Clock = Literal["thread_cpu", "wall"]
_READ: dict[str, Callable[[], int]] = {"thread_cpu": time.thread_time_ns, "wall": time.perf_counter_ns}

#: the share of samples below the figure that is reported
QUANTILE = 0.25
#: one sample covers as many runs as take this long, or the clock's own cost would be part of it
SAMPLE_SECONDS = 3e-4


@dataclass(frozen=True, slots=True)
class Timing:
    """Latency of one thing that was run many times, in milliseconds per run."""

    latency_ms: float  #: the lower quartile
    p10_ms: float
    p50_ms: float
    p90_ms: float
    repeat_error: float  #: difference between the figures of two halves of the samples, as a share
    samples: int
    clock: str

    @classmethod
    def of(cls, samples_ms: NDArray[np.float64], clock: Clock) -> Timing:
        """Summarise samples in the order they were taken."""
        p10, figure, p50, p90 = np.quantile(samples_ms, (0.10, QUANTILE, 0.50, 0.90))
        return cls(
            latency_ms=float(figure),
            p10_ms=float(p10),
            p50_ms=float(p50),
            p90_ms=float(p90),
            repeat_error=split_half_error(samples_ms),
            samples=len(samples_ms),
            clock=clock,
        )


def split_half_error(samples: NDArray[np.float64]) -> float:
    """How far the figures of the odd and the even samples are apart, as a share of their mean."""
    if len(samples) < 4:
        return 0.0
    odd, even = (float(np.quantile(samples[start::2], QUANTILE)) for start in (0, 1))
    return abs(odd - even) / ((odd + even) / 2)


def interleaved(
    runs: Sequence[Callable[[], object]],
    *,
    rounds: int,
    seed: int = 0,
    clock: Clock = "thread_cpu",
    sample_seconds: float = SAMPLE_SECONDS,
    after_round: Callable[[int], None] | None = None,
) -> NDArray[np.float64]:
    """Run everything in turn, in another random order each round. Returns milliseconds per run, (things, rounds).

    after_round is told how many rounds are done.
    """
    read = _READ[clock]
    random = np.random.default_rng(seed)
    repeats = [_repeats(run, read, sample_seconds) for run in runs]
    samples = np.empty((len(runs), rounds))
    for turn in range(rounds):
        for index in random.permutation(len(runs)):
            run, count = runs[index], repeats[index]
            run()  # brings its own data back into the cache after the others
            begin = read()
            for _ in range(count):
                run()
            samples[index, turn] = (read() - begin) / count / 1e6
        if after_round is not None:
            after_round(turn + 1)
    return samples


def _repeats(run: Callable[[], object], read: Callable[[], int], sample_seconds: float) -> int:
    """How often to run for one sample. Also warms up."""
    for _ in range(3):
        run()
    begin = read()
    for _ in range(3):
        run()
    once = max((read() - begin) / 3e9, 1e-7)
    return max(1, min(1000, round(sample_seconds / once)))
