"""A layer that was replaced by several thinner ones in a row."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from compressors.operators.convolution import write_conv
from compressors.operators.linear import write_linear
from compressors.operators.operator import Operator
from compressors.writing import Writer


class Factored(nn.Module):
    """Layers that together stand for one: 1x1, k x k, 1x1, or k x 1, 1 x k, or two matrices."""

    def __init__(self, parts: Sequence[nn.Module]) -> None:
        super().__init__()
        self.parts = nn.ModuleList(parts)

    def forward(self, x: Tensor) -> Tensor:
        """As the layer it stands for."""
        for part in self.parts:
            x = part(x)
        return x


def _kind(module: Factored) -> str:
    return "linear" if isinstance(module.parts[0], nn.Linear) else "conv2d"


def write_factored(module: Factored, writer: Writer, name: str, inputs: Sequence[str]) -> str:
    """Each part under the layer's name with its place behind it; the last under the layer's own name."""
    tensor = inputs[0]
    for place, part in enumerate(module.parts):
        own = name if place == len(module.parts) - 1 else f"{name}.part{place}"
        rank = len(writer.shapes[tensor])
        write = write_linear if isinstance(part, nn.Linear) else write_conv
        tensor = write(part, writer, own, [tensor])  # type: ignore[arg-type]
        writer.shapes[tensor] = (-1,) * rank  # between parts only the number of axes counts
    return tensor


OPERATORS = {Factored: Operator(kind=_kind, write=write_factored, role="layer")}
READERS: dict[str, object] = {}  # made by compression only
