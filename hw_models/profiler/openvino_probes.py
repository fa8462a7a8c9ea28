"""What OpenVINO does with a graph, found out by asking it: layouts, fusions, whether int8 is int8."""

from __future__ import annotations

from hw_models.fusion import Execution, Layout
from hw_models.graph import write_graph
from hw_models.openvino_sessions import compile_network, executed_kernels
from hw_models.precision import at_kernel_bits
from hw_models.profiler.probes import BOTH, CONVERTS, NARROW, chain_pair
from hw_models.sessions import Kernel
from hw_models.sketch import Sketch
from paretrim.errors import ParetrimError

#: chains whose fusion is looked for, by precision
_CANDIDATES = {
    "fp32": (
        *("conv2d+relu", "conv2d+clip", "conv2d+sigmoid", "conv2d+hard_swish", "conv2d+add", "conv2d+add+relu"),
        *("add+relu", "linear+relu"),
    ),
    "int8": ("conv2d+relu", "conv2d+clip", "conv2d+add", "conv2d+add+relu", "add+relu", "linear+relu"),
}


def find_layout() -> Layout:
    """Images are held channels last by every kernel, if they are reordered when they come in."""
    sketch = Sketch(16, (8, 8))
    sketch.relu(sketch.conv("input", 16))
    everywhere = any(kernel.operator == "ReorderInput" for kernel in _executed(sketch))
    return Layout(channels_last=everywhere, everywhere=everywhere)


def find_fusion() -> dict[str, frozenset[str]]:
    """The chains that the runtime executes as one kernel, by precision."""
    return {
        precision: frozenset(chain for chain in chains if _is_fused(chain, precision))
        for precision, chains in _CANDIDATES.items()
    }


def check_int8() -> None:
    """Raise ParetrimError unless 8-bit convolutions run in 8-bit kernels."""
    sketch = Sketch(16, (8, 8), NARROW)
    x = sketch.relu(sketch.conv("input", 24))
    x = sketch.relu(sketch.add(sketch.conv(sketch.relu(sketch.conv(x, 24)), 24), x))
    sketch.head(x)
    wide = [kernel.name for kernel in _executed(sketch) if kernel.operator == "Convolution" and not kernel.narrow]
    if wide:
        raise ParetrimError(
            f"OpenVINO does not execute 8-bit layers as such ({', '.join(wide)}); profile with --precision fp32"
        )


def _is_fused(chain: str, precision: str) -> bool:
    base, longer = (_kernels(_executed(sketch)) for sketch in chain_pair(chain, precision, deep=True))
    return base == longer


def _kernels(kernels: tuple[Kernel, ...]) -> int:
    return sum(kernel.operator not in (*CONVERTS, "Reshape") for kernel in kernels)


def _executed(sketch: Sketch) -> tuple[Kernel, ...]:
    content = write_graph(at_kernel_bits(sketch.operations, Execution(kernels=BOTH)))
    return executed_kernels(compile_network(content))
