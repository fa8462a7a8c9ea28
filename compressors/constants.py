"""Works out what does not depend on the network's input: the chains exporters write around shapes, masks and weights.

A plain table of numpy functions. Every result is bounded, so that a small file cannot ask for much memory.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import numpy_helper

from compressors.reading import BATCH, Const, Node, Value, extents

Array = npt.NDArray[Any]

#: a constant that is worked out may not have more elements than this
MOST_ELEMENTS = 2**24
#: and one product of matrices no more multiplications: a fraction of a second
MOST_PRODUCTS = 2**30


def fold(node: Node) -> list[Const] | None:
    """The node's outputs if they are constant, else None. Raises UnsupportedOperation."""
    if node.op == "Shape":
        return [_shape(node)]
    if node.op == "Size":
        given = node.inputs[0]
        shape = given.shape if isinstance(given, Value) else node.constant(0).shape
        return [Const(np.array(math.prod(shape), dtype=np.int64))]
    if any(isinstance(given, Value) for given in node.inputs) or node.op not in _FOLDS:
        return None
    try:
        folded = _FOLDS[node.op](node)
    except (ValueError, IndexError, TypeError, ZeroDivisionError, OverflowError, MemoryError) as error:
        raise node.refusal(f"it cannot be worked out ({error})") from error
    arrays = folded if isinstance(folded, list) else [folded]
    name = node.inputs[0].name if node.op in _KEEP_NAME and isinstance(node.inputs[0], Const) else ""
    return [Const(np.asarray(array), name) for array in arrays]


def _shape(node: Node) -> Const:
    given = node.inputs[0]
    shape = given.shape if isinstance(given, Value) else node.constant(0).shape
    start, end = node.attribute("start", 0), node.attribute("end", len(shape))
    return Const(np.array(shape[start:end], dtype=np.int64))


def _bounded(shape: Any) -> tuple[int, ...]:
    """A shape for a new constant: extents computed from the batch size become 1, as it is repeated for every sample."""
    wanted = extents([int(entry) for entry in np.asarray(shape).reshape(-1)])
    if any(extent < 0 for extent in wanted) or math.prod(wanted) > MOST_ELEMENTS:
        raise ValueError(f"shape {wanted}")
    return wanted


def _constant(node: Node) -> Array:
    for attribute in node.proto.attribute:
        if attribute.name == "value":
            return numpy_helper.to_array(attribute.t)
        if attribute.name in ("value_int", "value_ints"):
            return np.asarray(node.attribute(attribute.name), dtype=np.int64)
        if attribute.name in ("value_float", "value_floats"):
            return np.asarray(node.attribute(attribute.name), dtype=np.float32)
    raise ValueError("a constant of text, or a sparse one")


def _constant_of_shape(node: Node) -> Array:
    value = next(
        (numpy_helper.to_array(a.t) for a in node.proto.attribute if a.name == "value"), np.zeros(1, np.float32)
    )
    return np.full(_bounded(node.constant(0)), value.reshape(-1)[0])


def _slice(node: Node) -> Array:
    x = node.constant(0)
    starts, stops = node.integers(1, "starts") or [], node.integers(2, "ends") or []
    axes = node.integers(3, "axes") or list(range(len(starts)))
    steps = node.integers(4, "steps") or [1] * len(starts)
    cut = [slice(None)] * x.ndim
    for start, stop, axis, step in zip(starts, stops, axes, steps, strict=True):
        # a bound below zero that reaches over the beginning means "everything" when the step is backwards
        cut[axis] = slice(start, None if step < 0 and stop < -x.shape[axis] else stop, step)
    return x[tuple(cut)]


def _reshape(node: Node) -> Array:
    x = node.constant(0)
    wanted = [int(entry) for entry in node.constant(1).reshape(-1)]
    if not node.attribute("allowzero", 0):
        wanted = [x.shape[axis] if entry == 0 else entry for axis, entry in enumerate(wanted)]
    return x.reshape([entry // BATCH if entry % BATCH == 0 and entry > 0 else entry for entry in wanted])


def _expand(node: Node) -> Array:
    x, wanted = node.constant(0), _bounded(node.constant(1))
    return np.broadcast_to(x, _bounded(np.broadcast_shapes(x.shape, wanted)))


def _tile(node: Node) -> Array:
    x, times = node.constant(0), _bounded(node.constant(1))
    _bounded([extent * count for extent, count in zip(x.shape, times, strict=True)])
    return np.tile(x, times)


def _range(node: Node) -> Array:
    start, stop, step = (node.constant(index).reshape(()).item() for index in range(3))
    _bounded([max(0, math.ceil((stop - start) / step))])
    return np.arange(start, stop, step, dtype=node.constant(0).dtype)


def _concat(node: Node) -> Array:
    arrays = [node.constant(index) for index in range(len(node.inputs))]
    _bounded([sum(array.size for array in arrays)])
    return np.concatenate(arrays, axis=int(node.attribute("axis")))


def _unsqueeze(node: Node) -> Array:
    return np.expand_dims(node.constant(0), tuple(node.integers(1, "axes") or ()))


def _squeeze(node: Node) -> Array:
    axes = node.integers(1, "axes")
    return np.squeeze(node.constant(0), None if axes is None else tuple(axes))


def _cast(node: Node) -> Array:
    from onnx import helper

    wanted = helper.tensor_dtype_to_np_dtype(int(node.attribute("to")))
    return node.constant(0).astype(wanted)


def _divide(node: Node) -> Array:
    left, right = node.constant(0), node.constant(1)
    if left.dtype.kind in "iu":
        towards_zero = np.sign(left) * np.sign(right) * (np.abs(left) // np.abs(right))
        return np.asarray(towards_zero).astype(left.dtype)
    return np.asarray(left / right)


def _reduce(function: Callable[..., Array]) -> Callable[[Node], Array]:
    def work(node: Node) -> Array:
        axes = node.integers(1, "axes")
        keep = bool(node.attribute("keepdims", 1))
        return np.asarray(function(node.constant(0), axis=None if axes is None else tuple(axes), keepdims=keep))

    return work


def _split(node: Node) -> list[Array]:
    sizes, axis = node.integers(1, "split"), int(node.attribute("axis", 0))
    parts: Any = len(node.proto.output) if sizes is None else list(np.cumsum(sizes)[:-1])
    return list(np.split(node.constant(0), parts, axis=axis))


def _pairwise(function: Callable[[Array, Array], Array]) -> Callable[[Node], Array]:
    def work(node: Node) -> Array:
        left, right = node.constant(0), node.constant(1)
        _bounded(np.broadcast_shapes(left.shape, right.shape))
        with np.errstate(all="ignore"):
            return function(left, right)

    return work


def _each(function: Callable[[Array], Array]) -> Callable[[Node], Array]:
    def work(node: Node) -> Array:
        with np.errstate(all="ignore"):
            return function(node.constant(0))

    return work


def _where(node: Node) -> Array:
    condition, yes, no = (node.constant(index) for index in range(3))
    _bounded(np.broadcast_shapes(condition.shape, yes.shape, no.shape))
    return np.where(condition, yes, no)


def _trilu(node: Node) -> Array:
    offset = int(node.constant(1)) if node.has(1) else 0
    keep = np.triu if node.attribute("upper", 1) else np.tril
    return np.asarray(keep(node.constant(0), offset))


def _matmul(node: Node) -> Array:
    left, right = node.constant(0), node.constant(1)
    batch = np.broadcast_shapes(left.shape[:-2], right.shape[:-2])
    rows, columns = left.shape[-2:-1], right.shape[-1:] if right.ndim > 1 else ()
    made = math.prod(_bounded([*batch, *rows, *columns]))
    if made * left.shape[-1] > MOST_PRODUCTS:
        raise ValueError(f"{made * left.shape[-1]} multiplications")
    return np.asarray(left @ right)


def _clip(node: Node) -> Array:
    x = node.constant(0)
    low, high = (
        node.constant(place) if node.has(place) else node.attribute(name, None)
        for place, name in ((1, "min"), (2, "max"))
    )
    x = x if low is None else np.maximum(x, np.asarray(low, dtype=x.dtype))
    return x if high is None else np.minimum(x, np.asarray(high, dtype=x.dtype))


def _sigmoid(x: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-x)), dtype=x.dtype)


def _norm(x: Array, **options: Any) -> Array:
    return np.asarray(np.sqrt(np.square(x).sum(**options)))


def _pow(left: Array, right: Array) -> Array:
    return np.asarray(np.power(left, right.astype(left.dtype)))


#: operators that hand a weight on, so that a layer can still be called by its name
_KEEP_NAME = frozenset({"Identity", "Transpose", "Cast"})

_FOLDS: dict[str, Callable[[Node], Array | list[Array]]] = {
    "Constant": _constant,
    "ConstantOfShape": _constant_of_shape,
    "Identity": lambda node: node.constant(0),
    "Dropout": lambda node: node.constant(0),
    "Slice": _slice,
    "Reshape": _reshape,
    "Expand": _expand,
    "Tile": _tile,
    "Range": _range,
    "Concat": _concat,
    "Unsqueeze": _unsqueeze,
    "Squeeze": _squeeze,
    "Flatten": lambda node: node.constant(0).reshape(
        math.prod(node.constant(0).shape[: node.attribute("axis", 1)]), -1
    ),
    "Cast": _cast,
    "Split": _split,
    "Where": _where,
    "Trilu": _trilu,
    "Transpose": lambda node: node.constant(0).transpose(node.attribute("perm")),
    "Gather": lambda node: np.take(node.constant(0), node.constant(1), axis=int(node.attribute("axis", 0))),
    "Div": _divide,
    "Add": _pairwise(np.add),
    "Sub": _pairwise(np.subtract),
    "Mul": _pairwise(np.multiply),
    "Mod": _pairwise(np.mod),
    "Pow": _pairwise(_pow),
    "Min": _pairwise(np.minimum),
    "Max": _pairwise(np.maximum),
    "Equal": _pairwise(np.equal),
    "Less": _pairwise(np.less),
    "LessOrEqual": _pairwise(np.less_equal),
    "Greater": _pairwise(np.greater),
    "GreaterOrEqual": _pairwise(np.greater_equal),
    "And": _pairwise(np.logical_and),
    "Or": _pairwise(np.logical_or),
    "Not": _each(np.logical_not),
    "Sqrt": _each(np.sqrt),
    "Neg": _each(np.negative),
    "Abs": _each(np.abs),
    "Exp": _each(np.exp),
    "Log": _each(np.log),
    "Floor": _each(np.floor),
    "Ceil": _each(np.ceil),
    "Sin": _each(np.sin),
    "Cos": _each(np.cos),
    "Reciprocal": _each(np.reciprocal),
    "IsNaN": _each(np.isnan),
    "Round": _each(np.round),
    "Sign": _each(np.sign),
    "Tanh": _each(np.tanh),
    "Sigmoid": _each(_sigmoid),
    "Relu": _each(lambda x: np.maximum(x, 0)),
    "Clip": _clip,
    "MatMul": _matmul,
    "ReduceL1": _reduce(lambda x, **options: np.asarray(np.abs(x).sum(**options))),
    "ReduceL2": _reduce(_norm),
    "ReduceSumSquare": _reduce(lambda x, **options: np.asarray(np.square(x).sum(**options))),
    "ReduceProd": _reduce(np.prod),
    "ReduceSum": _reduce(np.sum),
    "ReduceMax": _reduce(np.max),
    "ReduceMin": _reduce(np.min),
    "ReduceMean": _reduce(np.mean),
}
FOLDED = tuple(sorted((*_FOLDS, "Shape", "Size")))
