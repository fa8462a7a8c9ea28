"""LSTM and GRU layers, in one direction or two, with ONNX's layout: (steps, batch, features) in, and
(steps, directions, batch, hidden) out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from compressors.cut import Cut
from compressors.flow import Flow, Labels, Traced, on_axis
from compressors.graph import select
from compressors.operators.operator import Geometry, Operator
from compressors.reading import Builder, Const, Node, Value
from compressors.writing import Writer

#: for each gate of torch (LSTM: i f g o, GRU: r z n), its place in ONNX's order (LSTM: i o f c, GRU: z r h)
_ORDER = {"LSTM": (0, 2, 3, 1), "GRU": (1, 0, 2)}


class Recurrent(nn.Module):
    """A recurrent layer. Weights have torch's gate order and one entry per direction.

    weight_ih: (directions, gates x hidden, in), weight_hh: (directions, gates x hidden, hidden),
    bias_ih, bias_hh: (directions, gates x hidden). directions: `forward`, `reverse` or `bidirectional`.
    """

    operator: str

    def __init__(self, weight_ih: Tensor, weight_hh: Tensor, bias_ih: Tensor, bias_hh: Tensor, direction: str) -> None:
        super().__init__()
        self.weight_ih, self.weight_hh = nn.Parameter(weight_ih), nn.Parameter(weight_hh)
        self.bias_ih, self.bias_hh = nn.Parameter(bias_ih), nn.Parameter(bias_hh)
        self.direction = direction
        self.input_size, self.hidden_size = weight_ih.shape[2], weight_hh.shape[2]

    @property
    def directions(self) -> int:
        """1 or 2."""
        return 2 if self.direction == "bidirectional" else 1

    def forward(self, x: Tensor) -> Tensor:
        """(T, N, in) -> (T, directions, N, hidden)."""
        x = x.flip(0) if self.direction == "reverse" else x
        state = x.new_zeros(self.directions, x.shape[1], self.hidden_size)
        flat = [
            held[place]
            for place in range(self.directions)
            for held in (self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh)
        ]
        y = self._run(x, state, flat)
        y = y.reshape(x.shape[0], x.shape[1], self.directions, self.hidden_size).transpose(1, 2)
        return y.flip(0) if self.direction == "reverse" else y

    def _run(self, x: Tensor, state: Tensor, flat: list[Tensor]) -> Tensor:
        raise NotImplementedError

    def extra_repr(self) -> str:
        """What is printed between the brackets."""
        return f"{self.input_size}, {self.hidden_size}, {self.direction}"


class Lstm(Recurrent):
    """Long short-term memory."""

    operator = "LSTM"

    def _run(self, x: Tensor, state: Tensor, flat: list[Tensor]) -> Tensor:
        return torch.lstm(x, (state, state), flat, True, 1, 0.0, False, self.directions == 2, False)[0]


class Gru(Recurrent):
    """Gated recurrent unit. reset_first: the reset gate multiplies before the hidden product, not behind it (torch)."""

    operator = "GRU"
    reset_first = False

    def _run(self, x: Tensor, state: Tensor, flat: list[Tensor]) -> Tensor:
        if not self.reset_first:
            return torch.gru(x, state, flat, True, 1, 0.0, False, self.directions == 2, False)[0]
        runs = [_reset_first(x, state[0], *flat[:4])]
        if self.directions == 2:
            runs.append(_reset_first(x.flip(0), state[0], *flat[4:]).flip(0))
        return torch.cat(runs, dim=2)


def _reset_first(x: Tensor, state: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor, b_hh: Tensor) -> Tensor:
    """GRU of Cho et al. (2014): n = tanh(W x + R (r h)). (T, N, in) -> (T, N, hidden)."""
    hidden = state.shape[-1]
    given = nn.functional.linear(x, w_ih, b_ih)
    steps = []
    for row in given:
        gates = torch.sigmoid(
            row[:, : 2 * hidden] + nn.functional.linear(state, w_hh[: 2 * hidden], b_hh[: 2 * hidden])
        )
        reset, update = gates.chunk(2, dim=1)
        inner = nn.functional.linear(reset * state, w_hh[2 * hidden :], b_hh[2 * hidden :])
        new = torch.tanh(row[:, 2 * hidden :] + inner)
        state = new + update * (state - new)
        steps.append(state)
    return torch.stack(steps)


class LastState(nn.Module):
    """What a recurrent layer ends with: of each direction the step it computed last."""

    def __init__(self, direction: str) -> None:
        super().__init__()
        self.direction = direction

    def forward(self, y: Tensor) -> Tensor:
        """(T, directions, N, hidden) -> (directions, N, hidden)."""
        if self.direction == "forward":
            return y[-1]
        return y[0] if self.direction == "reverse" else torch.stack((y[-1, 0], y[0, 1]))


def read_recurrent(node: Node, build: Builder) -> list[Value]:
    """LSTM, GRU -> Lstm, Gru; the final state is picked from the sequence."""
    x = node.value()
    _check(node, x)
    weight_ih, weight_hh = (_gates(node, node.constant(index)) for index in (1, 2))
    directions, rows = weight_ih.shape[:2]
    given = node.constant(3) if node.has(3) else np.zeros((directions, 2 * rows), np.float32)
    bias_ih, bias_hh = (_gates(node, part[..., None])[..., 0] for part in np.split(given, 2, axis=1))
    direction = str(node.attribute("direction", "forward"))
    weights = [torch.from_numpy(np.ascontiguousarray(held)) for held in (weight_ih, weight_hh, bias_ih, bias_hh)]
    module = (Lstm if node.op == "LSTM" else Gru)(weights[0], weights[1], weights[2], weights[3], direction)
    if isinstance(module, Gru) and not node.attribute("linear_before_reset", 0):
        module.reset_first = True
    made = [build.call(node, module, x, weight=1)]
    if len(node.proto.output) > 1 and node.proto.output[1]:
        made.append(build.add(build.names.unused(f"{made[0].node.target}.last"), LastState(direction), made[0]))
    return made


def _check(node: Node, x: Value) -> None:
    steps = x.shape[0]
    if len(node.proto.output) > 2 and node.proto.output[2] in node.read:
        raise node.refusal("its final cell state is used")
    if node.has(4) and (node.constant(4) != steps).any():
        raise node.refusal("its sequences differ in length")
    for index, what in ((5, "initial state"), (6, "initial cell state")):
        if node.has(index) and not (isinstance(node.inputs[index], Const) and not node.constant(index).any()):
            raise node.refusal(f"its {what} is not zero")
    usual = {"LSTM": ["sigmoid", "tanh", "tanh"], "GRU": ["sigmoid", "tanh"]}[node.op]
    given = [a.decode().lower() for a in node.attribute("activations") or []]
    if given and given != usual * (len(given) // len(usual)):
        raise node.refusal(f"its activations are {given}")
    if node.has(7) or node.attribute("clip") or node.attribute("layout") or node.attribute("input_forget"):
        raise node.refusal("peepholes, clip, input_forget and layout are not supported")


def _gates(node: Node, values: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """(directions, gates x hidden, ...) from ONNX's order of gates into torch's."""
    order = _ORDER[node.op]
    parts = np.split(values.astype(np.float32), len(order), axis=1)
    return np.concatenate([parts[place] for place in order], axis=1)


def _flow(module: Recurrent, flow: Flow, inputs: Sequence[Traced], _: Sequence[int]) -> Labels:
    flow.along(inputs[0], 2)
    return on_axis(flow.fresh(module.hidden_size), 3, 4)  # the same units in both directions


def _flow_last(_: LastState, __: Flow, inputs: Sequence[Traced], ___: Sequence[int]) -> Labels:
    return inputs[0].labels.squeeze(0)


def _shrink(module: Recurrent, cut: Cut) -> None:
    """Of every gate, the hidden units that are left."""
    into, out = cut.inputs[0].positions(2), cut.output.positions(3)
    rows = None
    if out is not None:
        gates = module.weight_ih.shape[1] // module.hidden_size
        rows = torch.cat([out + gate * module.hidden_size for gate in range(gates)])
    module.weight_ih = select(module.weight_ih, (1, rows), (2, into))
    module.weight_hh = select(module.weight_hh, (1, rows), (2, out))
    module.bias_ih, module.bias_hh = select(module.bias_ih, (1, rows)), select(module.bias_hh, (1, rows))
    module.input_size, module.hidden_size = module.weight_ih.shape[2], module.weight_hh.shape[2]


def _write(module: Recurrent, writer: Writer, name: str, inputs: Sequence[str]) -> str:
    order = _ORDER[module.operator]

    def onnx_order(values: Tensor) -> Tensor:
        parts = values.detach().chunk(len(order), dim=1)
        return torch.cat([parts[order.index(place)] for place in range(len(order))], dim=1)

    weights = [
        writer.weight(f"{name}.weight_ih", onnx_order(module.weight_ih), 1),
        writer.weight(f"{name}.weight_hh", onnx_order(module.weight_hh), 1),
        writer.constant(f"{name}.bias", torch.cat([onnx_order(module.bias_ih), onnx_order(module.bias_hh)], dim=1)),
    ]
    more = {"linear_before_reset": int(not module.reset_first)} if isinstance(module, Gru) else {}
    return writer.node(
        module.operator, [inputs[0], *weights], name,
        hidden_size=module.hidden_size, direction=module.direction, **more,
    )  # fmt: skip


def _write_last(module: LastState, writer: Writer, name: str, inputs: Sequence[str]) -> str:
    ends = {"forward": [-1], "reverse": [0], "bidirectional": [-1, 0]}[module.direction]
    if len(ends) == 1:
        step = writer.constant(f"{name}.step", np.int64(ends[0]))
        return writer.node("Gather", [inputs[0], step], name, axis=0)
    parts = []
    for place, end in enumerate(ends):
        step = writer.constant(f"{name}.step{place}", np.int64(end))
        turn = writer.constant(f"{name}.direction{place}", [place])
        row = writer.node("Gather", [inputs[0], step], f"{name}.row{place}", axis=0)
        parts.append(writer.node("Gather", [row, turn], f"{name}.part{place}", axis=0))
    return writer.node("Concat", parts, name, axis=0)


def _recurrent(kind: str) -> Operator:
    return Operator(
        kind=lambda _: kind,
        write=_write,
        flow=_flow,
        shrink=_shrink,
        geometry=lambda module: Geometry(bias=True, extra={"directions": module.directions}),
        role="layer",
        in_axis=-1,
    )


OPERATORS = {
    Lstm: _recurrent("lstm"),
    Gru: _recurrent("gru"),
    LastState: Operator(kind=lambda _: "slice", write=_write_last, flow=_flow_last),
}
READERS = {"LSTM": read_recurrent, "GRU": read_recurrent}
