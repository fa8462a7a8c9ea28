"""Which units of a group matter least: one order of removal per group, for every ratio.

| criterion | a unit matters if | paper |
|---|---|---|
| `l1`, `l2` | its producers' filters are large | Li et al. 2017, section 3.1 |
| `fpgm` | its filters are far from the other units' | He et al. 2019, eq. 4 |
| `bn_scale` | the batch norms behind it scale it up | Liu et al. 2017 (network slimming), eq. 1 |
| `apoz` | it is seldom zero where it is read | Hu et al. 2016, eq. 1 |
| `taylor` | the loss changes to first order when it is gated off | Molchanov et al. 2019, eq. 8, on gates |
| `obd` | the loss changes to second order, by a diagonal Hessian | LeCun et al. 1990, eq. 5 |
| `thinet` | what it adds to its readers' outputs is large | Luo et al. 2017, eq. 6 |
| `obs` | its readers cannot make up for it by new weights for the others | Hassibi and Stork 1993, in blocks |
| `random` | by chance, from a seed | |

Scores of several ends are each divided by their mean over the units, then added up.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

import torch
from torch import Tensor, fx, nn

from compressors.elimination import Reader, elimination_order, subset_order
from compressors.operators.recurrent import Recurrent
from compressors.prune import ChannelMap, End
from compressors.reconstruction import RIDGE, covariance, readable_weight, weight_matrix
from compressors.statistics import Statistics
from paretrim.errors import InvalidInput

CriterionName = Literal["l1", "l2", "fpgm", "bn_scale", "apoz", "taylor", "obd", "thinet", "obs", "random"]
CRITERIA: tuple[CriterionName, ...] = get_args(CriterionName)

#: what each criterion needs to know: nothing but the weights, or calibration inputs (never labels)
NEEDS: Mapping[CriterionName, Literal["none", "unlabeled"]] = {
    name: "unlabeled" if name in ("apoz", "taylor", "obd", "thinet", "obs") else "none" for name in CRITERIA
}


@dataclass(eq=False)
class Ranking:
    """Orders the units of each group, once."""

    module: fx.GraphModule
    channels: ChannelMap
    statistics: Statistics | None  #: None: only criteria that need no data
    criterion: CriterionName
    seed: int = 0
    _orders: dict[str, Tensor] = field(default_factory=dict)
    _damages: dict[str, Tensor] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.criterion not in CRITERIA:
            raise InvalidInput(
                f"{self.criterion!r} is not a criterion; there are {', '.join(CRITERIA)}", field="criterion"
            )
        if self.statistics is None and NEEDS[self.criterion] != "none":
            raise InvalidInput(
                f"criterion {self.criterion!r} needs calibration inputs; give some, or choose l1, l2 or fpgm",
                field="criterion",
            )

    def order(self, group: str) -> Tensor:
        """The group's units, the first to go first: (units,) int64. Ties go to the lower unit."""
        if group not in self._orders:
            self._orders[group] = self._order(group)
        return self._orders[group]

    def damages(self, group: str) -> tuple[float, ...]:
        """What is lost when the first 0, 1, ... units of `order` are gone and the others' weights refitted.

        Squared errors of the readers' outputs, each times what it costs the loss to second order, so that damages of
        different groups add up. Empty if the criterion does not reckon them (only `obs` does).
        """
        self.order(group)
        found = self._damages.get(group)
        return () if found is None else (0.0, *found.tolist())

    def keep(self, group: str, count: int) -> tuple[int, ...]:
        """The `count` units that matter most, rising."""
        order = self.order(group)
        return tuple(sorted(order[len(order) - count :].tolist()))

    def _order(self, group: str) -> Tensor:
        if self.criterion in ("obs", "thinet"):
            readers = self._readers(group)
            if readers and self.criterion == "obs":
                order, self._damages[group] = elimination_order(readers)
                return order
            if readers:
                return subset_order(readers)
            return _ascending(self._scores(group, "l2"))  # nothing with weights reads it: go by what makes it
        return _ascending(self._scores(group, self.criterion))

    def _scores(self, group: str, criterion: CriterionName) -> Tensor:
        if criterion == "random":
            digest = hashlib.sha256(f"{self.seed}/{group}".encode()).digest()
            generator = torch.Generator().manual_seed(int.from_bytes(digest[:7], "big"))
            return torch.rand(self.channels.groups[group], generator=generator, dtype=torch.float64)
        score = _SCORES[criterion]
        found = [values for end in self.channels.ends[group] if (values := score(self, end)) is not None]
        if not found:
            raise InvalidInput(
                f"criterion {criterion!r} cannot judge group {group!r}: {_LACKING[criterion]}; choose another",
                field="criterion",
            )
        return sum((_relative(values) for values in found), torch.zeros(len(found[0]), dtype=torch.float64))

    def _readers(self, group: str) -> list[Reader]:
        readers = []
        for end in self.channels.ends[group]:
            if end.side == "in" and self.statistics is not None and end.operation in self.statistics.layers:
                readers += self._readers_of(end)
        return readers

    def _readers_of(self, end: End) -> list[Reader]:
        """One reader per convolution group of a layer."""
        assert self.statistics is not None
        layer = self.module.get_submodule(end.operation)
        known = self.statistics.layers[end.operation]
        moments = covariance(known.gram, RIDGE)
        weights = weight_matrix(layer, known.gram)
        scale = _output_scale(known.sensitivity, weights, moments, isinstance(layer, Recurrent))
        per_group = known.gram.channels // len(weights)
        readers = []
        for index, (matrix, weight) in enumerate(zip(moments, weights * scale[:, :, None], strict=True)):
            mine = end.channels // per_group == index
            if not bool(mine.any()):
                continue
            positions = end.channels[mine].reshape(len(end.channels), -1) % per_group
            width = known.gram.columns_per_channel
            columns = (positions[:, :, None] * width + torch.arange(width)).flatten(1)
            readers.append(Reader(matrix, weight, columns))
        return readers


def _output_scale(sensitivity: Tensor, weights: Tensor, moments: Tensor, by_gates: bool) -> Tensor:
    """(groups, outputs): square root of what a squared error in an output costs.

    The diagonal Fisher information of the layer's outputs, so that errors of different layers add up; where the loss
    does not depend on them, one over their variance.
    """
    groups, outputs = weights.shape[:2]
    if float(sensitivity.sum()) > 0.0:
        each = sensitivity.reshape(groups, -1)
        times = outputs // each.shape[1]
        # kernel positions stand next to each other, gates of a recurrent layer do not
        return (each.repeat(1, times) if by_gates else each.repeat_interleave(times, dim=1)).sqrt()
    variance = ((weights @ moments) * weights).sum()
    return torch.ones(groups, outputs, dtype=torch.float64) / variance.sqrt().clamp(min=1e-12)


def _ascending(scores: Tensor) -> Tensor:
    return torch.argsort(scores, stable=True)


def _relative(scores: Tensor) -> Tensor:
    return scores / scores.mean().clamp(min=1e-30)


def _filters(ranking: Ranking, end: End) -> Tensor | None:
    """(units, weights of each) of what makes the units; None if this end does not."""
    layer = ranking.module.get_submodule(end.operation)
    if isinstance(layer, Recurrent) and end.side == "out":
        weight = layer.weight_ih.detach().double()
        gates = weight.reshape(len(weight), -1, layer.hidden_size, weight.shape[2]).movedim(2, 0)  # (hidden, ...)
        return gates.flatten(1)[end.channels].flatten(1)
    if end.side == "in" or not isinstance(layer, nn.Linear | nn.modules.conv._ConvNd | nn.Embedding):
        return None
    weight = layer.weight.detach().double()
    if isinstance(layer, nn.Embedding):
        weight = weight.T
    elif isinstance(layer, nn.modules.conv._ConvTransposeNd) and end.side == "out":
        weight = readable_weight(layer).detach().double()
    return weight.flatten(1)[end.channels].flatten(1)


def _norm(order: int) -> Callable[[Ranking, End], Tensor | None]:
    def score(ranking: Ranking, end: End) -> Tensor | None:
        filters = _filters(ranking, end)
        return None if filters is None else filters.norm(p=order, dim=1)

    return score


def _distance(ranking: Ranking, end: End) -> Tensor | None:
    """Sum of distances to the other units' filters: small near the geometric median."""
    filters = _filters(ranking, end)
    return None if filters is None else torch.cdist(filters, filters).sum(1)


def _batch_norm_scale(ranking: Ranking, end: End) -> Tensor | None:
    layer = ranking.module.get_submodule(end.operation)
    if not isinstance(layer, nn.modules.batchnorm._BatchNorm) or layer.weight is None:
        return None
    return layer.weight.detach().double().abs()[end.channels].sum(1)


def _not_zero(ranking: Ranking, end: End) -> Tensor | None:
    known = ranking.statistics.layers.get(end.operation) if ranking.statistics else None
    return None if known is None or end.side != "in" else 1.0 - known.zero_share[end.channels].mean(1)


def _taylor(ranking: Ranking, end: End) -> Tensor | None:
    known = ranking.statistics.layers.get(end.operation) if ranking.statistics else None
    return None if known is None or end.side != "in" else known.taylor[end.channels].sum(1)


def _saliency(ranking: Ranking, end: End) -> Tensor | None:
    """Half the sum over the unit's incoming weights of w^2 H, with H = (Fisher of the output) x E[input^2]."""
    known = ranking.statistics.layers.get(end.operation) if ranking.statistics else None
    if known is None or end.side != "in":
        return None
    layer = ranking.module.get_submodule(end.operation)
    weights = weight_matrix(layer, known.gram)  # (groups, outputs, d)
    moments = covariance(known.gram, 0.0, centred=False)
    cost = _output_scale(known.sensitivity, weights, moments, isinstance(layer, Recurrent)).square()
    energy = known.gram.matrix.diagonal(dim1=1, dim2=2)[:, :-1]  # (groups, d)
    each = 0.5 * (weights.square() * cost[:, :, None]).sum(1) * energy
    by_channel: Tensor = each.reshape(-1, known.gram.columns_per_channel).sum(1)  # (C,)
    return by_channel[end.channels].sum(1)


_SCORES: Mapping[CriterionName, Callable[[Ranking, End], Tensor | None]] = {
    "l1": _norm(1),
    "l2": _norm(2),
    "fpgm": _distance,
    "bn_scale": _batch_norm_scale,
    "apoz": _not_zero,
    "taylor": _taylor,
    "obd": _saliency,
}

_LACKING: Mapping[CriterionName, str] = {
    **dict.fromkeys(("l1", "l2", "fpgm"), "no layer with filters makes its channels"),
    "bn_scale": "there is no batch norm behind it (they may have been folded at export)",
    **dict.fromkeys(("apoz", "taylor", "obd"), "no layer with statistics reads its channels"),
}
