"""How good a network's outputs are, as one figure in [0, 1]; higher is better."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from paretrim.errors import InvalidInput

Score = Callable[[Tensor, Tensor, Tensor], float]


class Interval(NamedTuple):
    """A range that holds the true figure with the stated confidence."""

    low: float
    high: float


def score(metric: str, outputs: Tensor, targets: Tensor, inputs: Tensor) -> float:
    """Judge outputs by a metric of METRICS.

    outputs: (n, ...) of the network; targets: (n,) class numbers or (n, ...) values; inputs: (n, *input_shape), for
    networks that rebuild them. Raises InvalidInput for an unknown metric, ArithmeticError for outputs that are not
    finite.
    """
    known = METRIC_SCORES.get(metric)
    if known is None:
        raise InvalidInput(f"{metric!r} is not a metric; choose from {', '.join(METRIC_SCORES)}", field="metric")
    if not bool(torch.isfinite(outputs).all()):
        raise ArithmeticError("the network's outputs are not finite")
    return known(outputs.float(), targets, inputs)


def top1(outputs: Tensor, targets: Tensor, inputs: Tensor) -> float:
    """Share of rows whose highest class is the right one. Of equal outputs the first counts."""
    del inputs
    if outputs.shape[1:].numel() == 1:
        return float(((outputs.flatten() > 0).long() == targets).double().mean())
    return float((outputs.reshape(len(outputs), -1).argmax(dim=1) == targets).double().mean())


def margins(outputs: Tensor, targets: Tensor) -> npt.NDArray[np.float64]:
    """By how much the right class's output is above the highest other one, or below it: (n,).

    outputs: (n, ..., classes) or one a row; targets: (n,) class numbers.
    """
    flat = outputs.double().reshape(len(outputs), -1)
    if flat.shape[1] == 1:
        signed: npt.NDArray[np.float64] = (flat[:, 0] * (2 * targets - 1)).numpy()
        return signed
    own = flat.gather(1, targets[:, None])[:, 0]
    others = flat.scatter(1, targets[:, None], -torch.inf).amax(dim=1)
    margin: npt.NDArray[np.float64] = (own - others).numpy()
    return margin


def top5(outputs: Tensor, targets: Tensor, inputs: Tensor) -> float:
    """Share of rows with the right class among the five highest."""
    del inputs
    highest = outputs.topk(min(5, outputs.shape[1]), dim=1).indices
    return float((highest == targets[:, None]).any(dim=1).double().mean())


def fidelity(outputs: Tensor, targets: Tensor, inputs: Tensor) -> float:
    """1 - mean squared error / variance of the targets, not below 0: 1 is exact, 0 no better than their mean."""
    del inputs
    wanted = targets.double()
    variance = float(wanted.var(correction=0))
    error = float((outputs.double() - wanted).square().mean())
    return max(0.0, 1.0 - error / variance) if variance > 0 else float(error == 0.0)


def auc(outputs: Tensor, targets: Tensor, inputs: Tensor) -> float:
    """Area under the ROC curve: the chance that a positive row (1) scores above a negative one (0); ties count half.

    The score of a row is its one output; of two outputs, how much the second exceeds the first; of an output shaped
    like the input, its mean squared error of reconstruction (anomaly detection).
    """
    if outputs.shape == inputs.shape:
        scores = (outputs - inputs).double().square().flatten(1).mean(dim=1)
    else:
        flat = outputs.double().flatten(1)
        scores = flat[:, 0] if flat.shape[1] == 1 else flat[:, 1] - flat[:, 0]
    positive, negative = scores[targets == 1], scores[targets == 0]
    if not len(positive) or not len(negative):
        raise InvalidInput("metric 'auc' needs rows of both classes, 0 and 1", field="metric")
    ordered = negative.sort().values
    below = torch.searchsorted(ordered, positive, right=False)
    not_above = torch.searchsorted(ordered, positive, right=True)
    return float((below + not_above).double().mean()) / (2 * len(negative))


METRIC_SCORES: Mapping[str, Score] = {"top1": top1, "top5": top5, "mse": fidelity, "auc": auc}


def wilson(share: float, count: int, z: float = 1.959964) -> Interval:
    """Wilson's score interval of a share seen in `count` trials; z = 1.96 for 95 %. (Wilson, JASA 1927.)"""
    if count < 1:
        return Interval(0.0, 1.0)
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    return Interval(max(0.0, middle - half), min(1.0, middle + half))
