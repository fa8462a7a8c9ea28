"""The teachers' side of distillation: one network or several, asked anew for every batch or once for every row."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass

import torch
from torch import Tensor, fx, nn

from compressors.graph import clone
from compressors.passes import CPU, place_of, rows_at_once
from compressors.training import TensorData
from paretrim.errors import InvalidInput

#: who may teach: a network, several whose answers are averaged, or their answers, (N, ...), one for every training row
Teacher = nn.Module | Sequence[nn.Module] | Tensor


def remembered_answers(
    teachers: nn.Module | Sequence[nn.Module], data: TensorData, *, mirrored: bool = False
) -> Tensor:
    """What the teachers say to every row, (N, ...) float32: their mean, over mirror images too if `mirrored`.

    Asked once, it serves every epoch and every network that learns from the same teachers on the same rows; a teacher
    that is asked anew costs a forward pass of the larger network for every step. `mirrored` is for images that are
    flipped and shifted in training: the answer to the row as it is then stands for all its variants.
    """
    panel = _panel(teachers)
    place = place_of(panel[0])
    row = data.batch(slice(0, 1))[0].to(place)
    at_once = min(rows_at_once(module, row) for module in panel)
    parts = []
    with torch.inference_mode():
        for inputs, _ in data.batches(at_once):
            inputs = inputs.to(place)
            said = _mean(panel, inputs)
            parts.append(((said + _mean(panel, inputs.flip(-1))) / 2 if mirrored else said).cpu())
    return torch.cat(parts).clone()


@dataclass(frozen=True, eq=False)
class Panel:
    """Who is asked during a run: networks, or answers that are known."""

    modules: tuple[nn.Module, ...] = ()
    known: Tensor | None = None

    @property
    def single(self) -> nn.Module | None:
        """The network whose intermediate tensors can be matched, if there is exactly one."""
        return self.modules[0] if len(self.modules) == 1 else None

    def answers(self, rows: Tensor, inputs: Tensor) -> Tensor:
        """To a batch: row numbers in the training data, and the inputs made of them."""
        if self.known is not None:
            return self.known[rows].to(inputs.device)
        with torch.no_grad():
            return _mean(self.modules, inputs)


def panel_of(
    teacher: Teacher | None,
    data: TensorData,
    *,
    remember: bool,
    mirrored: bool,
    place: torch.device = CPU,
) -> Panel | None:
    """Who teaches. remember: ask networks for all rows now. place: where they are asked, as copies if elsewhere.

    Raises InvalidInput if answers and rows do not match.
    """
    if teacher is None:
        return None
    if isinstance(teacher, Tensor):
        if len(teacher) != len(data):
            raise InvalidInput(
                f"there are {len(teacher)} answers of teachers and {len(data)} training rows", field="teacher"
            )
        return Panel(known=teacher)
    modules = tuple(_placed(module, place) for module in _panel(teacher))
    return Panel(modules, remembered_answers(modules, data, mirrored=mirrored) if remember else None)


def _panel(teachers: nn.Module | Sequence[nn.Module]) -> tuple[nn.Module, ...]:
    modules = (teachers,) if isinstance(teachers, nn.Module) else tuple(teachers)
    if not modules:
        raise InvalidInput("there is no teacher; name at least one, or None to learn from the targets", field="teacher")
    return modules


def _placed(module: nn.Module, place: torch.device) -> nn.Module:
    if place_of(module).type == place.type:
        return module
    return (clone(module) if isinstance(module, fx.GraphModule) else deepcopy(module)).to(place)


def _mean(modules: Sequence[nn.Module], inputs: Tensor) -> Tensor:
    """Of the outputs: for logits that is the geometric mean of the teachers' probabilities (Hinton et al. 2015)."""
    said = [module(inputs).float() for module in modules]
    return said[0] if len(said) == 1 else torch.stack(said).mean(0)
