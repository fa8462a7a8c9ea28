"""From labels to groups: which channels of a network must go together, and where they are.

Labels that are tied form a *unit*; units that occur in exactly the same places, equally often, form a *group*.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from torch import Tensor, fx

from compressors.cut import Outline
from compressors.flow import NOBODY, Flow, Labels, Traced, unlabelled
from compressors.imported import Imported
from compressors.operators import operator_of
from compressors.reading import BATCH, batch_axis, extents, run_on_shapes

#: how the network's own input is called among the operations
INPUT = "input"


@dataclass(frozen=True, eq=False)
class Provenance:
    """Where every unit of every group is. Tensors are known by the operation that makes them, or as `input`."""

    inputs: Mapping[str, tuple[str, ...]]  #: by operation, in execution order: the tensors it reads
    outlines: Mapping[str, Outline]  #: by tensor
    members: Mapping[str, Members]  #: by group
    unit_of: Mapping[str, Labels]  #: by tensor: unit of every element that can be told apart; NOBODY elsewhere
    offsets: Mapping[str, tuple[int, int]]  #: by group: first unit in the numbering of all units, and how many

    def channel_axis(self, tensor: str, default: int) -> int:
        """The axis that holds the channels: the labelled one, or else the default."""
        units = self.outlines[tensor].units
        return next(iter(units)) if units else default % len(self.outlines[tensor].extents)


@dataclass(frozen=True, slots=True)
class Members:
    """A group before it has been described. places: tensors its units occur in, with how often each unit does."""

    units: int
    places: Mapping[str, int]
    frozen: str | None


_known: weakref.WeakKeyDictionary[fx.GraphModule, Provenance] = weakref.WeakKeyDictionary()


def provenance(imported: Imported) -> Provenance:
    """Units and groups of a network; worked out once for each."""
    found = _known.get(imported.module)
    if found is None:
        found = _trace(imported)
        _known[imported.module] = found
    return found


def operations(module: fx.GraphModule) -> Iterator[tuple[str, tuple[str, ...]]]:
    """(operation, tensors it reads), in execution order."""
    for node in module.graph.nodes:
        if node.op == "call_module":
            yield str(node.target), tuple(_tensor(read) for read in node.args)


def output_of(module: fx.GraphModule) -> str:
    """Name of the operation whose result the network gives."""
    for node in reversed(module.graph.nodes):
        if node.op == "output":
            return _tensor(node.args[0])
    raise ValueError("the graph has no output")


def _tensor(node: object) -> str:
    assert isinstance(node, fx.Node)
    return INPUT if node.op == "placeholder" else str(node.target)


def _trace(imported: Imported) -> Provenance:
    flow = Flow()
    shapes = {INPUT: ((BATCH, *imported.input_shape), imported.input_dtype)}
    traced = {INPUT: Traced((1, *imported.input_shape), unlabelled(1 + len(imported.input_shape)))}
    inputs = dict(operations(imported.module))
    for name, reads in inputs.items():
        module = imported.module.get_submodule(name)
        shapes[name] = run_on_shapes(module, [shapes[read] for read in reads])
        per_sample = extents(shapes[name][0])
        labels = operator_of(module).flow(module, flow, [traced[read] for read in reads], per_sample)
        traced[name] = Traced(per_sample, labels)
    flow.freeze(traced[output_of(imported.module)].labels, "the network's output")
    classes = _classes(flow, list(traced.values()))
    return _grouped(inputs, {name: shape for name, (shape, _) in shapes.items()}, traced, classes, flow)


def _classes(flow: Flow, tensors: Sequence[Traced]) -> Labels:
    """Class of each label, such that what is left of every tensor is a box. Last entry: NOBODY's."""
    while True:
        classes = _components(flow)
        ties = len(flow.ties)
        for tensor in tensors:
            _make_box(flow, tensor.labels, classes)
        if len(flow.ties) == ties:
            return classes


def _components(flow: Flow) -> Labels:
    left = np.concatenate([np.zeros(0, np.int64), *(pair[0] for pair in flow.ties)])
    right = np.concatenate([np.zeros(0, np.int64), *(pair[1] for pair in flow.ties)])
    ones = np.ones(left.size, dtype=np.int8)
    _, found = connected_components(coo_matrix((ones, (left, right)), shape=(flow.count,) * 2), directed=False)
    _, first, inverse = np.unique(found, return_index=True, return_inverse=True)
    rank = np.empty(first.size, dtype=np.int64)
    rank[np.argsort(first)] = np.arange(first.size)  # classes in order of their first label
    return np.append(rank[inverse], NOBODY)


def _make_box(flow: Flow, labels: Labels, classes: Labels) -> None:
    """If classes differ along several axes, tie what differs along all but the longest."""
    varying = [axis for axis, extent in enumerate(labels.shape) if extent > 1]
    if len(varying) < 2:
        return
    held = classes[labels]
    varying = [axis for axis in varying if (held != held.take([0], axis=axis)).any()]
    longest = max(varying, key=lambda axis: labels.shape[axis], default=None)
    for axis in varying:
        if axis != longest:
            first = np.broadcast_to(labels.take([0], axis=axis), labels.shape)
            flow.freeze(labels[(labels == NOBODY) != (first == NOBODY)], "they are mixed with nobody's channels")
            flow.tie(labels, first)


def _grouped(
    inputs: Mapping[str, tuple[str, ...]],
    shapes: Mapping[str, tuple[int, ...]],
    traced: Mapping[str, Traced],
    classes: Labels,
    flow: Flow,
) -> Provenance:
    held = {name: _boxed(classes[tensor.labels]) for name, tensor in traced.items()}
    count = int(classes.max(initial=NOBODY)) + 1
    places: list[dict[str, int]] = [{} for _ in range(count)]
    for name, array in held.items():
        found, often = np.unique(array, return_counts=True)
        for unit, times in zip(found.tolist(), often.tolist(), strict=True):
            if unit != NOBODY:
                places[unit][name] = times
    frozen: dict[int, str] = {}
    for labels, reason in flow.frozen:
        for unit in classes[labels].tolist():
            frozen.setdefault(unit, reason)
    members, number, offsets = _form_groups(places, frozen)
    unit_of = {name: np.append(number, NOBODY)[array] for name, array in held.items()}
    outlines = _outlines(shapes, unit_of)
    return Provenance(inputs, outlines, members, unit_of, offsets)


def _boxed(held: Labels) -> Labels:
    """Classes with extent 1 along axes where they do not differ; one axis that is all of one unit stays spelled out."""
    for axis in range(held.ndim):
        several = sum(extent > 1 for extent in held.shape) > 1
        if several and held.shape[axis] > 1 and (held == held.take([0], axis=axis)).all():
            held = held.take([0], axis=axis)
    return held


def _form_groups(
    places: Sequence[Mapping[str, int]], frozen: Mapping[int, str]
) -> tuple[dict[str, Members], Labels, dict[str, tuple[int, int]]]:
    signatures: dict[object, list[int]] = {}
    for unit, where in enumerate(places):
        if where:
            signatures.setdefault((tuple(where.items()), frozen.get(unit)), []).append(unit)
    members: dict[str, Members] = {}
    offsets: dict[str, tuple[int, int]] = {}
    number = np.full(len(places), NOBODY, dtype=np.int64)
    first = 0
    for units in signatures.values():
        where = places[units[0]]
        wanted = next(iter(where))
        name, again = wanted, 1
        while name in members:
            again += 1
            name = f"{wanted}#{again}"
        members[name] = Members(len(units), where, frozen.get(units[0]))
        offsets[name] = (first, len(units))
        number[units] = np.arange(first, first + len(units))
        first += len(units)
    return members, number, offsets


def _outlines(shapes: Mapping[str, tuple[int, ...]], unit_of: Mapping[str, Labels]) -> dict[str, Outline]:
    shared: dict[bytes, Tensor] = {}  # equal axes share one tensor, so that a cut works each out once
    outlines = {}
    for name, shape in shapes.items():
        array = unit_of[name]
        units = {}
        for axis, extent in enumerate(array.shape):
            if extent > 1:
                along = np.ascontiguousarray(array.reshape(-1))
                units[axis] = shared.setdefault(along.tobytes(), torch.from_numpy(along))
        outlines[name] = Outline(extents(shape), batch_axis(shape), units)
    return outlines
