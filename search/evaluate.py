"""What a policy is worth: compress, run the validation split, score. Prepared once per worker."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

import torch
from threadpoolctl import threadpool_limits
from torch import Tensor, fx, nn

from compressors import Compressor, fold, rows_at_once
from compressors.lanes import fill_lanes
from compressors.rounding import drop_relus
from paretrim.problem import Policy
from search.data import Split
from search.plan import Wanted
from search.race import SHARES, dropped_after, rungs
from search.score import score


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of evaluating a policy: an accuracy or the reason why there is none."""

    accuracy: float | None = None
    failure: str | None = None
    seconds: Mapping[str, float] = field(default_factory=dict)  #: CPU seconds by phase: compress, fold, forward
    rows: int | None = None  #: validation rows it was scored on: fewer than all if it was dropped

    @property
    def cpu_seconds(self) -> float:
        """CPU time of all phases."""
        return sum(self.seconds.values())


class Pool(Protocol):
    """Evaluates policies; the answer does not depend on how many workers it has."""

    def evaluate(
        self, policies: Sequence[Policy], wanted: Callable[[], Wanted], needed: Sequence[int] | None = None
    ) -> list[Outcome]:
        """One outcome a policy, in their order. Raises Interrupted as soon as `wanted` is not `run`.

        needed: by policy the right answers that would do, see `search.race`; None: all are scored on all rows.
        """
        ...


@dataclass(slots=True)
class _Answers:
    """What is known of a policy: right answers after each rung, or why there are none."""

    right: list[int] = field(default_factory=list)
    accuracy: float | None = None  #: on all rows
    failure: str | None = None


class Evaluator:
    """Holds the network, its statistics and the validation rows; turns policies into outcomes."""

    def __init__(
        self,
        compressor: Compressor,
        validation: Split,
        metric: str,
        *,
        confidence: float = 0.0,
        bfloat16: bool = False,
    ) -> None:
        """confidence: with which candidates that cannot enter the front are dropped early; 0: never.

        bfloat16: run the networks in that type; several times faster on CPUs that have it, and a little coarser.
        """
        self._compressor = compressor
        self._metric = metric
        self._type = torch.bfloat16 if bfloat16 else torch.float32
        self._inputs = validation.inputs()
        self._targets = validation.targets()
        self._confidence = confidence if metric in SHARES and validation.is_labelled else 0.0
        self._steps = rungs(len(validation), self._confidence)
        #: rows run through a network at once; part of the answer, as sums in floating point may depend on it
        self.rows_at_once = rows_at_once(compressor.original, self._inputs[:1])
        starts = (0, *self._steps[:-1])
        self._batches = [  # by rung
            [_laid_out(rows, self._type) for rows in torch.split(self._inputs[start:end], self.rows_at_once)]
            for start, end in zip(starts, self._steps, strict=True)
        ]
        self._known: dict[str, _Answers] = {}

    def evaluate(self, policy: Policy, needed: int = 0) -> Outcome:
        """Compress by the policy and score on validation. A policy that fails is an outcome, not an exception.

        needed: right answers that would do; the policy is dropped when it is all but certain not to reach them. What
        comes out depends on the policy and on `needed` alone, whatever was evaluated before.
        """
        answers = self._known.setdefault(policy.key, _Answers())
        seconds: dict[str, float] = {}
        try:
            return self._raced(policy, answers, needed, seconds)
        except Exception as error:  # whatever a policy does to a network, the search goes on
            answers.failure = f"{type(error).__name__}: {error}"
            return Outcome(failure=answers.failure, seconds=seconds)

    def accuracy(self, module: nn.Module) -> float:
        """Of a network as it stands, on the validation rows."""
        with torch.inference_mode():
            outputs = torch.cat([module(rows).float() for batches in self._batches for rows in batches])
        return score(self._metric, outputs, self._targets, self._inputs)

    def _raced(self, policy: Policy, answers: _Answers, needed: int, seconds: dict[str, float]) -> Outcome:
        module: nn.Module | None = None
        for place, rows in enumerate(self._steps):
            if place >= len(answers.right):
                if answers.failure is not None:
                    return Outcome(failure=answers.failure)
                module = module or self._made(policy, seconds)
                with _timed(seconds, "forward"):
                    self._score_rung(module, place, answers)
            if self._confidence > 0.0 and self._goes(answers.right[: place + 1], needed) == place:
                return Outcome(answers.right[place] / rows, seconds=seconds, rows=rows)
        return Outcome(answers.accuracy, seconds=seconds, rows=self._steps[-1])

    def _goes(self, right: Sequence[int], needed: int) -> int | None:
        return dropped_after(right, self._steps, needed, self._confidence)

    def _made(self, policy: Policy, seconds: dict[str, float]) -> nn.Module:
        """The network of a policy, ready to run."""
        with _timed(seconds, "compress"):
            compressed = self._compressor.compress(policy)
        with _timed(seconds, "fold"):
            folded = fold(compressed.module, copy=False)
            fill_lanes(folded)
            if policy.bits:
                drop_relus(folded)
            module = folded.to(self._type)
            laid_out: nn.Module = module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        return laid_out

    def _score_rung(self, module: nn.Module, place: int, answers: _Answers) -> None:
        """Run the rows that a rung adds."""
        start, end = (0, *self._steps)[place], self._steps[place]
        with torch.inference_mode():
            outputs = torch.cat([module(rows).float() for rows in self._batches[place]])
        figure = score(self._metric, outputs, self._targets[start:end], self._inputs[start:end])
        before = answers.right[-1] if answers.right else 0
        answers.right.append(before + round(figure * (end - start)))
        if place == len(self._steps) - 1:
            answers.accuracy = figure if place == 0 else answers.right[-1] / end


def run_network(module: fx.GraphModule, split: Split) -> Tensor:
    """Outputs of a network as it stands on a split, as fast as candidates are run: (rows, ...) float32."""
    ready = fold(module).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    inputs = split.inputs()
    at_once = rows_at_once(module, inputs[:1])
    with torch.inference_mode():
        batches = [_laid_out(rows, torch.float32) for rows in torch.split(inputs, at_once)]
        return torch.cat([ready(rows).float() for rows in batches])


def _laid_out(rows: Tensor, dtype: torch.dtype) -> Tensor:
    """A batch in the layout convolutions are fastest in."""
    typed = rows.to(dtype) if rows.is_floating_point() else rows
    return typed.contiguous(memory_format=torch.channels_last) if typed.dim() == 4 else typed.contiguous()


@contextmanager
def _timed(seconds: dict[str, float], phase: str) -> Iterator[None]:
    start = time.thread_time()
    try:
        yield
    finally:
        seconds[phase] = seconds.get(phase, 0.0) + time.thread_time() - start


@contextmanager
def single_thread() -> Iterator[None]:
    """Run torch and BLAS on one thread: sums are the same on every machine, and candidates share the cores instead.

    Beside busy neighbours, BLAS threads that wait for one another made a surrogate's small systems far slower.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(1, user_api="blas"):
            yield
    finally:
        torch.set_num_threads(before)
