"""OpenVINO on the CPU, for timing: the same network, input and threads as in `sessions`. Needs the package `openvino`.

Its graph as executed names, for every kernel, the operations of the file that run inside it, so that kernels are told
apart as those of ONNX Runtime are. Its profile holds the mean over all runs in whole microseconds, not each run.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from typing import Any

import numpy as np

from hw_models.sessions import Kernel
from paretrim.errors import InvalidModel


def _import_openvino() -> Any:
    """The package, without the reporter that it would tell of being imported: there is no telemetry here."""
    reporter = "openvino_telemetry"
    blocked = reporter not in sys.modules
    if blocked:
        sys.modules[reporter] = None  # type: ignore[assignment]  # importing it fails, and a stand-in is taken
    try:
        import openvino
    finally:
        if blocked:
            del sys.modules[reporter]
    return openvino


openvino = _import_openvino()

_TYPES = {"f32": np.float32, "u8": np.uint8, "i64": np.int64, "i32": np.int32}
_NARROW = ("u8", "i8")
#: nodes that execute nothing
_IDLE = ("Const", "Input", "Output")
#: names that OpenVINO makes up
_OWN = re.compile(r"^[A-Z]\w*_\d+$")
#: runs between two looks at the profile
_LOOK = 8


class OpenVinoRunner:
    """A loaded network and its input, ready to be run over and over."""

    def __init__(self, content: bytes, *, batch: int = 1, threads: int = 1, seed: int = 0) -> None:
        """Raises InvalidModel if OpenVINO does not take the file."""
        self.request = _compile(content, batch, threads, profiled=False).create_infer_request()
        _fill(self.request, seed)

    def __call__(self) -> None:
        """Run once."""
        self.request.infer()


class OpenVinoProfiledRunner:
    """The same with every kernel timed."""

    def __init__(self, content: bytes, *, batch: int = 1, threads: int = 1, seed: int = 0) -> None:
        self._compiled = _compile(content, batch, threads, profiled=True)
        self.request = self._compiled.create_infer_request()
        _fill(self.request, seed)
        self._runs = 0
        self._looks: list[dict[str, int]] = []  #: by kernel, the mean so far

    def __call__(self) -> None:
        """Run once."""
        self.request.infer()
        self._runs += 1
        if self._runs % _LOOK == 0:
            self._looks.append(_means(self.request))

    def finish(self, *, skip: int) -> tuple[Kernel, ...]:
        """The kernels in order. Durations are means over all runs so far, looked at every few runs after `skip`."""
        looks = self._looks[skip // _LOOK :] or [_means(self.request)]
        return executed_kernels(self._compiled, looks)


def executed_kernels(compiled: Any, looks: list[dict[str, int]] | None = None) -> tuple[Kernel, ...]:
    """The kernels of a compiled network, and their durations; without looks, none."""
    nodes = [_Node.of(operation) for operation in compiled.get_runtime_model().get_ordered_ops()]
    by_name = {node.name: node for node in nodes}
    constant: set[str] = set()
    kernels = []
    for node in nodes:
        if node.kind == "Const" or (node.sources and all(source in constant for source in node.sources)):
            constant.add(node.name)  # computed once, when the network is loaded
        elif node.kind not in _IDLE:
            durations = tuple(look.get(node.name, 0) for look in looks or ())
            kernels.append(_kernel(node, by_name.get(node.sources[0]) if node.sources else None, durations))
    return tuple(kernel for kernel in kernels if kernel is not None)


def compile_network(content: bytes) -> Any:
    """A network as OpenVINO executes it, on one thread. Raises InvalidModel."""
    return _compile(content, 1, 1, profiled=False)


@dataclass(frozen=True, slots=True)
class _Node:
    """One node of the graph as executed."""

    name: str
    kind: str
    originals: tuple[str, ...]  #: operations of the file that run inside it
    layout: str  #: of its result: `abcd` is plain, `acdb` has channels last
    precision: str  #: of its result
    computes: str  #: precision it computes in
    shape: tuple[int, ...]
    sources: tuple[str, ...]

    @classmethod
    def of(cls, operation: Any) -> _Node:
        facts = operation.get_rt_info()

        def fact(name: str) -> str:
            return str(facts[name].astype(str)) if name in facts else ""

        return cls(
            name=operation.get_friendly_name(),
            kind=fact("layerType"),
            originals=tuple(name for name in fact("originalLayersNames").split(",") if name),
            layout=fact("outputLayouts").partition(",")[0],
            precision=fact("outputPrecisions").partition(",")[0].lower(),
            computes=fact("runtimePrecision").lower(),
            shape=tuple(operation.output(0).shape) if operation.get_output_size() else (),
            sources=tuple(value.get_node().get_friendly_name() for value in operation.input_values()),
        )


def _kernel(node: _Node, source: _Node | None, durations: tuple[int, ...]) -> Kernel | None:
    operator, name = node.kind, _operation(node)
    if node.kind == "Reorder":
        operator = _reorder(node, source)
        if operator.startswith("Reorder") and node.shape[2:] == (1, 1):
            return None  # one position: the same bytes in any order
    elif all(_OWN.match(one) or one.endswith((":quantize", ".q")) for one in node.originals):
        operator = "QuantizeLinear"
    elif all(_OWN.match(one) or one.endswith((":dequantize", ".dq")) for one in node.originals):
        operator = "DequantizeLinear"
    return Kernel(
        name=name,
        operator=operator,
        blocked=False,
        input_shape=source.shape if source is not None else (),
        output_shape=node.shape,
        narrow=(source.precision if operator.startswith("Reorder") and source else node.computes) in _NARROW,
        durations_us=durations,
    )


def _operation(node: _Node) -> str:
    """The operation of the file that a kernel begins with."""
    names = [one.partition("/")[0] for one in node.originals if not _OWN.match(one)]
    return names[0] if names else node.name


def _reorder(node: _Node, source: _Node | None) -> str:
    """What a reordering is, in ONNX Runtime's words: it may change the precision as well."""
    before = source.precision if source is not None else node.precision
    if (before in _NARROW) != (node.precision in _NARROW):
        return "QuantizeLinear" if node.precision in _NARROW else "DequantizeLinear"
    return "ReorderOutput" if node.layout == "abcd"[: len(node.layout)] else "ReorderInput"


def _compile(content: bytes, batch: int, threads: int, *, profiled: bool) -> Any:
    settings = {
        "INFERENCE_NUM_THREADS": threads,
        "NUM_STREAMS": 1,
        "PERF_COUNT": profiled,
        "INFERENCE_PRECISION_HINT": "f32",  # else 16 bits, where the processor has them
        "ENABLE_CPU_PINNING": False,
    }
    try:
        core = openvino.Core()
        network = core.read_model(content)
        shapes = {}
        for entry in network.inputs:
            extents = [one.get_length() if one.is_static else batch for one in entry.get_partial_shape()]
            shapes[entry.get_any_name()] = extents
        network.reshape(shapes)
        return core.compile_model(network, "CPU", settings)
    except Exception as error:  # its exceptions share no base class but this
        raise InvalidModel(f"OpenVINO cannot load the file: {error}", field="model") from error


def _fill(request: Any, seed: int) -> None:
    random = np.random.default_rng(seed)
    for position, entry in enumerate(request.model_inputs):
        kind = _TYPES.get(entry.get_element_type().get_type_name())
        if kind is None:
            raise InvalidModel(f"input {entry.get_any_name()!r} has a type that cannot be timed", field="model")
        shape = tuple(entry.get_shape())
        data = random.standard_normal(shape) if kind is np.float32 else random.integers(0, 2, shape)
        request.set_input_tensor(position, openvino.Tensor(np.ascontiguousarray(data.astype(kind))))


def _means(request: Any) -> dict[str, int]:
    return {one.node_name: round(one.real_time.total_seconds() * 1e6) for one in request.profiling_info}
