"""The four networks of MLPerf Tiny, as shapes: what analytic devices are fitted and checked on.

Banbury et al.: MLPerf Tiny benchmark, NeurIPS 2021 datasets and benchmarks, appendix; all layers at 8 bits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from hw_models.sketch import Sketch
from paretrim.network import SizedOperation
from paretrim.problem import Bits

_BITS = Bits(8, 8)


def image_classification() -> tuple[SizedOperation, ...]:
    """ResNet-8 on 32 x 32 x 3, 12.5 million multiply-adds."""
    sketch = Sketch(3, (32, 32), _BITS)
    x = sketch.relu(sketch.conv("input", 16))
    for width in (16, 32, 64):
        stride = 1 if width == 16 else 2
        y = sketch.relu(sketch.conv(x, width, 3, stride))
        y = sketch.conv(y, width)
        if stride == 2:
            x = sketch.conv(x, width, 1, 2)
        x = sketch.relu(sketch.add(y, x))
    sketch.head(x)
    return tuple(sketch.operations)


def visual_wake_words() -> tuple[SizedOperation, ...]:
    """MobileNet v1 x 0.25 on 96 x 96 x 3, 7.5 million multiply-adds."""
    sketch = Sketch(3, (96, 96), _BITS)
    x = sketch.relu(sketch.conv("input", 8, 3, 2))
    for width, stride in (
        *((16, 1), (32, 2), (32, 1), (64, 2), (64, 1), (128, 2)),
        *[(128, 1)] * 5,
        *((256, 2), (256, 1)),
    ):
        x = sketch.relu(sketch.depthwise(x, 3, stride))
        x = sketch.relu(sketch.conv(x, width, 1))
    sketch.head(x, 2)
    return tuple(sketch.operations)


def keyword_spotting() -> tuple[SizedOperation, ...]:
    """DS-CNN on 49 x 10 x 1, 2.7 million multiply-adds."""
    sketch = Sketch(1, (49, 10), _BITS)
    shape = {"kernel": (10, 4), "stride": (2, 2), "padding": (4, 1, 5, 2), "dilation": (1, 1)}
    x = sketch.relu(sketch.append("conv2d", ["input"], 64, (25, 5), **shape))
    for _ in range(4):
        x = sketch.relu(sketch.depthwise(x))
        x = sketch.relu(sketch.conv(x, 64, 1))
    sketch.head(x, 12)
    return tuple(sketch.operations)


def anomaly_detection() -> tuple[SizedOperation, ...]:
    """An autoencoder of fully connected layers on 640 values, 0.26 million multiply-adds."""
    sketch = Sketch(640, (), _BITS)
    x = "input"
    for width in (128, 128, 128, 128, 8, 128, 128, 128, 128):
        x = sketch.relu(sketch.linear(x, width))
    sketch.linear(x, 640)
    return tuple(sketch.operations)


#: by the short name in MLPerf Tiny's results
MLPERF_TINY: Mapping[str, Callable[[], tuple[SizedOperation, ...]]] = {
    "ic": image_classification,
    "vww": visual_wake_words,
    "kws": keyword_spotting,
    "ad": anomaly_detection,
}
