"""Where tensors are quantized, so that the runtime can keep integers from one layer to the next.

ONNX Runtime runs a convolution in int8 only between a DequantizeLinear and a QuantizeLinear; the activation behind it
may stand before the latter. So the inputs of quantized layers are quantized, what quantized convolutions give is
quantized behind their activation, and additions, pools and concatenations between quantized operations are, too. The
simulation in torch and the exported file both follow this plan.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from torch import fx, nn

from compressors.operators import operator_of
from compressors.operators.channels import Concat
from compressors.operators.elementwise import Arithmetic
from compressors.operators.padding import Pad
from compressors.operators.passing import Take
from compressors.operators.pooling import AveragePool, GlobalAveragePool, Reduce
from compressors.provenance import INPUT, operations, output_of
from paretrim.problem import Bits

#: place of the network's output among the edges: ("output", 0)
OUTPUT = "output"

_FUSED = frozenset({"relu", "clip"})  # disappear in the integer operation before them
_MOVING = frozenset({"flatten", "reshape", "transpose", "slice", "pad", "max_pool", "identity", "gather"})
_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d)


@dataclass(frozen=True, slots=True)
class Edge:
    """A tensor on its way into an operation, quantized. source: the tensor whose range the grid covers."""

    tensor: str
    source: str
    bits: int


@dataclass(frozen=True, eq=False)
class Placement:
    """edges: by (operation, place among its inputs). layers: those whose weights and inputs are integers, by name.

    weights: bits of every layer whose weights are rounded, integer or not.
    """

    edges: Mapping[tuple[str, int], Edge]
    layers: Mapping[str, Bits]
    weights: Mapping[str, int]


def placement(module: fx.GraphModule, bits: Mapping[str, Bits], floating: Collection[str] = ()) -> Placement:
    """The plan for a (folded or unfolded) network whose layers have these bits; a layer not named has 32.

    floating: layers that are computed in floating point whatever their bits, as their weights are no integers.
    """
    return _Planner(module, bits, floating).plan()


class _Planner:
    def __init__(self, module: fx.GraphModule, bits: Mapping[str, Bits], floating: Collection[str]) -> None:
        self.module = module
        self.bits = bits
        self.inputs = {name: tuple(self._resolved(read) for read in reads) for name, reads in operations(module)}
        self.output = self._resolved(output_of(module))
        self.inputs = {name: reads for name, reads in self.inputs.items() if not self._is_gone(name)}
        self.readers: dict[str, list[str]] = {name: [] for name in (INPUT, *self.inputs)}
        for name, reads in self.inputs.items():
            for read in reads:
                self.readers[read].append(name)
        self.readers[self.output].append(OUTPUT)
        self.kinds = {name: _kind(module.get_submodule(name)) for name in self.inputs}
        self.layers = {
            name: bits[name]
            for name in self.inputs
            if name in bits
            and name not in floating
            and bits[name].weight <= 8
            and bits[name].activation <= 8
            and isinstance(module.get_submodule(name), (*_CONVOLUTIONS, nn.Linear))
        }
        self.integer = self._integer_operations()

    def plan(self) -> Placement:
        """All edges that are quantized."""
        edges = {}
        for name, reads in self.inputs.items():
            for place, read in enumerate(reads):
                width = self._width(name, read)
                if width is not None:
                    edges[name, place] = Edge(read, self._ranged(read), width)
        if self._from_convolution(self.output):
            edges[OUTPUT, 0] = Edge(self.output, self._ranged(self.output), 8)
        weights = {
            name: self.bits[name].weight for name in self.inputs if name in self.bits and self.bits[name].weight <= 8
        }
        return Placement(edges, self.layers, weights)

    def _resolved(self, tensor: str) -> str:
        """The tensor that really arrives where a removed block was."""
        inputs = None
        while tensor != INPUT and isinstance(held := self.module.get_submodule(tensor), Take):
            inputs = inputs or dict(operations(self.module))
            tensor = inputs[tensor][held.place]
        return tensor

    def _is_gone(self, name: str) -> bool:
        return isinstance(self.module.get_submodule(name), Take)

    def _width(self, name: str, read: str) -> int | None:
        if name in self.layers:
            return self.layers[name].activation
        if name in self.bits and self.bits[name].activation <= 8 and self.kinds[name] != "embedding":
            return self.bits[name].activation  # an integer input without integer weights: rounded all the same
        if name in self.integer:
            return 8
        if self._fuses(name, read):
            return None
        if self._from_convolution(read):
            return 8
        if self.kinds[name] in _MOVING:
            wanted = any(reader in self.integer or reader in self.layers for reader in self._ahead(name))
            return 8 if wanted and self._is_integer(read, self.integer) else None
        return None

    def _fuses(self, name: str, read: str) -> bool:
        """Whether the operation disappears in the one it reads, which nobody else reads."""
        return self.kinds[name] in _FUSED | {"identity"} and self.readers[read] == [name]

    def _origin(self, tensor: str) -> str:
        """The operation that computes a tensor, looking through what only moves values or fuses."""
        while tensor != INPUT:
            read = self.inputs[tensor][0]
            if self.kinds[tensor] in _MOVING or self._fuses(tensor, read):
                tensor = read
            else:
                break
        return tensor

    def _from_convolution(self, tensor: str) -> bool:
        origin = self._origin(tensor)
        return origin in self.layers and isinstance(self.module.get_submodule(origin), _CONVOLUTIONS)

    def _ranged(self, tensor: str) -> str:
        """The tensor whose range counts: moving values about must not change their grid."""
        while tensor != INPUT and self.kinds[tensor] in _MOVING and not self._fuses(tensor, self.inputs[tensor][0]):
            tensor = self.inputs[tensor][0]
        return tensor

    def _integer_operations(self) -> frozenset[str]:
        """Additions, pools and concatenations with integers before and behind them."""
        chosen = {name for name in self.inputs if _can_be_integer(self.module.get_submodule(name))}
        while True:
            wrong = {name for name in chosen if not self._fits(name, chosen)}
            if not wrong:
                return frozenset(chosen)
            chosen -= wrong

    def _fits(self, name: str, chosen: set[str]) -> bool:
        before = all(self._is_integer(read, chosen) for read in self.inputs[name])
        return before and any(reader in chosen or reader in self.layers for reader in self._ahead(name))

    def _is_integer(self, tensor: str, chosen: Collection[str]) -> bool:
        origin = self._origin(tensor)
        made = origin in chosen or self._from_convolution(tensor)
        return made or any(reader in self.layers for reader in self._ahead(origin))

    def _ahead(self, tensor: str) -> set[str]:
        """Operations that compute with a tensor, looking through what only moves values or fuses."""
        found: set[str] = set()
        for reader in self.readers[tensor]:
            if reader != OUTPUT and (self.kinds[reader] in _MOVING or self._fuses(reader, tensor)):
                found |= self._ahead(reader)
            else:
                found.add(reader)
        return found


def _kind(module: nn.Module) -> str:
    padded = isinstance(module, Pad) and not (module.mode == "constant" and module.value == 0.0)
    return "pad with values" if padded else operator_of(module).kind(module)


def _can_be_integer(module: nn.Module) -> bool:
    if isinstance(module, Arithmetic):
        return module.operation in ("add", "mul") and module.constant is None
    if isinstance(module, Reduce):
        return module.operator == "ReduceMean" and module.axes == (2, 3)
    return isinstance(module, AveragePool | GlobalAveragePool) or (isinstance(module, Concat) and not module.places)
