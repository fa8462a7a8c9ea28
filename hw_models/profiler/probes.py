"""What the runtime does with a graph, found out by asking it: layouts, fusions, whether int8 is int8."""

from __future__ import annotations

from collections.abc import Iterable

import onnx

from hw_models.fusion import Execution, Layout
from hw_models.graph import write_graph
from hw_models.precision import at_kernel_bits
from hw_models.sessions import optimised_graph
from hw_models.sketch import Sketch
from paretrim.errors import ParetrimError
from paretrim.problem import FULL_PRECISION, Bits

NARROW = Bits(8, 8)
BOTH = (FULL_PRECISION, NARROW)
#: kernels that change only bits or layout
CONVERTS = ("ReorderInput", "ReorderOutput", "Transpose", "QuantizeLinear", "DequantizeLinear")
#: chains whose fusion is looked for, by precision
_CANDIDATES = {
    "fp32": ("conv2d+relu", "conv2d+clip", "conv2d+sigmoid", "conv2d+add", "conv2d+add+relu", "linear+relu"),
    "int8": ("conv2d+relu", "conv2d+clip", "conv2d+add", "add+relu", "linear+relu"),
}


def find_layout() -> Layout:
    """Which channel counts run on blocked kernels, and whether 8-bit convolutions want channels last."""
    block = next((width for width in (4, 8, 16, 32) if _reads_blocked(width)), 0)
    align = next((step for step in (1, 2, 4, 8, 16, 32) if block and _reads_blocked(block + step)), block or 1)
    sketch = Sketch(16, (8, 8), NARROW)
    sketch.relu(sketch.conv("input", 16))
    last = any(node.op_type == "Transpose" for node in _optimised(sketch).node)
    return Layout(block=block, align=align, channels_last=last)


def find_fusion() -> dict[str, frozenset[str]]:
    """The chains that the runtime executes as one kernel, by precision."""
    return {
        precision: frozenset(chain for chain in chains if _is_fused(chain, precision))
        for precision, chains in _CANDIDATES.items()
    }


def check_int8() -> None:
    """Raise ParetrimError unless 8-bit layers run in 8-bit kernels, without floating point in between."""
    sketch = Sketch(16, (8, 8), NARROW)
    x = sketch.relu(sketch.conv("input", 24))
    x = sketch.relu(sketch.add(sketch.conv(sketch.relu(sketch.conv(x, 24)), 24), x))
    sketch.head(x)
    kinds = [node.op_type for node in _optimised(sketch).node]
    floating = sorted({kind for kind in kinds if kind in ("Conv", "FusedConv", "Add", "Gemm", "FusedGemm", "MatMul")})
    if floating or kinds.count("QLinearConv") != 3 or kinds.count("Transpose") > 2:
        raise ParetrimError(
            f"this runtime does not execute 8-bit layers as such (it runs {', '.join(floating) or 'other kernels'});"
            " profile with --precision fp32"
        )


def _reads_blocked(channels: int) -> bool:
    """Whether a convolution reads this many channels in blocks: then nothing is reordered between two of them."""
    sketch = Sketch(16, (8, 8))
    x = sketch.relu(sketch.conv("input", channels))
    sketch.relu(sketch.conv(x, 16))
    nodes = _optimised(sketch).node
    blocked = [node for node in nodes if node.op_type == "Conv" and node.domain.endswith("nchwc")]
    reordered = [node for node in nodes if node.op_type == "ReorderOutput"]
    return len(blocked) == 2 and len(reordered) == 1  # the one at the network's output


def _is_fused(chain: str, precision: str) -> bool:
    base, longer = (_kernels(_optimised(sketch).node) for sketch in chain_pair(chain, precision))
    return base == longer


def chain_pair(chain: str, precision: str, *, deep: bool = False) -> tuple[Sketch, Sketch]:
    """A network with the chain but its last operation, and one with the whole chain.

    deep: what is added to a convolution's result is not what the convolution reads, as in a block of two.
    """
    bits = NARROW if precision == "int8" else FULL_PRECISION
    base = Sketch(16, (8, 8), bits)
    longer = Sketch(16, (8, 8), bits)
    first, *rest = chain.split("+")
    for sketch, kinds in ((base, rest[:-1]), (longer, rest)):
        x, other = _begin(sketch, first, deep)
        for kind in kinds:
            x = sketch.add(x, other) if kind == "add" else sketch.activation(x, kind)
        sketch.linear(x, 16) if first == "linear" else sketch.conv(x, 16, 1)
    return base, longer


def _begin(sketch: Sketch, first: str, deep: bool) -> tuple[str, str]:
    """The chain's first operation, and another result of the same shape."""
    if first == "linear":
        sketch.channels["flat"], sketch.hw["flat"] = 16, ()
        return sketch.linear("flat", 16), "flat"
    other = sketch.relu(sketch.conv("input", 16))
    if first == "add":
        return sketch.add(sketch.conv(other, 16), other), other
    return sketch.conv(sketch.relu(sketch.conv(other, 16)) if deep else other, 16), other


def _kernels(nodes: Iterable[onnx.NodeProto]) -> int:
    """Nodes that compute: conversions come and go with the rest of the graph."""
    return sum(node.op_type not in CONVERTS for node in nodes)


def _optimised(sketch: Sketch) -> onnx.GraphProto:
    execution = Execution(kernels=BOTH)
    return optimised_graph(write_graph(at_kernel_bits(sketch.operations, execution)))
