"""Whether an exported file computes what the torch network does."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import onnxruntime
import torch
from torch import Tensor, nn

from compressors.kernels import exact_session_options


@dataclass(frozen=True, slots=True)
class Parity:
    """How far the file's outputs are from the network's, over all samples.

    max_rel_error: the largest difference divided by the largest magnitude of the network's outputs. agreement: share of
    samples whose largest output is the same.
    """

    max_abs_error: float
    max_rel_error: float
    agreement: float


def check_parity(
    module: nn.Module, content: bytes, inputs: Tensor, *, batch_size: int = 256, exact: bool = False
) -> Parity:
    """Run both on inputs (N, ...) and compare. The module is run in eval mode and left as it was.

    exact: compute 8-bit layers exactly even where this machine's kernels would not, for files meant for others.
    """
    session = open_session(content, exact=exact)
    name = session.get_inputs()[0].name
    training = module.training
    module.eval()
    expected, found = [], []
    with torch.no_grad():
        for batch in torch.split(inputs, batch_size):
            expected.append(module(batch).numpy())
            found.append(session.run(None, {name: batch.numpy()})[0])
    module.train(training)
    return compare(np.concatenate(expected), np.concatenate(found))


def compare(expected: np.ndarray, found: np.ndarray) -> Parity:
    """The differences between two sets of outputs, (N, ...) each."""
    error = float(np.abs(expected - found).max(initial=0.0))
    largest = float(np.abs(expected).max(initial=0.0))
    rows, others = expected.reshape(len(expected), -1), found.reshape(len(found), -1)
    same = float((rows.argmax(1) == others.argmax(1)).mean()) if len(rows) else 1.0
    return Parity(error, error / largest if largest else error, same)


def open_session(content: bytes, *, exact: bool = False) -> onnxruntime.InferenceSession:
    """A session on the CPU, on one thread, that does not chatter. exact: see `check_parity`."""
    options = exact_session_options() if exact else onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
