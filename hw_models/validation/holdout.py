"""Networks that a table is judged with: other draws than it was made of, and two families that it never saw.

They come in pairs, a dense network and the same with narrower layers, so that predicted speed-ups can be judged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hw_models.families import FAMILIES, Dice, Draw, Precision, draw
from hw_models.profiler.calibration import CALIBRATION_FAMILIES
from hw_models.sketch import Sketch
from paretrim.network import SizedOperation

#: extents of the images, (height, width)
_SIDES = ((32, 32), (24, 24), (40, 28), (16, 16), (28, 28), (48, 48), (20, 36))
#: how much narrower the second of a pair is
_SCALES = (0.5, 0.75, 0.35, 0.6, 0.85)
#: far from every seed that profiling draws with
_SEED = 7_000_000


def fire(sketch: Sketch, dice: Dice) -> None:
    """Squeeze and expand: a narrow 1x1 convolution, then a 1x1 and a 3x3 side by side, concatenated."""
    x = _conv_relu(sketch, dice, "input", dice.width(12, 32), 3, dice.pick(1, 2))
    for stage in range(3):
        for _ in range(dice.pick(1, 2)):
            squeezed = _conv_relu(sketch, dice, x, dice.width(8 << stage, 16 << stage), 1)
            width = dice.width(12 << stage, 24 << stage)
            left = _conv_relu(sketch, dice, squeezed, width, 1)
            right = _conv_relu(sketch, dice, squeezed, dice.width(12 << stage, 24 << stage), 3)
            x = sketch.concat(left, right)
        if stage < 2:
            x = sketch.pool(x)
    sketch.bits = dice.bits()
    sketch.head(x)


def branches(sketch: Sketch, dice: Dice) -> None:
    """Three paths of different depth and kernel, concatenated; depthwise 5x5 in one of them; strided in between."""
    x = _conv_relu(sketch, dice, "input", dice.width(12, 24))
    for stage in range(3):
        low, high = 8 << stage, 20 << stage
        first = _conv_relu(sketch, dice, x, dice.width(low, high), 1)
        second = _conv_relu(sketch, dice, _conv_relu(sketch, dice, x, dice.width(low, high), 1), dice.width(low, high))
        third = _conv_relu(sketch, dice, x, dice.width(low, high), 1)
        sketch.bits = dice.bits()
        third = sketch.relu(sketch.depthwise(third, 5))
        x = sketch.concat(sketch.concat(first, second), third)
        x = _conv_relu(sketch, dice, x, dice.width(16 << stage, 32 << stage), 3, 2 if stage < 2 else 1)
    sketch.bits = dice.bits()
    sketch.head(x)


def _conv_relu(sketch: Sketch, dice: Dice, source: str, channels: int, kernel: int = 3, stride: int = 1) -> str:
    sketch.bits = dice.bits()
    return sketch.relu(sketch.conv(source, channels, kernel, stride))


#: families nothing of which is in any table
UNSEEN: dict[str, Draw] = {"fire": fire, "branches": branches}


@dataclass(frozen=True, slots=True)
class HeldOut:
    """One network to be judged with."""

    family: str
    precision: Precision
    hw: tuple[int, int]
    pair: int  #: dense and pruned of the same number belong together
    pruned: bool
    operations: tuple[SizedOperation, ...]

    @property
    def calibrated(self) -> bool:
        """Whether the table's scale was fitted on its family."""
        return self.family in CALIBRATION_FAMILIES


def held_out(count: int, precisions: Sequence[Precision], *, seed: int = 0) -> list[HeldOut]:
    """`count` networks (one more, if odd): all families, precisions, extents and degrees of pruning in turn."""
    families = [*FAMILIES, *UNSEEN]
    found = []
    for pair in range((count + 1) // 2):
        family = families[pair % len(families)]
        precision = precisions[(pair // len(families)) % len(precisions)]
        hw = _SIDES[pair % len(_SIDES)]
        for pruned in (False, True):
            scale = _SCALES[pair % len(_SCALES)] if pruned else 1.0
            operations = _drawn(family, _SEED + seed * 10_000 + pair, precision, hw, scale)
            found.append(HeldOut(family, precision, hw, pair, pruned, operations))
    return found


def _drawn(
    family: str, seed: int, precision: Precision, hw: tuple[int, int], scale: float
) -> tuple[SizedOperation, ...]:
    if family in FAMILIES:
        return draw(family, seed, precision=precision, hw=hw, scale=scale)
    sketch = Sketch(3, hw)
    UNSEEN[family](sketch, Dice(seed, precision, scale=scale))
    return tuple(sketch.operations)
