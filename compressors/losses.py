"""What fine-tuning minimises: the task's own loss, and the distance to a teacher."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from paretrim.errors import InvalidDataset

Loss = Literal["cross_entropy", "mse", "reconstruction"]


def loss_for(inputs: Tensor, outputs: Tensor, targets: Tensor) -> Loss:
    """The loss that fits: `mse` for real-valued targets; for class numbers `cross_entropy`, or `reconstruction` of the
    input where the network gives back something of the input's shape (anomaly detection).

    Raises InvalidDataset if neither does.
    """
    if targets.is_floating_point():
        if targets.shape != outputs.shape:
            raise InvalidDataset(
                f"targets of shape {tuple(targets.shape[1:])} do not fit outputs of {tuple(outputs.shape[1:])}",
                field="targets",
            )
        return "mse"
    if outputs.ndim > 1 and outputs.shape == inputs.shape:
        return "reconstruction"
    if outputs.ndim != 2 or targets.ndim != 1:
        raise InvalidDataset(
            f"class numbers of shape {tuple(targets.shape)} do not fit outputs of shape {tuple(outputs.shape)}",
            field="targets",
        )
    if targets.numel() and not 0 <= int(targets.min()) <= int(targets.max()) < max(2, outputs.shape[1]):
        raise InvalidDataset(f"a class number is outside 0..{max(2, outputs.shape[1]) - 1}", field="targets")
    return "cross_entropy"


def task_loss(kind: Loss, inputs: Tensor, outputs: Tensor, targets: Tensor) -> Tensor:
    """Mean over the batch. One output column with class numbers is one logit for class 1."""
    if kind == "mse":
        return functional.mse_loss(outputs, targets)
    if kind == "reconstruction":
        return functional.mse_loss(outputs, inputs)
    if outputs.shape[1] == 1:
        return functional.binary_cross_entropy_with_logits(outputs[:, 0], targets.to(outputs.dtype))
    return functional.cross_entropy(outputs, targets)


def merit(kind: Loss, inputs: Tensor, outputs: Tensor, targets: Tensor) -> float:
    """How good outputs are, higher is better: share of right classes, or minus the mean squared error."""
    if kind != "cross_entropy":
        return -float(task_loss(kind, inputs, outputs, targets))
    guessed = (outputs[:, 0] > 0).long() if outputs.shape[1] == 1 else outputs.argmax(1)
    return float((guessed == targets).double().mean())


def soften(logits: Tensor, temperature: float) -> Tensor:
    """Class probabilities at a temperature."""
    return (logits / temperature).softmax(-1)


def distillation_loss(kind: Loss, outputs: Tensor, teacher: Tensor, temperature: float) -> Tensor:
    """Distance to the teacher's outputs, mean over the batch.

    For classes, T^2 KL(softmax(teacher / T) || softmax(outputs / T)) (Hinton et al. 2015, section 2; T^2 keeps the
    gradients' size whatever T is); else the squared error.
    """
    if kind != "cross_entropy":
        return functional.mse_loss(outputs, teacher)
    if outputs.shape[1] == 1:  # one logit z is the pair (z, 0)
        outputs, teacher = (torch.cat([values, torch.zeros_like(values)], 1) for values in (outputs, teacher))
    log_student = (outputs / temperature).log_softmax(-1)
    return temperature**2 * functional.kl_div(log_student, soften(teacher, temperature), reduction="batchmean")


def hint_loss(student: Sequence[Tensor], teacher: Sequence[Tensor]) -> Tensor:
    """FitNets (Romero et al. 2015, eq. 3) through tensors of the same shape, each in units of its variance."""
    losses = [
        functional.mse_loss(mine, theirs) / theirs.var().clamp(min=1e-6)
        for mine, theirs in zip(student, teacher, strict=True)
    ]
    return torch.stack(losses).mean()


def attention_loss(student: Sequence[Tensor], teacher: Sequence[Tensor]) -> Tensor:
    """Attention transfer (Zagoruyko and Komodakis 2017, eq. 2): where the energy lies; widths are free."""
    losses = [
        (_attention(mine) - _attention(theirs)).square().sum(1).mean()
        for mine, theirs in zip(student, teacher, strict=True)
    ]
    return torch.stack(losses).mean()


def _attention(features: Tensor) -> Tensor:
    """(N, positions): energy over channels, of unit length per sample. features: (N, C, ...)."""
    return functional.normalize(features.square().mean(1).flatten(1), dim=1)
