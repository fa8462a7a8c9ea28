"""Networks drawn operation by operation, for profiling and calibrating: shapes only."""

from __future__ import annotations

from collections.abc import Sequence

from hw_models.counts import INPUT
from paretrim.network import SizedOperation
from paretrim.problem import FULL_PRECISION, Bits


class Sketch:
    """Appends operations to a network and keeps track of shapes. Methods return the name of the result."""

    def __init__(self, channels: int, hw: tuple[int, ...], bits: Bits = FULL_PRECISION) -> None:
        self.operations: list[SizedOperation] = []
        self.bits = bits  #: of the layers that follow
        self.channels = {INPUT: channels}
        self.hw = {INPUT: hw}

    def conv(
        self, source: str, channels: int, kernel: int = 3, stride: int = 1, *, groups: int = 1, dilation: int = 1
    ) -> str:
        """A convolution that keeps the extent, divided by the stride; of as many dimensions as its input."""
        hw = self.hw[source]
        pad = dilation * (kernel - 1) // 2
        out = tuple((extent + 2 * pad - dilation * (kernel - 1) - 1) // stride + 1 for extent in hw)
        kind = f"conv{len(hw)}d"
        spread = {"kernel": kernel, "stride": stride, "dilation": dilation}
        shape = {name: (value,) * len(hw) for name, value in spread.items()}
        return self.append(kind, [source], channels, out, groups=groups, padding=(pad,) * (2 * len(hw)), **shape)

    def depthwise(self, source: str, kernel: int = 3, stride: int = 1) -> str:
        """A convolution with one filter per channel."""
        channels = self.channels[source]
        return self.conv(source, channels, kernel, stride, groups=channels)

    def linear(self, source: str, channels: int) -> str:
        """A fully connected layer."""
        return self.append("linear", [source], channels, self.hw[source])

    def relu(self, source: str) -> str:
        """max(x, 0)."""
        return self.activation(source, "relu")

    def activation(self, source: str, kind: str) -> str:
        """Any operation on single elements."""
        return self.append(kind, [source], self.channels[source], self.hw[source])

    def add(self, *sources: str) -> str:
        """Sum of two results."""
        return self.append("add", sources, self.channels[sources[0]], self.hw[sources[0]])

    def concat(self, *sources: str) -> str:
        """Channels one after another."""
        return self.append("concat", sources, sum(self.channels[name] for name in sources), self.hw[sources[0]])

    def pool(self, source: str, kind: str = "max_pool", kernel: int = 2, stride: int = 2, pad: int = 0) -> str:
        """Pooling over windows."""
        hw = self.hw[source]
        out = tuple((extent + 2 * pad - kernel) // stride + 1 for extent in hw)
        shape = {"kernel": (kernel,) * len(hw), "stride": (stride,) * len(hw), "padding": (pad,) * (2 * len(hw))}
        return self.append(kind, [source], self.channels[source], out, **shape)

    def head(self, source: str, classes: int = 10) -> str:
        """Mean over positions, then a fully connected layer."""
        pooled = self.append("global_avg_pool", [source], self.channels[source], (1,) * len(self.hw[source]))
        return self.linear(self.append("flatten", [pooled], self.channels[source], ()), classes)

    def append(
        self, kind: str, sources: Sequence[str], channels: int, hw: tuple[int, ...], **more: tuple[int, ...] | int
    ) -> str:
        """Any operation; more: kernel, stride, padding, dilation, groups."""
        name = f"{kind}.{len(self.operations)}"
        groups = more.pop("groups", 1)
        shapes = {part: more.get(part, ()) for part in ("kernel", "stride", "padding", "dilation")}
        is_layer = kind in ("conv1d", "conv2d", "linear")
        self.operations.append(
            SizedOperation(
                name=name,
                kind=kind,
                inputs=tuple(sources),
                in_channels=self.channels[sources[0]],
                out_channels=channels,
                in_hw=self.hw[sources[0]],
                out_hw=hw,
                groups=groups if isinstance(groups, int) else 1,
                bias=is_layer,
                weight_bits=self.bits.weight if is_layer else 32,
                activation_bits=self.bits.activation if is_layer else 32,
                extra={},
                **shapes,  # type: ignore[arg-type]
            )
        )
        self.channels[name], self.hw[name] = channels, hw
        return name
