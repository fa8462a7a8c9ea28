"""How long an ONNX file takes on this machine: what is delivered is timed with this."""

from __future__ import annotations

from collections.abc import Sequence

from hw_models.runtimes import ONNX_RUNTIME, open_runner
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
    runtime: str = ONNX_RUNTIME,
) -> list[Timing]:
    """Time several files in turn, so that their figures can be compared. Raises InvalidModel.

    clock: the thread's own processor time for one thread, else wall time. runtime: see `runtimes`.
    """
    chosen: Clock = clock or ("thread_cpu" if threads == 1 else "wall")
    runners = [open_runner(runtime, content, batch=batch, threads=threads, seed=seed) for content in contents]
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
    runtime: str = ONNX_RUNTIME,
) -> Timing:
    """Time one file. Raises InvalidModel."""
    common = {"batch": batch, "threads": threads, "rounds": rounds, "seed": seed}
    return time_together([content], clock=clock, runtime=runtime, **common)[0]
