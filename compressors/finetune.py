"""Fine-tuning with distillation: the compressed network learns from the targets and from the network it was."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import torch
from torch import Tensor, fx, nn
from torch.nn.utils import clip_grad_norm_

from compressors import augmentation
from compressors.compressor import Compressed
from compressors.features import matching_operations, recorded
from compressors.graph import clone
from compressors.layout import plain_again, train_channels_last
from compressors.losses import Loss, attention_loss, distillation_loss, hint_loss, loss_for, merit, task_loss
from compressors.operators.recurrent import Recurrent
from compressors.passes import place_of, rows_at_once
from compressors.rounding import stored_rounding
from compressors.sparsity import keep_zeros, masked
from compressors.teaching import Panel, Teacher, panel_of
from compressors.training import Epoch, FinetuneOptions, Judge, Progress, TensorData, TrainingState


@dataclass(frozen=True, eq=False)
class FineTuned:
    """What came of fine-tuning.

    module: in evaluation mode, with the weights that did best on validation; if nothing beat the weights it began
    with, those. history: one entry per epoch.
    """

    module: fx.GraphModule
    history: tuple[Epoch, ...]


def finetune(
    compressed: Compressed | fx.GraphModule,
    teacher: Teacher | None,
    train: TensorData,
    validation: TensorData,
    options: FinetuneOptions | None = None,
    progress: Callable[[Progress], None] | None = None,
    *,
    resume: TrainingState | None = None,
    checkpoint: Callable[[TrainingState], None] | None = None,
) -> FineTuned:
    """Train a copy of the compressed network; the same seed gives the same weights on the same number of threads.

    On a GPU (`options.device`) sums run in another order, so weights differ from the CPU's and from run to run.

    teacher: usually the uncompressed network; several networks teach their mean answer; a tensor holds answers that
    `remembered_answers` has collected; None trains on the targets alone. checkpoint: called after every epoch with the
    state that `resume` takes. What `progress` or `checkpoint` raises passes through, so they can stop the run.
    Raises InvalidDataset if targets and network do not fit, InvalidInput if answers and rows do not.
    """
    module = clone(compressed.module if isinstance(compressed, Compressed) else compressed)
    run = _Run(module, teacher, train, validation, options or FinetuneOptions())
    if resume is not None:
        run.load(resume)
    for state in run.epochs(progress):
        if checkpoint is not None:
            checkpoint(state)
    return run.result()


def evaluate(module: nn.Module, data: TensorData, loss: Loss | None = None, judge: Judge | None = None) -> float:
    """What `judge` says of all outputs; None: share of right classes, or minus the mean squared error.

    The module must be in evaluation mode.
    """
    if judge is not None:
        return _judged(module, data, judge)
    total, place = 0.0, place_of(module)
    with torch.inference_mode():
        for inputs, targets in data.batches(_at_once(module, data)):
            inputs, targets = inputs.to(place), targets.to(place)
            outputs = module(inputs).float()
            total += merit(loss or loss_for(inputs, outputs, targets), inputs, outputs, targets) * len(targets)
    return total / len(data)


def _judged(module: nn.Module, data: TensorData, judge: Judge) -> float:
    place, rows = place_of(module), list(data.batches(_at_once(module, data)))
    with torch.inference_mode():
        outputs = torch.cat([module(inputs.to(place)).float().cpu() for inputs, _ in rows])
    if not bool(torch.isfinite(outputs).all()):
        return -math.inf  # worse than any weights before
    return judge(outputs, torch.cat([targets for _, targets in rows]), torch.cat([inputs for inputs, _ in rows]))


def _at_once(module: nn.Module, data: TensorData) -> int:
    return rows_at_once(module, data.batch(slice(0, 1))[0].to(place_of(module)))


def bfloat16_is_faster(module: nn.Module, inputs: Tensor, repeats: int = 3) -> bool:
    """Whether a training step runs faster here under bfloat16 autocast. Timed, so ask once and remember the answer."""
    copied = clone(module) if isinstance(module, fx.GraphModule) else module

    def best(enabled: bool) -> float:
        times = []
        for _ in range(repeats + 1):
            start = time.perf_counter()
            with torch.autocast("cpu", torch.bfloat16, enabled=enabled):
                copied(inputs).float().square().mean().backward()
            times.append(time.perf_counter() - start)
        return min(times[1:])

    return best(True) < 0.9 * best(False)


class _Run:
    """One training run."""

    def __init__(
        self,
        module: fx.GraphModule,
        teacher: Teacher | None,
        train: TensorData,
        validation: TensorData,
        options: FinetuneOptions,
    ) -> None:
        self._place = options.place
        self._module = module = module.to(self._place)
        # not for bfloat16, whose other kernels nobody has tried all of
        self._channels_last = self._place.type == "cpu" and not options.bfloat16
        self._layout = train_channels_last(module) if self._channels_last else []
        self._train, self._validation, self._options = train, validation, options
        for parameter in module.parameters():
            parameter.requires_grad_(parameter.is_floating_point())
        if not options.learn_steps:
            for name, parameter in module.named_parameters():
                parameter.requires_grad_(not name.endswith("_step"))
        self._sparse = masked(module)
        self._optimizer = make_optimizer(module, options)
        self._steps_per_epoch = max(1, -(-len(train) // options.batch_size))
        self._steps = max(1, round(options.epochs * self._steps_per_epoch))
        self._generator = torch.Generator().manual_seed(options.seed)
        self._step, self._stale = 0, 0
        self._history: list[Epoch] = []
        self._average = _snapshot(module) if options.ema_decay is not None else None
        inputs, targets = self._moved(validation.batch(slice(0, 2)))
        with torch.no_grad():
            self._loss = options.loss or loss_for(inputs, module(inputs), targets)
        self._augment = augmentation.wanted(options.augmentation, inputs)
        self._teacher = self._panel(teacher) if options.distillation > 0 else None
        self._best_value = evaluate(module, validation, self._loss, options.judge)
        self._best = _snapshot(module)

    def epochs(self, progress: Callable[[Progress], None] | None) -> Iterator[TrainingState]:
        """Train, epoch by epoch."""
        with ExitStack() as stack:
            matched = self._matched(stack)
            while self._step < self._steps and not self._stopped():
                start = time.perf_counter()
                loss = self._epoch(matched, progress)
                self._close_epoch(loss, time.perf_counter() - start)
                yield self.state()

    def state(self) -> TrainingState:
        """To go on from here."""
        tensors = {f"module/{name}": value for name, value in _snapshot(self._module).items()}
        tensors |= {f"best/{name}": value for name, value in self._best.items()}
        if self._average is not None:
            tensors |= {f"average/{name}": value for name, value in self._average.items()}
        for index, entries in self._optimizer.state_dict()["state"].items():
            plain = {name: torch.as_tensor(value).contiguous() for name, value in entries.items()}
            tensors |= {f"optimizer/{index}/{name}": value for name, value in plain.items()}
        return TrainingState(
            self._step, tensors, tuple(self._history), self._best_value, self._stale, self._generator.get_state()
        )

    def load(self, state: TrainingState) -> None:
        """Go on from a state."""
        self._step, self._stale, self._history = state.step, state.stale, list(state.history)
        self._best_value = self._best_value if state.best is None else state.best
        _restore(self._module, state.named("module"))
        self._best = {name: value.clone() for name, value in state.named("best").items()}
        if self._average is not None:
            self._average = {name: value.to(self._place).clone() for name, value in state.named("average").items()}
        entries: dict[int, dict[str, Tensor]] = {}
        for name, value in state.named("optimizer").items():
            index, _, key = name.partition("/")
            entries.setdefault(int(index), {})[key] = value.clone()
        self._optimizer.load_state_dict({**self._optimizer.state_dict(), "state": entries})
        self._generator.set_state(state.random)

    def result(self) -> FineTuned:
        """The best weights seen."""
        _restore(self._module, self._best)
        plain_again(self._module, self._layout)
        return FineTuned(self._module.eval().cpu(), tuple(self._history))

    def _moved(self, batch: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        inputs, targets = batch
        return inputs.to(self._place), targets.to(self._place)

    def _panel(self, teacher: Teacher | None) -> Panel | None:
        options = self._options
        remember = options.teacher_answers == "remembered"
        if options.teacher_answers == "auto":  # where rows stay as they are it makes no difference but in time
            remember = not self._augment and options.epochs > 1
        remember = remember and options.features == "none"
        return panel_of(teacher, self._train, remember=remember, mirrored=self._augment, place=self._place)

    def _epoch(self, matched: _Matched | None, progress: Callable[[Progress], None] | None) -> float:
        """One pass, or what is left of the last one. Returns the mean loss."""
        self._module.train()
        order = torch.randperm(len(self._train), generator=self._generator)
        losses: list[float] = []
        start = time.perf_counter()
        for rows in torch.split(order, self._options.batch_size):
            if self._step >= self._steps or (losses and not math.isfinite(losses[-1])):
                break
            losses.append(self._update(rows, matched))
            self._step += 1
            if progress is not None:
                each = (time.perf_counter() - start) / len(losses)
                progress(
                    Progress(self._step, self._steps, losses[-1], self._best_value, each * (self._steps - self._step))
                )
        self._module.eval()
        return sum(losses) / len(losses)

    def _update(self, rows: Tensor, matched: _Matched | None) -> float:
        options = self._options
        inputs, targets = self._moved(self._train.batch(rows))
        if self._augment:
            inputs = augmentation.flip_crop(inputs, self._generator)
        last = self._channels_last and inputs.ndim == 4
        inputs = inputs.contiguous(memory_format=torch.channels_last if last else torch.contiguous_format)
        rate = learning_rate_at(self._step, self._steps, options.warmup)
        for group in self._optimizer.param_groups:
            group["lr"] = group["initial_lr"] * rate
        with torch.autocast(self._place.type, torch.bfloat16, enabled=options.bfloat16):
            outputs = self._module(inputs).float()
            loss = self._objective(rows, inputs, outputs, targets, matched)
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        clip_grad_norm_(self._module.parameters(), options.clip_norm)
        self._optimizer.step()
        keep_zeros(self._sparse)
        if self._average is not None and options.ema_decay is not None:
            _blend(self._average, self._module, min(options.ema_decay, (1 + self._step) / (10 + self._step)))
        return float(loss.detach())

    def _objective(
        self, rows: Tensor, inputs: Tensor, outputs: Tensor, targets: Tensor, matched: _Matched | None
    ) -> Tensor:
        share = self._options.distillation if self._teacher is not None else 0.0
        loss = outputs.new_zeros(())
        if share < 1.0:
            loss = loss + (1.0 - share) * task_loss(self._loss, inputs, outputs, targets)
        if self._teacher is None:
            return loss
        taught = self._teacher.answers(rows, inputs)
        loss = loss + share * distillation_loss(self._loss, outputs, taught, self._options.temperature)
        return loss if matched is None else loss + self._options.feature_weight * matched.loss(self._options.features)

    def _matched(self, stack: ExitStack) -> _Matched | None:
        teacher, kind = self._teacher.single if self._teacher else None, self._options.features
        if kind == "none" or not isinstance(teacher, fx.GraphModule):
            return None
        inputs, _ = self._moved(self._train.batch(slice(0, 2)))
        names = matching_operations(self._module, teacher, inputs, same_width=kind == "fitnets")
        if not names:
            return None
        return _Matched(*(stack.enter_context(recorded(module, names)) for module in (self._module, teacher)))

    def _close_epoch(self, loss: float, seconds: float) -> None:
        kept = _snapshot(self._module)
        if self._average is not None:
            _restore(self._module, self._average)
        value = -math.inf
        if math.isfinite(loss):
            value = evaluate(self._module, self._validation, self._loss, self._options.judge)
        self._history.append(Epoch(len(self._history) + 1, loss, value, seconds))
        self._stale += 1
        if value > self._best_value:
            self._best_value, self._best, self._stale = value, _snapshot(self._module), 0
        if self._average is not None:
            _restore(self._module, kept)

    def _stopped(self) -> bool:
        if self._history and not math.isfinite(self._history[-1].loss):
            return True  # it has diverged; the best weights so far stand
        return self._options.patience is not None and self._stale >= self._options.patience


@dataclass(frozen=True, eq=False)
class _Matched:
    """Intermediate tensors of the two networks, of the latest forward passes."""

    student: list[Tensor]
    teacher: list[Tensor]

    def loss(self, kind: str) -> Tensor:
        return (hint_loss if kind == "fitnets" else attention_loss)(self.student, self.teacher)


def make_optimizer(module: nn.Module, options: FinetuneOptions) -> torch.optim.Optimizer:
    """SGD with Nesterov momentum, or AdamW; no weight decay on biases, norms and quantizer steps."""
    weights = [parameter for parameter in module.parameters() if parameter.requires_grad and parameter.ndim > 1]
    others = [parameter for parameter in module.parameters() if parameter.requires_grad and parameter.ndim <= 1]
    groups = [{"params": weights, "weight_decay": options.weight_decay}, {"params": others, "weight_decay": 0.0}]
    kind = options.optimizer
    if kind == "auto":
        kind = "adamw" if any(isinstance(part, nn.LayerNorm | Recurrent) for part in module.modules()) else "sgd"
    rate = options.learning_rate or (0.02 if kind == "sgd" else 1e-3) * (0.2 if _is_quantized(module) else 1.0)
    made: torch.optim.Optimizer
    if kind == "sgd":
        made = torch.optim.SGD(groups, lr=rate, momentum=options.momentum, nesterov=options.momentum > 0)
    else:
        made = torch.optim.AdamW(groups, lr=rate)
    for group in made.param_groups:
        group["initial_lr"] = rate
    return made


def learning_rate_at(step: int, steps: int, warmup: float) -> float:
    """Share of the peak learning rate: rises linearly for `warmup` of the steps, then falls along half a cosine."""
    rising = math.floor(warmup * steps)
    if step < rising:
        return (step + 1) / (rising + 1)
    return 0.5 * (1.0 + math.cos(math.pi * (step - rising) / max(1, steps - rising)))


def _is_quantized(module: nn.Module) -> bool:
    return any(stored_rounding(part) is not None for part in module.modules())


def _snapshot(module: nn.Module) -> dict[str, Tensor]:
    plain = torch.contiguous_format
    return {name: value.detach().clone(memory_format=plain) for name, value in module.state_dict().items()}


def _restore(module: nn.Module, values: dict[str, Tensor]) -> None:
    with torch.no_grad():
        for name, value in module.state_dict().items():
            value.copy_(values[name])


def _blend(average: dict[str, Tensor], module: nn.Module, decay: float) -> None:
    """Move the average towards the module, in place."""
    with torch.no_grad():
        for name, value in module.state_dict().items():
            if value.is_floating_point():
                average[name].lerp_(value, 1.0 - decay)
            else:
                average[name].copy_(value)
