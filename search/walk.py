"""A policy as an episode: the knobs of a network in the order of its layers, a state at each, one action in [0, 1].

The same walk makes a policy from an actor and makes states from any policy that was evaluated, whoever proposed it:
states depend on what was decided before, as it was carried out, and on nothing else.

States are AMC's eleven features (He et al., 2018, eq. 1): index, output and input channels, height, width, stride,
kernel, MACs of the layer, MACs saved so far, MACs still to come, previous action; where bits are decided also HAQ's:
depthwise, weights, and what kind of decision this is (Wang et al., 2019, eq. 2). Where proposals have limits of their
own, these too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hw_models.counts import operation_macs, operation_weights
from paretrim.network import Axis, Operation, SizedOperation, factored_parts
from paretrim.problem import UNCHANGED
from search.knobs import BitsKnob, BlockKnob, KeepKnob, RankKnob
from search.space import Space

Array = npt.NDArray[np.float32]
Choose = Callable[[Array], float]

#: positions, among the features, of those that depend on what was decided before
REDUCED, REST, PREVIOUS = 8, 9, 10
PAPER_FEATURES = 11

#: kinds of decisions
RANK, BLOCK = 3, 4


@dataclass(frozen=True)
class Turn:
    """One decision: a coordinate of the space's vector."""

    coordinate: int
    layer: str  #: the first that makes the group's channels, or whose bits these are
    kind: int  #: 0 width, 1 weight bits, 2 activation bits, 3 rank, 4 whether a block stays

    @property
    def order(self) -> int:
        """Among the decisions of a layer: whether its block stays comes first."""
        return -1 if self.kind == BLOCK else self.kind


class Walk:
    """The turns of a space, in the order of its layers."""

    def __init__(self, space: Space, aims: int = 0) -> None:
        """aims: how many limits a proposal has of its own."""
        self._space = space
        order = {layer.name: place for place, layer in enumerate(space.network.layers)}
        self.turns = tuple(sorted(_turns(space), key=lambda turn: (order[turn.layer], turn.order)))
        self._work = _Work(space)
        self._fixed = self._static()
        self.features = self._fixed.shape[1] + aims

    def __len__(self) -> int:
        return len(self.turns)

    def choose(self, actor: Choose, aims: Sequence[float] = ()) -> npt.NDArray[np.float64]:
        """Let an actor decide turn by turn. Returns a vector of the space, not projected."""
        vector = np.ones(self._space.size)
        previous = 1.0
        for place, turn in enumerate(self.turns):
            previous = actor(self._state(place, vector, previous, aims))
            vector[turn.coordinate] = previous
        return vector

    def states(self, vector: npt.NDArray[np.float64], aims: Sequence[float] = ()) -> Array:
        """What an actor would have seen if it had decided so. (turns, features)"""
        decided = np.ones(self._space.size)
        rows, previous = [], 1.0
        for place, turn in enumerate(self.turns):
            rows.append(self._state(place, decided, previous, aims))
            previous = decided[turn.coordinate] = vector[turn.coordinate]
        return np.stack(rows)

    def state(self, actions: Sequence[float], aims: Sequence[float] = ()) -> Array:
        """What is seen after these actions, one for each turn so far; after the last, what the last saw."""
        vector = np.ones(self._space.size)
        for turn, action in zip(self.turns, actions, strict=False):
            vector[turn.coordinate] = action
        place = min(len(actions), len(self) - 1)
        return self._state(place, vector, actions[place - 1] if place else 1.0, aims)

    def vector(self, actions: Sequence[float]) -> npt.NDArray[np.float64]:
        """The space's vector from one action for each turn."""
        vector = np.ones(self._space.size)
        vector[[turn.coordinate for turn in self.turns]] = actions
        return vector

    def actions(self, vector: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """The inverse of `vector`. (turns,)"""
        ordered: npt.NDArray[np.float64] = vector[[turn.coordinate for turn in self.turns]]
        return ordered

    def _state(self, place: int, vector: npt.NDArray[np.float64], previous: float, aims: Sequence[float]) -> Array:
        row = np.append(self._fixed[place], aims)
        work = self._work(vector)
        row[REDUCED] = 1.0 - work.sum() / self._work.total
        row[REST] = work[self._work.place[self.turns[place].layer] + 1 :].sum() / self._work.total
        row[PREVIOUS] = previous
        state: Array = np.clip(row, 0.0, 1.0).astype(np.float32)
        return state

    def _static(self) -> npt.NDArray[np.float64]:
        """The features that no decision changes, each scaled to [0, 1] over the turns. (turns, features but aims)"""
        by_name = self._space.network.by_name
        operations = [by_name[turn.layer] for turn in self.turns]
        sizes = {op.name: op for op in self._space.network.sized(UNCHANGED)}
        rows = np.array(
            [[place, *_shape(op), operation_macs(sizes[op.name]), 0.0, 0.0, 0.0] for place, op in enumerate(operations)]
        )
        if any(turn.kind for turn in self.turns):
            more = [[op.is_depthwise, operation_weights(sizes[op.name])] for op in operations]
            known = range(3 if all(turn.kind < RANK for turn in self.turns) else 5)
            kinds = [[turn.kind == kind for kind in known] for turn in self.turns]
            rows = np.hstack([rows, np.array(more, dtype=np.float64), np.array(kinds, dtype=np.float64)])
        low, high = rows.min(axis=0), rows.max(axis=0)
        scaled: npt.NDArray[np.float64] = (rows - low) / np.where(high > low, high - low, 1.0)
        return scaled


class _Work:
    """MACs of every layer as widths and bits stand; where bits are free, MACs x bits, as a share of full precision.

    Channels of an axis are linear in the kept shares, so that all layers are one product of matrices: the walk asks
    this at every turn.
    """

    def __init__(self, space: Space) -> None:
        layers = space.network.layers
        self.place: Mapping[str, int] = {layer.name: i for i, layer in enumerate(layers)}
        self._space = space
        self._groups = {group.name: i for i, group in enumerate(space.network.groups)}
        self._into, self._out = (
            self._shares([getattr(layer, side) for layer in layers]) for side in ("in_axis", "out_axis")
        )
        self._depthwise = np.array([layer.is_depthwise for layer in layers])
        sizes = {op.name: op for op in space.network.sized(UNCHANGED)}
        self._macs = np.array([operation_macs(sizes[layer.name]) for layer in layers], dtype=np.float64)
        self.total = float(self._macs.sum()) or 1.0
        self._ranks = {
            knob.name: [_factored_share(sizes[knob.name], share) for share in knob.shares]
            for knob in space.knobs
            if isinstance(knob, RankKnob)
        }
        self._blocks = {
            block.name: [self.place[name] for name in block.operations if name in self.place]
            for block in space.network.blocks
        }

    def __call__(self, vector: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """(layers,)"""
        kept, bits, at = np.ones(len(self._groups) + 1), np.ones(len(self.place)), 0
        for knob in self._space.free_knobs:
            level = knob.decode(vector[at : at + knob.dimensions].tolist())
            at += knob.dimensions
            if isinstance(knob, KeepKnob):
                kept[self._groups[knob.name]] = knob.counts[level] / knob.units
            elif isinstance(knob, RankKnob):
                bits[self.place[knob.name]] *= self._ranks[knob.name][level]
            elif isinstance(knob, BlockKnob):
                bits[self._blocks[knob.name]] *= level
            else:
                pair, most = knob.choices[level], knob.choices[-1]
                bits[self.place[knob.name]] *= pair.weight * pair.activation / (most.weight * most.activation)
        inner = np.where(self._depthwise, 1.0, self._into @ kept)
        work: npt.NDArray[np.float64] = self._macs * inner * (self._out @ kept) * bits
        return work

    def _shares(self, axes: Sequence[Axis]) -> npt.NDArray[np.float64]:
        """Which share of each axis belongs to which group; the last column is what belongs to none."""
        shares = np.zeros((len(axes), len(self._groups) + 1))
        for row, axis in enumerate(axes):
            whole = sum(segment.channels for segment in axis) or 1
            for segment in axis:
                column = -1 if segment.group is None else self._groups[segment.group]
                shares[row, column] += segment.channels / whole
        return shares


def _turns(space: Space) -> list[Turn]:
    turns, at = [], 0
    groups = space.network.group_by_name
    blocks = {block.name: block.operations for block in space.network.blocks}
    for knob in space.free_knobs:
        if isinstance(knob, BitsKnob):
            turns += [Turn(at + i, knob.name, 1 + i) for i in range(knob.dimensions)]
        elif isinstance(knob, RankKnob):
            turns.append(Turn(at, knob.name, RANK))
        elif isinstance(knob, BlockKnob):
            layer = next(name for name in blocks[knob.name] if space.network.by_name[name].is_layer)
            turns.append(Turn(at, layer, BLOCK))
        else:
            layer = next(name for name in groups[knob.name].producers if space.network.by_name[name].is_layer)
            turns.append(Turn(at, layer, 0))
        at += knob.dimensions
    return turns


def _factored_share(layer: SizedOperation, share: float) -> float:
    """MACs at a share of the rank, as a share of the whole layer's."""
    if share == 1.0:
        return 1.0
    return sum(map(operation_macs, factored_parts(layer, share))) / max(1, operation_macs(layer))


def _shape(layer: Operation) -> tuple[float, ...]:
    """n, c, h, w, stride, k of AMC's state."""
    channels = [sum(segment.channels for segment in axis) for axis in (layer.out_axis, layer.in_axis)]
    height, width = (*layer.in_hw, 1, 1)[:2]
    return (*channels, height, width, (*layer.stride, 1)[0], (*layer.kernel, 1)[0])
