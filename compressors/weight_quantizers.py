"""How the weights of one layer come onto a grid: which values there are, and which of them each weight becomes.

Works on the layer's weights as a matrix, (groups, outputs, columns of its Gram matrix), so that columns that carry much
energy count more, and so that the error of one column can be made good by the others.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from compressors.gptq import round_by_columns, snap_by_columns
from compressors.grid import coarse, weight_codes, weight_top
from compressors.rounding import WeightRounding
from compressors.stepwise import round_stepwise
from compressors.weight_steps import StepMethod, weight_steps
from compressors.weight_tables import NearestRounding, OffsetRounding, TableRounding, nearest_places, nearest_values
from paretrim.compression import WeightQuantizer, WeightRule
from paretrim.errors import InvalidPolicy

#: rounds of k-means
_ROUNDS = 25
#: columns that a vector of a product quantizer spans, by bits per weight: 256 vectors, or 16 for the last
_SPAN = {1: 8, 2: 4, 4: 2}


@dataclass(frozen=True, slots=True)
class LayerWeights:
    """What a quantizer is given of a layer.

    weight: as the layer holds it, output channels at `axis`; matrix: (groups, outputs, d) float64; moments: (groups, d,
    d) float64 second moments of the columns, None if they are not known; unflatten: a matrix back to a weight.
    """

    name: str
    weight: Tensor
    axis: int
    matrix: Tensor
    moments: Tensor | None
    unflatten: Callable[[Tensor], Tensor]


@dataclass(frozen=True, slots=True)
class OnGrid:
    """matrix: the weights on their grid, as given. make: what rounds them in the layer, anew at each call."""

    matrix: Tensor
    make: Callable[[], nn.Module]


def put_on_grid(
    layer: LayerWeights,
    quantizer: WeightQuantizer,
    bits: int,
    *,
    method: StepMethod,
    rule: WeightRule,
    digits: int | None = None,
) -> OnGrid:
    """Quantize. digits: binary digits of the steps of symmetric grids, see `WeightRounding`.

    Raises InvalidPolicy naming the layer if it is too small for the quantizer.
    """
    if quantizer in ("uniform", "per_tensor", "binary", "ternary"):
        return _integers(layer, quantizer, bits, method, rule, digits)
    if quantizer == "asymmetric":
        return _with_offset(layer, bits, rule)
    if quantizer == "product":
        return _vectors(layer, bits)
    return _values(layer, quantizer, bits, rule)


def ternary_steps(rows: Tensor, rounds: int = 20) -> Tensor:
    """(rows,) scales a with which -a, 0, a come closest to each row.

    Ternary Weight Networks (Li et al. 2016, eq. 4 to 6) with the threshold that belongs to the scale, a / 2, found by
    repeating instead of by the assumption that weights are normally distributed.
    """
    size = rows.abs()
    scale = 1.2 * size.mean(1)
    for _ in range(rounds):
        beyond = size > scale[:, None] / 2
        count = beyond.sum(1)
        scale = torch.where(count > 0, (size * beyond).sum(1) / count.clamp(min=1), scale)
    return torch.where(scale > 0, scale, torch.ones_like(scale)).float()


def power_of_two_values(largest: float, bits: int) -> Tensor:
    """0 and both signs of 2^(bits - 1) - 1 powers of two, rising; the largest as in INQ (Zhou et al. 2017, eq. 2)."""
    top = int(np.floor(np.log2(4.0 * largest / 3.0))) if largest > 0 else 0
    powers = 2.0 ** torch.arange(top - weight_top(bits) + 1, top + 1, dtype=torch.float64)
    return torch.cat([-powers.flip(0), torch.zeros(1, dtype=torch.float64), powers]).float()


def cluster(values: Tensor, weights: Tensor, count: int, *, zero: bool = False) -> Tensor:
    """Centres of one-dimensional k-means, rising; Lloyd's rounds from centres evenly spaced (Han et al. 2016, 3.2).

    values, weights: (n,); zero: one centre is 0 and stays there. Centres without members stay where they are.
    """
    values, order = values.double().sort()
    weights = weights.double()[order]
    sums = torch.cat([torch.zeros(2, 1, dtype=torch.float64), torch.stack([weights, weights * values]).cumsum(1)], 1)
    centres = torch.linspace(float(values[0]), float(values[-1]), count, dtype=torch.float64)
    for _ in range(_ROUNDS):
        if zero:
            centres[centres.abs().argmin()] = 0.0
        ends = torch.searchsorted(values, (centres[1:] + centres[:-1]) / 2)
        bounds = torch.cat([torch.tensor([0]), ends, torch.tensor([len(values)])])
        mass, total = sums[:, bounds[1:]] - sums[:, bounds[:-1]]
        centres = torch.where(mass > 0, total / mass.clamp(min=1e-300), centres).sort().values
    if zero:
        centres[centres.abs().argmin()] = 0.0
    return centres.float()


def _integers(
    layer: LayerWeights, quantizer: WeightQuantizer, bits: int, method: StepMethod, rule: WeightRule, digits: int | None
) -> OnGrid:
    steps = _steps(layer, quantizer, bits, method)
    steps = steps if digits is None else coarse(steps, digits)
    taps = layer.matrix.shape[0] * layer.matrix.shape[1] // len(steps)  # rows of the matrix for each output channel
    per_row = steps.reshape(len(layer.matrix), -1).repeat_interleave(taps, dim=1)
    if layer.moments is None or rule == "nearest":
        on_grid = [weight_codes(part, row, bits) * row[:, None] for part, row in _zipped(layer.matrix, per_row)]
    elif rule == "stepwise" and digits is None and bits > 1 and quantizer != "per_tensor" and taps == 1:
        found = [
            round_stepwise(part, second, row, bits)
            for part, second, row in _zipped(layer.matrix, layer.moments, per_row)
        ]
        on_grid, steps = [matrix for matrix, _ in found], torch.cat([row for _, row in found])
    else:
        on_grid = [
            round_by_columns(part.float(), second, row, bits)
            for part, second, row in _zipped(layer.matrix, layer.moments, per_row)
        ]
    return OnGrid(torch.stack(list(on_grid)), lambda: WeightRounding(steps, bits, layer.axis, digits))


def _steps(layer: LayerWeights, quantizer: WeightQuantizer, bits: int, method: StepMethod) -> Tensor:
    if quantizer == "ternary":
        return ternary_steps(layer.weight.detach().transpose(0, layer.axis).flatten(1))
    if quantizer == "per_tensor":
        whole = weight_steps(layer.weight.detach().reshape(1, -1), bits, method=method)
        return whole.expand(layer.weight.shape[layer.axis]).clone()
    return weight_steps(layer.weight, bits, axis=layer.axis, method=method)


def _with_offset(layer: LayerWeights, bits: int, rule: WeightRule) -> OnGrid:
    rows = layer.matrix.flatten(0, 1)
    low, high = rows.amin(1).clamp(max=0.0), rows.amax(1).clamp(min=0.0)
    top = 2**bits - 1
    steps = ((high - low) / top).float().double()
    steps = torch.where(steps > 0, steps, torch.ones_like(steps))
    zeros = torch.round(-low / steps).clamp(0, top)

    def snap(part: Tensor, step: Tensor, zero: Tensor) -> Tensor:
        return ((torch.round(part / step) + zero).clamp(0, top) - zero) * step

    shape = layer.matrix.shape[:2]
    on_grid = [
        _compensated(layer, group, rule, lambda v, step=step, zero=zero: snap(v, step, zero))  # type: ignore[misc]
        for group, (step, zero) in enumerate(_zipped(steps.reshape(shape), zeros.reshape(shape)))
    ]
    return OnGrid(torch.stack(on_grid), lambda: OffsetRounding(steps, zeros.float().flatten(), bits))


def _values(layer: LayerWeights, quantizer: WeightQuantizer, bits: int, rule: WeightRule) -> OnGrid:
    """Grids that are a list of values for the whole layer."""
    flat = layer.matrix.flatten()
    if quantizer == "power_of_two":
        values = power_of_two_values(float(flat.abs().max()), bits)
    else:
        count = 3 if quantizer == "ttq" else 2**bits
        values = cluster(flat, _energies(layer).expand_as(layer.matrix).flatten(), count, zero=quantizer == "ttq")
    wide = values.double()
    on_grid = torch.stack(
        [_compensated(layer, group, rule, lambda v: nearest_values(v, wide)) for group in range(len(layer.matrix))]
    )
    if quantizer == "power_of_two":
        return OnGrid(on_grid, lambda: NearestRounding(values))
    shaped = layer.unflatten(on_grid)
    places = nearest_places(shaped.double(), wide).reshape(len(shaped), -1)
    fixed = values == 0.0 if quantizer == "ttq" else None
    return OnGrid(on_grid, lambda: TableRounding(values, places, fixed))


def _vectors(layer: LayerWeights, bits: int) -> OnGrid:
    """Product quantization with one table for all parts of a row (Gong et al. 2014): vectors of neighbouring inputs."""
    span = _SPAN[bits]
    rows = layer.matrix[0].float()
    padded = torch.nn.functional.pad(rows, (0, -rows.shape[1] % span))
    vectors = padded.reshape(-1, span)
    count = min(2 ** (bits * span), len(vectors) // 4)
    if count < 2:
        raise InvalidPolicy(
            f"layer {layer.name!r} has {rows.numel()} weights: too few for a product quantizer of {bits} bits, whose "
            "table would be as large; choose another quantizer for it",
            field=f"bits.{layer.name}",
        )
    table, places = _cluster_vectors(vectors, count)
    shaped = places.reshape(len(rows), -1)
    on_grid = table[shaped].reshape(len(rows), -1)[:, : rows.shape[1]]
    return OnGrid(on_grid[None], lambda: TableRounding(table, shaped))


def _cluster_vectors(vectors: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """k-means of (n, d) rows from evenly spaced ones by length: (count, d) centres and (n,) places."""
    order = vectors.square().sum(1).argsort(stable=True)
    centres = vectors[order[torch.linspace(0, len(vectors) - 1, count).long()]].clone()
    places = torch.zeros(len(vectors), dtype=torch.int64)
    for _ in range(_ROUNDS):
        places = torch.cdist(vectors, centres).argmin(1)
        sums = torch.zeros_like(centres).index_add_(0, places, vectors)
        members = torch.bincount(places, minlength=count)
        centres = torch.where(members[:, None] > 0, sums / members.clamp(min=1)[:, None], centres)
    return centres, torch.cdist(vectors, centres).argmin(1)


def _compensated(layer: LayerWeights, group: int, rule: WeightRule, snap: Callable[[Tensor], Tensor]) -> Tensor:
    """One group's rows on a grid, later columns making good the errors of earlier ones where that is asked for."""
    part = layer.matrix[group]
    if rule != "nearest" and layer.moments is not None:
        return snap_by_columns(part.float(), layer.moments[group], snap)
    return torch.stack([snap(column) for column in part.unbind(1)], dim=1).float()


def _energies(layer: LayerWeights) -> Tensor:
    """How much an error of each column counts: (groups, 1, d), or (1, 1, 1) if that is not known."""
    if layer.moments is None:
        return torch.ones(1, 1, 1, dtype=torch.float64)
    return layer.moments.diagonal(dim1=1, dim2=2)[:, None, :]


def _zipped(*parts: Tensor) -> list[tuple[Tensor, ...]]:
    return list(zip(*parts, strict=True))
