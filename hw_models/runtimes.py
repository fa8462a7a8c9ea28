"""The runtimes that networks can be timed in on this machine: ONNX Runtime, and OpenVINO where it is installed."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path
from typing import Protocol

from hw_models.sessions import Kernel, ProfiledRunner, Runner
from paretrim.errors import InvalidInput

ONNX_RUNTIME, OPENVINO = "onnxruntime", "openvino"
RUNTIMES = (ONNX_RUNTIME, OPENVINO)
#: as reports call them
TITLES = {ONNX_RUNTIME: "ONNX Runtime", OPENVINO: "OpenVINO"}


class Runs(Protocol):
    """A loaded network and its input, ready to be run over and over."""

    def __call__(self) -> None:
        """Run once."""
        ...


class RunsProfiled(Runs, Protocol):
    """The same with every kernel timed."""

    def finish(self, *, skip: int) -> tuple[Kernel, ...]:
        """The kernels with their durations in all runs but the first `skip`. Ends the session."""
        ...


def check_runtime(name: str) -> str:
    """The name, if it is a runtime that is installed here. Raises InvalidInput with what to do."""
    if name not in RUNTIMES:
        raise InvalidInput(f"runtime must be one of {', '.join(RUNTIMES)}, got {name!r}", field="runtime")
    if name == OPENVINO and installed_version(name) is None:
        raise InvalidInput(
            "OpenVINO is not installed here; `pip install 'paretrim[openvino]'`, or profile with onnxruntime",
            field="runtime",
        )
    return name


def installed_version(name: str) -> str | None:
    """The version of a runtime that is installed here; None if it is not, or is not known."""
    if name == ONNX_RUNTIME:
        import onnxruntime

        return str(onnxruntime.__version__)
    if name == OPENVINO:
        try:
            return importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            return None
    return None


def open_runner(runtime: str, content: bytes, *, batch: int = 1, threads: int = 1, seed: int = 0) -> Runs:
    """A network in a runtime. Raises InvalidModel if the runtime does not take the file."""
    if runtime == OPENVINO:
        from hw_models.openvino_sessions import OpenVinoRunner

        return OpenVinoRunner(content, batch=batch, threads=threads, seed=seed)
    return Runner(content, batch=batch, threads=threads, seed=seed)


def open_profiled(
    runtime: str, content: bytes, folder: Path, *, batch: int = 1, threads: int = 1, seed: int = 0
) -> RunsProfiled:
    """A network whose kernels are timed. folder: where ONNX Runtime writes its profile. Raises InvalidModel."""
    if runtime == OPENVINO:
        from hw_models.openvino_sessions import OpenVinoProfiledRunner

        return OpenVinoProfiledRunner(content, batch=batch, threads=threads, seed=seed)
    return ProfiledRunner(content, folder, batch=batch, threads=threads, seed=seed)
