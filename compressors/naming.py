"""Names of operations: readable, unique, the same however the network was exported, and good as torch module paths."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

import onnx
from torch import fx, nn

#: what an exporter calls weights whose name it has lost
_NAMELESS = re.compile(r"^(onnx::|val_|const|_|\d+$)")
#: operators whose second input is a weight
_LAYERS = frozenset({"Conv", "ConvTranspose", "Gemm", "MatMul", "BatchNormalization"})

#: what a step must not be called: attributes of modules, and the name of the network's own input
_RESERVED = frozenset((*dir(fx.GraphModule), *dir(nn.Module()), "input"))


class Names:
    """Gives every operation its name. A name is a dotted path; no name is the beginning of another's path."""

    def __init__(self) -> None:
        self._leaves: set[str] = set()
        self._branches: set[str] = set()
        self._reserved: dict[str, str] = {}

    def reserve(self, nodes: Iterable[onnx.NodeProto], initializers: Collection[str]) -> None:
        """Give layers their names before anything else can stand in the way."""
        for node in nodes:
            if node.op_type in _LAYERS and len(node.input) > 1 and node.input[1] in initializers:
                self._reserved[node.output[0]] = self._named(node, node.input[1])

    def operation(self, node: onnx.NodeProto, weight: str | None, part: str = "") -> str:
        """Name for an ONNX node. weight: name of the initializer with its weights, if it is a layer."""
        if not part and weight is not None and node.output[0] in self._reserved:
            return self._reserved.pop(node.output[0])
        return self._named(node, weight, part)

    def _named(self, node: onnx.NodeProto, weight: str | None, part: str = "") -> str:
        wishes = [_from_node(node, drop_operator=weight is not None), _from_node(node, drop_operator=False)]
        named = _from_weight(weight)
        if named:
            wishes.insert(0, named)
        wishes = [f"{wish}.{part}" if part else wish for wish in wishes]
        return self.unused(next((wish for wish in wishes if self._free(_clean(wish))), wishes[0]))

    def unused(self, wanted: str) -> str:
        """The wanted name, changed as little as needed to be a new path."""
        wanted = _clean(wanted)
        while self._blocked(wanted):
            owner, _, last = wanted.rpartition(".")
            wanted = f"{owner}_{last}"  # beside the operation whose name is in the way, not below it
        candidate, number = wanted, 0
        while not self._free(candidate):
            number += 1
            candidate = f"{wanted}_{number}"
        self._leaves.add(candidate)
        steps = candidate.split(".")
        self._branches.update(".".join(steps[:length]) for length in range(1, len(steps)))
        return candidate

    def _free(self, name: str) -> bool:
        return name not in self._leaves and name not in self._branches and not self._blocked(name)

    def _blocked(self, name: str) -> bool:
        """Whether a part of the path is an operation already."""
        steps = name.split(".")
        return any(".".join(steps[:length]) in self._leaves for length in range(1, len(steps)))


def _from_weight(weight: str | None) -> str | None:
    """`layer1.0.conv1.weight` -> `layer1.0.conv1`; None if the name says nothing."""
    if not weight or _NAMELESS.match(weight):
        return None
    owner, dot, last = weight.rpartition(".")
    step = {"weight": "", "in_proj_weight": ".in_proj"}.get(last)
    return f"{owner}{step}" if dot and step is not None else None


def _from_node(node: onnx.NodeProto, *, drop_operator: bool) -> str:
    """`/layer1/layer1.0/Relu_1` -> `layer1.0.Relu_1`; a layer loses the operator's name at the end."""
    scope = _scope(node)
    if scope is not None:
        return scope if drop_operator and scope else f"{scope}.{node.op_type}"
    path: list[str] = []
    for step in (node.name or f"{node.op_type}_{node.output[0]}").strip("/").split("/"):
        if path and step.startswith(f"{path[-1]}."):
            path.pop()  # torch's exporter repeats the parent in the name of a child of Sequential
        if step:
            path.append(step)
    if drop_operator and len(path) > 1 and re.fullmatch(rf"{node.op_type}\w*|depthwise|convolution", path[-1]):
        path.pop()
    return ".".join(path)


def _scope(node: onnx.NodeProto) -> str | None:
    """Path of the torch module that an operation came from, which torch's newer exporter notes beside it."""
    for entry in node.metadata_props:
        if entry.key == "pkg.torch.onnx.name_scopes":
            scopes = re.findall(r"'([^']*)'", entry.value[:10_000])
            return scopes[-2] if len(scopes) > 1 else None
    return None


def _clean(wanted: str) -> str:
    return ".".join(_component(step) for step in wanted.split(".") if step) or "operation"


def _component(text: str) -> str:
    """One step of a path, without characters that bother torch or people, and not an attribute of a module."""
    text = re.sub(r"[^0-9A-Za-z_\-]", "_", text)
    return f"{text}_" if text in _RESERVED else text
