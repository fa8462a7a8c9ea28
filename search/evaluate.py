"""What a policy is worth: compress, run the validation split, score. Prepared once per worker."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Protocol

import torch
from torch import Tensor, nn

from compressors import Compressor, fold
from paretrim.problem import Policy
from search.data import Split
from search.plan import Wanted
from search.score import score

#: rows run through a network at once; part of the answer, as sums in floating point depend on it
BATCH = 250


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of evaluating a policy: an accuracy or the reason why there is none."""

    accuracy: float | None = None
    failure: str | None = None
    seconds: Mapping[str, float] = field(default_factory=dict)  #: CPU seconds by phase: compress, fold, forward

    @property
    def cpu_seconds(self) -> float:
        """CPU time of all phases."""
        return sum(self.seconds.values())


class Pool(Protocol):
    """Evaluates policies; the answer does not depend on how many workers it has."""

    def evaluate(self, policies: Sequence[Policy], wanted: Callable[[], Wanted]) -> list[Outcome]:
        """One outcome a policy, in their order. Raises Interrupted as soon as `wanted` is not `run`."""
        ...


class Evaluator:
    """Holds the network, its statistics and the validation rows; turns policies into outcomes."""

    def __init__(
        self, compressor: Compressor, validation: Split, metric: str, *, batch: int = BATCH, bfloat16: bool = False
    ) -> None:
        """bfloat16: run the networks in that type; several times faster on CPUs that have it, and a little coarser."""
        self._compressor = compressor
        self._metric = metric
        self._type = torch.bfloat16 if bfloat16 else torch.float32
        self._inputs = validation.inputs()
        self._targets = validation.targets()
        self._batches = [_laid_out(rows, self._type) for rows in torch.split(self._inputs, batch)]
        self._known: dict[str, Outcome] = {}

    def evaluate(self, policy: Policy) -> Outcome:
        """Compress by the policy and score on validation. A policy that fails is an outcome, not an exception."""
        known = self._known.get(policy.key)
        if known is not None:
            return replace(known, seconds={})
        outcome = self._known[policy.key] = self._evaluate(policy)
        return outcome

    def accuracy(self, module: nn.Module) -> float:
        """Of a network as it stands, on the validation rows."""
        with torch.inference_mode():
            outputs = torch.cat([module(rows).float() for rows in self._batches])
        return score(self._metric, outputs, self._targets, self._inputs)

    def _evaluate(self, policy: Policy) -> Outcome:
        seconds: dict[str, float] = {}
        try:
            with _timed(seconds, "compress"):
                compressed = self._compressor.compress(policy)
            with _timed(seconds, "fold"):
                module = fold(compressed.module).to(self._type)
                module = module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
            with _timed(seconds, "forward"):
                accuracy = self.accuracy(module)
        except Exception as error:  # whatever a policy does to a network, the search goes on
            return Outcome(failure=f"{type(error).__name__}: {error}", seconds=seconds)
        return Outcome(accuracy, seconds=seconds)


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
    """Run torch on one thread: sums come out the same on every machine, and cores are shared by candidates instead."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
