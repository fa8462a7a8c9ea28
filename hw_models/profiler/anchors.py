"""Fixed networks that are timed along with everything else, so that figures taken at different moments agree.

A processor that others use as well is half as fast at one moment as at another, on the thread's own clock too. What is
timed in one batch is timed beside three anchors, round by round. What slows down most of a round is taken out of the
round; what slows down the anchors of a batch is taken out of the batch. With a load of ten on two cores, repeated
figures of the same networks are so 5 % apart instead of 14 %.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from hw_models.families import draw
from hw_models.fusion import Execution
from hw_models.graph import write_graph
from hw_models.precision import at_kernel_bits
from hw_models.timing import Clock, Timing, interleaved

Floats = NDArray[np.float64]

#: family, seed, extent; small enough to stay in the caches, large enough to be timed well
_ANCHORS = (("plain", 5, 16, "fp32"), ("plain", 5, 16, "int8"), ("mobilenet", 5, 24, "fp32"))
COUNT = len(_ANCHORS)


@cache
def _contents(execution_kernels: tuple[object, ...]) -> tuple[bytes, ...]:
    execution = Execution(kernels=execution_kernels)  # type: ignore[arg-type]
    drawn = (draw(family, seed, precision=kind, hw=(side, side)) for family, seed, side, kind in _ANCHORS)  # type: ignore[arg-type]
    return tuple(write_graph(at_kernel_bits(operations, execution)) for operations in drawn)


def anchor_files(execution: Execution) -> tuple[bytes, ...]:
    """The anchors as ONNX files, at the bits the device has."""
    return _contents(tuple(execution.kernels))


def time_beside_anchors(
    anchors: Sequence[Callable[[], object]],
    runs: Sequence[Callable[[], object]],
    *,
    rounds: int,
    seed: int,
    clock: Clock,
) -> tuple[list[Timing], float]:
    """Time things in turn with the anchors. Returns a timing of each, and the anchors' level in milliseconds."""
    samples = levelled(interleaved([*anchors, *runs], rounds=rounds, seed=seed, clock=clock))
    timings = [Timing.of(row, clock) for row in samples]
    return timings[len(anchors) :], level_of([timing.latency_ms for timing in timings[: len(anchors)]])


def level_of(figures: Sequence[float]) -> float:
    """The anchors' figures as one: their geometric mean."""
    return float(np.exp(np.mean(np.log(figures))))


def levelled(samples: Floats) -> Floats:
    """Samples without what slowed down most of their round: (things, rounds), both."""
    if samples.shape[0] < 3:
        return samples
    logarithms = np.log(samples)
    typical = np.median(logarithms, axis=1, keepdims=True)
    slower = np.median(logarithms - typical, axis=0, keepdims=True)
    return np.asarray(np.exp(logarithms - slower), dtype=np.float64)


def reference_level(levels: Sequence[float]) -> float:
    """The level that all figures are brought to: that of the machine's quietest moments."""
    return float(np.quantile(levels, 0.1))


#: a batch taken while the machine was slower than this beside its quietest moments, as a share, is taken again
BUSY = 0.06
#: at most this share of the batches, and never fewer than two
_AGAIN = 0.35
#: anchors agree within this even at quiet moments
_STEADY = 0.03


def busiest(busy: Sequence[float]) -> list[int]:
    """Which batches are worth taking again, the worst first. busy: see `BUSY`, of every batch."""
    worst = sorted((share, index) for index, share in enumerate(busy) if share > BUSY)[::-1]
    return [index for _, index in worst[: max(2, round(_AGAIN * len(busy)))]]


def noise_share(busy: float) -> float:
    """What a time taken at a busy moment is uncertain by after it was brought to the quiet level, as a share of it.

    Not everything is slowed down alike by what else runs on the machine, so the anchors tell only the most of it.
    """
    return 0.1 * max(0.0, busy - _STEADY)


def scaled(timing: Timing, factor: float) -> Timing:
    """A timing at another level."""
    names = ("latency_ms", "p10_ms", "p50_ms", "p90_ms")
    return replace(timing, **{name: getattr(timing, name) * factor for name in names})
