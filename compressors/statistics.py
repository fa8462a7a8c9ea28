"""What is learnt from calibration data, once and in one pass: Gram matrices, ranges, sensitivities.

Needs inputs only, no labels. The network's own predictions stand in for labels where a loss is needed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, fx, nn

from compressors.gram import Gram, GramSum
from compressors.imported import Imported
from compressors.ranges import Spread, SpreadSum
from paretrim.errors import InvalidDataset
from paretrim.network import Network

Task = Literal["classification", "regression"]

#: the key of the network's own input among tensors
INPUT = "input"


@dataclass(frozen=True, slots=True)
class LayerStatistics:
    """Of one layer. C: channels of its input tensor, O: channels of its output."""

    gram: Gram
    zero_share: Tensor  #: (C,) share of zeros in each input channel: APoZ, where a ReLU comes before
    taylor: Tensor  #: (C,) mean over samples of (sum over positions of x dL/dx)^2
    sensitivity: Tensor  #: (O,) mean over samples of the sum over positions of (dL/dy)^2: diagonal Fisher information


@dataclass(frozen=True, slots=True)
class Statistics:
    """Of a network on its calibration inputs."""

    layers: Mapping[str, LayerStatistics]  #: layers with a channel axis to read; embeddings have none
    spreads: Mapping[str, Spread]  #: by operation, of its output; `input` is the network's own input
    samples: int


def collect_statistics(
    imported: Imported,
    network: Network,
    inputs: Tensor,
    *,
    batch_size: int = 64,
    seed: int = 0,
    sensitivity_samples: int = 256,
    rows_per_column: int = 40,
    columns_limit: int = 2400,
    task: Task | None = None,
) -> Statistics:
    """Run the calibration inputs through the network once and keep second moments, ranges and sensitivities.

    inputs: (N, *input_shape). Of every layer's input about `rows_per_column` rows per column of its Gram matrix (at
    least 4096) are taken, at positions drawn with the seed. A layer whose patches have more than `columns_limit`
    columns gets one matrix for all kernel positions instead. The first `sensitivity_samples` inputs are also run
    backwards, from the loss of labels drawn from the network's own prediction (Fisher information); task says how to
    draw them, by default classification if the output is a vector of 2 to 256 numbers.

    Memory: 8 (d + 1)^2 bytes for each Gram matrix of d columns (ResNet-20: 20 MB in all, d <= 576; never more than
    46 MB for one layer at the default limit), 32 KB per operation for its histogram, and the activations of one batch.
    Raises InvalidDataset if there are no inputs, or one is not finite.
    """
    if len(inputs) == 0:
        raise InvalidDataset("calibration needs at least one input", field="inputs")
    if inputs.is_floating_point() and not bool(torch.isfinite(inputs).all()):
        raise InvalidDataset("the calibration inputs hold values that are not finite", field="inputs")
    generator = torch.Generator().manual_seed(seed)
    names = {layer.name for layer in network.layers if layer.kind != "embedding"}
    observer = _Observer(imported.module, names, len(inputs), generator, columns_limit, rows_per_column)
    task = task or _task_of(imported)
    for start in range(0, len(inputs), batch_size):
        batch = inputs[start : start + batch_size]
        observer.observe(batch, task if start < sensitivity_samples else None)
    return observer.result()


def collect_spreads(module: fx.GraphModule, inputs: Tensor, *, batch_size: int = 64) -> dict[str, Spread]:
    """Ranges alone, of a network as it stands; for networks that have changed since their statistics were collected."""
    observer = _Observer(module, set(), len(inputs), torch.Generator(), 0, 0)
    for batch in torch.split(inputs, batch_size):
        observer.observe(batch, None)
    return dict(observer.result().spreads)


def _task_of(imported: Imported) -> Task:
    shape = imported.output_shape
    return "classification" if len(shape) == 1 and 2 <= shape[0] <= 256 else "regression"


class _LayerSum:
    """One layer's sums."""

    def __init__(self, layer: nn.Module, columns_limit: int, rows_per_column: int) -> None:
        self.gram = GramSum(layer, columns_limit=columns_limit, rows_per_column=rows_per_column)
        self.last = channels_last(layer)
        self.zeros: Tensor | float = 0.0
        self.taylor: Tensor | float = 0.0
        self.sensitivity: Tensor | float = 0.0

    def add_gradients(self, layer_input: Tensor, into: Tensor | None, out: Tensor | None) -> None:
        """Gradients of the loss with respect to the layer's input and output; None if it does not depend on them."""
        if into is not None:
            moved = by_channel(layer_input.detach() * into, self.last)  # (samples, positions, channels)
            self.taylor = self.taylor + moved.double().sum(1).square().sum(0)
        if out is not None:
            self.sensitivity = self.sensitivity + by_channel(out, self.last).double().square().sum((0, 1))


class _Observer(fx.Interpreter):
    """Runs the graph node by node and adds up what passes."""

    def __init__(
        self,
        module: fx.GraphModule,
        layers: set[str],
        samples: int,
        generator: torch.Generator,
        columns_limit: int,
        rows_per_column: int,
    ) -> None:
        super().__init__(module)
        self._sums = {
            name: _LayerSum(module.get_submodule(name), columns_limit, rows_per_column) for name in sorted(layers)
        }
        self._spreads: dict[str, SpreadSum] = {}
        self._samples = samples
        self._generator = generator
        self._seen, self._backward = 0, 0
        self._ends: dict[str, tuple[Tensor, Tensor]] = {}  # by layer: its input and output, while gradients are wanted

    def observe(self, batch: Tensor, task: Task | None) -> None:
        """Run one batch, backwards too if there is a task."""
        self._seen += len(batch)
        self._spread(INPUT, batch)
        if task is None:
            with torch.no_grad():
                self.run(batch)
            return
        if batch.is_floating_point():
            batch = batch.detach().clone().requires_grad_()
        with torch.enable_grad():
            loss = pseudo_loss(self.run(batch), task, self._generator)
        self._backward += len(batch)
        self._add_gradients(loss)

    def call_module(self, target: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """One operation."""
        output = super().call_module(target, args, kwargs)
        name = str(target)
        self._spread(name, output)
        sums = self._sums.get(name)
        if sums is not None:
            seen = args[0].detach()
            rows = -(-sums.gram.rows_wanted * len(seen) // self._samples)
            sums.gram.add(seen, rows, self._generator)
            sums.zeros = sums.zeros + by_channel(seen == 0, sums.last).double().mean(1).sum(0)
            if torch.is_grad_enabled():
                self._ends[name] = (args[0], output)
        return output

    def result(self) -> Statistics:
        """What was added up."""
        layers = {
            name: LayerStatistics(
                gram=sums.gram.result(),
                zero_share=torch.as_tensor(sums.zeros) / self._seen,
                taylor=torch.as_tensor(sums.taylor) / max(1, self._backward),
                sensitivity=torch.as_tensor(sums.sensitivity) / max(1, self._backward),
            )
            for name, sums in self._sums.items()
        }
        return Statistics(layers, {name: spread.result() for name, spread in self._spreads.items()}, self._seen)

    def _spread(self, name: str, output: Any) -> None:
        if isinstance(output, Tensor) and output.is_floating_point():
            self._spreads.setdefault(name, SpreadSum()).add(output)

    def _add_gradients(self, loss: Tensor) -> None:
        wanted = [tensor for ends in self._ends.values() for tensor in ends]
        able = [tensor for tensor in wanted if tensor.requires_grad]
        found = iter(torch.autograd.grad(loss, able, allow_unused=True) if able else ())
        gradients = iter([next(found) if tensor.requires_grad else None for tensor in wanted])
        for name, (into, _) in self._ends.items():
            self._sums[name].add_gradients(into, next(gradients), next(gradients))
        self._ends.clear()


def pseudo_loss(outputs: Tensor, task: Task, generator: torch.Generator) -> Tensor:
    """Sum over samples of the negative log-likelihood of labels drawn from the model's own prediction.

    outputs: (N, classes) logits for classification, (N, ...) means of a unit Gaussian for regression.
    """
    if task == "classification":
        logits = outputs.flatten(0, -2) if outputs.ndim > 2 else outputs
        drawn = torch.multinomial(logits.detach().softmax(-1), 1, generator=generator).squeeze(-1)
        return nn.functional.cross_entropy(logits, drawn, reduction="sum")
    noise = torch.randn(outputs.shape, generator=generator)
    return (outputs * noise).sum()


def channels_last(layer: nn.Module) -> bool:
    """Whether the layer's channels are the last axis of its tensors (fully connected, recurrent), not the second."""
    return not isinstance(layer, nn.modules.conv._ConvNd)


def by_channel(tensor: Tensor, last: bool) -> Tensor:
    """(samples, positions, channels) of a tensor with its channels last, or second.

    Of a recurrent layer's tensors the steps come first, not the samples; they count as such.
    """
    if tensor.ndim == 2:
        return tensor[:, None, :]
    return tensor.flatten(1, -2) if last else tensor.flatten(2).transpose(1, 2)
