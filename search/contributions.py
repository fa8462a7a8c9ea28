"""What each step of a compression contributed: to the accuracy that was lost, and to the bytes that were saved."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

from torch import fx

from compressors import Compressor, Imported, fold, pack, write_onnx
from paretrim.problem import UNCHANGED, Policy


@dataclass(frozen=True, slots=True)
class Contribution:
    """A network after one more step."""

    step: str  #: original, pruned, reconstructed, quantized, fine-tuned
    accuracy: float  #: on validation
    size_bytes: int  #: of the packed file


@dataclass(frozen=True, slots=True)
class Steps:
    """Takes a policy apart. bare: prunes without making good; recipe: prunes and makes good as what is delivered."""

    imported: Imported
    bare: Compressor
    recipe: Compressor
    accuracy: Callable[[fx.GraphModule], float]

    def until_quantized(self, policy: Policy) -> Iterator[tuple[Contribution, bytes]]:
        """The original and, if anything was taken away, the network with 32 bits: before and after making good."""
        yield self._step("original", self.imported.module, UNCHANGED)
        wide = replace(policy, bits={})
        if wide != UNCHANGED:
            yield self._step("pruned", self.bare.compress(wide).module, wide)
            yield self._step("reconstructed", self.recipe.compress(wide).module, wide)

    def _step(self, name: str, module: fx.GraphModule, policy: Policy) -> tuple[Contribution, bytes]:
        folded = fold(module)
        content = write_onnx(folded, self.imported, policy=policy)
        return Contribution(name, self.accuracy(folded), len(pack(content).content)), content


def as_json(steps: list[Contribution]) -> list[dict[str, Any]]:
    """With what each step changed."""
    rows = []
    for place, step in enumerate(steps):
        before = steps[max(0, place - 1)]
        change = {
            "accuracy_change": step.accuracy - before.accuracy,
            "size_change": step.size_bytes - before.size_bytes,
        }
        rows.append(asdict(step) | change)
    return rows
