"""Channel provenance: which removable channel every element of every tensor belongs to.

Every tensor carries an integer label array that broadcasts against its shape (the batch counts as 1): axes along
which nothing can be removed have extent 1, and -1 marks what is nobody's channel. Layers make fresh labels for what
they put out, elementwise operations tie the labels they meet, everything else moves them about. Labels that are tied,
directly or through others, must go together.

The idea of coupling as data is Torch-Pruning's (Fang et al., DepGraph, CVPR 2023, https://arxiv.org/abs/2301.12900);
labels per channel make shifted, padded and shuffled channels come out exactly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Labels = npt.NDArray[np.int64]

#: no channel of anybody: never removed
NOBODY = -1


@dataclass(frozen=True, eq=False)
class Traced:
    """A tensor of the network: its extents with the batch as 1, and its labels."""

    extents: tuple[int, ...]
    labels: Labels

    @property
    def rank(self) -> int:
        """Number of axes, the batch's included."""
        return len(self.extents)

    @property
    def varying(self) -> tuple[int, ...]:
        """Axes along which labels differ, or could be removed."""
        return tuple(axis for axis, extent in enumerate(self.labels.shape) if extent > 1)

    def full(self) -> Labels:
        """The labels with every axis at its full extent."""
        return np.broadcast_to(self.labels, self.extents)


class Flow:
    """Collects labels, ties and reasons to freeze, while the network's operations are walked in order."""

    def __init__(self) -> None:
        self.count = 0
        self.ties: list[tuple[Labels, Labels]] = []
        self.frozen: list[tuple[Labels, str]] = []

    def fresh(self, count: int) -> Labels:
        """New labels. Returns (count,)."""
        self.count += count
        return np.arange(self.count - count, self.count, dtype=np.int64)

    def tie(self, left: Labels, right: Labels) -> None:
        """From now on these are removed together, element by element (broadcast)."""
        left, right = np.broadcast_arrays(left, right)
        both = (left != NOBODY) & (right != NOBODY) & (left != right)
        if both.any():
            self.ties.append((left[both], right[both]))

    def tie_along(self, labels: Labels, axis: int) -> None:
        """Everything that differs only along `axis` is removed together."""
        if labels.shape[axis] > 1:
            self.tie(labels, np.take(labels, [0], axis=axis))

    def freeze(self, labels: Labels, reason: str) -> None:
        """None of these may be removed."""
        known = np.unique(labels[labels != NOBODY])
        if known.size:
            self.frozen.append((known, reason))

    def along(self, traced: Traced, axis: int) -> Labels:
        """Labels of one axis, (extent,), for an operation that treats all positions of the other axes alike.

        Labels that differ along another axis are tied along it: a channel is there at every position, or at none.
        """
        axis %= traced.rank
        labels = traced.labels
        for other in traced.varying:
            if other != axis:
                first = np.broadcast_to(labels.take([0], axis=other), labels.shape)
                self.freeze(labels[(labels == NOBODY) != (first == NOBODY)], "they are mixed with nobody's channels")
                self.tie(labels, first)
                labels = labels.take([0], axis=other)
        return np.broadcast_to(labels.reshape(-1), (traced.extents[axis],))


def on_axis(labels: Labels, axis: int, rank: int) -> Labels:
    """(n,) labels as an array of `rank` axes that varies along `axis` only."""
    shape = [1] * rank
    shape[axis] = labels.size
    return labels.reshape(shape)


def compact(labels: Labels) -> Labels:
    """The same labels with extent 1 wherever they do not vary."""
    for axis in range(labels.ndim):
        if labels.shape[axis] > 1:
            first = np.take(labels, [0], axis=axis)
            if (labels == first).all():
                labels = first
    return labels


def unlabelled(rank: int) -> Labels:
    """Labels of a tensor without channels."""
    return np.full((1,) * rank, NOBODY, dtype=np.int64)


def same(inputs: Sequence[Traced]) -> Labels:
    """The labels of the first input: for operations that change no channel."""
    return inputs[0].labels
