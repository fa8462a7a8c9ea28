"""Random networks of several families, to calibrate and to judge a table with.

Widths are drawn freely, so most are no multiple of anything, as pruning leaves them; bits are all full, all 8, or
mixed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

import numpy as np

from hw_models.sketch import Sketch
from paretrim.network import SizedOperation
from paretrim.problem import FULL_PRECISION, Bits

Precision = Literal["fp32", "int8", "mixed"]
Draw = Callable[[Sketch, "Dice"], None]
NARROW = Bits(8, 8)


class Dice:
    """Chance for one network: widths and bits."""

    def __init__(self, seed: int, precision: Precision, multiple: int = 1, scale: float = 1.0) -> None:
        self.random = np.random.default_rng(seed)
        self.precision = precision
        self.multiple = multiple  #: all widths are multiples of this
        self.scale = scale  #: of all widths
        self._run = 0
        self._bits = FULL_PRECISION

    def width(self, low: int, high: int) -> int:
        """Channels between two bounds."""
        drawn = max(2, round(self.scale * int(self.random.integers(low, high + 1))))
        return max(self.multiple, drawn // self.multiple * self.multiple)

    def pick(self, *choices: int) -> int:
        """One of several."""
        return int(self.random.choice(choices))

    def bits(self) -> Bits:
        """For the next layer: the same for runs of layers, if mixed."""
        if self.precision != "mixed":
            return NARROW if self.precision == "int8" else FULL_PRECISION
        if self._run == 0:
            self._run = int(self.random.integers(1, 6))
            self._bits = NARROW if self.random.random() < 0.6 else FULL_PRECISION
        self._run -= 1
        return self._bits


def draw(
    family: str,
    seed: int,
    *,
    precision: Precision = "fp32",
    hw: tuple[int, int] = (32, 32),
    multiple: int = 1,
    channels: int = 3,
    scale: float = 1.0,
) -> tuple[SizedOperation, ...]:
    """A random network of a family, its widths times `scale`. The same arguments, the same network."""
    sketch = Sketch(channels, hw)
    FAMILIES[family](sketch, Dice(seed, precision, multiple, scale))
    return tuple(sketch.operations)


def _conv_relu(sketch: Sketch, dice: Dice, source: str, channels: int, kernel: int = 3, stride: int = 1) -> str:
    sketch.bits = dice.bits()
    return sketch.relu(sketch.conv(source, channels, kernel, stride))


def _finish(sketch: Sketch, dice: Dice, source: str) -> None:
    sketch.bits = dice.bits()
    sketch.head(source)


def plain(sketch: Sketch, dice: Dice) -> None:
    """Convolutions one after another, strided now and then."""
    x = "input"
    for stage in range(3):
        low, high = 12 << stage, 24 << stage
        for position in range(dice.pick(1, 2, 3)):
            stride = 2 if stage and position == 0 else 1
            x = _conv_relu(sketch, dice, x, dice.width(low, high), stride=stride)
    _finish(sketch, dice, x)


def vgg(sketch: Sketch, dice: Dice) -> None:
    """Convolutions and max pooling, two fully connected layers."""
    x = "input"
    for stage in range(3):
        for _ in range(dice.pick(1, 2)):
            x = _conv_relu(sketch, dice, x, dice.width(12 << stage, 32 << stage))
        x = sketch.pool(x)
    pooled = sketch.append("global_avg_pool", [x], sketch.channels[x], (1, 1))
    x = sketch.append("flatten", [pooled], sketch.channels[x], ())
    sketch.bits = dice.bits()
    x = sketch.relu(sketch.linear(x, dice.width(48, 160)))
    sketch.bits = dice.bits()
    sketch.linear(x, 10)


def resnet(sketch: Sketch, dice: Dice) -> None:
    """Residual blocks; a 1x1 convolution where the shape changes."""
    x = _conv_relu(sketch, dice, "input", dice.width(10, 24))
    for stage in range(3):
        width = dice.width(10 << stage, 24 << stage) if stage else sketch.channels[x]
        for block in range(dice.pick(1, 2, 3)):
            stride = 2 if stage and block == 0 else 1
            y = _conv_relu(sketch, dice, x, dice.width(8 << stage, 24 << stage), stride=stride)
            sketch.bits = dice.bits()
            y = sketch.conv(y, width)
            if stride == 2:
                x = sketch.conv(x, width, 1, 2)
            x = sketch.relu(sketch.add(y, x))
    _finish(sketch, dice, x)


def bottleneck(sketch: Sketch, dice: Dice) -> None:
    """Residual blocks of 1x1, 3x3 and 1x1 convolutions."""
    x = _conv_relu(sketch, dice, "input", dice.width(12, 24))
    for stage in range(3):
        width = dice.width(24 << stage, 48 << stage)
        for block in range(dice.pick(1, 2)):
            stride = 2 if stage and block == 0 else 1
            inner = dice.width(8 << stage, 16 << stage)
            y = _conv_relu(sketch, dice, x, inner, 1)
            y = _conv_relu(sketch, dice, y, inner, 3, stride)
            sketch.bits = dice.bits()
            y = sketch.conv(y, width, 1)
            if sketch.channels[x] != width or stride == 2:
                x = sketch.conv(x, width, 1, stride)
            x = sketch.relu(sketch.add(y, x))
    _finish(sketch, dice, x)


def mobilenet(sketch: Sketch, dice: Dice) -> None:
    """Inverted residual blocks with depthwise convolutions and clipped activations."""
    x = _conv_relu(sketch, dice, "input", dice.width(12, 24), stride=dice.pick(1, 2))
    for stage in range(3):
        width = dice.width(12 << stage, 20 << stage)
        for block in range(dice.pick(1, 2)):
            stride = 2 if stage and block == 0 else 1
            hidden = dice.width(2 * sketch.channels[x], 5 * sketch.channels[x])
            sketch.bits = dice.bits()
            y = sketch.activation(sketch.conv(x, hidden, 1), "clip")
            sketch.bits = dice.bits()
            y = sketch.activation(sketch.depthwise(y, dice.pick(3, 3, 5), stride), "clip")
            sketch.bits = dice.bits()
            y = sketch.conv(y, width, 1)
            x = sketch.add(y, x) if stride == 1 and sketch.channels[x] == width else y
    _finish(sketch, dice, _conv_relu(sketch, dice, x, dice.width(48, 128), 1))


def separable(sketch: Sketch, dice: Dice) -> None:
    """Depthwise and 1x1 convolutions in turn."""
    x = _conv_relu(sketch, dice, "input", dice.width(12, 32), stride=dice.pick(1, 2))
    for stage in range(3):
        for position in range(dice.pick(1, 2)):
            stride = 2 if stage and position == 0 else 1
            sketch.bits = dice.bits()
            x = sketch.relu(sketch.depthwise(x, 3, stride))
            x = _conv_relu(sketch, dice, x, dice.width(16 << stage, 40 << stage), 1)
    _finish(sketch, dice, x)


def dense(sketch: Sketch, dice: Dice) -> None:
    """Every convolution reads all that came before in its stage, concatenated."""
    x = _conv_relu(sketch, dice, "input", dice.width(12, 24))
    for stage in range(3):
        for _ in range(dice.pick(2, 3)):
            x = sketch.concat(x, _conv_relu(sketch, dice, x, dice.width(8, 24)))
        if stage < 2:
            x = _conv_relu(sketch, dice, x, dice.width(16 << stage, 40 << stage), 1)
            x = sketch.pool(x, "avg_pool")
    _finish(sketch, dice, x)


FAMILIES: Mapping[str, Draw] = {
    "plain": plain,
    "vgg": vgg,
    "resnet": resnet,
    "bottleneck": bottleneck,
    "mobilenet": mobilenet,
    "separable": separable,
    "dense": dense,
}
