"""ONNX Runtime sessions for timing: one thread unless told otherwise, inputs and outputs bound once."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime

from paretrim.errors import InvalidModel

_TYPES = {"tensor(float)": np.float32, "tensor(uint8)": np.uint8, "tensor(int64)": np.int64, "tensor(int32)": np.int32}
_SUFFIX = re.compile(r"(_bn)?(_nchwc)?(_token_\d+)?_kernel_time$")


@dataclass(frozen=True, slots=True)
class Kernel:
    """One node of an optimised graph, and how long it took in every run, in whole microseconds."""

    name: str  #: of the node in the file, without what the runtime appends
    operator: str
    blocked: bool  #: runs on channels in blocks
    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]
    narrow: bool  #: reads 8-bit integers
    durations_us: tuple[int, ...]


class Runner:
    """A loaded network and its input, ready to be run over and over."""

    def __init__(self, content: bytes, *, batch: int = 1, threads: int = 1, seed: int = 0) -> None:
        """Raises InvalidModel if ONNX Runtime does not take the file."""
        self.session = _load(content, _options(threads))
        self._binding = _bind(self.session, batch, seed)

    def __call__(self) -> None:
        """Run once."""
        self.session.run_with_iobinding(self._binding)


class ProfiledRunner:
    """The same with every kernel timed, which costs about 2 microseconds a node."""

    def __init__(self, content: bytes, folder: Path, *, batch: int = 1, threads: int = 1, seed: int = 0) -> None:
        options = _options(threads)
        options.enable_profiling = True
        # the runtime names the file by the millisecond only, so two loaded within one would share it
        options.profile_file_prefix = str(Path(tempfile.mkdtemp(dir=folder)) / "profile")
        self.session = _load(content, options)
        self._binding = _bind(self.session, batch, seed)

    def __call__(self) -> None:
        """Run once."""
        self.session.run_with_iobinding(self._binding)

    def finish(self, *, skip: int) -> tuple[Kernel, ...]:
        """The kernels in order, with their durations in all runs but the first `skip`. Ends the session."""
        path = Path(self.session.end_profiling())
        events = json.loads(path.read_text())
        path.unlink()
        return _kernels(events, skip)


def optimised_graph(content: bytes, *, threads: int = 1) -> onnx.GraphProto:
    """The graph as ONNX Runtime executes it. Raises InvalidModel."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "optimised.onnx"
        options = _options(threads)
        options.optimized_model_filepath = str(path)
        _load(content, options)
        return onnx.load(str(path)).graph


@contextmanager
def profiling_folder() -> Iterator[Path]:
    """A folder for profiles that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="paretrim-profile-") as folder:
        yield Path(folder)


def _options(threads: int) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    if threads == 1:
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options


def _load(content: bytes, options: Any) -> Any:
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its exceptions share no base class but this
        raise InvalidModel(f"ONNX Runtime cannot load the file: {error}", field="model") from error


def _bind(session: Any, batch: int, seed: int) -> Any:
    random = np.random.default_rng(seed)
    binding = session.io_binding()
    for value in session.get_inputs():
        shape = [size if isinstance(size, int) else batch for size in value.shape]
        kind = _TYPES.get(value.type)
        if kind is None:
            raise InvalidModel(f"input {value.name!r} has type {value.type}, which cannot be timed", field="model")
        data = random.standard_normal(shape) if kind is np.float32 else random.integers(0, 2, shape)
        binding.bind_ortvalue_input(value.name, onnxruntime.OrtValue.ortvalue_from_numpy(data.astype(kind)))
    for value in session.get_outputs():
        binding.bind_output(value.name)
    return binding


def _kernels(events: list[dict[str, Any]], skip: int) -> tuple[Kernel, ...]:
    found: dict[str, list[int]] = {}
    facts: dict[str, dict[str, Any]] = {}
    for event in events:
        if event.get("cat") == "Node" and event["name"].endswith("_kernel_time"):
            found.setdefault(event["name"], []).append(event["dur"])
            facts[event["name"]] = event["args"]
    return tuple(_kernel(name, durations[skip:], facts[name]) for name, durations in found.items())


def _kernel(name: str, durations: list[int], facts: dict[str, Any]) -> Kernel:
    read, written = facts.get("input_type_shape") or [], facts.get("output_type_shape") or []
    kind, shape = next(iter(read[0].items())) if read else ("float", [])
    match = _SUFFIX.search(name)
    return Kernel(
        name=name[: match.start()] if match else name,
        operator=str(facts.get("op_name", "")),
        blocked="_nchwc" in name,
        input_shape=tuple(shape),
        output_shape=tuple(next(iter(written[0].values()))) if written else (),
        narrow=kind in ("uint8", "int8"),
        durations_us=tuple(durations),
    )
