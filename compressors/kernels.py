"""What this machine's 8-bit kernels do with extreme values.

Without VNNI, x86 kernels multiply unsigned by signed bytes and add two products in 16 bits, where 2 x 255 x 127 does
not fit: sums are cut off and outputs are wrong without any error. Weights of 7 bits (-63..63) always fit beside 8-bit
activations. (ONNX Runtime calls that `reduce_range`.)
"""

from __future__ import annotations

from functools import cache

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

_CHANNELS = 16


@cache
def saturates() -> bool:
    """Whether ONNX Runtime's 8-bit convolutions cut off large sums on this machine. Tried once."""
    session = onnxruntime.InferenceSession(_extreme(), providers=["CPUExecutionProvider"])
    inputs = np.ones((1, _CHANNELS, 4, 4), np.float32)
    found = float(session.run(None, {"x": inputs})[0].max())
    return abs(found - _CHANNELS) > 0.01 * _CHANNELS


def exact_session_options() -> onnxruntime.SessionOptions:
    """For a session on one thread that computes 8-bit layers exactly, at some cost in time where kernels saturate."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.add_session_config_entry("session.x64quantprecision", "1")
    return options


def _extreme() -> bytes:
    """A 1x1 convolution of the largest weights there are, over the largest activations: every output is `_CHANNELS`."""
    values: dict[str, np.ndarray | np.generic] = {
        "s": np.float32(1 / 255),
        "t": np.float32(_CHANNELS / 255),
        "z": np.uint8(0),
    }
    values["w"] = np.full((8, _CHANNELS, 1, 1), 127, np.int8)
    values |= {"ws": np.full(8, 1 / 127, np.float32), "wz": np.zeros(8, np.int8)}
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "s", "z"], ["q"]),
        helper.make_node("DequantizeLinear", ["q", "s", "z"], ["d"]),
        helper.make_node("DequantizeLinear", ["w", "ws", "wz"], ["dw"], axis=0),
        helper.make_node("Conv", ["d", "dw"], ["a"]),
        helper.make_node("QuantizeLinear", ["a", "t", "z"], ["b"]),
        helper.make_node("DequantizeLinear", ["b", "t", "z"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes,
        "extreme",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", _CHANNELS, 4, 4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 8, 4, 4])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in values.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return bytes(model.SerializeToString())
