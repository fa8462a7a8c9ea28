"""Operations that change the resolution: resize, depth to space, space to depth."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from compressors.flow import NOBODY, Flow, Labels, Traced, on_axis
from compressors.operators.operator import Operator
from compressors.reading import Builder, Node, Value
from compressors.writing import Writer

_ROUNDING: dict[str, Callable[[npt.NDArray[np.float64]], npt.NDArray[np.float64]]] = {
    "floor": np.floor,
    "ceil": np.ceil,
    "round_prefer_floor": lambda values: np.ceil(values - 0.5),
    "round_prefer_ceil": lambda values: np.floor(values + 0.5),
}


class Resize(nn.Module):
    """Positions resampled to `size`. mode: nearest or linear; transform, rounding: as ONNX names them."""

    def __init__(self, size: Sequence[int], mode: str, transform: str, rounding: str, scales: Sequence[float]) -> None:
        super().__init__()
        self.size, self.mode, self.transform, self.rounding = tuple(size), mode, transform, rounding
        self.scales = tuple(scales)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, ...) -> (N, C, *size)."""
        if self.mode == "nearest":
            for axis, extent in enumerate(self.size):
                positions = self._nearest(x.shape[2 + axis], extent, self.scales[axis])
                x = x.index_select(2 + axis, positions.to(x.device))
            return x
        flat = x.unsqueeze(2) if x.dim() == 3 else x  # one-dimensional signals as images of height 1
        size = self.size if x.dim() == 4 else (1, *self.size)
        out = functional.interpolate(flat, size, mode="bilinear", align_corners=self.transform == "align_corners")
        return out.squeeze(2) if x.dim() == 3 else out

    def _nearest(self, length: int, size: int, scale: float) -> Tensor:
        """For each position of the result, the position it is copied from."""
        out = np.arange(size, dtype=np.float64)
        if self.transform == "asymmetric":
            at = out / scale
        elif self.transform == "align_corners":
            at = out * (length - 1) / max(size - 1, 1)
        else:
            at = (out + 0.5) / scale - 0.5
        rounded = _ROUNDING[self.rounding](at)
        return torch.from_numpy(np.clip(rounded, 0, length - 1).astype(np.int64))

    def extra_repr(self) -> str:
        """What is printed between the brackets."""
        return f"{self.size}, {self.mode}, {self.transform}"


class DepthToSpace(nn.Module):
    """Channels become positions: a block of block x block from each run of channels. mode: DCR or CRD, as in ONNX."""

    def __init__(self, block: int, mode: str) -> None:
        super().__init__()
        self.block, self.mode = block, mode

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C / block^2, H block, W block)."""
        if self.mode == "CRD":
            return functional.pixel_shuffle(x, self.block)
        n, c, h, w = x.shape
        b = self.block
        parts = x.reshape(n, b, b, c // (b * b), h, w).permute(0, 3, 4, 1, 5, 2)
        return parts.reshape(n, c // (b * b), h * b, w * b)


class SpaceToDepth(nn.Module):
    """Positions become channels, block x block of them for each channel."""

    def __init__(self, block: int) -> None:
        super().__init__()
        self.block = block

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C block^2, H / block, W / block)."""
        n, c, h, w = x.shape
        b = self.block
        parts = x.reshape(n, c, h // b, b, w // b, b).permute(0, 3, 5, 1, 2, 4)
        return parts.reshape(n, c * b * b, h // b, w // b)


def read_resize(node: Node, build: Builder) -> Value:
    """Resize of positions, by scales or to sizes -> Resize."""
    x = node.value()
    rank = len(x.shape)
    mode = str(node.attribute("mode", "nearest"))
    transform = str(node.attribute("coordinate_transformation_mode", "half_pixel"))
    rounding = str(node.attribute("nearest_mode", "round_prefer_floor"))
    if node.op == "Upsample":
        transform, rounding = "asymmetric", "floor"
    sizes, scales = _target(node, x.shape)
    if rank not in (3, 4) or sizes[:2] != list(x.shape[:2]):
        raise node.refusal("it resizes the batch or the channels, or has no 1 or 2 spatial axes")
    if mode not in ("nearest", "linear"):
        raise node.refusal(f"its mode is {mode!r}; nearest and linear are supported")
    usual = transform in ("half_pixel", "pytorch_half_pixel", "align_corners") or (
        transform == "asymmetric" and mode == "nearest"
    )
    exact = all(abs(x.shape[axis] * scales[axis] - sizes[axis]) < 1e-3 for axis in range(2, rank))
    if not usual or (mode == "linear" and not exact) or node.attribute("antialias", 0):
        raise node.refusal(f"its coordinates are computed as {transform!r} with mode {mode!r}")
    return build.call(node, Resize(sizes[2:], mode, transform, rounding, scales[2:]), x)


def _target(node: Node, shape: Sequence[int]) -> tuple[list[int], list[float]]:
    """(extents of the result, scales) for every axis."""
    rank = len(shape)
    axes = [int(axis) % rank for axis in node.attribute("axes") or range(rank)]
    sizes, scales = list(shape), [1.0] * rank
    place = 1 if node.op == "Upsample" else 2
    if node.has(place) and node.constant(place).size:
        for axis, scale in zip(axes, node.constant(place).reshape(-1), strict=True):
            scales[axis], sizes[axis] = float(scale), int(np.floor(np.float32(shape[axis]) * np.float32(scale)))
            sizes[axis] = shape[axis] if scale == 1 else sizes[axis]
    elif node.has(3):
        for axis, size in zip(axes, node.constant(3).reshape(-1), strict=True):
            sizes[axis], scales[axis] = int(size), int(size) / shape[axis]
        if node.attribute("keep_aspect_ratio_policy", "stretch") != "stretch":
            raise node.refusal("it keeps the aspect ratio")
    else:
        raise node.refusal("it has neither scales nor sizes")
    return sizes, scales


def read_depth_to_space(node: Node, build: Builder) -> Value:
    """DepthToSpace."""
    return build.call(node, DepthToSpace(node.attribute("blocksize"), node.attribute("mode", "DCR")), node.value())


def read_space_to_depth(node: Node, build: Builder) -> Value:
    """SpaceToDepth."""
    return build.call(node, SpaceToDepth(node.attribute("blocksize")), node.value())


def _flow_to_space(module: DepthToSpace, flow: Flow, inputs: Sequence[Traced], output: Sequence[int]) -> Labels:
    """The channels that make one channel of the result go together."""
    labels, blocks = flow.along(inputs[0], 1), module.block**2
    rows = labels.reshape(-1, blocks).T if module.mode == "CRD" else labels.reshape(blocks, -1)
    flow.freeze(rows[(rows == NOBODY) != (rows[:1] == NOBODY)], "they are mixed with nobody's channels")
    flow.tie(rows, rows[:1])
    return on_axis(np.array(rows[0]), 1, len(output))


def _flow_to_depth(module: SpaceToDepth, flow: Flow, inputs: Sequence[Traced], output: Sequence[int]) -> Labels:
    return on_axis(np.tile(flow.along(inputs[0], 1), module.block**2), 1, len(output))


def _write_resize(module: Resize, writer: Writer, name: str, inputs: Sequence[str]) -> str:
    kept = writer.node("Shape", [inputs[0]], f"{name}.kept", start=0, end=2)
    sizes = writer.node("Concat", [kept, writer.constant(f"{name}.size", module.size)], f"{name}.sizes", axis=0)
    return writer.node(
        "Resize", [inputs[0], "", "", sizes], name,
        mode=module.mode, coordinate_transformation_mode=module.transform, nearest_mode=module.rounding,
    )  # fmt: skip


OPERATORS = {
    Resize: Operator(kind=lambda _: "resize", write=_write_resize),
    DepthToSpace: Operator(
        kind=lambda _: "depth_to_space",
        flow=_flow_to_space,
        write=lambda module, writer, name, inputs: writer.node(
            "DepthToSpace", [inputs[0]], name, blocksize=module.block, mode=module.mode
        ),
    ),
    SpaceToDepth: Operator(
        kind=lambda _: "space_to_depth",
        flow=_flow_to_depth,
        write=lambda module, writer, name, inputs: writer.node(
            "SpaceToDepth", [inputs[0]], name, blocksize=module.block
        ),
    ),
}
READERS = {
    "Resize": read_resize,
    "Upsample": read_resize,
    "DepthToSpace": read_depth_to_space,
    "SpaceToDepth": read_space_to_depth,
}
