"""How long an ONNX file takes in ONNX Runtime on this machine: what is delivered is timed with this."""

from __future__ import annotations

from collections.abc import Sequence

from hw_models.sessions import Runner
from hw_models.timing import SAMPLE_SECONDS, Clock, Timing, interleaved

ROUNDS = 60


def time_together(
    contents: Sequence[bytes],
    *,
    batch: int = 1,
    threads: int = 1,
    rounds: int = ROUNDS,
    seed: int = 0,
    clock: Clock | None = None,
) -> list[Timing]:
    """Time several files in turn, so that their figures can be compared. Raises InvalidModel.

    clock: the thread's own processor time for one thread, else wall time.
    """
    chosen: Clock = clock or ("thread_cpu" if threads == 1 else "wall")
    runners = [Runner(content, batch=batch, threads=threads, seed=seed) for content in contents]
    samples = interleaved(runners, rounds=rounds, seed=seed, clock=chosen, sample_seconds=SAMPLE_SECONDS)
    return [Timing.of(row, chosen) for row in samples]


def time_onnx(
    content: bytes,
    *,
    batch: int = 1,
    threads: int = 1,
    rounds: int = ROUNDS,
    seed: int = 0,
    clock: Clock | None = None,
) -> Timing:
    """Time one file. Raises InvalidModel."""
    return time_together([content], batch=batch, threads=threads, rounds=rounds, seed=seed, clock=clock)[0]
