"""Networks for the tests, made of words only."""

from __future__ import annotations

from paretrim.network import Axis, Group, Network, Operation, Segment


def axis(group: str | None, units: int) -> Axis:
    return (Segment(group, units),)


class Builder:
    """Appends operations one after another and keeps their shapes."""

    def __init__(self, channels: int, hw: int) -> None:
        self.operations: list[Operation] = []
        self.axes: dict[str, Axis] = {"input": axis(None, channels)}
        self.hw = {"input": hw}
        self.input_shape = (channels, hw, hw)

    def add(
        self, name: str, kind: str, *inputs: str, out: Axis | None = None, hw: int | None = None, **more: object
    ) -> str:
        source = inputs[0]
        out_axis = self.axes[source] if out is None else out
        side = self.hw[source] if hw is None else hw
        extents = [() if edge == 0 else (edge, edge) for edge in (self.hw[source], side)]
        self.operations.append(
            Operation(name, kind, inputs, self.axes[source], out_axis, *extents, **more)  # type: ignore[arg-type]
        )
        self.axes[name], self.hw[name] = out_axis, side
        return name

    def conv(self, name: str, source: str, out: Axis, *, kernel: int = 3, stride: int = 1, groups: int = 1) -> str:
        side = -(-self.hw[source] // stride)
        pad = kernel // 2
        return self.add(
            name,
            "conv2d",
            source,
            out=out,
            hw=side,
            kernel=(kernel, kernel),
            stride=(stride, stride),
            padding=(pad,) * 4,
            dilation=(1, 1),
            groups=groups,
        )

    def conv_bn_relu(self, name: str, source: str, out: Axis, *, stride: int = 1, relu: bool = True) -> str:
        last = self.add(f"{name}.bn", "batch_norm", self.conv(name, source, out, stride=stride))
        return self.add(f"{name}.relu", "relu", last) if relu else last


def resnet(depth: int = 20, classes: int = 10, side: int = 32) -> Network:
    """The CIFAR ResNet of He et al. 2015 with zero-padded shortcuts (option A)."""
    build = Builder(3, side)
    groups: list[Group] = []
    x = build.conv_bn_relu("stem", "input", axis("stage1", 16))
    members: dict[str, list[str]] = {f"stage{s}": [] for s in (1, 2, 3)}
    members["stage1"].append("stem")
    for stage, width in ((1, 16), (2, 32), (3, 64)):
        for block in range((depth - 2) // 6):
            name, stride = f"s{stage}b{block}", 2 if stage > 1 and block == 0 else 1
            groups.append(Group(name, width, (f"{name}.conv1",), (f"{name}.conv2",)))
            y = build.conv_bn_relu(f"{name}.conv1", x, axis(name, width), stride=stride)
            y = build.conv_bn_relu(f"{name}.conv2", y, axis(f"stage{stage}", width), relu=False)
            members[f"stage{stage}"].append(f"{name}.conv2")
            if stride == 2:
                half = build.hw[x] // 2
                x = build.add(f"{name}.slice", "slice", x, hw=half)
                x = build.add(f"{name}.pad", "pad", x, out=axis(f"stage{stage}", width))
            x = build.add(f"{name}.relu", "relu", build.add(f"{name}.add", "add", y, x))
    x = build.add("pool", "global_avg_pool", x, hw=1)
    x = build.add("flatten", "flatten", x, hw=0)
    build.add("fc", "linear", x, out=axis(None, classes), bias=True)
    widths = zip(members, (16, 32, 64), strict=True)
    frozen = {name: Group(name, width, tuple(members[name]), ("fc",), "padded") for name, width in widths}
    return Network(tuple(build.operations), (*frozen.values(), *groups), build.input_shape, "fc")
