"""Calibration inputs without data: what the batch norms remember of the training data is enough to make some up.

ZeroQ (Cai et al., CVPR 2020, eq. 3): inputs are changed until the statistics of every layer's output are those that its
batch norm has stored. Reconstruction, ranges and distillation can then run on them; labels cannot be had this way.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, fx, nn

from compressors.graph import clone
from compressors.imported import Imported
from paretrim.errors import InvalidModel


def synthesize(
    imported: Imported,
    count: int,
    *,
    steps: int = 200,
    batch_size: int = 64,
    learning_rate: float = 0.1,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Tensor:
    """(count, *input_shape) inputs for calibration. progress: called with (step, steps) over all batches.

    Raises InvalidModel if the network has no batch norms, or does not take real numbers.
    """
    if not imported.input_dtype.is_floating_point:
        raise InvalidModel("inputs can only be made up for networks that take real numbers", field="model")
    module = clone(imported.module).eval()
    module.requires_grad_(False)
    norms = [part for part in module.modules() if isinstance(part, nn.modules.batchnorm._BatchNorm)]
    if not norms:
        raise InvalidModel(
            "the network has no batch norms to make inputs from (they may have been folded at export); give some",
            field="model",
        )
    generator = torch.Generator().manual_seed(seed)
    sizes = [min(batch_size, count - start) for start in range(0, count, batch_size)]
    made = []
    for place, size in enumerate(sizes):

        def report(step: int, before: int = place * steps) -> None:
            if progress is not None:
                progress(before + step, steps * len(sizes))

        start = torch.randn(size, *imported.input_shape, generator=generator)
        made.append(_matched(module, norms, start, steps, learning_rate, report))
    return torch.cat(made)


def statistics_distance(module: fx.GraphModule, inputs: Tensor) -> float:
    """How far the outputs' means and variances are from those the batch norms have stored; 0 is a perfect match."""
    norms = [part for part in module.modules() if isinstance(part, nn.modules.batchnorm._BatchNorm)]
    with torch.no_grad(), _Watch(norms) as watch:
        module(inputs)
        return float(watch.distance())


def _matched(
    module: fx.GraphModule,
    norms: list[nn.modules.batchnorm._BatchNorm],
    start: Tensor,
    steps: int,
    learning_rate: float,
    report: Callable[[int], None],
) -> Tensor:
    """Inputs near the stored statistics; of all steps the best."""
    inputs = start.requires_grad_()
    optimizer = torch.optim.Adam([inputs], lr=learning_rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    best, least = start.detach().clone(), float("inf")
    with _Watch(norms) as watch:
        for step in range(steps):
            optimizer.zero_grad()
            module(inputs)
            loss = watch.distance()
            if float(loss.detach()) < least:
                best, least = inputs.detach().clone(), float(loss.detach())
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
            report(step + 1)
    return best


class _Watch:
    """Looks at what batch norms get while it is open."""

    def __init__(self, norms: list[nn.modules.batchnorm._BatchNorm]) -> None:
        self._norms = norms
        self._terms: list[Tensor] = []

    def __enter__(self) -> _Watch:
        self._hooks = [norm.register_forward_pre_hook(self._look) for norm in self._norms]
        return self

    def __exit__(self, *_: object) -> None:
        for hook in self._hooks:
            hook.remove()

    def distance(self) -> Tensor:
        """Mean over batch norms since the last call, each in units of its stored variance."""
        terms, self._terms = self._terms, []
        return torch.stack(terms).mean()

    def _look(self, norm: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        seen = inputs[0].transpose(0, 1).flatten(1)  # (channels, samples x positions)
        stored = norm.running_var + norm.eps  # type: ignore[operator]
        mean = (seen.mean(1) - norm.running_mean).square() / stored  # type: ignore[operator]
        spread = ((seen.var(1, correction=0) + norm.eps).sqrt() - stored.sqrt()).square() / stored  # type: ignore[operator]
        self._terms.append(mean.mean() + spread.mean())
